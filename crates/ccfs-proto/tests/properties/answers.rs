//! Envelopes and callbacks.

use ccfs_proto::answer::{EnvelopeError, Expected, HttpRefusal, RawJson};
use ccfs_proto::callback::{Callback, CallbackError};
use ccfs_proto::operation::request_body;
use ccfs_proto::{Classifier, Day, Envelope, IndexFileName, ResponseId, ResultCode};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{cases, sized};

const NAME_KEYS: [&str; 5] = [
    "agentSkillInfoFileName",
    "agentOprSkillFileName",
    "agentOprInfoFileName",
    "billFileName",
    "fileName",
];

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
            prop::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn code() -> impl Strategy<Value = ResultCode> {
    prop_oneof![
        prop::sample::select(ResultCode::DOCUMENTED),
        ".{0,10}".prop_map(|text| ResultCode::from(text.as_str()))
    ]
}

fn body(envelope: &Envelope) -> String {
    String::from_utf8(envelope.to_body().to_vec()).unwrap()
}

fn tree(data: &RawJson) -> Value {
    data.parse().unwrap()
}

fn job() -> impl Strategy<Value = (ResponseId, Day)> {
    ("[0-9a-f]{32}", 0_u16..=9999, 1_u8..=12, 1_u8..=28).prop_map(|(id, year, month, day)| {
        (id.parse().unwrap(), Day::new(year, month, day).unwrap())
    })
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn an_envelope_is_read_as_it_was_written(code in code(), description in ".{0,30}", data in prop::option::of(data()), padding in "[ \t\r\n]{0,3}", mark in any::<bool>()) {
        let envelope = Envelope::new(code, description, data.map(RawJson::from));
        let mark = if mark { "\u{FEFF}" } else { "" };
        let text = format!("{mark}{padding}{}{padding}", body(&envelope));
        prop_assert_eq!(Envelope::parse(text.as_bytes()), Ok(envelope.clone()));
        prop_assert_eq!(Envelope::parse_within(text.as_bytes(), text.len()), Ok(envelope));
        prop_assert_eq!(Envelope::parse_within(text.as_bytes(), text.len() - 1), Err(EnvelopeError::TooLarge { limit: text.len() - 1 }));
        for end in (0..text.trim_end().len()).step_by(if cfg!(miri) { 7 } else { 1 }) {
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
                let there = Some(&data).filter(|data| !data.is_null() && **data != json!(""));
                prop_assert_eq!(read.data().map(tree), there.cloned());
            }
        }
    }

    /// The data is accepted if a tree can be parsed from it, refused otherwise, and has the same content as the tree.
    #[test]
    fn data_is_what_a_tree_of_it_would_be(
        json in data(), at in any::<prop::sample::Index>(), put in prop::sample::select(&["", "1", "-", "e", "\"", "\\", "u", "d800", "\n", "[", "]", "{", "}", ",", ":", "999", "\u{1}", "变"][..]),
    ) {
        let mut text = json.to_string();
        let boundaries: Vec<_> = (0..=text.len()).filter(|&at| text.is_char_boundary(at)).collect();
        text.insert_str(*at.get(&boundaries), put);
        let body = format!("{{\"resultCode\":\"0\",\n \"resultData\":{text}}}");
        match (Envelope::parse(body.as_bytes()), serde_json::from_str::<Value>(&body)) {
            (Ok(envelope), Ok(json)) => {
                let there = Some(&json["resultData"]).filter(|data| !data.is_null() && **data != json!(""));
                prop_assert_eq!(envelope.data().map(tree), there.cloned());
                if let (Some(data), Some(Value::Object(fields))) = (envelope.data(), there) {
                    for (name, value) in fields {
                        prop_assert_eq!(data.text(name), value.as_str().map(str::to_owned));
                    }
                }
            }
            // A line break within a text is counted at once by the one and afterwards by the other.
            (Err(EnvelopeError::Json { line, .. }), Err(error)) => prop_assert!(line.abs_diff(error.line()) <= 1, "{line}: {error}"),
            // The text closed the data and went on with another field, perhaps one that an envelope has.
            (Err(EnvelopeError::Json { .. }), Ok(json)) => prop_assert!(json.as_object().is_some_and(|fields| fields.len() != 2), "{}", body),
            (taken, _) => prop_assert!(false, "{:?} of {}", taken, body),
        }
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), json in data(), at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut mutated = Envelope::new(ResultCode::Success, "", Some(RawJson::from(json))).to_body().to_vec();
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
    assert_eq!(Callback::parse(&large), Err(CallbackError::TooLarge));
    let large = vec![b' '; 1024 * 1024 + 1];
    assert_eq!(Envelope::parse(&large), Err(EnvelopeError::TooLarge { limit: 1024 * 1024 }));
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    assert!(matches!(Envelope::parse(&deep), Err(EnvelopeError::Json { .. })));
    assert!(matches!(Callback::parse(&deep[..60_000]), Err(CallbackError::Json { .. })));
}

fn refusal(body: &[u8]) -> HttpRefusal {
    let status = http::StatusCode::UNAUTHORIZED;
    let mut classifier = Classifier::new(status, &http::HeaderMap::new(), Expected::Envelope);
    assert_eq!(classifier.push(body.to_vec().into()), Ok(None));
    classifier.refusal().unwrap()
}

/// The name of a field with its JSON.
fn field(name: &'static str) -> impl Strategy<Value = Option<(&'static str, Value)>> {
    let json = prop_oneof![1 => Just(Value::Null), 1 => Just(json!("")), 6 => data()];
    prop::option::weighted(0.8, json.prop_map(move |json| (name, json)))
}

proptest! {
    #![proptest_config(cases(256))]

    /// Each field of a refusal is read by itself, whatever the others are, and in any order.
    #[test]
    fn each_field_of_a_refusal_is_read_by_itself(
        timestamp in field("timestamp"), status in field("status"), error in field("error"), message in field("message"), path in field("path"),
        known in prop::sample::select(&["timestamp", "error"][..]), rotate in 0..6_usize, cut in 0..40_usize,
    ) {
        let mut fields: Vec<_> = [timestamp, status, error, message, path].into_iter().flatten().filter(|(name, _)| *name != known).collect();
        let right = match known {
            "timestamp" => (known, json!(1_680_782_400_000_i64)),
            text => (text, json!("as it was sent")),
        };
        fields.push(right);
        let at = rotate % fields.len();
        fields.rotate_left(at);
        let json = |fields: &[(&str, Value)]| fields.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect::<Vec<_>>().join(",");
        let read = refusal(format!("{{{}}}", json(&fields)).as_bytes());
        let value = |name| fields.iter().find(|field| field.0 == name).map(|field| &field.1);
        if known == "error" {
            prop_assert_eq!(read.error.as_deref(), Some("as it was sent"));
        }
        prop_assert_eq!(read.error.is_some(), value("error").is_some_and(Value::is_string));
        let given = |name| value(name).is_some_and(|json| !json.is_null() && *json != json!(""));
        let has_text = value("error").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        prop_assert_eq!(read.has_ccfs_form, has_text && (given("timestamp") || given("path")));
        // Of a body that is cut off, the fields before the cut count.
        let rest = format!("{{{},\"rest\":\"{}\"}}", json(&fields), "x".repeat(40));
        prop_assert_eq!(refusal(&rest.as_bytes()[..rest.len() - 3 - cut]), read);
    }

    /// The result code of an answer in GBK counts; damaged data is never handed out.
    #[test]
    fn the_code_of_an_answer_in_another_charset_is_read(
        code in prop::sample::select(ResultCode::DOCUMENTED), pairs in prop::collection::vec((0x81_u8..=0xFE, prop_oneof![0x40_u8..=0x7E, 0x80_u8..=0xFE]), 1..20), in_data in any::<bool>(),
    ) {
        let text: Vec<u8> = pairs.into_iter().flat_map(|(lead, trail)| [lead, trail]).collect();
        // Then the byte may be the third one of a character in UTF-8.
        prop_assume!(std::str::from_utf8(&text).is_err() && text.utf8_chunks().all(|chunk| chunk.valid().is_ascii()));
        let (description, data) = if in_data { (&b"failed"[..], &text[..]) } else { (&text[..], &b"0001"[..]) };
        let body = [b"{\"resultDesc\":\"", description, b"\",\"resultData\":{\"responseId\":\"", data, b"\"},\"resultCode\":\"", code.as_str().as_bytes(), b"\"}"].concat();
        let read = Envelope::parse(&body);
        if in_data && code == ResultCode::Success {
            prop_assert!(matches!(read, Err(EnvelopeError::Json { .. })), "{:?}", read);
            return Ok(());
        }
        let read = read.unwrap();
        prop_assert_eq!(read.code(), &code);
        prop_assert_eq!(read.data().is_some(), !in_data);
        let refused = [b"{\"message\":\"", &text[..], b"\",\"error\":\"Forbidden\",\"path\":\"/\"}"].concat();
        prop_assert!(refusal(&refused).has_ccfs_form);
    }
}

#[test]
fn a_description_in_gbk_does_not_hide_the_code() {
    // The second byte of the second character is a backslash.
    let body = b"{\"resultCode\":\"0300011\",\"resultDesc\":\"\xCE\xC4\x97\x5C\"}";
    let envelope = Envelope::parse(body).unwrap();
    assert_eq!(envelope.code(), &ResultCode::FileNotFound);
    assert_eq!(envelope.description(), "\u{FFFD}\u{FFFD}");
}

#[test]
fn a_result_code_is_short() {
    for len in [64, 65, 300_000] {
        let code = "S".repeat(len);
        let envelope = Envelope::parse(format!(r#"{{"resultCode":"{code}"}}"#).as_bytes());
        assert_eq!(envelope.is_ok(), len == 64);
    }
}

/// What a tree could not hold is refused, and the place is that in the whole answer.
#[test]
fn invalid_data_is_refused_with_its_position() {
    for bad in ["1e999", r#""\ud800""#, "[-1e999,\"\"]"] {
        let body = format!("{{\"resultCode\":\"0\",\n  \"resultData\":[\n{bad}]}}");
        let Err(error) = serde_json::from_str::<Value>(&body) else { panic!("{bad}") };
        assert_eq!(
            Envelope::parse(body.as_bytes()),
            Err(EnvelopeError::Json { line: error.line(), column: error.column() }),
            "{bad}"
        );
        let body = body.replace('\n', "");
        let Err(error) = serde_json::from_str::<Value>(&body) else { panic!("{bad}") };
        assert_eq!(
            Envelope::parse(body.as_bytes()),
            Err(EnvelopeError::Json { line: 1, column: error.column() }),
            "{bad}"
        );
    }
    for depth in [127, 128, sized(100_000, 200)] {
        let data = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let body = format!("{{\"resultCode\":\"0\",\n\"resultData\":{data}}}");
        let taken = Envelope::parse(body.as_bytes());
        assert_eq!(
            taken.as_ref().ok().and_then(Envelope::data).map(tree),
            serde_json::from_str(&data).ok(),
            "{depth}"
        );
        assert!(
            taken.is_ok() || matches!(taken, Err(EnvelopeError::Json { line: 2, .. })),
            "{taken:?}"
        );
    }
}

/// Of a duplicate field, some parsers use the first value and others the last: such an envelope is refused.
#[test]
fn a_field_may_not_stand_twice() {
    for twice in [
        r#"{"resultCode":"0","resultCode":"0300011"}"#,
        r#"{"resultCode":"0","resultData":1,"resultData":2}"#,
        r#"{"response":{"resultCode":"0","resultCode":"0300011"}}"#,
        r#"{"response":{"resultCode":"0"},"response":null}"#,
    ] {
        assert!(
            matches!(Envelope::parse(twice.as_bytes()), Err(EnvelopeError::Json { .. })),
            "{twice}"
        );
    }
    let data = Envelope::parse(br#"{"resultCode":"0","resultData":{"a":"1","a":"2"}}"#).unwrap();
    assert_eq!(
        data.data().and_then(|data| data.text("a")).as_deref(),
        Some("2"),
        "in the data the last one counts, as in a tree"
    );
}

/// An account that a server wrote as a number is not lost.
#[test]
fn a_numeric_account_is_its_digits() {
    let id = "9239cb50a8384bb0ab503441bf089446";
    let body = json!({"msgBody": {"responseId": id, "fileName": format!("20230406_{id}.zip"), "accountId": 117}});
    assert_eq!(
        Callback::parse(body.to_string().as_bytes()).unwrap().account_id.as_deref(),
        Some("117")
    );
}

/// A list of an envelope's values is not an envelope; a fuzzer found that it was accepted.
#[test]
fn an_array_is_not_an_envelope() {
    let refused = Envelope::parse(br#" ["0", "success", {"responseId": "a"}, null]"#);
    assert_eq!(refused, Err(EnvelopeError::Json { line: 1, column: 1 }));
    for response in [r#"["2.0", "0", "success"]"#, r#""0""#, "0", "true"] {
        let body = format!(r#"{{"resultCode": "0", "response": {response}}}"#);
        let inside = Envelope::parse(body.as_bytes());
        assert!(matches!(inside, Err(EnvelopeError::Json { line: 1, column: 2.. })), "{inside:?}");
    }
    let old = Envelope::parse(br#"{"resultCode": null, "response": {"version": "2.0", "resultCode": 0, "resultMsg": "success"}}"#);
    assert!(old.is_ok_and(|old| old.code().is_success() && old.description() == "success"));
}
