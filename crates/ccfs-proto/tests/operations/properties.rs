//! Properties over all interfaces, with random fields.

use std::collections::BTreeMap;

use ccfs_proto::operation::{
    BillData, DownloadAgentOprInfoFile, DownloadBillFile, DownloadIvrRecordFile,
    DownloadOiapRecord, DownloadRecord, DownloadRecordFile, FieldError, FieldForm, FieldProblem,
    GetRecordFileUrlFromObs, INTERFACES, Interface, IvrDeleteFile, IvrDownloadFile, IvrGetFileHash,
    IvrUploadFile, OperationRequest, PlayVoice, PlaybackToken, QueryAgentOprInfoData,
    QueryBillData, RequestPlayVoice,
};
use ccfs_proto::{
    AnyOperation, DownloadAgentSkillInfoFile, IndexFileName, LocalTime, Operation,
    QueryAgentSkillInfoData, Timestamp,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};
use serde_json::Value;

use super::support::{field_error, parts, wav};

/// So many cases, and failures remembered beside the tests. In Miri one case must do, without those that failed once.
pub(super) fn cases(cases: u32) -> Config {
    if cfg!(miri) {
        return Config { cases: 1, failure_persistence: None, ..Config::default() };
    }
    let file = FileFailurePersistence::Direct("tests/operations/regressions.txt");
    Config { cases, failure_persistence: Some(Box::new(file)), ..Config::default() }
}

type Fields = BTreeMap<&'static str, String>;

/// About as long as the longest field. Miri takes some hundred times as long for each byte.
const LONGEST: &str = if cfg!(miri) { "[a-z]{220,230}" } else { "[a-z]{1020,1030}" };

/// Text that the field's form takes, often of the full length.
fn valid(form: FieldForm) -> BoxedStrategy<String> {
    let long = |limit: usize| if cfg!(miri) { limit.min(30) } else { limit };
    match form {
        FieldForm::Url(_) => {
            "https?://[a-z]{1,20}(:[1-9][0-9]{0,3})?/[a-zA-Z0-9/._~?=&%-]{0,40}".boxed()
        }
        FieldForm::Path(limit) => text(&format!("[a-zA-Z0-9/.]{{1,{}}}", long(limit))),
        FieldForm::Text(limit) => text(&format!("[^\\p{{Cc}}]{{1,{}}}", long(limit))),
        FieldForm::Number => any::<u64>().prop_map(|number| number.to_string()).boxed(),
        FieldForm::UnixMillis => {
            (0..253_402_300_800_000_u64).prop_map(|number| number.to_string()).boxed()
        }
        FieldForm::IndexFileName => prop_oneof![
            "2023(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])_[0-9a-f]{32}\\.zip",
            "[a-zA-Z0-9][a-zA-Z0-9._-]{0,48}"
        ]
        .boxed(),
        FieldForm::OneOf(texts) => proptest::sample::select(texts).prop_map(str::to_owned).boxed(),
        // Times come in pairs; a file is not a text.
        _ => Just(String::new()).boxed(),
    }
}

fn text(pattern: &str) -> BoxedStrategy<String> {
    proptest::string::string_regex(pattern).unwrap().boxed()
}

/// Valid fields of one interface: all that must be given, and some of the others.
fn fields_of(interface: &'static Interface) -> BoxedStrategy<Fields> {
    let mut all: BoxedStrategy<Fields> = (0_i64..400 * 86_400, 0_i64..=259_200)
        .prop_map(move |(from, span)| {
            let begin: LocalTime =
                "2023-01-01 00:00:00".parse::<LocalTime>().unwrap().plus_seconds(from).unwrap();
            let times = [("beginTime", begin), ("endTime", begin.plus_seconds(span).unwrap())];
            times
                .into_iter()
                .filter(|(name, _)| interface.field(name).is_some())
                .map(|(name, time)| (name, time.to_string()))
                .collect()
        })
        .boxed();
    for field in interface
        .fields
        .iter()
        .filter(|field| !matches!(field.form, FieldForm::Time | FieldForm::Wav(_)))
    {
        let given = if field.required { Just(true).boxed() } else { any::<bool>().boxed() };
        all = (all, given, valid(field.form))
            .prop_map(move |(mut fields, given, text)| {
                if given {
                    fields.insert(field.name, text);
                }
                fields
            })
            .boxed();
    }
    // One of the two is needed.
    let needed = |fields: &Fields| fields.contains_key("fileName") || fields.contains_key("callId");
    if interface.name == "downloadRecord" {
        all.prop_filter("fileName or callId", needed).boxed()
    } else {
        all
    }
}

fn calls() -> impl Strategy<Value = (&'static Interface, Fields)> {
    proptest::sample::select(INTERFACES.iter().collect::<Vec<_>>())
        .prop_flat_map(|interface| fields_of(interface).prop_map(move |fields| (interface, fields)))
}

fn by_name(interface: &Interface, fields: &Fields) -> Result<OperationRequest, FieldError> {
    let texts = fields.iter().map(|(name, text)| ((*name).to_owned(), text.clone()));
    let data = interface.field("data").map(|_| wav(b"sound").into());
    let made = AnyOperation::from_fields(interface.name, texts, data);
    made.map_err(|error| field_error(error).unwrap()).and_then(|call| call.request())
}

/// The same call through its own type.
fn typed(interface: &Interface, fields: &Fields) -> Result<OperationRequest, FieldError> {
    let text = |name: &str| fields.get(name).cloned();
    let must = |name: &str| fields[name].clone();
    let (begin, end) = (
        text("beginTime").map(|t| t.parse().unwrap()),
        text("endTime").map(|t| t.parse().unwrap()),
    );
    let times = || (begin.unwrap(), end.unwrap());
    let file = |name: &str| IndexFileName::lenient(&fields[name]).unwrap();
    let node = || text("locationId").map(|id| id.parse::<u64>().unwrap());
    /// Calls the setter of every field that is given.
    macro_rules! with {
        ($operation:expr, $($name:literal => $setter:ident),*) => {{
            let mut operation = $operation;
            $(if let Some(value) = text($name) { operation = operation.$setter(value); })*
            operation.request()
        }};
    }
    match interface.name {
        "queryAgentSkillInfoData" => {
            with!(QueryAgentSkillInfoData::new(times().0, times().1, must("callBackURL")), "accountId" => account_id, "agentId" => agent_id)
        }
        "queryAgentOprInfoData" => {
            with!(QueryAgentOprInfoData::new(times().0, times().1, must("callBackURL")), "accountId" => account_id, "agentId" => agent_id)
        }
        "queryBillData" => {
            let is_it = |data: &BillData| data.as_str() == must("dataType");
            let data = BillData::ALL.into_iter().find(is_it).unwrap();
            with!(QueryBillData::new(times().0, times().1, data, must("callBackURL")), "accountId" => account_id, "agentId" => agent_id,
                "callId" => call_id, "callerNo" => caller_no, "calleeNo" => callee_no, "calleeNo2" => callee_no2)
        }
        "downloadAgentSkillInfoFile" => {
            DownloadAgentSkillInfoFile::new(file("agentSkillInfoFileName")).request()
        }
        "downloadAgentOprInfoFile" => {
            DownloadAgentOprInfoFile::new(file("agentOprInfoFileName")).request()
        }
        "downloadBillFile" => DownloadBillFile::new(file("billFileName")).request(),
        "downloadRecordFile" => DownloadRecordFile::new(must("fileName")).request(),
        "downloadRecord" if fields.contains_key("fileName") => {
            with!(DownloadRecord::by_file_name(must("fileName")), "callId" => call_id, "ccId" => cc_id)
        }
        "downloadRecord" => with!(DownloadRecord::by_call_id(must("callId")), "ccId" => cc_id),
        "getRecordFileUrlFromObs" => {
            GetRecordFileUrlFromObs::new(must("callId"), times().0, times().1).request()
        }
        "requestPlayVoice" => RequestPlayVoice::new(must("fileName")).request(),
        "playVoice" => PlayVoice::new(
            PlaybackToken::new(must("st"))?,
            Timestamp::from_unix_millis(must("t").parse().unwrap()),
        )
        .request(),
        "downloadOiapRecord" => match node() {
            Some(node) => DownloadOiapRecord::new(must("fileName")).location_id(node).request(),
            None => DownloadOiapRecord::new(must("fileName")).request(),
        },
        "downloadIVRRecordFile" => match node() {
            Some(node) => DownloadIvrRecordFile::new(must("fileName")).location_id(node).request(),
            None => DownloadIvrRecordFile::new(must("fileName")).request(),
        },
        "ivr/downloadFile" if fields.contains_key("mode") => {
            IvrDownloadFile::only_file_in(must("filePath")).request()
        }
        "ivr/downloadFile" => IvrDownloadFile::file(must("filePath")).request(),
        "ivr/uploadFile" => {
            IvrUploadFile::new(must("vdnId").parse().unwrap(), wav(b"sound")).request()
        }
        "ivr/getFileHash" => {
            with!(IvrGetFileHash::new(must("fileName")), "locationId" => location_id)
        }
        "ivr/deleteFile" => {
            with!(IvrDeleteFile::new(must("fileName")), "locationId" => location_id)
        }
        other => panic!("{other} has no type here"),
    }
}

/// The fields of a request, read back the way that a server reads them.
fn read_back(interface: &Interface, request: &OperationRequest) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut fields: BTreeMap<String, String> = request.query.iter().cloned().collect();
    if interface.method == "GET" {
        assert!(request.body.is_empty());
        assert_eq!(fields.remove("version").as_deref(), Some("2.0"));
        return fields;
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let mut outer = body.as_object().unwrap().clone();
    let inner = if interface.name == "getRecordFileUrlFromObs" {
        assert_eq!(outer.remove("version"), Some("2.0".into()));
        outer
    } else {
        assert_eq!(outer.keys().collect::<Vec<_>>(), ["msgBody", "request"]);
        assert_eq!(outer["request"], serde_json::json!({"version": "2.0"}));
        outer["msgBody"].as_object().unwrap().clone()
    };
    fields.extend(inner.iter().map(|(name, value)| (name.clone(), text(value))));
    fields
}

proptest! {
    #![proptest_config(cases(512))]

    /// Property: what is valid is sent as JSON in the right wrapper; every field arrives, in its place, and none that was not given.
    #[test]
    fn no_field_is_lost((interface, fields) in calls()) {
        let request = by_name(interface, &fields).unwrap();
        let mut expected: BTreeMap<String, String> = fields.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
        match interface.name {
            "requestPlayVoice" => expected.values_mut().for_each(|name| *name = name.replace('\\', "/")),
            // The published examples send these empty.
            "queryAgentSkillInfoData" | "queryAgentOprInfoData" => {
                expected.entry("accountId".to_owned()).or_default();
                expected.entry("agentId".to_owned()).or_default();
            }
            "ivr/uploadFile" => {
                expected.insert("data".to_owned(), read_back(interface, &request)["data"].clone());
            }
            _ => {}
        }
        prop_assert_eq!(read_back(interface, &request), expected);
        for (name, _) in &request.query {
            let in_query = interface.field(name).map(|field| field.in_query);
            prop_assert!(in_query == Some(true) || (name == "version" && in_query.is_none()));
        }
    }

    /// Property: a call by name sends the very bytes of the typed one.
    #[test]
    fn by_name_and_by_type_are_the_same((interface, fields) in calls()) {
        prop_assert_eq!(by_name(interface, &fields), typed(interface, &fields));
    }

    /// Property: a text field is refused if and only if it is outside its rule, by either way, with the field's name, its bound and its length.
    #[test]
    fn refused_iff_outside_the_rule(
        (interface, mut fields) in calls(),
        which in any::<prop::sample::Index>(),
        text in prop_oneof!["\\PC{0,30}", "[a-z/.]{0,70}", "[a-z]{120,130}", "[a-z/.]{220,230}", "[a-z\\u{0}\\u{7f}\\n]{0,8}", LONGEST],
    ) {
        let texts: Vec<_> = interface.fields.iter().filter_map(|field| match field.form {
            FieldForm::Text(limit) | FieldForm::Path(limit) => Some((field, limit)),
            _ => None,
        }).collect();
        prop_assume!(!texts.is_empty());
        let (field, limit) = texts[which.index(texts.len())];
        fields.insert(field.name, text.clone());
        let len = text.chars().count();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '/' || c == '.';
        let taken = |c: char| !c.is_control() && (interface.name != "downloadRecordFile" || plain(c));
        let outcome = by_name(interface, &fields);
        prop_assert_eq!(&outcome, &typed(interface, &fields));
        if len == 0 {
            let refused = outcome.unwrap_err();
            prop_assert_eq!(parts(refused), (field.name, FieldProblem::Missing));
        } else if len > limit {
            let refused = outcome.unwrap_err();
            prop_assert_eq!(parts(refused), (field.name, FieldProblem::TooLong { limit, len }));
        } else if let Some(first) = text.chars().position(|c| !taken(c)) {
            let refused = outcome.unwrap_err();
            prop_assert_eq!(refused.field, field.name);
            // A control character is named before one that only this interface does not take.
            let control = text.chars().position(char::is_control);
            let FieldProblem::Character { at, .. } = refused.problem else { panic!("{:?}", refused.problem) };
            prop_assert_eq!(at, control.unwrap_or(first));
        } else {
            prop_assert!(outcome.is_ok());
        }
    }

    /// Property: a window is refused if and only if it goes backwards or is longer than three days.
    #[test]
    fn windows_are_refused_iff_backwards_or_too_long(
        interface in proptest::sample::select(INTERFACES.iter().filter(|interface| interface.field("beginTime").is_some()).collect::<Vec<_>>()),
        span in prop_oneof![-400_000_i64..400_000, -2_i64..2, 259_198_i64..259_203],
    ) {
        let begin: LocalTime = "2023-06-15 12:00:00".parse().unwrap();
        let mut fields = Fields::from([("beginTime", begin.to_string()), ("endTime", begin.plus_seconds(span).unwrap().to_string())]);
        for field in interface.fields.iter().filter(|field| field.required) {
            fields.entry(field.name).or_insert_with(|| if field.name == "dataType" { "call".into() } else { "https://r/".into() });
        }
        let refused = by_name(interface, &fields).err().map(parts);
        let expected = match u64::try_from(span) {
            Err(_) => Some(("beginTime", FieldProblem::BeginAfterEnd)),
            Ok(seconds) if seconds > 259_200 => Some(("endTime", FieldProblem::SpanTooLong { limit: 259_200, seconds })),
            Ok(_) => None,
        };
        prop_assert_eq!(refused, expected);
    }

    /// Property: whatever names and texts are given, there is an operation or an error that says which, and never a panic.
    #[test]
    fn any_names_get_an_answer(
        name in prop_oneof![proptest::sample::select(INTERFACES.iter().map(|i| i.name.to_owned()).collect::<Vec<_>>()), "\\PC{0,20}"],
        fields in proptest::collection::vec((prop_oneof!["fileName", "callId", "locationId", "mode", "t", "st", "data", "\\PC{0,10}"], "\\PC{0,30}"), 0..4),
    ) {
        match AnyOperation::from_fields(&name, fields.clone(), None) {
            Ok(call) => {
                prop_assert_eq!(call.interface(), name);
                let _ = call.request();
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
