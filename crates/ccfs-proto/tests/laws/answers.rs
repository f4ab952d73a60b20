//! Envelopes and callbacks.

use ccfs_proto::{Callback, CallbackError, Day, Envelope, EnvelopeError, IndexFileName, ResponseId, ResultCode, request_body};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases;

const NAME_KEYS: [&str; 5] = ["agentSkillInfoFileName", "agentOprSkillFileName", "agentOprInfoFileName", "billFileName", "fileName"];

fn data() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn code() -> impl Strategy<Value = ResultCode> {
    prop_oneof![prop::sample::select(ResultCode::DOCUMENTED), ".{0,10}".prop_map(|text| ResultCode::from_text(&text))]
}

fn job() -> impl Strategy<Value = (ResponseId, Day)> {
    ("[0-9a-f]{32}", 0_u16..=9999, 1_u8..=12, 1_u8..=28)
        .prop_map(|(id, year, month, day)| (id.parse().unwrap(), Day::new(year, month, day).unwrap()))
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn an_envelope_is_read_as_it_was_written(code in code(), description in ".{0,30}", data in prop::option::of(data()), padding in "[ \t\r\n]{0,3}", mark in any::<bool>()) {
        let envelope = Envelope::new(code, description, data);
        let mark = if mark { "\u{FEFF}" } else { "" };
        let text = format!("{mark}{padding}{}{padding}", envelope.to_json());
        prop_assert_eq!(Envelope::parse(text.as_bytes()), Ok(envelope.clone()));
        prop_assert_eq!(Envelope::parse_within(text.as_bytes(), text.len()), Ok(envelope));
        prop_assert_eq!(Envelope::parse_within(text.as_bytes(), text.len() - 1), Err(EnvelopeError::TooLarge { limit: text.len() - 1 }));
        for end in 0..text.trim_end().len() {
            prop_assert!(Envelope::parse(&text.as_bytes()[..end]).is_err(), "a part of an envelope is none");
        }
    }

    #[test]
    fn the_older_response_counts_where_the_newer_fields_are_missing(new in prop::option::of(code()), old in prop::option::of(code()), text in ".{0,8}", data in data()) {
        let mut json = json!({"response": {"version": "2.0", "resultMsg": text}, "resultData": data});
        if let Some(old) = &old {
            json["response"]["resultCode"] = old.as_str().into();
        }
        if let Some(new) = &new {
            json["resultCode"] = new.as_str().into();
            json["resultDesc"] = "new".into();
        }
        let read = Envelope::parse(json.to_string().as_bytes());
        match new.as_ref().or(old.as_ref()) {
            None => prop_assert_eq!(read, Err(EnvelopeError::NoResultCode)),
            Some(code) => {
                let read = read.unwrap();
                prop_assert_eq!(read.code(), code);
                prop_assert_eq!(read.description(), if new.is_some() { "new" } else { text.as_str() });
                prop_assert_eq!(read.version(), Some("2.0"));
                prop_assert_eq!(read.data().is_some(), !data.is_null() && data != json!(""));
            }
        }
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), json in data(), at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut mutated = Envelope::new(ResultCode::Success, "", Some(json)).to_json().to_string().into_bytes();
        *at.get_mut(&mut mutated) ^= flip;
        for bytes in [&bytes, &mutated] {
            let _ = Envelope::parse(bytes).map_err(|error| error.to_string());
            let _ = Callback::parse(bytes).map_err(|error| error.to_string());
        }
    }

    #[test]
    fn a_request_body_is_the_wrapper_around_the_message(msg_body in data()) {
        let bytes = request_body(&msg_body).unwrap();
        let read: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(read, json!({"request": {"version": "2.0"}, "msgBody": msg_body}));
        let start = br#"{"request":{"version":"2.0"},"msgBody":"#;
        prop_assert!(bytes.starts_with(start));
    }

    #[test]
    fn a_callback_is_read_as_it_was_made((id, day) in job(), account in prop::option::of(".{1,20}"), key in prop::sample::select(&NAME_KEYS[..])) {
        let callback = Callback::new(id, IndexFileName::new(day, id), account);
        prop_assert_eq!(Callback::parse(&callback.to_body(key)), Ok(callback));
    }

    #[test]
    fn a_callback_whose_parts_disagree_is_refused(
        (id, day) in job(), (other, _) in job(), keys in prop::sample::subsequence(&NAME_KEYS[..], 2), missing in prop::sample::select(vec!["responseId", "msgBody", "fileName"]),
    ) {
        prop_assume!(id != other);
        let (name, another) = (IndexFileName::new(day, id), IndexFileName::new(day, other));
        prop_assert_eq!(Callback::parse(&Callback::new(other, name.clone(), None).to_body(keys[0])), Err(CallbackError::Disagree));

        let body = |names: &[&IndexFileName]| {
            let mut message = json!({"responseId": id.as_str()});
            for (key, name) in keys.iter().zip(names) {
                message[*key] = name.as_str().into();
            }
            json!({"msgBody": message})
        };
        prop_assert_eq!(Callback::parse(body(&[&name, &another]).to_string().as_bytes()), Err(CallbackError::Disagree));
        prop_assert!(Callback::parse(body(&[&name, &name]).to_string().as_bytes()).is_ok());

        let mut lacking = body(&[&name]);
        match missing {
            "msgBody" => lacking = json!({}),
            "responseId" => lacking["msgBody"]["responseId"] = "".into(),
            _ => lacking["msgBody"][keys[0]] = Value::Null,
        }
        prop_assert_eq!(Callback::parse(lacking.to_string().as_bytes()), Err(CallbackError::Missing { field: missing }));
    }
}

#[test]
fn sizes_are_bounded() {
    let large = vec![b' '; 64 * 1024 + 1];
    assert_eq!(Callback::parse(&large), Err(CallbackError::TooLarge { limit: 64 * 1024 }));
    let large = vec![b' '; 1024 * 1024 + 1];
    assert_eq!(Envelope::parse(&large), Err(EnvelopeError::TooLarge { limit: 1024 * 1024 }));
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    assert!(matches!(Envelope::parse(&deep), Err(EnvelopeError::Json { .. })));
    assert!(matches!(Callback::parse(&deep[..60_000]), Err(CallbackError::Json { .. })));
}

/// An account that a server wrote as a number is not lost.
#[test]
fn a_numeric_account_is_its_digits() {
    let id = "9239cb50a8384bb0ab503441bf089446";
    let body = json!({"msgBody": {"responseId": id, "fileName": format!("20230406_{id}.zip"), "accountId": 117}});
    assert_eq!(Callback::parse(body.to_string().as_bytes()).unwrap().account_id.as_deref(), Some("117"));
}

/// A list of an envelope's values is no envelope; a fuzzer found that it was one.
#[test]
fn an_array_is_no_envelope() {
    let refused = Envelope::parse(br#" ["0", "success", {"responseId": "a"}, null]"#);
    assert_eq!(refused, Err(EnvelopeError::Json { line: 1, column: 1 }));
    let inside = Envelope::parse(br#"{"resultCode": "0", "response": ["2.0", "0", "success"]}"#);
    assert!(matches!(inside, Err(EnvelopeError::Json { line: 1, column: 2.. })), "{inside:?}");
    let old = Envelope::parse(br#"{"resultCode": null, "response": {"version": "2.0", "resultCode": 0, "resultMsg": "success"}}"#);
    assert_eq!(old.map(|old| (old.code().is_success(), old.version().map(str::to_owned))), Ok((true, Some("2.0".to_owned()))));
}
