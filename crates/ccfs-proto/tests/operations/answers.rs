//! What becomes of good answers, and which field the error names when one lacks something.

use ccfs_proto::answer::{AnswerError, Classified, Expected, FileKind, FileReceipt};
use ccfs_proto::operation::{
    BillData, DownloadRecord, GetRecordFileUrlFromObs, INTERFACES, IvrDeleteFile, IvrGetFileHash,
    IvrUploadFile, PlayVoice, PlaybackToken, QueryAgentOprInfoData, QueryBillData, Received,
    Repeat, RequestPlayVoice,
};
use ccfs_proto::{
    AnyOperation, Classifier, Envelope, Operation, QueryAgentSkillInfoData, Timestamp,
};
use http::{HeaderMap, StatusCode};

use super::support::{CALLBACK, pairs, time, wav};

fn received(data: &str) -> Received {
    let data = if data.is_empty() { String::new() } else { format!(r#","resultData":{data}"#) };
    Received::Envelope(
        Envelope::parse(format!(r#"{{"resultCode":"0","resultDesc":"success"{data}}}"#).as_bytes())
            .unwrap(),
    )
}

fn receipt(file: &[u8], expected: Expected) -> Result<FileReceipt, AnswerError> {
    let mut classifier = Classifier::new(StatusCode::OK, &HeaderMap::new(), expected);
    let _ = classifier.push(bytes::Bytes::copy_from_slice(file))?;
    match classifier.finish()? {
        Classified::File(receipt) => Ok(receipt),
        other => panic!("{other:?}"),
    }
}

/// Nothing there, in all the ways in which it occurs: the error names the field.
#[track_caller]
fn needs<O: Operation>(operation: &O, field: &'static str, more: &[&str]) {
    for data in ["", "null", "\"\"", "{}", "[]", "7", "\"text\""].iter().chain(more) {
        let error = operation.answer(received(data)).err();
        assert_eq!(error, Some(AnswerError::field(field)), "{data}");
    }
    assert_eq!(
        AnswerError::field(field).to_string(),
        format!("server reports success, but `{field}` in its data is missing or malformed")
    );
    let file = receipt(&wav(b"1"), Expected::File(&[FileKind::Wav])).unwrap();
    assert_eq!(
        operation.answer(Received::File(file)).err(),
        Some(AnswerError::OtherFile { kind: FileKind::Wav })
    );
}

#[test]
fn jobs() {
    let (begin, end) = (time("2023-04-01 00:00:00"), time("2023-04-02 00:00:00"));
    let skill = QueryAgentSkillInfoData::new(begin, end, CALLBACK);
    let operations = QueryAgentOprInfoData::new(begin, end, CALLBACK);
    let bills = QueryBillData::new(begin, end, BillData::Call, CALLBACK);
    let bad = [
        r#"{"responseId":null}"#,
        r#"{"responseId":""}"#,
        r#"{"responseId":7}"#,
        r#"{"responseId":"9239"}"#,
    ];
    needs(&skill, "responseId", &bad);
    needs(&operations, "responseId", &bad);
    needs(&bills, "responseId", &bad);
    for id in ["9239cb50a8384bb0ab503441bf089446", "9239cb50-a838-4bb0-ab50-3441bf089446"] {
        let data = format!(r#"{{"responseId":"{id}"}}"#);
        for job in [
            skill.answer(received(&data)),
            operations.answer(received(&data)),
            bills.answer(received(&data)),
        ] {
            let name = job.unwrap().file_name("2023-04-06".parse().unwrap());
            assert_eq!(name.as_str(), "20230406_9239cb50a8384bb0ab503441bf089446.zip");
        }
    }
}

#[test]
fn urls_and_tokens() {
    let url =
        GetRecordFileUrlFromObs::new("1", time("2023-04-01 00:00:00"), time("2023-04-02 00:00:00"));
    needs(&url, "url", &[r#"{"url":null}"#, r#"{"url":""}"#, r#"{"url":["x"]}"#]);
    assert_eq!(
        url.answer(received(r#"{"url":"https://obs/x?sig=1"}"#)).unwrap().as_str(),
        "https://obs/x?sig=1"
    );

    let token = RequestPlayVoice::new("a");
    let huge = format!(r#"{{"token":"{}"}}"#, "t".repeat(1025));
    needs(
        &token,
        "token",
        &[r#"{"token":null}"#, r#"{"token":""}"#, r#"{"token":1}"#, r#"{"token":"\n"}"#, &huge],
    );
    let token = token.answer(received(r#"{"token":"9f0c"}"#)).unwrap();
    assert_eq!(token.as_str(), "9f0c");
    let request = PlayVoice::new(token, Timestamp::from_unix_millis(1)).request().unwrap();
    assert_eq!(request.query[2], ("st".to_owned(), "9f0c".to_owned()));
}

#[test]
fn uploads() {
    let upload = IvrUploadFile::new(1, wav(b"1"));
    needs(
        &upload,
        "fileName",
        &[r#"{"fileName":null}"#, r#"{"fileName":""}"#, r#"{"locationId":["1"]}"#],
    );
    let ids = |id: &str| {
        upload
            .answer(received(&format!(r#"{{"fileName":"Y:/a.wav"{id}}}"#)))
            .map(|file| file.location_ids)
    };
    for none in ["", r#","locationId":null"#, r#","locationId":"""#, r#","locationId":[]"#] {
        assert_eq!(ids(none).unwrap(), [""; 0], "{none}");
    }
    assert_eq!(ids(r#","locationId":["1","2"]"#).unwrap(), ["1", "2"]);
    assert_eq!(ids(r#","locationId":[1,2]"#).unwrap(), ["1", "2"]);
    assert_eq!(ids(r#","locationId":"3""#).unwrap(), ["3"]);
    assert_eq!(ids(r#","locationId":3"#).unwrap(), ["3"]);
    for bad in [
        r#","locationId":{}"#,
        r#","locationId":[""]"#,
        r#","locationId":[null]"#,
        r#","locationId":true"#,
    ] {
        assert_eq!(ids(bad), Err(AnswerError::field("locationId")), "{bad}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "reading a thousand numbers takes Miri a minute")]
fn a_file_lies_on_a_thousand_nodes_at_most() {
    let nodes = |count: usize| {
        format!(r#"{{"fileName":"Y:/a.wav","locationId":[{}1]}}"#, "1,".repeat(count - 1))
    };
    let upload = IvrUploadFile::new(1, wav(b"1"));
    assert_eq!(upload.answer(received(&nodes(1000))).unwrap().location_ids.len(), 1000);
    assert_eq!(upload.answer(received(&nodes(1001))), Err(AnswerError::field("locationId")));
}

#[test]
fn hashes_and_deletions() {
    let hash = IvrGetFileHash::new("a");
    needs(
        &hash,
        "hashValue",
        &[r#"{"hashValue":null}"#, r#"{"hashValue":""}"#, r#"{"hashValue":5}"#],
    );
    // printf abc | sha256sum
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let answer =
        |text: &str| hash.answer(received(&format!(r#"{{"hashValue":"{text}"}}"#))).unwrap();
    assert_eq!(answer(abc).as_str(), abc);
    assert!(answer(abc).is_of(b"abc") && answer(&abc.to_uppercase()).is_of(b"abc"));
    assert!(!answer(abc).is_of(b"abd"));
    for other in [&abc[..62], &format!("{abc}00"), "ünicode", &"+a".repeat(32), &"é".repeat(32)] {
        assert!(!answer(other).is_of(b"abc"), "{other}");
    }

    // The SHA-256 of "39" begins with 0x0b; a sign is not a hex digit. (printf 39 | sha256sum)
    let signed = "0b918943df0962bc7a1824c0555a389347b4febdc7cf9d1254406d80ce44e3f9";
    assert!(answer(signed).is_of(b"39") && !answer(&signed.replacen("0b", "+b", 1)).is_of(b"39"));

    let delete = IvrDeleteFile::new("a");
    for data in ["", "null", "\"\"", "{}", r#"{"anything":1}"#] {
        assert_eq!(delete.answer(received(data)), Ok(()), "{data}");
    }
}

#[test]
fn a_call_has_one_recording_or_a_zip_of_several() {
    let download = DownloadRecord::by_call_id("1");
    let empty_zip = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
    for (file, kind) in [(wav(b"12"), FileKind::Wav), (empty_zip, FileKind::Zip)] {
        let receipt = receipt(&file, download.expected()).unwrap();
        let answer = download.answer(Received::File(receipt)).unwrap();
        assert_eq!((answer.kind, answer.bytes), (kind, file.len() as u64));
    }
}

#[test]
fn what_is_played_is_audio_of_any_form() {
    let play =
        PlayVoice::new(PlaybackToken::new("t".into()).unwrap(), Timestamp::from_unix_millis(0));
    assert_eq!(receipt(&wav(b"12"), play.expected()).unwrap().kind, FileKind::Wav);
    assert_eq!(
        receipt(b"\xFF\xFB\x90\x00 not a WAV", play.expected()).unwrap().kind,
        FileKind::Audio
    );
}

/// The table says for each interface what its answer is; by name each answers so.
#[test]
fn files_where_a_file_is_due_and_data_where_data_is() {
    let call = |name: &str, fields: &[(&str, &str)]| {
        AnyOperation::from_fields(name, pairs(fields.iter().copied()), None).unwrap()
    };
    let delete = call("ivr/deleteFile", &[("fileName", "a")]);
    assert_eq!(delete.answer(received("null")), Ok(received("null")));
    assert_eq!(delete.answer(received(r#"{"a":1}"#)), Ok(received(r#"{"a":1}"#)));
    let token = call("requestPlayVoice", &[("fileName", "a")]);
    assert_eq!(token.answer(received("null")), Err(AnswerError::field("token")));
    let record = call("downloadRecordFile", &[("fileName", "a")]);
    assert_eq!(record.answer(received("null")), Err(AnswerError::SuccessWithoutFile));
    let file = receipt(&wav(b"12"), record.expected()).unwrap();
    assert_eq!(record.answer(Received::File(file)), Ok(Received::File(file)));
}

/// `docs/reliability.md` promises this per operation.
#[test]
fn only_what_changes_nothing_is_repeated() {
    let careful: Vec<_> = INTERFACES
        .iter()
        .filter(|interface| interface.repeat == Repeat::NotIdempotent)
        .map(|interface| interface.name)
        .collect();
    assert_eq!(
        careful,
        [
            "queryAgentSkillInfoData",
            "queryAgentOprInfoData",
            "queryBillData",
            "ivr/uploadFile",
            "ivr/deleteFile"
        ]
    );
    assert!(
        INTERFACES.iter().all(|interface| matches!(
            interface.repeat,
            Repeat::Idempotent | Repeat::NotIdempotent
        ))
    );
}
