//! A token, and a URL that contains one, appear only in the request.

use std::fmt::Write as _;

use ccfs_proto::operation::{
    GetRecordFileUrlFromObs, IvrUploadFile, PlayVoice, PlaybackToken, Received, RequestPlayVoice,
};
use ccfs_proto::{AnyOperation, Envelope, Operation, Timestamp};

use super::support::{pairs, time, wav};

const MARKER: &str = "MARKER-ünsichtbar-5f1e";

fn envelope(field: &str) -> Received {
    let json = serde_json::json!({"resultCode": "0", "resultData": {field: MARKER}});
    Received::Envelope(Envelope::parse(json.to_string().as_bytes()).unwrap())
}

#[test]
fn tokens_and_urls_are_not_shown() {
    let mut shown = String::new();
    let token = RequestPlayVoice::new("a").answer(envelope("token")).unwrap();
    let play = PlayVoice::new(token.clone(), Timestamp::from_unix_millis(0));
    let request = play.request().unwrap();
    assert!(request.query.iter().any(|(_, value)| value == MARKER), "it is sent");
    write!(shown, "{token:?} {token:#?} {play:?} {play:#?} {request:?} {request:#?}").unwrap();

    let any =
        AnyOperation::from_fields("playVoice", pairs([("t", "1"), ("st", MARKER)]), None).unwrap();
    write!(shown, "{any:?} {:?}", any.request().unwrap()).unwrap();

    let (begin, end) = (time("2023-04-01 00:00:00"), time("2023-04-02 00:00:00"));
    let url = GetRecordFileUrlFromObs::new("1", begin, end).answer(envelope("url")).unwrap();
    assert_eq!(url.as_str(), MARKER);
    write!(shown, "{url:?} {:?}", envelope("url")).unwrap();
    let ask =
        AnyOperation::from_fields("requestPlayVoice", pairs([("fileName", "a")]), None).unwrap();
    write!(shown, "{:?}", ask.answer(envelope("token")).unwrap()).unwrap();

    for bad in [format!("{MARKER}\n"), MARKER.repeat(200)] {
        let error = PlaybackToken::new(bad.clone()).unwrap_err();
        write!(shown, "{error} {error:?}").unwrap();
        let error = AnyOperation::from_fields("playVoice", pairs([("t", "1"), ("st", &bad)]), None)
            .unwrap_err();
        write!(shown, "{error} {error:?}").unwrap();
    }
    // A token in a place without a field for it, next to an invalid one.
    for fields in [
        [("t", "x"), ("st", MARKER)],
        [("tt", "1"), ("st", MARKER)],
        [("st", MARKER), ("st", MARKER)],
    ] {
        let error = AnyOperation::from_fields("playVoice", pairs(fields), None).unwrap_err();
        write!(shown, "{error} {error:?}").unwrap();
    }
    assert!(!shown.contains("MARKER") && !shown.contains("5f1e"), "{shown}");
}

#[test]
fn an_upload_shows_its_length_only() {
    let upload = IvrUploadFile::new(39, wav(MARKER.as_bytes()));
    let shown = format!("{upload:?} {:?}", upload.request().unwrap());
    assert!(!shown.contains("MARKER") && !shown.contains("UklGR"), "{shown}");
    assert!(shown.contains("vdnId: \"39\", bytes: 68"), "{shown}");
}
