//! `ccfs call` as a process: every interface by name, what it prints and writes, and how it fails.

use std::fs;

use crate::support::{Ccfs, Run};
use ccfs::proto::answer::{Expected, FileKind};
use ccfs::proto::operation::{FieldForm, INTERFACES, Interface};
use ccfs_emulator::Emulator;
use ccfs_tests::interfaces::{self, Extent, Outcome, kind_of, recordings};
use ccfs_tests::{Behaviour, ScriptedServer, wav_of};
use serde_json::{Value, json};

const MISSING: &str = "20230406_9239cb50a8384bb0ab503441bf089446.zip";

fn emulator() -> Emulator {
    interfaces::builder().start().unwrap()
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

/// Makes a call. A file is written completely, and not overwritten without `--force`; a run that the server refuses writes none.
fn outcome(ccfs: &Ccfs, interface: &Interface, arguments: &[&str]) -> Outcome {
    let name = interface.name;
    let output: &[&str] = if is_file(interface) { &["-o", "got"] } else { &[] };
    let arguments = [arguments, output].concat();
    let run = call(ccfs, &arguments);
    if run.code == Some(1) {
        let mut said = failed(&run, 1, "result_code");
        let code = said["result_code"].take().as_str().unwrap().to_owned();
        let message = said["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{name}: the server answered {code}")), "{message}");
        assert_eq!(ccfs.files("."), Vec::<String>::new(), "{name}: nothing half-written");
        return Outcome::Refused(code);
    }
    let mut told = printed(&run);
    if !is_file(interface) {
        return Outcome::Data(told["result_data"].take());
    }
    let bytes = fs::read(ccfs.path("got")).unwrap();
    let kind = if kind_of(&bytes) == FileKind::Zip { "zip" } else { "wav" };
    assert_eq!(told, json!({"kind": kind, "bytes": bytes.len(), "path": "got"}), "{name}");

    fs::write(ccfs.path("got"), "mine").unwrap();
    let said = failed(&call(ccfs, &arguments), 1, "file_exists");
    assert!(said["message"].as_str().unwrap().contains("got already exists"), "{said}");
    assert_eq!(fs::read(ccfs.path("got")).unwrap(), b"mine");
    printed(&call(ccfs, &[&arguments[..], &["--force"]].concat()));
    assert!(fs::read(ccfs.path("got")).unwrap() == bytes, "{name} --force");
    fs::remove_file(ccfs.path("got")).unwrap();
    assert_eq!(ccfs.files("."), Vec::<String>::new(), "{name}: nothing else is left");
    Outcome::File(bytes)
}

#[test]
fn every_interface_is_called_by_name() {
    let emulator = emulator();
    let ccfs = Ccfs::against(&emulator);
    let inputs = tempfile::tempdir().unwrap();
    let input = |content: &[u8]| {
        let path = inputs.path().join("input");
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    interfaces::call_every_interface(&emulator, Extent::OneOfEach, |call| {
        let mut arguments = vec![call.interface.name.to_owned()];
        for &(name, value) in call.fields {
            if call.interface.field(name).unwrap().secret {
                arguments.extend([format!("--{name}-file"), input(value.as_bytes())]);
            } else {
                arguments.extend([format!("--{name}"), value.to_owned()]);
            }
        }
        if let Some(data) = call.data {
            arguments.extend(["--data".to_owned(), input(data)]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        outcome(&ccfs, call.interface, &arguments)
    });
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
        FieldForm::Url(_) => "http://127.0.0.1:9/callback".into(),
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
    let large = wav_of(u32::try_from(limit - 44).unwrap());
    assert_eq!(large.len(), limit);
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
