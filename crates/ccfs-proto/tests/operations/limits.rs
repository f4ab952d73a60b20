//! Documented bounds: what is on one is sent, what is one beyond it is refused with field, bound and value. `by_name` has those of texts, and
//! `properties` shows that the types have the same.

use std::time::Duration;

use ccfs_proto::operation::{
    BillData, DownloadRecordFile, FieldForm, FieldProblem, GetRecordFileUrlFromObs, Interface,
    PlaybackToken, QueryAgentOprInfoData, QueryBillData,
};
use ccfs_proto::{LocalTime, Operation, QueryAgentSkillInfoData};

use super::support::{CALLBACK, parts, refused, time};

const LONGEST: u64 = 3 * 24 * 3600;

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
