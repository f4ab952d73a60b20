//! The `ccfs` command as a process.

use std::fs;
use std::process::Command;

use crate::support::{Ccfs, QUERY, SKILLS_CSV, keys_of};
use ccfs_emulator::{Emulator, Fault};
use ccfs_tests::HeldPort;
use serde_json::{Value, json};

const NAME: &str = "20230406_9239cb50a8384bb0ab503441bf089446.zip";

#[test]
fn the_demo_does_the_whole_job() {
    let ccfs = Ccfs::new();
    let run = ccfs.run(&["demo", "--out", "out", "--rows", "50"]);
    run.ends_with_code(0);
    for said in [
        "queryAgentSkillInfoData",
        "signature checked",
        "blocking (ureq)",
        "async (reqwest)",
        "the same bytes",
        "50 operations of",
    ] {
        assert!(run.stdout.contains(said), "{said:?} is missing in:\n{}", run.stdout);
    }
    assert_eq!(run.stderr, "");
    let mut files = ccfs.files("out");
    files.sort();
    let [jsonl, parquet, zip] = &files[..] else { panic!("{files:?}") };
    assert!(zip.ends_with(".zip") && jsonl.ends_with(".jsonl"));
    assert!(run.stdout.contains(&format!("FROM 'out/{parquet}'")), "{}", run.stdout);
    let bytes = fs::read(ccfs.path("out").join(parquet)).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    let lines = fs::read_to_string(ccfs.path("out").join(jsonl)).unwrap();
    assert_eq!(lines.lines().count(), 50);
    let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert!(line["operate_time"].is_string());
}

#[test]
fn query_and_download_over_both_backends() {
    let emulator = Emulator::builder().rows(30).start().unwrap();
    for backend in ["blocking", "async"] {
        let ccfs = Ccfs::against(&emulator);
        let query = [&["query"], &QUERY[..]].concat();
        let run = ccfs.run(
            &[&["--json", "--backend", backend, "--tz", "Asia/Shanghai"], &query[..]].concat(),
        );
        run.ends_with_code(0);
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        let name = answer["file_name"].as_str().unwrap();
        assert!(name.contains(answer["response_id"].as_str().unwrap()));
        let name = emulator.files().pop().unwrap();
        let run = ccfs.run(&["--json", "--backend", backend, "download", name.as_str()]);
        run.ends_with_code(0);
        let bytes = emulator.file(&name).unwrap();
        let expected =
            json!({"file_name": name.as_str(), "bytes": bytes.len(), "path": format!("./{name}")});
        assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), expected);
        assert!(fs::read(ccfs.path(name.as_str())).unwrap() == bytes);
        // An existing file is kept, except with --force.
        let run = ccfs.run(&["--backend", backend, "download", name.as_str()]);
        run.ends_with_code(1);
        assert!(
            run.stderr.contains("already exists")
                && run.stderr.ends_with("hint: --force replaces it\n"),
            "{}",
            run.stderr
        );
        ccfs.run(&["--backend", backend, "download", name.as_str(), "--force"]).ends_with_code(0);
    }
}

#[test]
fn refusals_of_the_server_have_their_exit_codes() {
    let emulator = Emulator::builder().start().unwrap();
    for backend in ["blocking", "async"] {
        let ccfs = Ccfs::against(&emulator);
        let run = ccfs.run(&["--backend", backend, "--json", "download", NAME]);
        run.ends_with_code(1);
        let error: Value = serde_json::from_str(&run.stderr).unwrap();
        assert_eq!(
            (&error["error"], &error["result_code"]),
            (&json!("result_code"), &json!("0300011"))
        );
        for (fault, code) in [
            (Fault::Unauthorized, 4),
            (Fault::Locked, 4),
            (Fault::Garbage, 1),
            (Fault::Html(200), 1),
        ] {
            emulator.faults().clear();
            emulator.faults().add(fault);
            ccfs.run(&["--backend", backend, "download", NAME]).ends_with_code(code);
        }
        emulator.faults().clear();
        assert_eq!(ccfs.files("."), Vec::<String>::new(), "nothing half-written");
    }
}

#[test]
fn a_corrupt_archive_is_not_kept() {
    let emulator = Emulator::builder().rows(500).start().unwrap();
    let ccfs = Ccfs::against(&emulator);
    ccfs.run(&[&["query"], &QUERY[..]].concat()).ends_with_code(0);
    let name = emulator.files().pop().unwrap();
    emulator.faults().add(Fault::CorruptZip);
    for backend in ["blocking", "async"] {
        let run = ccfs.run(&["--backend", backend, "download", name.as_str()]);
        run.ends_with_code(1);
        assert!(run.stderr.contains("rejected and not kept"), "{}", run.stderr);
        assert_eq!(ccfs.files("."), Vec::<String>::new());
    }
}

#[test]
fn usage_errors_are_clear_and_nothing_is_sent() {
    let emulator = Emulator::builder().start().unwrap();
    let ccfs = Ccfs::against(&emulator);
    fs::write(ccfs.path("ca.txt"), "no certificate").unwrap();
    fs::write(ccfs.path("two.txt"), "key\nanother\n").unwrap();
    fs::write(ccfs.path("marked.txt"), "\u{feff}key\n").unwrap();
    for (arguments, said) in [
        (
            &["download", "20230230_9239cb50a8384bb0ab503441bf089446.zip"][..],
            "does not start with a date",
        ),
        (
            &["download", "20230406_9239cb50a8384bb0ab503441bf08944.zip"],
            "response ID is 31 characters long, not 32",
        ),
        (&["download", "20230406_abc.zip"], "--lenient sends it unchanged"),
        (&["download", NAME, "-o", "-"], "/dev/stdout"),
        (&["download", NAME, "-o", "nowhere/"], "the folder nowhere/ does not exist"),
        (&["call", "downloadRecord", "--callId", "1", "-o", "."], ". is a folder"),
        (&["convert", "ca.txt", "-o", "."], ". is a folder"),
        (&["--secret-key-file", "two.txt", "download", NAME], "more than one line"),
        (&["--secret-key-file", "marked.txt", "download", NAME], "a byte order mark"),
        (
            &[
                "--secret-key-file",
                "-",
                "sign",
                "--path",
                "/",
                "--header",
                "host: a",
                "--body-file",
                "-",
            ],
            "only one can be -",
        ),
        (&["--ca", "nowhere.pem", "download", NAME], "nowhere.pem cannot be read"),
        (&["--ca", "ca.txt", "download", NAME], "contains no certificate; give a PEM file"),
        (&["--endpoint", "10.1.2.3:8443", "download", NAME], "endpoint has no scheme"),
        (&["--tz", "Mars/Olympus", "convert", "ca.txt"], "is not a time zone"),
        (
            &[
                "query",
                "--begin",
                "2023-04-01 00:00:00",
                "--end",
                "2023-04-09 00:00:00",
                "--callback",
                "http://h/",
            ],
            "--end: period is",
        ),
        (
            &[
                "query",
                "--begin",
                "yesterday",
                "--end",
                "2023-04-09 00:00:00",
                "--callback",
                "http://h/",
            ],
            "--begin: malformed time",
        ),
        (
            &[
                "query",
                "--begin",
                "2023-04-01 00:00:00",
                "--end",
                "2023-04-02 00:00:00",
                "--callback",
                "10.1.2.3",
            ],
            "--callback: value is not allowed",
        ),
    ] {
        let run = ccfs.run(arguments);
        run.ends_with_code(2);
        assert!(run.stderr.contains(said), "{said:?} is missing in: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    for arguments in [&["--json", "download"][..], &["--json", "download", NAME, "--no-such-flag"]]
    {
        let run = ccfs.run(arguments);
        run.ends_with_code(2);
        let error: Value = serde_json::from_str(&run.stderr).unwrap();
        assert_eq!(error["error"], "usage");
    }
    assert!(emulator.received().is_empty());
    let bare = Ccfs::new();
    let run =
        bare.run(&["--endpoint", "https://127.0.0.1:1", "--access-key", "ak", "download", NAME]);
    run.ends_with_code(2);
    assert!(
        run.stderr.contains("--secret-key-file") && run.stderr.contains("CCFS_SECRET_KEY"),
        "{}",
        run.stderr
    );
}

/// Every source of a setting is checked for stray characters before anything is signed.
#[test]
fn stray_characters_around_settings_are_refused() {
    let emulator = Emulator::builder().start().unwrap();
    let (access_key, secret_key) = keys_of(&emulator);
    let endpoint = emulator.endpoint().to_string();
    let stray = [
        ("\r", "a line break"),
        ("\n", "a line break"),
        ("\t", "a tab"),
        (" ", "a blank"),
        ("\"", "a quotation mark"),
        ("\u{2019}", "a quotation mark"),
        ("\u{feff}", "an invisible character"),
        ("\u{200b}", "an invisible character"),
        ("\u{a0}", "an invisible character"),
    ];
    let download = ["download", NAME];
    for (character, kind) in stray {
        for (begins, edge) in [(true, "begins"), (false, "ends")] {
            let spoilt = |text: &str| {
                if begins { format!("{character}{text}") } else { format!("{text}{character}") }
            };
            let refused = |ccfs: &Ccfs, arguments: &[&str], setting: &str| {
                let run = ccfs.run(arguments);
                run.ends_with_code(2);
                let said = format!(" {edge} with {kind}");
                assert!(
                    run.stderr.contains(&said) && run.stderr.contains(setting),
                    "{setting}{said} is missing in: {}",
                    run.stderr
                );
                assert!(!run.stderr.contains(&secret_key), "{}", run.stderr);
            };
            for (variable, value) in [
                ("CCFS_ENDPOINT", &endpoint),
                ("CCFS_ACCESS_KEY", &access_key),
                ("CCFS_SECRET_KEY", &secret_key),
            ] {
                refused(
                    &Ccfs::against(&emulator).env(variable, &spoilt(value)),
                    &download,
                    variable,
                );
            }
            let ccfs = Ccfs::against(&emulator).env("CCFS_TZ", &spoilt("Asia/Shanghai"));
            refused(&ccfs, &["convert", "a.csv"], "CCFS_TZ");
            let ccfs = Ccfs::against(&emulator);
            refused(
                &ccfs,
                &["--access-key", &spoilt(&access_key), "download", NAME],
                "--access-key",
            );
            let filed = Ccfs::against(&emulator).env("CCFS_SECRET_KEY", "");
            let key = Value::from(spoilt(&secret_key)).to_string();
            fs::write(filed.path("c.toml"), format!("secret_key = {key}")).unwrap();
            refused(&filed, &["--config", "c.toml", "download", NAME], "secret key");
            // Editors add a line end after the key.
            if begins || kind != "a line break" {
                fs::write(filed.path("key"), spoilt(&secret_key) + "\n").unwrap();
                refused(
                    &filed,
                    &["--secret-key-file", "key", "download", NAME],
                    "secret key file key",
                );
            }
        }
    }
    assert!(emulator.received().is_empty());
}

#[test]
fn a_network_that_fails_is_a_3() {
    let closed = HeldPort::of_nobody();
    let stranger = Emulator::builder().start().unwrap();
    for backend in ["blocking", "async"] {
        let ccfs = Ccfs::new().env("CCFS_ACCESS_KEY", "ak").env("CCFS_SECRET_KEY", "sk");
        // An untrusted certificate is refused at once; a closed port would be retried for seconds.
        let run = ccfs.run(&[
            "--endpoint",
            &stranger.endpoint().to_string(),
            "--backend",
            backend,
            "download",
            NAME,
        ]);
        run.ends_with_code(3);
        assert!(run.stderr.contains("TLS"), "{}", run.stderr);
    }
    let ccfs = Ccfs::new().env("CCFS_ACCESS_KEY", "ak").env("CCFS_SECRET_KEY", "sk");
    let run = ccfs.run(&["--endpoint", &format!("http://{}", closed.address()), "download", NAME]);
    run.ends_with_code(3);
    assert!(run.stderr.contains("after 4 attempts"), "{}", run.stderr);
}

#[test]
fn settings_come_from_flag_then_environment_then_file() {
    let emulator = Emulator::builder().start().unwrap();
    let (access_key, secret_key) = keys_of(&emulator);
    let ccfs = Ccfs::new();
    // Paths in the configuration file are relative to its folder, not to the working directory.
    fs::create_dir(ccfs.path("ccfs")).unwrap();
    fs::write(ccfs.path("ccfs/ca.pem"), emulator.ca_pem().unwrap()).unwrap();
    fs::write(ccfs.path("ccfs/key"), format!("{secret_key}\n")).unwrap();
    let config = format!(
        "endpoint = \"https://127.0.0.1:1\"\naccess_key = \"{access_key}\"\nsecret_key_file = \"key\"\nca = \"ca.pem\"\n"
    );
    fs::write(ccfs.path("ccfs/config.toml"), &config).unwrap();
    let endpoint = emulator.endpoint().to_string();
    // The file has a wrong endpoint; the environment overrides it, and a wrong flag overrides both.
    let reaches = ccfs.env("CCFS_ENDPOINT", &endpoint);
    reaches.run(&["download", NAME]).ends_with_code(1);
    reaches.run(&["--access-key", "other", "download", NAME]).ends_with_code(4);
    // A secret on stdin.
    let run =
        reaches.run_with(&["--secret-key-file", "-", "download", NAME], secret_key.as_bytes());
    run.ends_with_code(1);
    let run = reaches.run_with(&["--secret-key-file", "-", "download", NAME], b"another");
    run.ends_with_code(4);
    fs::write(
        reaches.path("stdin.toml"),
        config.replace("\"key\"", "\"-\"").replace("ca.pem", "ccfs/ca.pem"),
    )
    .unwrap();
    reaches
        .run_with(&["--config", "stdin.toml", "download", NAME], secret_key.as_bytes())
        .ends_with_code(1);
    // An empty variable counts as not set, so the value in the file is used.
    let reaches = reaches.env("CCFS_CA", "").env("CCFS_SECRET_KEY", "").env("CCFS_BACKEND", "");
    reaches.run(&["download", NAME]).ends_with_code(1);
    // A mistake in the file is reported with its line, without any value.
    fs::write(
        reaches.path("broken.toml"),
        "endpoint = \"https://h\"\nsecret_key = 'marker-of-a-secret\n",
    )
    .unwrap();
    let run = reaches.run(&["--config", "broken.toml", "download", NAME]);
    run.ends_with_code(2);
    assert!(run.stderr.contains("line 2") && !run.stderr.contains("marker"), "{}", run.stderr);
}

/// A profile has the settings of one server, and takes the others from the file.
#[test]
fn profiles_select_a_server() {
    let emulator = Emulator::builder().start().unwrap();
    let (access_key, secret_key) = keys_of(&emulator);
    let ccfs = Ccfs::new();
    let download = |arguments: &[&str]| ccfs.run(&[arguments, &["download", NAME]].concat());
    let run = download(&["--profile", "test"]);
    run.ends_with_code(2);
    assert!(run.stderr.contains("there is no configuration file; create "), "{}", run.stderr);

    fs::create_dir_all(ccfs.path("ccfs/keys")).unwrap();
    fs::write(ccfs.path("ccfs/ca.pem"), emulator.ca_pem().unwrap()).unwrap();
    fs::write(ccfs.path("ccfs/keys/other"), "another").unwrap();
    fs::write(ccfs.path("ccfs/keys/test"), &secret_key).unwrap();
    let endpoint = emulator.endpoint();
    let config = format!(
        "endpoint = \"https://127.0.0.1:1\"\naccess_key = \"{access_key}\"\nsecret_key_file = \"keys/other\"\nca = \"ca.pem\"\n\
         [profile.test]\nendpoint = \"{endpoint}\"\nsecret_key_file = \"keys/test\"\n\
         [profile.text]\nendpoint = \"{endpoint}\"\nsecret_key = \"{secret_key}\"\n\
         [profile.other]\nendpoint = \"{endpoint}\"\n"
    );
    fs::write(ccfs.path("ccfs/config.toml"), config).unwrap();
    download(&[]).ends_with_code(3);
    download(&["--profile", "test"]).ends_with_code(1);
    download(&["--profile", "text"]).ends_with_code(1);
    download(&["--profile", "other"]).ends_with_code(4);
    // A flag takes precedence over the profile.
    download(&["--profile", "test", "--access-key", "unknown"]).ends_with_code(4);
    let run = download(&["--profile", "prod"]);
    run.ends_with_code(2);
    assert!(
        run.stderr.contains("has no [profile.prod]; its profiles are: other, test, text"),
        "{}",
        run.stderr
    );
    let ccfs = ccfs.env("CCFS_PROFILE", "test");
    ccfs.run(&["download", NAME]).ends_with_code(1);
    let ccfs = ccfs.env("CCFS_PROFILE", "");
    ccfs.run(&["download", NAME]).ends_with_code(3);

    fs::write(ccfs.path("nested.toml"), "[profile.a]\n[profile.a.profile.b]\n").unwrap();
    let run = ccfs.run(&["--config", "nested.toml", "download", NAME]);
    run.ends_with_code(2);
    assert!(run.stderr.contains("a profile contains another profile"), "{}", run.stderr);
}

#[test]
fn convert_prints_the_contracts_lines() {
    let ccfs = Ccfs::new();
    fs::write(ccfs.path("a.csv"), SKILLS_CSV).unwrap();
    let run = ccfs.run(&["convert", "a.csv"]);
    run.ends_with_code(0);
    let first = run.stdout.lines().next().unwrap();
    assert_eq!(
        first,
        concat!(
            r#"{"id":"1a","developer_id":"dev","account_id":"acc","sub_cc_no":1,"vdn":2,"agent_id":3,"#,
            r#""operate_time":"2015-02-08T20:23:30","operate_id":4,"operate_type":1,"skill_list":["1","2"],"logon_sn":"sn","operate_sn":1,"#,
            r#""operate_end_time":"2015-02-08T20:23:30","renew_flag":0,"update_time":"2015-02-08T12:23:30Z","month_of_year":2}"#
        )
    );
    let run = ccfs.run(&["--tz", "Asia/Shanghai", "convert", "a.csv"]);
    assert!(
        run.stdout.contains(r#""operate_time":"2015-02-08T20:23:30+08:00""#)
            && run.stdout.contains("12:23:30Z"),
        "{}",
        run.stdout
    );
    // From stdin the same, and as CSV in one shape, which converts to itself.
    assert_eq!(
        ccfs.run_with(&["convert", "-"], SKILLS_CSV.as_bytes()).stdout.lines().next(),
        Some(first)
    );
    let csv = ccfs.run(&["convert", "a.csv", "--to", "csv"]).stdout;
    assert!(
        csv.starts_with("id,developer_id,account_id,sub_cc_no,vdn,agent_id,operate_time,"),
        "{csv}"
    );
    assert_eq!(ccfs.run_with(&["convert", "-", "--to", "csv"], csv.as_bytes()).stdout, csv);
}

#[test]
fn convert_adds_offsets_to_csv() {
    let ccfs = Ccfs::new();
    fs::write(ccfs.path("a.csv"), SKILLS_CSV).unwrap();
    let plain = ccfs.run(&["convert", "a.csv", "--to", "csv"]).stdout;
    let run = ccfs.run(&["convert", "a.csv", "--to", "csv", "--tz", "Asia/Shanghai"]);
    run.ends_with_code(0);
    // Only the times of the call center have an offset, not update_time, which is in UTC.
    assert_eq!(run.stdout, plain.replace("20:23:30", "20:23:30+08:00"));
    assert!(run.stdout.contains("2015-02-08 20:23:30+08:00") && run.stdout.contains(" 12:23:30,"));
}

#[test]
fn convert_adds_the_names_of_codes() {
    let ccfs = Ccfs::new();
    let rows = "1,d,a,1,2,3,2015-02-08 20:23:30,4,1,,s,1,,0,,2\n2,d,a,1,2,3,2015-02-08 20:23:30,4,9001,,s,1,,0,,2\n";
    fs::write(ccfs.path("a.csv"), rows).unwrap();
    let call = ",".repeat(7) + "2015-02-08 20:23:30,,,,,,2,7" + &",".repeat(14);
    let recording = ",".repeat(7) + "2015-02-08 20:23:30,,,1,,,,0,,,";
    let operation = ",".repeat(7) + "2015-02-08 20:23:30,,26,,,,,,,,,,,";
    let last = |arguments: &[&str], input: &str| -> String {
        let run =
            ccfs.run_with(&[&["convert", "-", "--names"], arguments].concat(), input.as_bytes());
        run.ends_with_code(0);
        run.stdout.lines().last().unwrap_or_default().to_owned()
    };
    for (kind, row, json, csv) in [
        ("call", call, r#","device_type_name":"agent"}"#, ",agent"),
        (
            "record",
            recording,
            r#","task_status_name":"to be converted to text","call_type_name":"in"}"#,
            ",to be converted to text,in",
        ),
        ("agentOprInfo", operation, r#","op_type_name":"rest"}"#, ",rest"),
    ] {
        let line = last(&["--kind", kind], &row);
        assert!(line.ends_with(json), "{line}");
        let line = last(&["--kind", kind, "--to", "csv"], &row);
        assert!(line.ends_with(csv), "{line}");
    }
    let json = ccfs.run(&["convert", "a.csv", "--names"]).stdout;
    let ends: Vec<&str> = json
        .lines()
        .filter_map(|line| line.split_once("_of_year\":2"))
        .map(|(_, end)| end)
        .collect();
    assert_eq!(ends, [r#","operate_type_name":"sign in"}"#, r#","operate_type_name":null}"#]);
    let csv = ccfs.run(&["convert", "a.csv", "--names", "--to", "csv"]).stdout;
    let ends: Vec<&str> =
        csv.lines().filter_map(|line| line.rsplit_once(',')).map(|(_, end)| end).collect();
    assert_eq!(ends, ["operate_type_name", "sign in", ""]);
}

#[test]
fn a_bad_row_stops_with_its_place_or_is_skipped_and_counted() {
    let ccfs = Ccfs::new();
    fs::write(
        ccfs.path("a.csv"),
        format!("{SKILLS_CSV}{}{SKILLS_CSV}", SKILLS_CSV.replacen("02-08", "02-30", 1)),
    )
    .unwrap();
    let run = ccfs.run(&["convert", "a.csv", "-o", "a.jsonl"]);
    run.ends_with_code(1);
    let said = "a.csv, line 2, column 7 (operate_time): the date does not exist in the calendar";
    assert!(
        run.stderr.contains(said) && run.stderr.contains("--on-bad-row skip"),
        "{}",
        run.stderr
    );
    assert_eq!(ccfs.files("."), ["a.csv"], "nothing half-written");
    let run = ccfs.run(&["convert", "a.csv", "-o", "a.jsonl", "--on-bad-row", "skip"]);
    run.ends_with_code(0);
    assert!(
        run.stderr.contains("1 bad row was skipped") && run.stderr.contains("line 2"),
        "{}",
        run.stderr
    );
    assert_eq!(fs::read_to_string(ccfs.path("a.jsonl")).unwrap().lines().count(), 2);
}

#[test]
fn a_truncated_archive_is_reported_and_leaves_no_files() {
    let ccfs = Ccfs::new();
    ccfs.run(&["demo", "--out", "out", "--rows", "300"]).ends_with_code(0);
    let zip = ccfs.files("out").into_iter().find(|name| name.ends_with(".zip")).unwrap();
    let bytes = fs::read(ccfs.path("out").join(&zip)).unwrap();
    fs::write(ccfs.path("whole.zip"), &bytes).unwrap();
    fs::write(ccfs.path("half.zip"), &bytes[..bytes.len() / 2]).unwrap();
    for arguments in [&["inspect", "half.zip"][..], &["convert", "half.zip", "-o", "x.jsonl"]] {
        let run = ccfs.run(arguments);
        run.ends_with_code(1);
        assert!(run.stderr.starts_with("error: half.zip: "), "{}", run.stderr);
        assert!(!ccfs.path("x.jsonl").exists());
    }
    let run = ccfs.run(&["inspect", "whole.zip"]);
    run.ends_with_code(0);
    assert!(
        run.stdout.contains("rows   300\n") && run.stdout.contains("by hour of the day"),
        "{}",
        run.stdout
    );
    // From stdin the same records come, while the archive is still arriving.
    let (from_file, from_stdin) =
        (ccfs.run(&["convert", "whole.zip"]), ccfs.run_with(&["convert", "-"], &bytes));
    from_stdin.ends_with_code(0);
    assert!(from_file.stdout == from_stdin.stdout && from_file.stdout.lines().count() == 300);
    ccfs.run_with(&["convert", "-", "-o", "x.jsonl"], &bytes[..bytes.len() / 2]).ends_with_code(1);
    assert!(!ccfs.path("x.jsonl").exists());
    let run = ccfs.run(&["--json", "inspect", "whole.zip"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["totals"]["rows"], 300);
}

#[test]
fn help_has_an_example_for_every_command() {
    let ccfs = Ccfs::new();
    for command in crate::support::commands(&ccfs.run(&["--help"]).stdout) {
        let run = ccfs.run(&[command, "--help"]);
        run.ends_with_code(0);
        assert!(
            run.stdout.contains("Example:\n  ccfs ") || run.stdout.contains("| ccfs "),
            "{command}: {}",
            run.stdout
        );
    }
    assert!(ccfs.run(&["completions", "bash"]).stdout.contains("ccfs__subcmd__download"));
}

/// One page for each command, with the flags of its help; `groff`, if it is installed, accepts them without warnings.
#[test]
fn manual_pages_are_made_from_the_help() {
    let ccfs = Ccfs::new();
    let overview = ccfs.run(&["man"]);
    overview.ends_with_code(0);
    ccfs.run(&["man", "--out", "man1"]).ends_with_code(0);
    assert_eq!(
        fs::read_to_string(ccfs.path("man1/ccfs.1")).unwrap().trim_end(),
        overview.stdout.trim_end()
    );
    let mut pages = 0;
    for entry in fs::read_dir(ccfs.path("man1")).unwrap() {
        let path = entry.unwrap().path();
        let (name, page) =
            (path.file_stem().unwrap().to_str().unwrap(), fs::read_to_string(&path).unwrap());
        assert!(page.contains(".TH ") && page.contains(".SH SYNOPSIS"), "{name}");
        assert!(
            page.contains("EXIT STATUS")
                && page.contains("CCFS_ENDPOINT")
                && page.contains("config.toml"),
            "{name}"
        );
        assert!(
            name == "ccfs"
                || (page.contains(".SH \"EXAMPLES\"\n.nf\n") && page.contains("SEE ALSO")),
            "{name}"
        );
        let command: Vec<&str> = name.strip_prefix("ccfs-").into_iter().collect();
        let help = ccfs.run(&[&command[..], &["--help"]].concat()).stdout;
        let flags = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 3);
        for flag in flags.map(|flag| flag.trim_end_matches([',', ';', ')', '.'])) {
            assert!(page.replace("\\-", "-").contains(flag), "{name}: {flag} is missing");
        }
        pages += 1;
        match Command::new("groff").args(["-man", "-ww", "-z"]).arg(&path).output() {
            Ok(checked) => assert!(
                checked.status.success() && checked.stderr.is_empty(),
                "{name}: {checked:?}"
            ),
            Err(_) => println!("{name} is not looked at by groff: it is not here"),
        }
    }
    assert_eq!(
        pages,
        1 + overview.stdout.matches("\nccfs\\-").count(),
        "the overview names every page"
    );
    assert!(pages > 10);
}

/// A failed download that was saved as a CSV, and an empty pipe, are errors.
/// The error of a configuration file has the line and the reason, but no text that may be a key.
#[test]
fn mistakes_in_the_configuration_are_reported_without_values() {
    let ccfs = Ccfs::new();
    for (line, said) in [
        ("acess_key = \"MARKER\"", "line 2: unknown setting acess_key. The settings are endpoint,"),
        ("MARKER-key = 1", "line 2: unknown setting. The"),
        ("backend = \"MARKER\"", "line 2: the value must be blocking or async. The"),
        ("= MARKER", "line 2: unquoted keys cannot be empty. The"),
        ("secret_key = \"MARKER", "line 2: invalid basic string. The"),
        ("secret_key = MARKER", "line 2: "),
        ("endpoint = 5", "line 2: invalid type: integer. The"),
    ] {
        fs::write(ccfs.path("ccfs.toml"), format!("tz = \"UTC\"\n{line}\n")).unwrap();
        let run = ccfs.run(&["--config", "ccfs.toml", "doctor"]);
        run.ends_with_code(2);
        assert!(
            run.stderr.contains(said) && !run.stderr.contains("MARKER"),
            "{said:?}: {}",
            run.stderr
        );
    }
}

/// The command has the options that the library's messages suggest.
#[test]
fn a_charset_and_bounds_can_be_set() {
    let ccfs = Ccfs::new();
    // UTF-8 for one letter, and GB18030 for another.
    fs::write(ccfs.path("a.csv"), [&b"\xC4\xA3"[..], SKILLS_CSV.as_bytes()].concat()).unwrap();
    let id = |arguments: &[&str]| {
        let run = ccfs.run(arguments);
        run.ends_with_code(0);
        serde_json::from_str::<Value>(run.stdout.lines().next().unwrap()).unwrap()["id"]
            .as_str()
            .unwrap()
            .chars()
            .next()
    };
    assert_eq!(id(&["convert", "a.csv"]), Some('\u{123}'));
    assert_eq!(id(&["convert", "a.csv", "--charset", "gb18030"]), Some('\u{6A21}'));

    fs::write(ccfs.path("large.csv"), format!("{}{SKILLS_CSV}", "x".repeat(1024 * 1024))).unwrap();
    let run = ccfs.run(&["convert", "large.csv"]);
    run.ends_with_code(1);
    assert!(run.stderr.contains("hint: --trusted"), "{}", run.stderr);
    assert_eq!(id(&["convert", "large.csv", "--trusted"]), Some('x'));
}

/// An archive without an index file is an error, not an empty result.
#[test]
fn an_archive_without_index_files_is_reported() {
    let emulator = Emulator::builder().plain().rows(3).start().unwrap();
    let ccfs = Ccfs::at(&emulator);
    ccfs.run(&[
        "query",
        "--begin",
        "2023-04-05 00:00:00",
        "--end",
        "2023-04-06 00:00:00",
        "--callback",
        "http://127.0.0.1:9/cb",
    ])
    .ends_with_code(0);
    let mut archive = emulator.file(&emulator.files().pop().unwrap()).unwrap();
    // The name of the member is in its header and in the directory.
    let at: Vec<usize> = archive
        .windows(14)
        .enumerate()
        .filter(|(_, name)| *name == b"agentSkillInfo")
        .map(|(at, _)| at)
        .collect();
    assert_eq!(at.len(), 2);
    for at in at {
        archive[at..at + 14].copy_from_slice(b"somethingElse_");
    }
    fs::write(ccfs.path("other.zip"), archive).unwrap();
    let run = ccfs.run(&["convert", "other.zip", "-o", "rows.jsonl"]);
    run.ends_with_code(1);
    assert!(
        run.stderr.contains("no member of the archive is an index file")
            && run.stderr.contains("somethingElse_"),
        "{run:?}"
    );
    assert_eq!(ccfs.files("."), ["other.zip"]);
}

/// The hints that follow an error message.
#[test]
fn failures_tell_the_next_step() {
    let emulator = Emulator::builder().lockout(None).start().unwrap();
    let ccfs = Ccfs::against(&emulator);
    let hint = |ccfs: &Ccfs, arguments: &[&str]| {
        let run = ccfs.run(arguments);
        run.stderr.lines().find_map(|line| line.strip_prefix("hint: ").map(str::to_owned))
    };
    let wrong = Ccfs::against(&emulator).env("CCFS_SECRET_KEY", "another");
    assert_eq!(hint(&ccfs, &["download", NAME]), None, "the message says all");
    assert!(hint(&wrong, &["download", NAME]).unwrap().contains("ccfs doctor"));
    assert!(
        hint(&ccfs, &["--endpoint", "https://127.0.0.1:1", "download", NAME])
            .unwrap()
            .contains("ccfs doctor")
    );
    emulator.faults().add(Fault::Locked);
    assert_eq!(hint(&ccfs, &["download", NAME]), None, "whoever is locked out sends nothing");
    let run = ccfs.run(&["listen", "--bind", "9080"]);
    run.ends_with_code(2);
    assert!(run.stderr.contains("such as 127.0.0.1:9080"), "{}", run.stderr);
}

/// A full disk under `-o` is an error with the file's name, and no partial file is left.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_is_named() {
    let ccfs = Ccfs::new();
    fs::write(ccfs.path("a.csv"), SKILLS_CSV.repeat(5000)).unwrap();
    let script = "ulimit -f 8; exec \"$@\"";
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_ccfs"), "convert", "a.csv", "-o", "a.jsonl"])
        .current_dir(ccfs.path("."));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("cannot write a.jsonl: File too large"), "{said}");
    assert_eq!(ccfs.files("."), ["a.csv"]);
}

/// Messages that cannot be written are dropped, and results that cannot be written are one error.
#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_does_not_panic() {
    let ccfs = Ccfs::new();
    fs::write(ccfs.path("a_agentSkillInfo.csv"), crate::support::SKILLS_CSV).unwrap();
    let bad = format!("sep=,\n{}short,row\n", crate::support::SKILLS_CSV);
    fs::write(ccfs.path("b_agentSkillInfo.csv"), bad).unwrap();
    let of_shell = |arguments: &str, streams: &str| {
        let script = format!("exec \"$0\" {arguments} {streams}");
        let output = ccfs.program("sh", &["-c", &script, env!("CARGO_BIN_EXE_ccfs")]).output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (arguments, code) in [
        ("convert a_agentSkillInfo.csv", 0),
        ("convert b_agentSkillInfo.csv --on-bad-row skip", 0),
        ("convert b_agentSkillInfo.csv", 1),
        ("inspect none.zip", 1),
        ("--json inspect none.zip", 1),
        ("pull --from yesterday --out out", 2),
        ("no-such-command", 2),
        ("sign --explain", 2),
        ("doctor --endpoint http://127.0.0.1:9", 3),
    ] {
        for streams in ["2>/dev/full", "2>&-"] {
            let (found, _) = of_shell(arguments, streams);
            // If stderr is closed, the first file that the command opens may get its descriptor.
            assert_eq!(found, Some(code), "{arguments} {streams}");
        }
    }
    for arguments in [
        "convert a_agentSkillInfo.csv",
        "inspect a_agentSkillInfo.csv",
        "completions bash",
        "man",
        "--help",
        "pull --help",
    ] {
        let (code, said) = of_shell(arguments, ">/dev/full");
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{arguments}: {said}");
        let (code, said) = of_shell(arguments, "| true");
        assert_eq!((code, said.as_str()), (Some(0), ""), "{arguments}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_file_open_to_others_is_reported() {
    use std::os::unix::fs::PermissionsExt;

    let ccfs = Ccfs::new().env("CCFS_ACCESS_KEY", "a");
    fs::write(ccfs.path("key"), "secret").unwrap();
    let sign = [
        "sign",
        "--method",
        "GET",
        "--path",
        "/",
        "--timestamp",
        "2021-08-31T09:38:50.872Z",
        "--header",
        "host: a",
        "--secret-key-file",
        "key",
    ];
    for (mode, warns) in [(0o600, false), (0o640, true), (0o604, true)] {
        fs::set_permissions(ccfs.path("key"), fs::Permissions::from_mode(mode)).unwrap();
        let run = ccfs.run(&sign);
        run.ends_with_code(0);
        assert_eq!(
            run.stderr.contains("warning: key is accessible to its group or to others"),
            warns,
            "{run:?}"
        );
    }
}
