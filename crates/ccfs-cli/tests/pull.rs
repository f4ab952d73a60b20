//! `ccfs pull` as a process: its output, its exit codes, and how it continues.

use std::io::{Cursor, Write};

use crate::support::Ccfs;
use ccfs_emulator::{Emulator, Fault};
use ccfs_tests::HeldPort;
use serde_json::{Value, json};

const RANGE: [&str; 7] = ["pull", "--from", "2023-04-01", "--to", "2023-04-10", "--out", "out"];

fn emulator() -> Emulator {
    Emulator::builder().rows(20).lockout(None).same_files(true).start().unwrap()
}

fn against(emulator: &Emulator) -> Ccfs {
    Ccfs::against(emulator).env("CCFS_TZ", "Asia/Shanghai")
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A day is one file below the table's folder, whatever the range; and other window lengths are refused.
#[test]
fn a_pull_with_parquet_leaves_a_dataset() {
    let emulator = emulator();
    for backend in ["blocking", "async"] {
        let ccfs = against(&emulator).env("CCFS_BACKEND", backend);
        let parquet = [
            "pull",
            "--from",
            "2023-04-01",
            "--to",
            "2023-04-02",
            "--out",
            "out",
            "--convert",
            "parquet",
        ];
        let run = ccfs.run(&[&parquet[..], &["--no-zip"]].concat());
        run.ends_with_code(0);
        let mut files = ccfs.files("out");
        files.retain(|name| !name.contains("ccfs-pull."));
        files.sort();
        let day = |day: u8| {
            format!(
                "agent_skill_info/day=2023-04-0{day}/2023040{day}T000000_2023040{day}T235959.parquet"
            )
        };
        assert_eq!(files, [day(1), day(2)]);
        assert!(run.stdout.contains(&day(2)), "{}", run.stdout);
        ccfs.run(&["pull", "--verify", "--out", "out"]).ends_with_code(0);
        std::fs::write(ccfs.path("out").join(day(2)), b"PAR1").unwrap();
        let run = ccfs.run(&["pull", "--verify", "--out", "out"]);
        run.ends_with_code(1);
        assert!(
            run.stdout.contains(&format!("{} has 4 bytes, expected", day(2))),
            "{}",
            run.stdout
        );

        let run = ccfs.run(&[&parquet[..], &["--window-days", "3"]].concat());
        run.ends_with_code(2);
        assert!(run.stderr.contains("with Parquet, a window has 1 day, not 3"), "{}", run.stderr);
        let three = ["pull", "--from", "2023-04-03", "--to", "2023-04-05", "--out", "out"];
        ccfs.run(&three).ends_with_code(0);
        let run = ccfs.run(&[&three[..], &["--convert", "parquet"]].concat());
        run.ends_with_code(1);
        assert_eq!(
            run.stderr,
            "not converted to Parquet, which has a file for each day: 1 window of several days from 2023-04-03 to 2023-04-05; pull these days into another folder\nerror: 1 window not converted\n"
        );
    }
}

#[test]
fn a_range_is_pulled_and_reported() {
    let emulator = emulator();
    for backend in ["blocking", "async"] {
        let ccfs = against(&emulator).env("CCFS_BACKEND", backend);
        let run = ccfs.run(&RANGE);
        run.ends_with_code(0);
        assert_eq!(run.stderr, "", "no messages without a terminal");
        assert!(
            run.stdout.contains("agentSkillInfo_20230410T000000_20230410T235959.zip"),
            "{}",
            run.stdout
        );
        assert!(
            run.stdout.contains("4 windows: 4 changed, 0 failed; 80 rows, ")
                && run.stdout.ends_with(" bytes; 4 requests\n"),
            "{}",
            run.stdout
        );

        let journal = std::fs::read_to_string(ccfs.path("out").join("ccfs-pull.journal")).unwrap();
        assert_eq!(journal.lines().count(), 13, "a header, and three lines a window:\n{journal}");
        assert!(!journal.contains(emulator.secret_key()) && !journal.contains("auth-v2"));

        let run = ccfs.run(&RANGE);
        run.ends_with_code(0);
        assert!(run.stdout.starts_with("4 windows: 0 changed, "), "{}", run.stdout);
        let run = ccfs.run(&[&["--json"], &RANGE[..]].concat());
        assert_eq!(lines(&run.stdout).len(), 1, "only the summary");
        let run = ccfs.run(&[&["--json"], &RANGE[..], &["--all"]].concat());
        run.ends_with_code(0);
        let lines = lines(&run.stdout);
        assert_eq!(
            (lines.len(), &lines[0]["changed"], &lines[0]["rows"]),
            (5, &json!(false), &json!(20))
        );
        let file = &lines[0]["files"][0];
        let size = std::fs::metadata(ccfs.path(file["path"].as_str().unwrap())).unwrap().len();
        assert_eq!(file["bytes"], size);
        let summary = json!({"windows": 4, "changed": 0, "failed": 0, "rows": 80, "bad_rows": 0, "bytes": lines[4]["summary"]["bytes"], "requests": 0, "left_from": null});
        assert_eq!(lines[4]["summary"], summary);
    }
}

#[test]
fn records_are_converted() {
    let emulator = emulator();
    let ccfs = against(&emulator);
    for (kind, backend) in [
        ("agentSkillInfo", "blocking"),
        ("agentOprInfo", "async"),
        ("call", "blocking"),
        ("record", "async"),
    ] {
        let out = format!("{kind}-out");
        let range = [
            "pull",
            "--from",
            "2023-04-01",
            "--to",
            "2023-04-01",
            "--out",
            &out,
            "--kind",
            kind,
            "--backend",
            backend,
        ];
        ccfs.run(&[&range[..], &["--convert", "csv", "--no-zip"]].concat()).ends_with_code(0);
        let name = format!("{kind}_20230401T000000_20230401T235959.csv");
        let mut files = ccfs.files(&out);
        files.sort();
        let mut expected = [".ccfs-pull.lock", &name, "ccfs-pull.journal"];
        expected.sort_unstable();
        assert_eq!(files, expected);
        let text = std::fs::read_to_string(ccfs.path(&out).join(name)).unwrap();
        assert_eq!(text.lines().count(), 21, "a header and 20 rows");
    }
}

#[test]
fn callbacks_are_waited_for() {
    let emulator = emulator();
    for fault in
        [Fault::Pass, Fault::CallbackDuplicate, Fault::CallbackReplayed, Fault::CallbackForged]
    {
        for backend in ["blocking", "async"] {
            emulator.clear_logs();
            emulator.faults().clear();
            emulator.faults().add(fault.clone());
            let port = HeldPort::to_listen_on();
            let bind = port.address().to_string();
            let url = format!("http://{bind}/callback");
            let wait = [
                "--wait",
                "callback",
                "--bind",
                &bind,
                "--callback",
                &url,
                "--backend",
                backend,
                "--secret-key-file",
                "-",
            ];
            // The listener and the client need the key from stdin, which can be read only once.
            let run = against(&emulator)
                .run_with(&[&RANGE[..], &wait].concat(), emulator.secret_key().as_bytes());
            run.ends_with_code(0);
            assert!(run.stdout.contains("4 changed, 0 failed; 80 rows"), "{}", run.stdout);
            let looks = emulator
                .received()
                .iter()
                .filter(|request| request.interface == Some("downloadAgentSkillInfoFile"))
                .count();
            assert_eq!(looks, 4, "{fault}: each file is looked for once, when it is there");
        }
    }
}

#[test]
fn errors_are_reported_with_their_exit_code() {
    let emulator = emulator();
    let code = |ccfs: &Ccfs, more: &[&str], code: i32, word: &str, said: &str| {
        let run = ccfs.run(&[&["--json"], &RANGE[..], more].concat());
        run.ends_with_code(code);
        let error: Value = serde_json::from_str(run.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(error["error"], word, "{error}");
        assert!(
            error["message"].as_str().unwrap().contains(said),
            "{said:?} is missing in {error}"
        );
    };
    code(
        &Ccfs::against(&emulator),
        &[],
        2,
        "usage",
        "give --tz, such as Asia/Shanghai, or set CCFS_TZ",
    );
    code(
        &against(&emulator),
        &["--tz", "Asia/Nowhere"],
        2,
        "usage",
        "Asia/Nowhere is not a time zone",
    );
    code(&against(&emulator), &["--wait", "callback"], 2, "usage", "--callback");
    code(&against(&emulator).env("CCFS_SECRET_KEY", "another"), &[], 4, "unauthorized", "401");
    let untrusting = Ccfs::new()
        .env("CCFS_ENDPOINT", &emulator.endpoint().to_string())
        .env("CCFS_TZ", "Asia/Shanghai");
    let untrusting = untrusting.env("CCFS_ACCESS_KEY", "a").env("CCFS_SECRET_KEY", "b");
    code(&untrusting, &[], 3, "tls", "TLS");

    // A window that fails is reported, and the others are pulled.
    let ccfs = against(&emulator);
    emulator.faults().add(
        Fault::ErrorUnder200(ccfs::proto::ResultCode::PathNotCanonical)
            .at("downloadAgentSkillInfoFile")
            .times(1),
    );
    code(&ccfs, &[], 1, "refused", "1 window failed; the next run tries again");
    code(&ccfs, &["--kind", "call"], 2, "usage", "kind of file: agentSkillInfo, now call");
    let run = ccfs.run(&RANGE);
    run.ends_with_code(0);
    assert!(
        run.stdout.contains("4 windows: 1 changed") && run.stdout.ends_with("; 0 requests\n"),
        "{}",
        run.stdout
    );
}

/// After a failed first attempt, a second one with the right settings works in the same folder.
#[test]
fn a_first_attempt_that_failed_leaves_nothing_in_the_way() {
    let emulator = emulator();
    let ccfs = against(&emulator);
    let run = ccfs.run(&[&RANGE[..], &["--window-days", "5"]].concat());
    run.ends_with_code(1);
    assert!(run.stderr.contains("hint: give a smaller --window-days"), "{}", run.stderr);
    ccfs.run(&[&RANGE[..], &["--access-key", "mistyped"]].concat()).ends_with_code(4);
    ccfs.run(&RANGE).ends_with_code(0);
}

#[test]
fn callbacks_come_over_https_to_one_path() {
    let authority = Emulator::builder().start().unwrap();
    let emulator =
        Emulator::builder().rows(20).callback_root(authority.ca_pem().unwrap()).start().unwrap();
    let identity = authority.receiver_identity().unwrap();
    for backend in ["blocking", "async"] {
        let port = HeldPort::to_listen_on();
        let bind = port.address().to_string();
        let ccfs = against(&emulator);
        std::fs::write(ccfs.path("cert.pem"), &identity.certificate_pem).unwrap();
        std::fs::write(ccfs.path("key.pem"), &identity.key_pem).unwrap();
        let url = format!("https://{bind}/files");
        let wait = [
            "--wait",
            "callback",
            "--bind",
            &bind,
            "--path",
            "/files",
            "--callback",
            &url,
            "--backend",
            backend,
        ];
        let run = ccfs.run(
            &[&RANGE[..], &wait, &["--tls-cert", "cert.pem", "--tls-key", "key.pem"]].concat(),
        );
        run.ends_with_code(0);
        assert_eq!(run.stderr, format!("listening on {url}\n"));
        let looks = emulator
            .received()
            .iter()
            .filter(|request| request.interface == Some("downloadAgentSkillInfoFile"))
            .count();
        assert_eq!(looks, 4, "each file is looked for once, when its callback came");
        emulator.clear_logs();
    }
}

#[test]
fn days_that_are_not_over_are_left() {
    let emulator = emulator();
    let run = against(&emulator).run(&[
        "pull",
        "--from",
        "2999-04-01",
        "--to",
        "2999-04-10",
        "--out",
        "out",
    ]);
    run.ends_with_code(0);
    assert!(run.stdout.starts_with("0 windows: "), "{}", run.stdout);
    let said = "left for a later run: 2999-04-01 and later, because these days have not ended yet";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert!(emulator.received().is_empty());
}

/// The error of a pull that stopped says how many windows are settled.
#[test]
fn a_pull_that_ends_early_reports_its_progress() {
    let emulator = emulator();
    let ccfs = against(&emulator);
    emulator.faults().add(Fault::Pass.at("queryAgentSkillInfoData").times(1));
    emulator.faults().add(
        Fault::ErrorUnder200(ccfs::proto::ResultCode::AuthenticationFailed)
            .at("queryAgentSkillInfoData"),
    );
    let run = ccfs.run(&[&RANGE[..], &["--in-flight", "1"]].concat());
    run.ends_with_code(1);
    assert!(run.stderr.contains(" (1 of 4 windows settled)\n"), "{}", run.stderr);
}

fn zip_of(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Members that are not read keep the ZIP and are named; an archive without a readable member is kept under another name.
#[test]
fn kept_and_rejected_files_are_reported_once() {
    let emulator = emulator();
    let range = ["pull", "--from", "2023-04-01", "--to", "2023-04-01", "--out", "out"];
    let convert = ["--convert", "jsonl", "--no-zip"];
    let row = "sep=,\r\n1,dev,acc,1,2,3,2023-04-01 20:23:30\r\n";
    let window = "20230401T000000_20230401T235959";
    for backend in ["blocking", "async"] {
        let ccfs = against(&emulator).env("CCFS_BACKEND", backend);
        emulator.serve_bytes(zip_of(&[("export.csv", row)]));
        let run = ccfs.run(&[&range[..], &convert].concat());
        run.ends_with_code(1);
        assert!(
            run.stderr.starts_with(&format!(
                "{window}: failed: no member of the archive is an index file (agentSkillInfo), it contains export.csv"
            )),
            "{}",
            run.stderr
        );
        let kept = format!("; the file is kept as agentSkillInfo_{window}.rejected.zip\n");
        assert_eq!(run.stderr.matches(&kept).count(), 1, "{}", run.stderr);
        let run = ccfs.run(&[&["--json"], &range[..], &convert].concat());
        run.ends_with_code(1);
        let rejected = lines(&run.stdout)[0]["rejected"].as_str().unwrap().to_owned();
        assert!(ccfs.path(&rejected).exists(), "{rejected}");

        emulator.serve_bytes(zip_of(&[("1_agentSkillInfo.csv", row), ("part2.csv", row)]));
        let run = ccfs.run(&[&range[..], &convert].concat());
        run.ends_with_code(0);
        assert_eq!(
            run.stderr,
            format!(
                "{window}: skipped members that are not agentSkillInfo: part2.csv\n\
                 {window}: 1_agentSkillInfo.csv: skipped the line \"sep=,\"\n\
                 {window}: 1_agentSkillInfo.csv: the rows have 7 fields, the kind has 16 columns\n\
                 {window}: agentSkillInfo_{window}.zip is kept: 1 member was not read\n"
            )
        );
        assert!(!ccfs.path(&rejected).exists(), "{rejected}");
        assert_eq!(ccfs.run(&[&range[..], &convert].concat()).stderr, "", "once");
        let run = ccfs.run(&[&["--json"], &range[..], &convert, &["--all"]].concat());
        let line = &lines(&run.stdout)[0];
        assert_eq!((&line["rows"], &line["unread_members"]), (&json!(1), &json!(1)));
        assert!(line["kept_zip"].as_str().unwrap().ends_with(&format!("{window}.zip")), "{line}");
    }
}

#[test]
fn days_are_words_and_numbers_in_the_zone_of_the_call_center() {
    // Two zones whose days differ at any time.
    for (zone, hours) in [("Pacific/Kiritimati", 14), ("Pacific/Pago_Pago", -11)] {
        let emulator = Emulator::builder().rows(20).utc_offset(hours * 3600).start().unwrap();
        let ccfs = Ccfs::against(&emulator).env("CCFS_TZ", zone);
        let run = ccfs.run(&["--json", "pull", "--from", "-3d", "--out", "out"]);
        run.ends_with_code(0);
        let lines = lines(&run.stdout);
        let zone = ccfs::pull::Zone::named(zone).unwrap();
        let today = zone.local(std::time::SystemTime::now().into()).day();
        let first = today.midnight().plus_seconds(-3 * 24 * 3600).unwrap();
        assert_eq!(lines[0]["begin"], first.to_string());
        assert_eq!(
            lines[lines.len() - 2]["end"],
            format!("{} 23:59:59", today.previous().unwrap())
        );
        assert_eq!(lines[lines.len() - 1]["summary"]["left_from"], Value::Null);
        let run = ccfs.run(&["pull", "--from", "yesterday", "--to", "today", "--out", "out"]);
        assert!(run.stderr.contains(&format!("left for a later run: {today}")), "{run:?}");
        let run = ccfs.run(&["pull", "--from", "-3", "--out", "out"]);
        run.ends_with_code(2);
        assert!(run.stderr.contains("is not a day"), "{run:?}");
    }
}

/// The first failure is reported with its cause, and a server that never answers ends the pull.
#[test]
fn an_unreachable_server_is_reported_at_once() {
    for backend in ["blocking", "async"] {
        let port = HeldPort::of_nobody();
        let ccfs = Ccfs::new()
            .env("CCFS_ENDPOINT", &format!("https://{}", port.address()))
            .env("CCFS_ACCESS_KEY", "a")
            .env("CCFS_SECRET_KEY", "b")
            .env("CCFS_TZ", "Asia/Shanghai")
            .env("CCFS_BACKEND", backend);
        let run =
            ccfs.run(&[&RANGE[..], &["--wait-for-server", "1s", "--log-file", "log"]].concat());
        run.ends_with_code(3);
        let first = run.stderr.lines().next().unwrap();
        assert!(
            first.contains(&format!("could not connect to {}: connection refused", port.address()))
                && first.ends_with("; gives up in 1 s"),
            "{first}"
        );
        assert!(
            run.stderr.lines().nth(1).unwrap().starts_with("error: the server failed for too long"),
            "{run:?}"
        );
        let log = std::fs::read_to_string(ccfs.path("log")).unwrap();
        assert!(
            log.contains("sending request attempt=1") && log.contains("gives up in 1 s"),
            "{log}"
        );
        for line in log.lines() {
            assert!(!crate::support::time_and_text(line).0.is_empty(), "{line}");
        }
        let run = ccfs.run(&[&["-q"], &RANGE[..], &["--wait-for-server", "0s"]].concat());
        assert!(run.stderr.starts_with("error: "), "{run:?}");
    }
}

#[test]
fn files_are_verified_forgotten_and_requested_again() {
    let emulator = emulator();
    let ccfs = against(&emulator);
    ccfs.run(&[&RANGE[..], &["--convert", "jsonl,csv"]].concat()).ends_with_code(0);
    let verify = ["pull", "--out", "out", "--verify"];
    let run = ccfs.run(&verify);
    run.ends_with_code(0);
    assert_eq!(run.stdout, "12 files checked\n");
    let name = "agentSkillInfo_20230404T000000_20230406T235959.csv";
    std::fs::write(ccfs.path("out").join(name), "x").unwrap();
    let run = ccfs.run(&verify);
    run.ends_with_code(1);
    assert!(run.stdout.starts_with(&format!("out/{name} has 1 bytes, expected ")), "{run:?}");
    assert!(run.stderr.contains("--again"), "{run:?}");
    let run = ccfs.run(&[&["--json"], &verify[..]].concat());
    assert_eq!(lines(&run.stdout)[1]["summary"], json!({"files": 12, "faults": 1}));

    let again = ["--convert", "jsonl,csv", "--again", "2023-04-05"];
    let run = ccfs.run(&[&RANGE[..], &again].concat());
    run.ends_with_code(0);
    assert!(run.stdout.ends_with("; 1 request\n"), "{run:?}");
    ccfs.run(&verify).ends_with_code(0);

    let run = ccfs.run(&["pull", "--out", "out", "--forget", "2023-04-01..2023-04-03"]);
    run.ends_with_code(0);
    assert_eq!(run.stdout, "1 window forgotten; files are kept\n");
    let run = ccfs.run(&verify);
    assert_eq!(run.stdout, "9 files checked\n");
}

#[test]
fn a_folder_moves_with_a_flag() {
    let emulator = emulator();
    let ccfs = against(&emulator);
    ccfs.run(&RANGE).ends_with_code(0);
    let renamed = emulator.endpoint().to_string().replace("127.0.0.1", "localhost");
    let run = ccfs.run(&[&RANGE[..], &["--endpoint", &renamed]].concat());
    run.ends_with_code(2);
    assert!(run.stderr.contains("hint: --moved confirms"), "{run:?}");
    ccfs.run(&[&RANGE[..], &["--endpoint", &renamed, "--moved"]].concat()).ends_with_code(0);
    ccfs.run(&[&RANGE[..], &["--endpoint", &renamed]].concat()).ends_with_code(0);
}

/// Without a terminal, each message begins with the time in UTC; a JSON error does not.
#[test]
fn messages_have_times() {
    let ccfs = Ccfs::new();
    let output =
        ccfs.program(env!("CARGO_BIN_EXE_ccfs"), &["inspect", "none.zip"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let (time, text) = crate::support::time_and_text(&said);
    assert!(!time.is_empty() && text.starts_with("error: "), "{said}");
    let arguments = ["--json", "inspect", "none.zip"];
    let output = ccfs.program(env!("CARGO_BIN_EXE_ccfs"), &arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(serde_json::from_str::<Value>(&said).is_ok(), "{said}");
}
