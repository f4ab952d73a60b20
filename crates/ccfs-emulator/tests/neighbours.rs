//! The other interfaces: their results, and their documented codes.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::support::{Answer, Client, NOWHERE, Receiver, fixed, msg_body, now, window};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ccfs_emulator::{Emulator, Shape};
use ccfs_proto::Timestamp;
use ccfs_proto::operation::INTERFACES;
use ccfs_tests::interfaces::{self, Call, Extent, Outcome};
use serde_json::{Value, json};

fn emulator() -> Emulator {
    fixed().keys("ak", "sk").start().unwrap()
}

fn is_wav(answer: &Answer) -> bool {
    answer.status == 200
        && answer.whole
        && answer.body.starts_with(b"RIFF")
        && &answer.body[8..12] == b"WAVE"
}

#[test]
fn it_has_every_interface_of_the_core() {
    let core: BTreeSet<_> = INTERFACES.iter().map(|interface| interface.name).collect();
    assert_eq!(Emulator::interfaces().collect::<BTreeSet<_>>(), core);
}

/// Calls an interface with a body that is written here, and not by the core.
fn outcome(client: &Client, call: Call<'_>) -> Outcome {
    let interface = call.interface;
    let in_query = |field: &(&str, &str)| interface.field(field.0).unwrap().in_query;
    let (mut query, fields): (Vec<_>, Vec<_>) = call.fields.iter().copied().partition(in_query);
    let mut body: Value = fields.into_iter().collect();
    if let Some(data) = call.data {
        body["data"] = json!(STANDARD.encode(data));
    }
    let answer = match interface.name {
        "playVoice" => {
            query.push(("version", "2.0"));
            client.get(interface.name, &query)
        }
        "getRecordFileUrlFromObs" => {
            body["version"] = json!("2.0");
            client.post(interface.name, body.to_string().as_bytes()).unwrap()
        }
        _ => client.call_with(interface.name, &query, &body),
    };
    assert!(answer.status == 200 && answer.whole);
    if answer.body.starts_with(b"PK") || answer.body.starts_with(b"RIFF") {
        return Outcome::File(answer.body);
    }
    match answer.code().as_str() {
        "0" => Outcome::Data(answer.json()["resultData"].take()),
        code => Outcome::Refused(code.to_owned()),
    }
}

#[test]
fn every_interface_answers_and_refuses() {
    let emulator = interfaces::builder().plain().clock(now).start().unwrap();
    let client = Client::new(&emulator);
    interfaces::call_every_interface(&emulator, Extent::All, |call| outcome(&client, call));
}

#[test]
fn the_other_index_files_are_generated_called_for_and_downloaded_by_their_own_interface() {
    let emulator = fixed()
        .keys("ak", "sk")
        .rows(70)
        .rows_per_member(50)
        .shape(Shape { header_row: true, ..Shape::default() })
        .start()
        .unwrap();
    let client = Client::new(&emulator);
    let receiver = Receiver::answering(["taken"; 4]);
    let mut fields = window(&receiver.url());
    for (query, data_type, download, field, members) in [
        (
            "queryAgentOprInfoData",
            "",
            "downloadAgentOprInfoFile",
            "agentOprInfoFileName",
            vec![("agentOprInfo", 21)],
        ),
        ("queryBillData", "call", "downloadBillFile", "billFileName", vec![("call", 29)]),
        ("queryBillData", "record", "downloadBillFile", "billFileName", vec![("record", 18)]),
        (
            "queryBillData",
            "call_record",
            "downloadBillFile",
            "billFileName",
            vec![("call", 29), ("record", 18)],
        ),
    ] {
        fields["dataType"] = json!(data_type);
        assert_eq!(client.call(query, &fields).code(), "0");
        let call = receiver.next();
        let name = msg_body(&call)[field].as_str().unwrap().to_owned();
        let answer = client.call(download, &json!({field: name}));
        let mut archive = zip::ZipArchive::new(Cursor::new(answer.body)).unwrap();
        assert_eq!(archive.len(), 2 * members.len());
        for (index, (suffix, columns)) in
            members.iter().flat_map(|member| [member, member]).enumerate()
        {
            let mut member = archive.by_index(index).unwrap();
            let member_name = member.name().unwrap().into_owned();
            assert!(
                member_name.ends_with(&format!("_{suffix}_{}.csv", 1 + index % 2)),
                "{member_name}"
            );
            let mut text = String::new();
            member.read_to_string(&mut text).unwrap();
            assert!(text.lines().all(|line| line.split(',').count() == *columns), "{text}");
            assert_eq!(text.lines().count(), if index % 2 == 0 { 51 } else { 21 });
        }
    }
    fields["dataType"] = json!("calls");
    assert_eq!(client.call("queryBillData", &fields).code(), "0300028");
    fields["dataType"] = Value::Null;
    assert_eq!(client.call("queryBillData", &fields).code(), "0300001");
    fields["callerNo"] = json!("1".repeat(26));
    assert_eq!(client.call("queryBillData", &fields).code(), "0300003");
}

/// The names in a record CSV are those of recordings that can be downloaded.
#[test]
fn what_a_record_csv_names_can_be_downloaded() {
    let emulator = fixed().keys("ak", "sk").rows(30).start().unwrap();
    let client = Client::new(&emulator);
    let mut fields = window(NOWHERE);
    fields["dataType"] = json!("record");
    client.call("queryBillData", &fields);
    let file = emulator.file(&emulator.files()[0]).unwrap();
    let mut text = String::new();
    zip::ZipArchive::new(Cursor::new(file))
        .unwrap()
        .by_index(0)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    for line in text.lines() {
        let cells: Vec<&str> = line.split(',').collect();
        assert!(
            is_wav(&client.call("downloadRecordFile", &json!({"fileName": cells[9]}))),
            "{line}"
        );
        assert!(is_wav(&client.call("downloadRecord", &json!({"fileName": cells[12]}))), "{line}");
    }
}

/// Fields that the clients do not send.
#[test]
fn fields_of_recordings_are_checked() {
    let emulator = emulator();
    let client = Client::new(&emulator);
    for (name, code) in
        [(json!(null), "0300001"), (json!("x".repeat(226)), "0300003"), (json!("/a b"), "0300022")]
    {
        let answer = client.call("downloadRecordFile", &json!({"fileName": name}));
        assert_eq!(answer.code(), code, "{name}");
    }

    let download = |fields: Value| client.call("downloadRecord", &fields);
    let call_id = &emulator.recordings()[0].call_id;
    let both = download(json!({"callId": call_id, "ccId": "1"}));
    assert_eq!(zip::ZipArchive::new(Cursor::new(both.body)).unwrap().len(), 2);
    for (fields, code) in [
        (json!({}), "0300019"),
        (json!({"callId": "", "fileName": ""}), "0300019"),
        (json!({"callId": "1".repeat(26)}), "0300003"),
        (json!({"callId": call_id, "ccId": "x"}), "0300022"),
    ] {
        assert_eq!(download(fields.clone()).code(), code, "{fields}");
    }
}

#[test]
fn urls_of_the_object_storage_take_a_flat_body() {
    let emulator = emulator();
    let client = Client::new(&emulator);
    let call_id = &emulator.recordings()[0].call_id;
    let post =
        |body: Value| client.post("getRecordFileUrlFromObs", body.to_string().as_bytes()).unwrap();
    let good = json!({"callId": call_id, "beginTime": "2023-04-05 00:00:00", "endTime": "2023-04-06 00:00:00", "version": "2.0"});
    let url = post(good.clone()).json()["resultData"]["url"].as_str().unwrap().to_owned();
    assert_eq!(
        url,
        format!("https://obs.invalid{}?Expires=1680777000", emulator.recordings()[0].file_name)
    );
    let with = |name: &str, value: Value| {
        let mut fields = good.clone();
        fields[name] = value;
        post(fields).code()
    };
    assert_eq!(with("version", json!("1.0")), "0300006");
    assert_eq!(with("callId", Value::Null), "0300001");
    assert_eq!(with("beginTime", json!("2023-04-01 00:00:00")), "0300014");
    assert_eq!(client.call("getRecordFileUrlFromObs", &good).code(), "0300006", "in the wrapper");
    assert_eq!(post(json!({})).code(), "0300007");
}

#[test]
fn a_token_plays_a_recording_for_half_an_hour() {
    let clock = Arc::new(AtomicI64::new(crate::support::NOW));
    let shared = Arc::clone(&clock);
    let emulator = fixed()
        .keys("ak", "sk")
        .clock(move || Timestamp::from_unix_millis(shared.load(Ordering::SeqCst)))
        .start()
        .unwrap();
    let client = Client::new(&emulator);
    let recording = &emulator.recordings()[0];
    let request = |name: &str| client.call("requestPlayVoice", &json!({"fileName": name}));
    let token = request(&recording.original_file_name).json()["resultData"]["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(request(&recording.original_file_name.replace('/', "\\")).code(), "0300022");

    let play = |query: &[(&str, &str)]| client.get("playVoice", query);
    let played = play(&[("t", "1680748200123"), ("version", "2.0"), ("st", &token)]);
    assert_eq!(played.body, recording.wav());
    assert_eq!(play(&[("t", "1"), ("st", &token)]).code(), "0300006");
    assert_eq!(play(&[("version", "2.0"), ("st", &token)]).code(), "0300001");
    assert_eq!(play(&[("t", "now"), ("version", "2.0"), ("st", &token)]).code(), "0300028");
    let empty = play(&[("t", "1"), ("version", "2.0"), ("st", "")]);
    assert_eq!(
        empty.json(),
        json!({"resultCode": "010106", "resultDesc": "Parameter token is empty.", "resultData": null})
    );

    clock.fetch_add(30 * 60 * 1000, Ordering::SeqCst);
    assert!(is_wav(&play(&[("t", "1"), ("version", "2.0"), ("st", &token)])));
    clock.fetch_add(1, Ordering::SeqCst);
    assert_eq!(play(&[("t", "1"), ("version", "2.0"), ("st", &token)]).code(), "0300026");
    assert_eq!(client.post("playVoice", b"").unwrap().status, 405);
}

/// Fields that the clients do not send.
#[test]
fn fields_of_voice_files_are_checked() {
    let emulator = emulator();
    let client = Client::new(&emulator);
    let oiap = |query: &[(&str, &str)], name: &str| {
        client.call_with("downloadOiapRecord", query, &json!({"fileName": name})).code()
    };
    assert_eq!(oiap(&[("locationId", "")], "Y:/oiap/0/1.wav"), "0300033");
    assert_eq!(oiap(&[], &"x".repeat(128)), "0300031");
    let ivr = client.call("downloadIVRRecordFile", &json!({"fileName": "x".repeat(226)}));
    assert_eq!(ivr.code(), "0300003");

    let download = |fields: Value| client.call("ivr/downloadFile", &fields);
    // A number, and a slash at the end.
    assert!(is_wav(&download(json!({"filePath": "Y:/3rd/0/one/", "mode": 1}))));
    for (fields, code) in [
        (json!({"filePath": "Y:/3rd/../0", "mode": 1}), "0300032"),
        (json!({"filePath": "Y:/3rd/0/two/b.wav", "mode": 2}), "0300028"),
        (json!({"filePath": ""}), "0300002"),
    ] {
        assert_eq!(download(fields.clone()).code(), code, "{fields}");
    }
}

#[test]
fn uploads_are_checked_and_hashed() {
    let emulator = emulator();
    let client = Client::new(&emulator);
    let wav = emulator.recordings()[0].wav();
    let upload = |query: &[(&str, &str)], wav: &[u8]| {
        client.call_with("ivr/uploadFile", query, &json!({"data": STANDARD.encode(wav)}))
    };
    let vdn = [("vdnId", "39")];
    let data = upload(&vdn, &wav).json()["resultData"].take();
    let path = data["fileName"].as_str().unwrap();
    assert_eq!(data["locationId"], json!(["1"]));

    let changed = |at: usize, byte: u8| {
        let mut wav = wav.clone();
        wav[at] = byte;
        upload(&vdn, &wav).code()
    };
    assert_eq!(changed(0, b'X'), "0300035");
    assert_eq!(changed(22, 2), "0300036");
    assert_eq!(changed(34, 16), "0300037");
    assert_eq!(changed(24, 0), "0300038");
    assert_eq!(changed(12, b'X'), "0300039");
    assert_eq!(upload(&vdn, &wav[..wav.len() - 1]).code(), "0300039");
    assert_eq!(upload(&vdn, &vec![0; 5 * 1024 * 1024 + 1]).code(), "0300041");
    assert_eq!(
        (upload(&[], &wav).code(), upload(&[("vdnId", "x")], &wav).code()),
        ("0300027".into(), "0300028".into())
    );
    assert_eq!(client.call_with("ivr/uploadFile", &vdn, &json!({"data": "*"})).code(), "0300039");
    assert_eq!(client.call_with("ivr/uploadFile", &vdn, &json!({})).code(), "0300001");

    let hash = client.call("ivr/getFileHash", &json!({"fileName": path, "locationId": "1"}));
    let hash = hash.json()["resultData"]["hashValue"].as_str().unwrap().to_owned();
    assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    let same = upload(&vdn, &wav).json()["resultData"]["fileName"].take();
    assert_eq!(
        client.call("ivr/getFileHash", &json!({"fileName": same})).json()["resultData"]["hashValue"],
        json!(hash)
    );

    let delete = |fields: Value| client.call("ivr/deleteFile", &fields).code();
    assert_eq!(delete(json!({"fileName": path, "locationId": ""})), "0300033");
}
