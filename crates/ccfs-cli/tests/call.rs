//! `ccfs call` as a process: every interface by name, what it prints and writes, and how it fails.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Ccfs, Run};
use ccfs::proto::answer::Expected;
use ccfs::proto::operation::{FieldForm, INTERFACES, Interface};
use ccfs_emulator::{Developer, Emulator, Recording};
use ccfs_tests::{Behaviour, ScriptedServer};
use serde_json::{Value, json};

const WINDOW: [&str; 6] = [
    "--beginTime",
    "2023-04-05 00:00:00",
    "--endTime",
    "2023-04-06 00:00:00",
    "--callBackURL",
    "http://127.0.0.1:9/callback",
];
const MISSING: &str = "20230406_9239cb50a8384bb0ab503441bf089446.zip";

fn emulator() -> Emulator {
    Emulator::builder()
        .developer(Developer::new("other", "the other's key"))
        .rows(20)
        .lockout(None)
        .start()
        .unwrap()
}

fn interface(name: &str) -> &'static Interface {
    Interface::named(name).unwrap()
}

fn is_file(interface: &Interface) -> bool {
    matches!(interface.expected, Expected::File(_))
}

fn call(ccfs: &Ccfs, arguments: &[&str]) -> Run {
    ccfs.run(&[&["--json", "call"], arguments].concat())
}

/// The one JSON line that a good run prints, with nothing beside it.
fn printed(run: &Run) -> Value {
    run.ends_with_code(0);
    assert_eq!((run.stderr.as_str(), run.stdout.lines().count()), ("", 1), "{run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

/// The one JSON line on stderr that a refused run ends with.
fn failed(run: &Run, code: i32, kind: &str) -> Value {
    run.ends_with_code(code);
    assert_eq!((run.stdout.as_str(), run.stderr.lines().count()), ("", 1), "{run:?}");
    let error: Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(error["error"], kind, "{error}");
    error
}

/// What `ccfs call` does with each interface in these tests.
#[derive(Default)]
struct Covered {
    good: BTreeSet<&'static str>,
    refused: BTreeSet<&'static str>,
}

impl Covered {
    /// An interface that answers with data.
    fn data(&mut self, ccfs: &Ccfs, name: &str, fields: &[&str]) -> Value {
        self.good.insert(interface(name).name);
        printed(&call(ccfs, &[&[name], fields].concat()))["result_data"].take()
    }

    /// An interface that answers with a file: written completely, and not overwritten without `--force`.
    fn file(&mut self, ccfs: &Ccfs, name: &str, fields: &[&str], kind: &str, expected: &[u8]) {
        self.good.insert(interface(name).name);
        let arguments = [&[name], fields, &["-o", "got"]].concat();
        let told = printed(&call(ccfs, &arguments));
        assert_eq!(told, json!({"kind": kind, "bytes": expected.len(), "path": "got"}), "{name}");
        assert!(
            fs::read(ccfs.path("got")).unwrap() == expected,
            "{name}: other bytes than the emulator has"
        );

        fs::write(ccfs.path("got"), "mine").unwrap();
        let said = failed(&call(ccfs, &arguments), 1, "file_exists");
        assert!(said["message"].as_str().unwrap().contains("got already exists"), "{said}");
        assert_eq!(fs::read(ccfs.path("got")).unwrap(), b"mine");
        printed(&call(ccfs, &[&arguments[..], &["--force"]].concat()));
        assert!(fs::read(ccfs.path("got")).unwrap() == expected, "{name} --force");
        fs::remove_file(ccfs.path("got")).unwrap();
        assert_eq!(ccfs.files("."), Vec::<String>::new(), "{name}: nothing else is left");
    }

    /// With an error code of the server, the run ends with 1 and prints the code in the JSON; no file is written.
    fn refused(&mut self, ccfs: &Ccfs, name: &str, fields: &[&str], code: &str) {
        let interface = interface(name);
        self.refused.insert(interface.name);
        let output: &[&str] = if is_file(interface) { &["-o", "got"] } else { &[] };
        let before = ccfs.files(".");
        let said = failed(&call(ccfs, &[&[name], fields, output].concat()), 1, "result_code");
        assert_eq!(said["result_code"], code, "{said}");
        assert!(
            said["message"]
                .as_str()
                .unwrap()
                .starts_with(&format!("{name}: the server answered {code}")),
            "{said}"
        );
        assert_eq!(ccfs.files("."), before, "{name}: nothing half-written");
    }
}

fn recordings(emulator: &Emulator) -> (Vec<&Recording>, &Recording) {
    let is_mine = |recording: &&Recording| recording.owner == emulator.access_key();
    let mine = emulator.recordings().iter().filter(is_mine).collect();
    (mine, emulator.recordings().iter().find(|recording| !is_mine(recording)).unwrap())
}

#[test]
fn every_interface_is_called_by_name() {
    let emulator = emulator();
    let ccfs = Ccfs::against(&emulator);
    let mut covered = Covered::default();

    for (query, more, download, field) in [
        (
            "queryAgentSkillInfoData",
            &["--agentId", "101"][..],
            "downloadAgentSkillInfoFile",
            "--agentSkillInfoFileName",
        ),
        ("queryAgentOprInfoData", &[], "downloadAgentOprInfoFile", "--agentOprInfoFileName"),
        ("queryBillData", &["--dataType", "record"], "downloadBillFile", "--billFileName"),
    ] {
        let data = covered.data(&ccfs, query, &[&WINDOW, more].concat());
        let id = data["responseId"].as_str().unwrap();
        let name = emulator.files().into_iter().find(|name| name.as_str().contains(id)).unwrap();
        covered.file(
            &ccfs,
            download,
            &[field, name.as_str()],
            "zip",
            &emulator.file(&name).unwrap(),
        );
        covered.refused(&ccfs, download, &[field, MISSING], "0300011");
        let future = [
            "--beginTime",
            "2099-04-05 00:00:00",
            "--endTime",
            "2099-04-06 00:00:00",
            WINDOW[4],
            WINDOW[5],
        ];
        covered.refused(&ccfs, query, &[&future, more].concat(), "0300016");
    }

    let (mine, theirs) = recordings(&emulator);
    let (first, last) = (mine[2], mine[mine.len() - 1]);
    covered.file(
        &ccfs,
        "downloadRecordFile",
        &["--fileName", &first.file_name],
        "wav",
        &first.wav(),
    );
    covered.refused(&ccfs, "downloadRecordFile", &["--fileName", &theirs.file_name], "0300018");
    covered.file(&ccfs, "downloadRecord", &["--callId", &first.call_id], "wav", &first.wav());
    covered.refused(&ccfs, "downloadRecord", &["--callId", &last.call_id], "0300017");

    let url = |call_id| [&["--callId", call_id], &WINDOW[..4]].concat();
    let data = covered.data(&ccfs, "getRecordFileUrlFromObs", &url(&first.call_id));
    assert!(data["url"].as_str().unwrap().contains(&first.file_name), "{data}");
    covered.refused(&ccfs, "getRecordFileUrlFromObs", &url("1"), "0300012");

    let data = covered.data(&ccfs, "requestPlayVoice", &["--fileName", &first.original_file_name]);
    covered.refused(&ccfs, "requestPlayVoice", &["--fileName", "Y:/none"], "0300029");
    let settings = tempfile::tempdir().unwrap();
    let token = settings.path().join("token");
    fs::write(&token, format!("{}\n", data["token"].as_str().unwrap())).unwrap();
    // The time is filled in where it is not given.
    for time in [&["--t", "1680768000000"][..], &[]] {
        let fields = [&["--st-file", token.to_str().unwrap()], time].concat();
        covered.file(&ccfs, "playVoice", &fields, "wav", &first.wav());
    }
    fs::write(&token, "another").unwrap();
    covered.refused(&ccfs, "playVoice", &["--st-file", token.to_str().unwrap()], "0300026");

    let voices = emulator.voice_files();
    for (name, field, path, more) in [
        ("downloadOiapRecord", "--fileName", "Y:/oiap/0/1.wav", &["--locationId", "1"][..]),
        ("downloadIVRRecordFile", "--fileName", "Y:/ivr/record/0/1.wav", &[]),
        ("ivr/downloadFile", "--filePath", "Y:/3rd/0/two/b.wav", &[]),
    ] {
        covered.file(&ccfs, name, &[&[field, path], more].concat(), "wav", &voices[path].wav);
        covered.refused(&ccfs, name, &[field, "Y:/none"], "0300011");
    }
    covered.file(
        &ccfs,
        "ivr/downloadFile",
        &["--filePath", "Y:/3rd/0/one", "--mode", "1"],
        "wav",
        &voices["Y:/3rd/0/one/a.wav"].wav,
    );
    covered.refused(
        &ccfs,
        "ivr/downloadFile",
        &["--filePath", "Y:/3rd/0/two", "--mode", "1"],
        "0300044",
    );

    fs::write(ccfs.path("a.wav"), first.wav()).unwrap();
    let uploaded = covered.data(&ccfs, "ivr/uploadFile", &["--vdnId", "39", "--data", "a.wav"]);
    let path = uploaded["fileName"].as_str().unwrap();
    assert_eq!(emulator.voice_files()[path].wav, first.wav());
    let data = covered.data(&ccfs, "ivr/getFileHash", &["--fileName", path, "--locationId", "1"]);
    assert_eq!(data["hashValue"].as_str().unwrap().len(), 64);
    assert_eq!(covered.data(&ccfs, "ivr/deleteFile", &["--fileName", path]), Value::Null);
    assert!(!emulator.voice_files().contains_key(path));
    covered.refused(&ccfs, "ivr/getFileHash", &["--fileName", path], "0300011");
    covered.refused(&ccfs, "ivr/deleteFile", &["--fileName", "Y:/3rd/0/one/a.wav"], "0300040");
    emulator.faults().add(
        ccfs_emulator::Fault::ErrorUnder200(ccfs::ResultCode::ObjectStorageUploadFailed).times(1),
    );
    covered.refused(&ccfs, "ivr/uploadFile", &["--vdnId", "39", "--data", "a.wav"], "0300047");

    let all: BTreeSet<_> = INTERFACES.iter().map(|interface| interface.name).collect();
    assert_eq!((&covered.good, &covered.refused), (&all, &all), "an interface is not called here");
}

#[test]
fn without_json_a_person_reads_it_over_either_backend() {
    let emulator = emulator();
    let ccfs = Ccfs::against(&emulator);
    let first = recordings(&emulator).0[0];
    for backend in ["blocking", "async"] {
        let run = ccfs.run(&[
            "--backend",
            backend,
            "call",
            "downloadRecordFile",
            "--fileName",
            &first.file_name,
            "-o",
            "got",
            "--force",
        ]);
        run.ends_with_code(0);
        assert_eq!(run.stdout, format!("got  {} bytes, wav\n", first.wav().len()));
        assert!(fs::read(ccfs.path("got")).unwrap() == first.wav());
        let run = ccfs.run(&[
            "--backend",
            backend,
            "call",
            "requestPlayVoice",
            "--fileName",
            &first.original_file_name,
        ]);
        run.ends_with_code(0);
        let data: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(data["token"].as_str().unwrap().len(), 32);
        let run = ccfs.run(&[
            "--backend",
            backend,
            "call",
            "downloadRecord",
            "--callId",
            "1",
            "-o",
            "none",
        ]);
        run.ends_with_code(1);
        assert!(
            run.stderr.starts_with("error: downloadRecord: the server answered 0300012: "),
            "{}",
            run.stderr
        );
        assert_eq!(ccfs.files("."), ["got"]);
    }
    fs::write(ccfs.path("a.wav"), first.wav()).unwrap();
    let run = ccfs.run(&["--json", "call", "ivr/uploadFile", "--vdnId", "39", "--data", "a.wav"]);
    let path = printed(&run)["result_data"]["fileName"].as_str().unwrap().to_owned();
    assert_eq!(ccfs.run(&["call", "ivr/deleteFile", "--fileName", &path]).stdout, "done\n");
}

/// A number beyond 64 bits, an amount's last zero, the order: all as the server wrote it, set out for people or on a line for scripts.
#[test]
fn data_is_printed_with_the_servers_own_digits_and_order() {
    let data = "{ \"z\": 12345678901234567890123,\n\"a\": [1.10, {}], \"token\": \"\u{1F600}\" }";
    let answer = Behaviour::ok(format!(r#"{{"resultCode":"0","resultData":{data}}}"#));
    let server = ScriptedServer::play([answer.clone(), answer]);
    let ccfs = Ccfs::new()
        .env("CCFS_ENDPOINT", &server.url())
        .env("CCFS_ACCESS_KEY", "ak")
        .env("CCFS_SECRET_KEY", "sk");
    let arguments = ["call", "requestPlayVoice", "--fileName", "a.V3"];
    let run = ccfs.run(&arguments);
    run.ends_with_code(0);
    let shown = "{\n  \"z\": 12345678901234567890123,\n  \"a\": [\n    1.10,\n    {}\n  ],\n  \"token\": \"\u{1F600}\"\n}\n";
    assert_eq!(run.stdout, shown);
    let run = ccfs.run(&[&["--json"], &arguments[..]].concat());
    run.ends_with_code(0);
    assert_eq!(
        run.stdout,
        "{\"result_data\":{\"z\":12345678901234567890123,\"a\":[1.10,{}],\"token\":\"\u{1F600}\"}}\n"
    );
}

/// Values that an interface accepts: the shortest text, or a valid value of its form.
fn good_value(form: FieldForm) -> String {
    match form {
        FieldForm::Time => "2023-04-05 00:00:00".into(),
        FieldForm::Number | FieldForm::UnixMillis => "1".into(),
        FieldForm::IndexFileName => MISSING.into(),
        FieldForm::OneOf(texts) => texts[0].into(),
        FieldForm::Wav(_) => "a.wav".into(),
        FieldForm::Url(_) => "https://r/".into(),
        _ => "x".into(),
    }
}

/// The arguments of a call with every field but one, and with another value for one.
fn arguments(
    interface: &Interface,
    without: Option<&str>,
    other: Option<(&str, &str)>,
) -> Vec<String> {
    let mut arguments = vec![interface.name.to_owned()];
    for field in interface.fields.iter().filter(|field| without != Some(field.name)) {
        let value = match other {
            Some((name, value)) if name == field.name => value.to_owned(),
            _ if field.secret => "token".into(),
            _ if field.name == "callBackURL" => WINDOW[5].into(),
            _ => good_value(field.form),
        };
        arguments.extend([
            format!("--{}{}", field.name, if field.secret { "-file" } else { "" }),
            value,
        ]);
    }
    if is_file(interface) {
        arguments.extend(["-o".into(), "got".into()]);
    }
    arguments
}

fn run(ccfs: &Ccfs, arguments: &[String]) -> Run {
    call(ccfs, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A folder with the files that fields name, and an emulator that must not hear of any of it.
fn offline() -> (Emulator, Ccfs) {
    let emulator = emulator();
    let ccfs = Ccfs::against(&emulator);
    fs::write(ccfs.path("a.wav"), recordings(&emulator).0[0].wav()).unwrap();
    fs::write(ccfs.path("token"), "a token").unwrap();
    (emulator, ccfs)
}

#[test]
fn a_missing_or_unknown_field_is_a_usage_error_that_names_it() {
    let (emulator, ccfs) = offline();
    for interface in INTERFACES {
        for field in interface
            .fields
            .iter()
            .filter(|field| field.required && !matches!(field.form, FieldForm::UnixMillis))
        {
            let run = run(&ccfs, &arguments(interface, Some(field.name), None));
            run.ends_with_code(2);
            assert!(
                run.stderr.contains(&format!("--{}", field.name)),
                "{}: {}",
                interface.name,
                run.stderr
            );
        }
        let mut unknown = arguments(interface, None, None);
        unknown.extend(["--colour".into(), "red".into()]);
        let run = run(&ccfs, &unknown);
        run.ends_with_code(2);
        assert!(run.stderr.contains("--colour"), "{}: {}", interface.name, run.stderr);
    }
    // One of two must be given: the table cannot say that, and the operation does.
    let said =
        failed(&call(&ccfs, &["downloadRecord", "--ccId", "1", "-o", "got"]), 2, "invalid_request");
    assert!(
        said["message"]
            .as_str()
            .unwrap()
            .contains("fileName: neither this field nor `callId` is given"),
        "{said}"
    );
    for arguments in [&["downloadRecords"][..], &[]] {
        let run = call(&ccfs, arguments);
        run.ends_with_code(2);
        assert!(run.stderr.contains("downloadRecord"), "{}", run.stderr);
    }
    assert!(emulator.received().is_empty());
}

#[test]
fn a_value_beyond_its_bound_names_field_bound_and_value() {
    let (emulator, ccfs) = offline();
    let mut checked = 0;
    for interface in INTERFACES {
        for field in interface.fields {
            let (value, told): (String, Vec<String>) = match field.form {
                _ if field.secret => {
                    fs::write(ccfs.path("long"), "y".repeat(1025)).unwrap();
                    ("long".into(), vec!["1025 characters".into(), "limit 1024".into()])
                }
                FieldForm::Text(limit) | FieldForm::Path(limit) | FieldForm::Url(limit) => (
                    "y".repeat(limit + 1),
                    vec![format!("{} characters", limit + 1), format!("limit {limit}")],
                ),
                FieldForm::Time => ("2023-02-30 00:00:00".into(), vec!["calendar".into()]),
                FieldForm::Number => {
                    ("-1".into(), vec!["\"-1\"".into(), "18446744073709551615".into()])
                }
                FieldForm::UnixMillis => {
                    ("253402300800000".into(), vec!["253402300800000".into(), "10000".into()])
                }
                FieldForm::IndexFileName => {
                    (format!("{}.zip", "y".repeat(46)), vec!["50".into(), "49".into()])
                }
                FieldForm::OneOf(texts) => {
                    ("other".into(), vec!["\"other\"".into(), texts[0].into()])
                }
                FieldForm::Wav(limit) => {
                    fs::write(ccfs.path("large.wav"), vec![0; limit + 1]).unwrap();
                    ("large.wav".into(), vec![limit.to_string()])
                }
                other => panic!("a form that this test does not know: {other:?}"),
            };
            // A file that is too large is not read, so no request is created.
            let is_file = matches!(field.form, FieldForm::Wav(_));
            let said = failed(
                &run(&ccfs, &arguments(interface, None, Some((field.name, &value)))),
                2,
                if is_file { "usage" } else { "invalid_request" },
            );
            let message = said["message"].as_str().unwrap();
            assert!(
                message.contains(field.name) || matches!(field.form, FieldForm::Wav(_)),
                "{}: {message}",
                interface.name
            );
            for part in told {
                assert!(
                    message.contains(&part),
                    "{} {}: {part:?} is missing in: {message}",
                    interface.name,
                    field.name
                );
            }
            checked += 1;
        }
    }
    assert_eq!(checked, INTERFACES.iter().map(|interface| interface.fields.len()).sum::<usize>());
    let mut reversed =
        arguments(interface("queryBillData"), None, Some(("endTime", "2023-04-04 00:00:00")));
    let said = failed(&run(&ccfs, &reversed), 2, "invalid_request");
    assert!(said["message"].as_str().unwrap().contains("begin is later than the end"), "{said}");
    reversed =
        arguments(interface("queryBillData"), None, Some(("endTime", "2023-04-09 00:00:00")));
    let said = failed(&run(&ccfs, &reversed), 2, "invalid_request");
    let message = said["message"].as_str().unwrap();
    assert!(
        message.contains("4 days long")
            && message.contains("limit 3 days")
            && message.contains("endTime"),
        "{message}"
    );
    assert!(emulator.received().is_empty(), "nothing was sent");
    assert!(!ccfs.path("got").exists());
}

/// A token opens a recording, and arguments can be read by every user of a machine.
#[test]
fn a_playback_token_is_not_an_argument() {
    let (emulator, ccfs) = offline();
    let recording = recordings(&emulator).0[0];
    let run = call(&ccfs, &["playVoice", "--st", "MARKER", "-o", "got"]);
    run.ends_with_code(2);
    assert!(run.stderr.contains("--st-file"), "{}", run.stderr);
    let help = ccfs.run(&["call", "playVoice", "--help"]).stdout;
    assert!(help.contains("--st-file <FILE>") && !help.contains("--st <"), "{help}");
    let token = printed(&call(
        &ccfs,
        &["requestPlayVoice", "--fileName", &recording.original_file_name],
    ))["result_data"]["token"]
        .take();
    let run = ccfs.run_with(
        &["--json", "call", "playVoice", "--st-file", "-", "-o", "got"],
        token.as_str().unwrap().as_bytes(),
    );
    printed(&run);
    assert!(fs::read(ccfs.path("got")).unwrap() == recording.wav());
    for (content, said) in [
        (&b"\xFF\xFE"[..], "not UTF-8"),
        (b"", "st: field is missing or empty"),
        (b"a\nb", "not control characters"),
    ] {
        let run = ccfs.run_with(&["call", "playVoice", "--st-file", "-", "-o", "other"], content);
        run.ends_with_code(2);
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    let run = call(&ccfs, &["playVoice", "--st-file", "nowhere", "-o", "other"]);
    assert!(
        failed(&run, 2, "usage")["message"].as_str().unwrap().contains("nowhere cannot be read")
    );
    assert!(!ccfs.path("other").exists());
}

#[test]
fn only_valid_files_are_uploaded() {
    let (emulator, ccfs) = offline();
    let wav = recordings(&emulator).0[0].wav();
    let changed = |at: usize, byte: u8| {
        let mut wav = wav.clone();
        wav[at] = byte;
        wav
    };
    for (content, said) in [
        (b"ID3, not a WAV file".to_vec(), "data: not a WAV file"),
        (Vec::new(), "data: not a WAV file"),
        (wav[..wav.len() - 1].to_vec(), "no complete `data` chunk"),
        (changed(20, 2), "format tag 2"),
        (changed(22, 2), "channel count 2"),
        (changed(25, 0), "sample rate 64"),
        (changed(34, 16), "sample size 16"),
    ] {
        fs::write(ccfs.path("b.wav"), content).unwrap();
        let error = failed(
            &call(&ccfs, &["ivr/uploadFile", "--vdnId", "39", "--data", "b.wav"]),
            2,
            "invalid_request",
        );
        assert!(
            error["message"].as_str().unwrap().contains(said),
            "{said:?} is missing in: {error}"
        );
    }
    assert!(emulator.received().is_empty(), "nothing was sent");
    let run =
        ccfs.run_with(&["--json", "call", "ivr/uploadFile", "--vdnId", "39", "--data", "-"], &wav);
    let path = printed(&run)["result_data"]["fileName"].as_str().unwrap().to_owned();
    assert_eq!(emulator.voice_files()[&path].wav, wav);

    // The largest size that the server accepts.
    let FieldForm::Wav(limit) = interface("ivr/uploadFile").field("data").unwrap().form else {
        panic!("a file")
    };
    let samples = u32::try_from(limit - 44).unwrap();
    let mut large = wav[..44].to_vec();
    large[4..8].copy_from_slice(&(36 + samples).to_le_bytes());
    large[40..44].copy_from_slice(&samples.to_le_bytes());
    large.resize(limit, 0x80);
    fs::write(ccfs.path("b.wav"), &large).unwrap();
    let path = printed(&call(&ccfs, &["ivr/uploadFile", "--vdnId", "39", "--data", "b.wav"]))["result_data"]["fileName"].take();
    assert!(emulator.voice_files()[path.as_str().unwrap()].wav == large);
}

#[test]
fn a_wrong_key_ends_with_4_at_every_signed_interface() {
    let emulator = emulator();
    let ccfs = Ccfs::against(&emulator).env("CCFS_SECRET_KEY", "the wrong key");
    for interface in INTERFACES.iter().filter(|interface| interface.signed) {
        fs::write(ccfs.path("a.wav"), recordings(&emulator).0[0].wav()).unwrap();
        failed(&run(&ccfs, &arguments(interface, None, None)), 4, "unauthorized");
        assert_eq!(ccfs.files("."), ["a.wav"], "{}", interface.name);
    }
}

#[test]
fn the_overview_lists_every_interface() {
    let ccfs = Ccfs::new();
    let overview = ccfs.run(&["call", "--help"]);
    for interface in INTERFACES {
        assert!(
            overview.stdout.contains(&format!("  {} ", interface.name)),
            "{} is not in:\n{}",
            interface.name,
            overview.stdout
        );
        let help = ccfs.run(&["call", interface.name, "--help"]);
        help.ends_with_code(0);
        for field in interface.fields {
            assert!(
                help.stdout.contains(&format!("--{}", field.name)),
                "{}: {}",
                interface.name,
                help.stdout
            );
        }
        assert_eq!(
            help.stdout.contains("--output <FILE>"),
            is_file(interface),
            "{}: {}",
            interface.name,
            help.stdout
        );
    }
}
