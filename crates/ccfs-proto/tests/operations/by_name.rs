//! Calls that are only known by name: they accept exactly the fields of the table.

use ccfs_proto::answer::{Expected, FileKind};
use ccfs_proto::operation::{
    CallError, FieldError, FieldForm, FieldProblem, INTERFACES, Interface,
};
use ccfs_proto::{AnyOperation, Operation};

use super::support::{CALLBACK, INDEX_FILE, field_error, pairs, parts, wav};

/// A value that the form accepts.
fn sample(form: FieldForm) -> String {
    match form {
        FieldForm::Url(_) => CALLBACK.to_owned(),
        FieldForm::Text(_) | FieldForm::Path(_) => "a".to_owned(),
        FieldForm::Time => "2023-04-01 00:00:00".to_owned(),
        FieldForm::Number | FieldForm::UnixMillis => "7".to_owned(),
        FieldForm::IndexFileName => INDEX_FILE.to_owned(),
        FieldForm::OneOf(texts) => texts[0].to_owned(),
        form => panic!("{form:?} is no text"),
    }
}

fn takes_data(interface: &Interface) -> bool {
    interface.fields.iter().any(|field| matches!(field.form, FieldForm::Wav(_)))
}

fn samples(interface: &Interface, only_required: bool) -> Vec<(String, String)> {
    let texts = interface.fields.iter().filter(|field| !matches!(field.form, FieldForm::Wav(_)));
    texts
        .filter(|field| field.required || !only_required)
        .map(|field| (field.name.to_owned(), sample(field.form)))
        .collect()
}

fn call(interface: &Interface, fields: Vec<(String, String)>) -> Result<AnyOperation, CallError> {
    let data = takes_data(interface).then(|| wav(b"1").into());
    AnyOperation::from_fields(interface.name, fields, data)
}

#[test]
fn the_table_is_whole() {
    let names: Vec<_> = INTERFACES.iter().map(|interface| interface.name).collect();
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!((names.len(), distinct.len()), (17, 17));
    for interface in INTERFACES {
        assert!(!interface.about.is_empty() && !interface.answer.is_empty(), "{interface:?}");
        assert!(interface.fields.iter().all(|field| !field.about.is_empty()), "{interface:?}");
        assert_eq!(Interface::named(interface.name).unwrap().name, interface.name);
        let everything = call(interface, samples(interface, false)).unwrap();
        assert_eq!(everything.interface(), interface.name);
        assert_eq!(
            (everything.repeat(), everything.expected()),
            (interface.repeat, interface.expected)
        );
        let request = everything.request().unwrap();
        assert_eq!((request.method.as_str(), request.signed), (interface.method, interface.signed));
        assert_eq!(request.path, format!("/CCFS/resource/ccfs/{}", interface.name));
        let in_query =
            interface.fields.iter().filter(|field| field.in_query).map(|field| field.name);
        let sent =
            request.query.iter().map(|(key, _)| key.as_str()).filter(|key| *key != "version");
        assert_eq!(in_query.collect::<Vec<_>>(), sent.collect::<Vec<_>>(), "{interface:?}");
    }
    assert!(Interface::named("downloadrecord").is_none());
    let secrets = INTERFACES
        .iter()
        .flat_map(|interface| interface.fields)
        .filter(|field| field.secret)
        .map(|field| field.name);
    assert_eq!(secrets.collect::<Vec<_>>(), ["st"]);
    let zips = INTERFACES
        .iter()
        .filter(|interface| interface.expected == Expected::File(&[FileKind::Zip]))
        .count();
    assert_eq!(zips, 3);
}

#[test]
fn the_required_fields_are_enough() {
    for interface in INTERFACES {
        let mut fields = samples(interface, true);
        if interface.name == "downloadRecord" {
            let neither = call(interface, fields.clone()).unwrap().request().unwrap_err();
            assert_eq!(
                neither.to_string(),
                "fileName: neither this field nor `callId` is given; set one of them"
            );
            fields = pairs([("callId", "1")]);
        }
        assert!(call(interface, fields).unwrap().request().is_ok(), "{interface:?}");
    }
}

#[test]
fn missing_fields_are_all_named() {
    for interface in INTERFACES {
        let required: Vec<_> = interface
            .fields
            .iter()
            .filter(|field| field.required && !matches!(field.form, FieldForm::Wav(_)))
            .collect();
        for left_out in &required {
            let fields = samples(interface, true)
                .into_iter()
                .filter(|(name, _)| name != left_out.name)
                .collect();
            let missing = vec![left_out.name];
            let error = call(interface, fields).unwrap_err();
            assert_eq!(error, CallError::Missing { interface, missing });
            assert!(interface.fields.iter().all(|field| error.to_string().contains(field.name)));
        }
    }
    let error = AnyOperation::from_fields("queryBillData", pairs([("dataType", "call")]), None)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "queryBillData requires beginTime, endTime, callBackURL; its fields are beginTime, endTime, accountId, agentId, callId, \
         callerNo, calleeNo, calleeNo2, dataType, callBackURL"
    );
    let error =
        AnyOperation::from_fields("ivr/uploadFile", pairs([("vdnId", "1")]), None).unwrap_err();
    assert_eq!(error.to_string(), "ivr/uploadFile requires data; its fields are vdnId, data");
}

#[test]
fn errors_of_unknown_names_list_the_known_ones() {
    let error = AnyOperation::from_fields("downloadAgentSkillInfo", pairs([]), None).unwrap_err();
    let told = error.to_string();
    assert!(
        told.starts_with(
            "unknown interface `downloadAgentSkillInfo`; use one of queryAgentSkillInfoData, "
        ),
        "{told}"
    );
    assert!(INTERFACES.iter().all(|interface| told.contains(interface.name)));
    for interface in INTERFACES {
        let mut fields = samples(interface, false);
        fields.push(("nonsense".to_owned(), "1".to_owned()));
        let told = call(interface, fields).unwrap_err().to_string();
        assert!(
            told.starts_with(&format!("{} has no field `nonsense`; use one of ", interface.name)),
            "{told}"
        );
        assert!(interface.fields.iter().all(|field| told.contains(field.name)));
        // The version is the crate's own business.
        let version = call(interface, pairs([("version", "2.0")])).unwrap_err();
        assert!(matches!(version, CallError::UnknownField { .. }));
    }
    // However long a name is, the error is not.
    let error = AnyOperation::from_fields(&"x".repeat(100_000), pairs([]), None).unwrap_err();
    assert!(error.to_string().len() < 1_000);
}

#[test]
fn fields_given_twice_and_files_given_wrongly() {
    let twice = AnyOperation::from_fields(
        "downloadRecordFile",
        pairs([("fileName", "a"), ("fileName", "a")]),
        None,
    )
    .unwrap_err();
    assert_eq!(twice, FieldError::new("fileName", FieldProblem::GivenTwice).into());
    let text = AnyOperation::from_fields(
        "ivr/uploadFile",
        pairs([("vdnId", "1"), ("data", "UklGRg==")]),
        None,
    )
    .unwrap_err();
    assert_eq!(
        text,
        FieldError::new("data", FieldProblem::Value { allowed: "a file, not text".into() }).into()
    );
    let file = AnyOperation::from_fields(
        "downloadRecordFile",
        pairs([("fileName", "a")]),
        Some(wav(b"1").into()),
    )
    .unwrap_err();
    let interface = Interface::named("downloadRecordFile").unwrap();
    assert_eq!(file, CallError::UnknownField { interface, field: "data".to_owned() });
}

#[test]
fn texts_that_cannot_be_read() {
    let wrong = |name: &str, fields: &[(&str, &str)], with: Option<Vec<u8>>| {
        let fields = pairs(fields.iter().copied());
        let made = AnyOperation::from_fields(name, fields, with.map(Into::into));
        let error = field_error(made.unwrap_err()).unwrap();
        parts(error)
    };
    let urls = |begin, end| {
        wrong(
            "getRecordFileUrlFromObs",
            &[("callId", "1"), ("beginTime", begin), ("endTime", end)],
            None,
        )
    };
    assert!(matches!(
        urls("2023-04-01", "2023-04-01 00:00:00"),
        ("beginTime", FieldProblem::Time(_))
    ));
    assert!(matches!(
        urls("2023-04-01 00:00:00", "2023-02-30 00:00:00"),
        ("endTime", FieldProblem::Time(_))
    ));
    let bill = wrong("downloadBillFile", &[("billFileName", "a b.zip")], None);
    assert!(matches!(bill, ("billFileName", FieldProblem::FileName(_))));
    let long = wrong("downloadBillFile", &[("billFileName", &"a".repeat(50))], None);
    assert!(matches!(long, ("billFileName", FieldProblem::FileName(_))));
    for number in ["", "-1", "+1", "1.5", "18446744073709551616", "0x10", "seven"] {
        let (field, problem) =
            wrong("downloadOiapRecord", &[("fileName", "a"), ("locationId", number)], None);
        assert_eq!(field, "locationId");
        assert!(
            matches!(&problem, FieldProblem::Form { given, .. } if given == number),
            "{problem:?}"
        );
        assert_eq!(wrong("ivr/uploadFile", &[("vdnId", number)], Some(wav(b"1"))).0, "vdnId");
    }
    for mode in ["0", "2", "", "directory"] {
        assert_eq!(wrong("ivr/downloadFile", &[("filePath", "a"), ("mode", mode)], None).0, "mode");
    }
    // The last millisecond that can be written is sent; the next is refused, not rounded.
    let play = |t| AnyOperation::from_fields("playVoice", pairs([("t", t), ("st", "x")]), None);
    assert_eq!(play("253402300799999").unwrap().request().unwrap().query[0].1, "253402300799999");
    for t in ["253402300800000", "18446744073709551615", "now"] {
        assert_eq!(wrong("playVoice", &[("t", t), ("st", "x")], None).0, "t");
    }
}

/// The bounds of the table are the bounds of the checks.
#[test]
fn the_tables_bounds_hold() {
    for interface in INTERFACES {
        for field in interface.fields {
            let (FieldForm::Text(limit) | FieldForm::Path(limit) | FieldForm::Url(limit)) =
                field.form
            else {
                continue;
            };
            let request = |text: String| {
                let fields = samples(interface, false).into_iter();
                let fields = fields
                    .map(
                        |(name, sample)| {
                            if name == field.name { (name, text.clone()) } else { (name, sample) }
                        },
                    )
                    .collect();
                call(interface, fields)
                    .map_err(|error| field_error(error).unwrap())
                    .and_then(|call| call.request())
            };
            let longest =
                if field.name == "callBackURL" { format!("{CALLBACK}/") } else { String::new() };
            let longest = format!("{longest}{}", "a".repeat(limit - longest.len()));
            assert!(request(longest.clone()).is_ok(), "{interface:?} {}", field.name);
            let refused = request(longest + "a").unwrap_err();
            assert_eq!(
                parts(refused),
                (field.name, FieldProblem::TooLong { limit, len: limit + 1 })
            );
            assert!(matches!(request(String::new()).unwrap_err().problem, FieldProblem::Missing));
        }
    }
}

#[test]
fn forms_are_shown_in_words() {
    let form = |interface, field| {
        Interface::named(interface).unwrap().field(field).unwrap().form.to_string()
    };
    assert_eq!(form("queryBillData", "beginTime"), "yyyy-MM-dd HH:mm:ss");
    assert_eq!(form("queryBillData", "dataType"), "call or record or call_record");
    assert_eq!(form("downloadBillFile", "billFileName"), "1 to 49 letters, digits, '.', '-', '_'");
    assert_eq!(form("ivr/uploadFile", "vdnId"), "a whole number, at most 18446744073709551615");
    assert_eq!(
        form("ivr/uploadFile", "data"),
        "a mono 8-bit 8000 Hz WAV file, at most 5242880 bytes"
    );
    assert_eq!(form("playVoice", "t"), "milliseconds since 1970, before the year 10000");
}
