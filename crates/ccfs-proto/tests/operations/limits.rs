//! Every documented bound: what is on it is sent, what is one beyond it is refused with field, bound and value.

use std::time::Duration;

use ccfs_proto::operation::{
    BillData, DownloadIvrRecordFile, DownloadOiapRecord, DownloadRecord, DownloadRecordFile,
    FieldForm, FieldProblem, GetRecordFileUrlFromObs, Interface, IvrDeleteFile, IvrDownloadFile,
    IvrGetFileHash, PlaybackToken, QueryAgentOprInfoData, QueryBillData, RequestPlayVoice,
};
use ccfs_proto::{LocalTime, Operation, QueryAgentSkillInfoData};

use super::support::{CALLBACK, parts, refused, time};

const LONGEST: u64 = 3 * 24 * 3600;

/// `make` of a text of `limit` characters is sent; of one more and of none it is refused.
#[track_caller]
fn bounded<O: Operation>(field: &'static str, limit: usize, make: impl Fn(String) -> O) {
    // Characters count, not bytes: ü has two.
    let letter = if field == "fileName" { "a" } else { "ü" };
    assert!(make(letter.repeat(limit)).request().is_ok(), "{field} of {limit} characters");
    assert!(make("1".to_owned()).request().is_ok(), "{field} of one character");
    let (name, problem) = refused(&make(letter.repeat(limit + 1)));
    assert_eq!((name, &problem), (field, &FieldProblem::TooLong { limit, len: limit + 1 }));
    assert!(problem.to_string().contains(&format!("{} characters long, limit {limit}", limit + 1)));
    let (name, problem) = refused(&make(String::new()));
    assert_eq!(name, field);
    assert!(matches!(problem, FieldProblem::Missing));
    let (name, problem) = refused(&make("1\u{7}".to_owned()));
    assert_eq!(name, field);
    assert!(matches!(problem, FieldProblem::Character { at: 1, .. }));
}

fn bills() -> QueryBillData {
    QueryBillData::new(
        time("2023-04-01 00:00:00"),
        time("2023-04-02 00:00:00"),
        BillData::Call,
        CALLBACK,
    )
}

#[test]
fn texts_of_the_queries() {
    let (begin, end) = (time("2023-04-01 00:00:00"), time("2023-04-02 00:00:00"));
    let skill = || QueryAgentSkillInfoData::new(begin, end, CALLBACK);
    bounded("accountId", 20, |text| skill().account_id(text));
    bounded("agentId", 20, |text| skill().agent_id(text));
    let operations = || QueryAgentOprInfoData::new(begin, end, CALLBACK);
    bounded("accountId", 20, |text| operations().account_id(text));
    bounded("agentId", 20, |text| operations().agent_id(text));
    bounded("accountId", 20, |text| bills().account_id(text));
    bounded("agentId", 20, |text| bills().agent_id(text));
    bounded("callId", 25, |text| bills().call_id(text));
    bounded("callerNo", 25, |text| bills().caller_no(text));
    bounded("calleeNo", 25, |text| bills().callee_no(text));
    bounded("calleeNo2", 25, |text| bills().callee_no2(text));
}

#[test]
fn texts_of_the_downloads() {
    let (begin, end) = (time("2023-04-01 00:00:00"), time("2023-04-02 00:00:00"));
    bounded("fileName", 225, DownloadRecordFile::new);
    bounded("fileName", 225, DownloadRecord::by_file_name);
    bounded("callId", 25, DownloadRecord::by_call_id);
    bounded("callId", 25, |text| DownloadRecord::by_file_name("a").call_id(text));
    bounded("ccId", 64, |text| DownloadRecord::by_call_id("1").cc_id(text));
    bounded("callId", 25, |text| GetRecordFileUrlFromObs::new(text, begin, end));
    bounded("fileName", 225, RequestPlayVoice::new);
    bounded("fileName", 127, DownloadOiapRecord::new);
    bounded("fileName", 225, DownloadIvrRecordFile::new);
    bounded("filePath", 225, IvrDownloadFile::file);
    bounded("filePath", 225, IvrDownloadFile::only_file_in);
    bounded("fileName", 225, IvrGetFileHash::new);
    bounded("locationId", 20, |text| IvrGetFileHash::new("a").location_id(text));
    bounded("fileName", 225, IvrDeleteFile::new);
    bounded("locationId", 20, |text| IvrDeleteFile::new("a").location_id(text));
}

#[test]
fn the_token_to_play_with() {
    assert!(PlaybackToken::new("t".repeat(1024)).is_ok());
    let refused = PlaybackToken::new("t".repeat(1025)).unwrap_err();
    assert_eq!(parts(refused), ("st", FieldProblem::TooLong { limit: 1024, len: 1025 }));
    assert_eq!(PlaybackToken::new(String::new()).unwrap_err().problem, FieldProblem::Missing);
}

/// `limit` is what the operators of another server may have set.
#[track_caller]
fn windowed<O: Operation>(
    make: impl Fn(LocalTime, Option<u64>) -> O,
    [last, beyond, before]: [LocalTime; 3],
) {
    assert!(make(last, None).request().is_ok());
    let (field, problem) = refused(&make(beyond, None));
    assert_eq!(
        (field, &problem),
        ("endTime", &FieldProblem::SpanTooLong { limit: LONGEST, seconds: LONGEST + 1 })
    );
    assert!(problem.to_string().contains("3 days, 1 second long, limit 3 days"));
    assert_eq!(refused(&make(before, None)), ("beginTime", FieldProblem::BeginAfterEnd));
    assert!(make(beyond, Some(LONGEST + 1)).request().is_ok());
    assert_eq!(
        refused(&make(last, Some(LONGEST - 1))).1,
        FieldProblem::SpanTooLong { limit: LONGEST - 1, seconds: LONGEST }
    );
}

#[test]
fn windows() {
    let begin = time("2024-02-28 12:00:00");
    let last = begin.plus_seconds(LONGEST.cast_signed()).unwrap();
    let beyond = begin.plus_seconds(LONGEST.cast_signed() + 1).unwrap();
    let before = begin.plus_seconds(-1).unwrap();

    let ends = [last, beyond, before];
    windowed(
        |end, limit| {
            QueryAgentSkillInfoData::new(begin, end, CALLBACK)
                .span_limit(Duration::from_secs(limit.unwrap_or(LONGEST)))
        },
        ends,
    );
    windowed(
        |end, limit| {
            QueryAgentOprInfoData::new(begin, end, CALLBACK)
                .span_limit(Duration::from_secs(limit.unwrap_or(LONGEST)))
        },
        ends,
    );
    windowed(
        |end, limit| {
            QueryBillData::new(begin, end, BillData::Record, CALLBACK)
                .span_limit(Duration::from_secs(limit.unwrap_or(LONGEST)))
        },
        ends,
    );
    windowed(
        |end, limit| {
            GetRecordFileUrlFromObs::new("1", begin, end)
                .span_limit(Duration::from_secs(limit.unwrap_or(LONGEST)))
        },
        ends,
    );
    // Without a call of `span_limit`, the default applies.
    assert!(GetRecordFileUrlFromObs::new("1", begin, beyond).request().is_err());
}

#[test]
fn callback_urls() {
    let query = |url: &str| bills_to(url).request().map(|_| ()).map_err(parts);
    for good in [
        "https://receiver.example/ready",
        "http://10.9.8.7:8101/ipcc/getBillData",
        "https://[2001:db8::7]/",
        "HTTPS://r/x?a=b",
    ] {
        assert_eq!(query(good), Ok(()), "{good}");
    }
    for bad in [
        "receiver.example/ready",
        "/ready",
        "ftp://receiver/ready",
        "https://",
        "https://a b/",
        "mailto:a@b",
    ] {
        let (field, problem) = query(bad).unwrap_err();
        assert_eq!(field, "callBackURL", "{bad}");
        assert!(matches!(problem, FieldProblem::Value { .. }), "{bad}: {problem:?}");
    }
    let longest = format!("https://r/{}", "a".repeat(502));
    assert_eq!(query(&longest), Ok(()));
    assert_eq!(
        query(&(longest + "a")),
        Err(("callBackURL", FieldProblem::TooLong { limit: 512, len: 513 }))
    );
    assert_eq!(query(""), Err(("callBackURL", FieldProblem::Missing)));
}

fn bills_to(url: &str) -> QueryBillData {
    QueryBillData::new(
        time("2023-04-01 00:00:00"),
        time("2023-04-02 00:00:00"),
        BillData::Call,
        url,
    )
}

#[test]
fn the_name_of_a_recording_has_letters_digits_slashes_and_dots() {
    for (name, at) in [("a-b", 1), ("ab_c", 2), ("/a b", 2), ("ü", 0), (r"a\b", 1)] {
        let (field, problem) = refused(&DownloadRecordFile::new(name));
        assert_eq!(
            (field, problem),
            (
                "fileName",
                FieldProblem::Character { at, allowed: "letters, digits, '/' and '.'".into() }
            ),
            "{name}"
        );
    }
}

#[test]
fn bill_data_is_what_the_table_has() {
    let form = Interface::named("queryBillData").unwrap().field("dataType").unwrap().form;
    let FieldForm::OneOf(texts) = form else { panic!("{form:?}") };
    assert_eq!(texts, BillData::ALL.map(BillData::as_str));
}
