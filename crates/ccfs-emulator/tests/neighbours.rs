//! The other interfaces: their results, and their documented codes.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::support::{Answer, Client, NOWHERE, Receiver, fixed, msg_body, window};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ccfs_emulator::{Developer, Emulator, Recording, Shape};
use ccfs_proto::Timestamp;
use ccfs_proto::operation::INTERFACES;
use serde_json::{Value, json};

fn emulator() -> Emulator {
    fixed().keys("ak", "sk").developer(Developer::new("other", "sk")).start().unwrap()
}

fn theirs(emulator: &Emulator) -> &Recording {
    emulator.recordings().iter().find(|recording| recording.owner == "other").unwrap()
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

#[test]
fn the_other_index_files_are_generated_called_for_and_downloaded_by_their_own_interface() {
    let emulator = fixed()
        .keys("ak", "sk")
        .rows(70)
        .rows_per_member(50)
        .shape(Shape::default().header_row(true))
        .start()
        .unwrap();
    let client = Client::new(&emulator);
    let receiver = Receiver::answering(["taken"; 4]);
    let mut fields = window(&receiver.url());
    let mut names = Vec::new();
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
        names.push(name);
    }
    // Each interface has its own file.
    assert_eq!(
        client.call("downloadBillFile", &json!({"billFileName": names[0]})).code(),
        "0300011"
    );
    assert_eq!(client.download(&names[1]).code(), "0300011");

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

#[test]
fn recordings_are_handed_out_by_name_and_by_call() {
    let emulator = emulator();
    let client = Client::new(&emulator);
    let [first, second, third, .., last] = emulator
        .recordings()
        .iter()
        .filter(|recording| recording.owner == "ak")
        .collect::<Vec<_>>()[..]
    else {
        panic!("there are 24")
    };
    let other = theirs(&emulator);

    let by_name = client.call("downloadRecordFile", &json!({"fileName": first.file_name}));
    assert_eq!(by_name.body, first.wav());
    for (name, code) in [
        (json!(null), "0300001"),
        (json!("x".repeat(226)), "0300003"),
        (json!("/a b"), "0300022"),
        (json!("/1/../x"), "0300024"),
        (json!("/1/0/record/20230230/101/1.wav"), "0300010"),
        (json!("/1/0/record/20230405/101/1.wav"), "0300011"),
        (json!(other.file_name), "0300018"),
    ] {
        assert_eq!(
            client.call("downloadRecordFile", &json!({"fileName": name})).code(),
            code,
            "{name}"
        );
    }

    let download = |fields: Value| client.call("downloadRecord", &fields);
    assert_eq!(download(json!({"callId": third.call_id})).body, third.wav());
    assert_eq!(download(json!({"fileName": second.original_file_name})).body, second.wav());
    let both = download(json!({"callId": first.call_id, "ccId": "1"}));
    assert_eq!(zip::ZipArchive::new(Cursor::new(both.body)).unwrap().len(), 2);
    assert!(is_wav(&download(json!({"callId": last.call_id, "ccId": "2"}))));
    for (fields, code) in [
        (json!({}), "0300019"),
        (json!({"callId": "", "fileName": ""}), "0300019"),
        (json!({"callId": "1".repeat(26)}), "0300003"),
        (json!({"callId": first.call_id, "ccId": "x"}), "0300022"),
        (json!({"callId": last.call_id}), "0300017"),
        (json!({"callId": last.call_id, "ccId": "1"}), "0300012"),
        (json!({"callId": "1"}), "0300012"),
        (json!({"callId": other.call_id}), "0300018"),
        (json!({"fileName": "Y:/none.V3"}), "0300011"),
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
    assert_eq!(with("callId", json!("1")), "0300012");
    assert_eq!(with("callId", json!(theirs(&emulator).call_id)), "0300018");
    assert_eq!(with("beginTime", json!("2023-04-01 00:00:00")), "0300014");
    assert_eq!(with("endTime", json!("2023-04-07 00:00:00")), "0300016");
    assert_eq!(client.call("getRecordFileUrlFromObs", &good).code(), "0300006", "in the wrapper");
    assert_eq!(post(json!({})).code(), "0300007");
}

#[test]
fn a_token_plays_a_recording_for_half_an_hour() {
    let clock = Arc::new(AtomicI64::new(crate::support::NOW));
    let shared = Arc::clone(&clock);
    let emulator = fixed()
        .keys("ak", "sk")
        .developer(Developer::new("other", "sk"))
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
    assert_eq!(request("Y:/none").code(), "0300029");
    assert_eq!(request(&theirs(&emulator).original_file_name).code(), "0300018");

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
    assert_eq!(play(&[("t", "1"), ("version", "2.0"), ("st", "other")]).code(), "0300026");

    clock.fetch_add(30 * 60 * 1000, Ordering::SeqCst);
    assert!(is_wav(&play(&[("t", "1"), ("version", "2.0"), ("st", &token)])));
    clock.fetch_add(1, Ordering::SeqCst);
    assert_eq!(play(&[("t", "1"), ("version", "2.0"), ("st", &token)]).code(), "0300026");
    assert_eq!(client.post("playVoice", b"").unwrap().status, 405);
}

#[test]
fn voice_files_are_handed_out_by_path() {
    let emulator = emulator();
    let client = Client::new(&emulator);
    let fields = |name: &str| json!({"fileName": name});
    let file = |name: &str| emulator.voice_files()[name].wav.to_vec();

    let oiap = |query: &[(&str, &str)], name: &str| {
        client.call_with("downloadOiapRecord", query, &fields(name))
    };
    assert_eq!(oiap(&[("locationId", "1")], "Y:/oiap/0/1.wav").body, file("Y:/oiap/0/1.wav"));
    assert!(is_wav(&oiap(&[], "Y:/oiap/0/1.wav")));
    for (query, name, code) in [
        (&[("locationId", "")][..], "Y:/oiap/0/1.wav", "0300033"),
        (&[("locationId", "2")], "Y:/oiap/0/1.wav", "0300011"),
        (&[], "Y:/oiap/1/1.wav", "0300018"),
        (&[], "Y:/oiap/../x", "0300032"),
    ] {
        assert_eq!(oiap(query, name).code(), code, "{query:?} {name}");
    }
    assert_eq!(oiap(&[], &"x".repeat(128)).code(), "0300031");

    let ivr = |name: &str| {
        client.call_with("downloadIVRRecordFile", &[("locationId", "1")], &fields(name))
    };
    assert!(is_wav(&ivr("Y:/ivr/record/0/1.wav")));
    assert_eq!(
        (ivr("Y:/none").code(), ivr(&"x".repeat(226)).code()),
        ("0300011".into(), "0300003".into())
    );

    let download = |fields: Value| client.call("ivr/downloadFile", &fields);
    assert!(is_wav(&download(json!({"filePath": "Y:/3rd/0/two/b.wav"}))));
    assert_eq!(
        download(json!({"filePath": "Y:/3rd/0/one/", "mode": 1})).body,
        file("Y:/3rd/0/one/a.wav")
    );
    for (fields, code) in [
        (json!({"filePath": "Y:/3rd/0/two", "mode": "1"}), "0300044"),
        (json!({"filePath": "Y:/3rd/0", "mode": 1}), "0300011"),
        (json!({"filePath": "Y:/3rd/1/one", "mode": 1}), "0300018"),
        (json!({"filePath": "Y:/3rd/../0", "mode": 1}), "0300032"),
        (json!({"filePath": "Y:/3rd/0/two/b.wav", "mode": 2}), "0300028"),
        (json!({"filePath": ""}), "0300002"),
    ] {
        assert_eq!(download(fields.clone()).code(), code, "{fields}");
    }
}

#[test]
fn voice_files_are_uploaded_hashed_and_deleted() {
    let emulator = emulator();
    let client = Client::new(&emulator);
    let wav = emulator.recordings()[0].wav();
    let upload = |query: &[(&str, &str)], wav: &[u8]| {
        client.call_with("ivr/uploadFile", query, &json!({"data": STANDARD.encode(wav)}))
    };
    let vdn = [("vdnId", "39")];
    let data = upload(&vdn, &wav).json()["resultData"].take();
    let path = data["fileName"].as_str().unwrap();
    assert!(path.starts_with("Y:/3rdfile/39/") && data["locationId"] == json!(["1"]));
    assert_eq!(emulator.voice_files()[path].wav, wav);

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
    assert_eq!(delete(json!({"fileName": "Y:/3rd/0/one/a.wav"})), "0300040");
    assert_eq!(delete(json!({"fileName": "Y:/3rd/1/one/a.wav"})), "0300018");
    assert_eq!(delete(json!({"fileName": path, "locationId": "1"})), "0");
    assert_eq!(delete(json!({"fileName": path, "locationId": "1"})), "0300011");
}
