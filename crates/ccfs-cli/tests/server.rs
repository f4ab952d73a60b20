//! The commands that keep running: `serve` and `listen`.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;
use std::{fs, iter};

use ccfs_emulator::Emulator;
use ccfs_tests::{skipped, wait_until};
use serde_json::Value;
use support::Ccfs;

/// What `kill` sends by that name.
fn signal(child: &support::Running, name: &str) {
    let status =
        Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn serve_and_listen_do_the_job_with_each_other() {
    let ccfs = Ccfs::new();
    let mut serve =
        ccfs.start(&["--json", "serve", "--ca-out", "ca.pem", "--rows", "7", "--seed", "3"]);
    let ready: Value = serde_json::from_str(&serve.line()).unwrap();
    let text = |name: &str| ready[name].as_str().unwrap().to_owned();
    let ccfs = ccfs
        .env("CCFS_ENDPOINT", &text("endpoint"))
        .env("CCFS_ACCESS_KEY", &text("access_key"))
        .env("CCFS_SECRET_KEY", &text("secret_key"))
        .env("CCFS_CA", "ca.pem");
    let mut listen = ccfs.start(&["listen", "--bind", "127.0.0.1:0", "--once"]);
    let url = listen.error_line().strip_prefix("listening on ").unwrap().to_owned();
    let callback = format!("{url}/callback");
    ccfs.run(&[
        "query",
        "--begin",
        "2023-04-05 00:00:00",
        "--end",
        "2023-04-06 00:00:00",
        "--callback",
        &callback,
    ])
    .ends_with_code(0);
    let told: Value = serde_json::from_str(&listen.line()).unwrap();
    assert_eq!(listen.wait(), Some(0));
    let name = told["file_name"].as_str().unwrap();
    ccfs.run(&["download", name, "-o", "skills.zip"]).ends_with_code(0);
    let run = ccfs.run(&["convert", "skills.zip"]);
    assert_eq!(run.stdout.lines().count(), 7);
    // The pin that it tells is as good as its CA.
    let ccfs = ccfs.env("CCFS_CA", "").env("CCFS_PIN_SHA256", &text("pin_sha256"));
    ccfs.run(&["download", name, "-o", "pinned.zip"]).ends_with_code(0);
    signal(&serve, "TERM");
    assert_eq!(serve.wait(), Some(0));
}

/// A server that never answers, and a stdin that never ends, do not keep a command alive.
#[test]
fn a_signal_ends_what_is_blocked() {
    let emulator = ccfs_emulator::Emulator::builder().start().unwrap();
    emulator.faults().add(ccfs_emulator::Fault::Silent);
    let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip";
    let pull = ["pull", "--from", "2023-04-01", "--to", "2023-04-03", "--out", "out"];
    let download = ["download", name, "-o", "skills.zip"];
    let silent: [&[&str]; 3] = [&pull, &download, &["doctor"]];
    let backends = ["blocking", "async"];
    for (arguments, backend) in
        silent.into_iter().flat_map(|arguments| backends.map(|backend| (arguments, backend)))
    {
        for (name, code) in [("TERM", 143), ("INT", 130)] {
            let ccfs = Ccfs::against(&emulator).env("CCFS_TZ", "UTC").env("CCFS_BACKEND", backend);
            let before = emulator.received().len();
            let mut run = ccfs.start(arguments);
            run.until("a request", || emulator.received().len() > before);
            signal(&run, name);
            assert_eq!(run.wait(), Some(code), "{arguments:?} over {backend}");
            let left = ccfs.files(".").into_iter().chain(ccfs.files("out"));
            let left: Vec<String> =
                left.filter(|name| name.ends_with("part") || name.ends_with("zip")).collect();
            assert_eq!(left, Vec::<String>::new(), "{arguments:?}");
        }
    }
    let ccfs = Ccfs::new();
    let mut run = ccfs.start(&["convert", "-", "-o", "skills.jsonl"]);
    run.until("its temporary file", || ccfs.files(".").iter().any(|name| name.contains(".part")));
    signal(&run, "TERM");
    // `wait` would close stdin.
    ccfs_tests::wait_until("its end", || run.is_over());
    assert_eq!(run.wait(), Some(143));
    assert_eq!(ccfs.files("."), Vec::<String>::new());
}

/// Keys of a production server are used only when told, and never printed or logged.
#[test]
fn serve_does_not_show_configured_keys() {
    const SECRET: &str = "MARKER-secret";
    let ccfs = Ccfs::new().env("CCFS_ACCESS_KEY", "configured").env("CCFS_SECRET_KEY", SECRET);
    let mut own = ccfs.start(&["--json", "serve", "--plain"]);
    let ready: Value = serde_json::from_str(&own.line()).unwrap();
    assert!(ready["access_key"] != "configured" && ready["secret_key"] != SECRET, "{ready}");
    for json in [true, false] {
        let json: &[&str] = if json { &["--json"] } else { &[] };
        let more = ["serve", "--plain", "--use-configured-keys", "--log", "log", "-vv"];
        let mut configured = ccfs.start(&[json, &more].concat());
        let mut said = String::new();
        while !said.contains("SIGTERM stops it") {
            said += &configured.error_line();
        }
        let ready: Vec<String> =
            (0..if json.is_empty() { 3 } else { 1 }).map(|_| configured.line()).collect();
        let ready = ready.join("\n");
        assert!(ready.contains("configured") && !ready.contains(SECRET), "{ready}");
        let endpoint =
            ready.split(['"', ' ', '\n']).find(|word| word.starts_with("http://")).unwrap();
        let client = Ccfs::new().env("CCFS_ENDPOINT", endpoint).env("CCFS_TZ", "Asia/Shanghai");
        let client = client.env("CCFS_ACCESS_KEY", "configured").env("CCFS_SECRET_KEY", SECRET);
        client.run(&["pull", "--from", "yesterday", "--out", "out"]).ends_with_code(0);
        signal(&configured, "TERM");
        assert_eq!(configured.wait(), Some(0));
        assert!(!std::fs::read_to_string(ccfs.path("log")).unwrap().contains(SECRET));
    }
}

#[test]
fn serve_explains_its_faults_and_logs_what_it_receives() {
    let ccfs = Ccfs::new();
    let help = ccfs.run(&["serve", "--help"]);
    for fault in ccfs_emulator::Fault::HELP {
        assert!(help.stdout.contains(&fault.form()), "{}: {}", fault.name, help.stdout);
    }
    assert!(help.stdout.contains("FAULT[:ARG][@INTERFACE][*N]"));

    let mut serve =
        ccfs.start(&["--json", "serve", "--plain", "--log", "-", "--fault", "busy:0*1"]);
    let ready: Value = serde_json::from_str(&serve.line()).unwrap();
    let text = |name: &str| ready[name].as_str().unwrap().to_owned();
    let ccfs = ccfs
        .env("CCFS_ENDPOINT", &text("endpoint"))
        .env("CCFS_ACCESS_KEY", &text("access_key"))
        .env("CCFS_SECRET_KEY", &text("secret_key"));
    ccfs.run(&[
        "query",
        "--begin",
        "2023-04-05 00:00:00",
        "--end",
        "2023-04-06 00:00:00",
        "--callback",
        "http://127.0.0.1:9/",
    ])
    .ends_with_code(0);
    let told: Vec<Value> = (0..2).map(|_| serde_json::from_str(&serve.line()).unwrap()).collect();
    assert_eq!((&told[0]["fault"], &told[0]["status"]), (&"busy:0".into(), &503.into()));
    assert_eq!((&told[1]["signature"], &told[1]["result_code"]), (&"accepted".into(), &"0".into()));
    signal(&serve, "TERM");
    assert_eq!(serve.wait(), Some(0));
}

#[test]
fn listen_refuses_what_is_not_signed_and_ends_with_130() {
    let ccfs = Ccfs::new().env("CCFS_ACCESS_KEY", "ak").env("CCFS_SECRET_KEY", "sk");
    let mut listen = ccfs.start(&["listen", "--bind", "127.0.0.1:0"]);
    let url = listen.error_line().strip_prefix("listening on ").unwrap().to_owned();
    let Ok(curl) = Command::new("curl")
        .args(["-q", "-s", "--noproxy", "*", "-o", "-", "-w", "%{http_code}", "-d", "{}", &url])
        .output()
    else {
        skipped("curl is not on this machine");
        return;
    };
    let said = String::from_utf8_lossy(&curl.stdout).into_owned();
    assert!(said.ends_with("401") && said.len() > 3, "a refusal has a body, too: {said}");
    let said = listen.error_line();
    assert!(
        said.starts_with("refused: request is not signed (from 127.0.0.1:") && said.ends_with("Z)"),
        "{said}"
    );
    signal(&listen, "INT");
    assert_eq!(listen.wait(), Some(130));
}

/// A connection that never becomes a request is not silent.
#[test]
fn listen_says_why_a_connection_has_no_request() {
    let ccfs = Ccfs::new().env("CCFS_ACCESS_KEY", "ak").env("CCFS_SECRET_KEY", "sk");
    let mut listen = ccfs.start(&["listen", "--bind", "127.0.0.1:0"]);
    let url = listen.error_line().strip_prefix("listening on http://").unwrap().to_owned();
    for (bytes, said) in [
        (
            &b"\x16\x03\x01\0\x05\x01\0\0\x01\x03"[..],
            "no request: TLS was sent to the plain HTTP port;",
        ),
        (
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
            "no request: the connection begins with a PROXY",
        ),
    ] {
        let mut stream = TcpStream::connect(&url).unwrap();
        stream.write_all(bytes).unwrap();
        let line = listen.error_line();
        assert!(line.starts_with(said) && line.contains(" (from 127.0.0.1:"), "{line}");
    }
    signal(&listen, "INT");
    assert_eq!(listen.wait(), Some(130));
}

/// The server does not tell again what was answered well. So what came while the command was ending is printed, too.
#[test]
fn listen_prints_whatever_it_answered_well() {
    let emulator =
        Emulator::builder().plain().rows(1).callback_attempts(1, Duration::ZERO).start().unwrap();
    let ccfs = Ccfs::at(&emulator);
    let credentials = emulator.credentials();
    let client =
        ccfs::Client::new(ccfs::Config::new(emulator.endpoint().clone(), credentials).proxy(None))
            .unwrap();
    for arguments in
        [&["listen", "--bind", "127.0.0.1:0"][..], &["listen", "--bind", "127.0.0.1:0", "--once"]]
    {
        emulator.clear_logs();
        let mut listen = ccfs.start(arguments);
        let url = listen.error_line().strip_prefix("listening on ").unwrap().to_owned();
        let [begin, end] = ["2023-04-05 00:00:00", "2023-04-06 00:00:00"]
            .map(|time| time.parse::<ccfs::LocalTime>().unwrap());
        let mut asked = 0;
        while !listen.is_over() {
            client.call(ccfs::QueryAgentSkillInfoData::new(begin, end, url.clone())).unwrap();
            asked += 1;
            if asked == 20 {
                signal(&listen, "TERM");
            }
        }
        let printed: BTreeSet<String> = iter::repeat_with(|| listen.line())
            .take_while(|line| !line.is_empty())
            .map(|line| {
                serde_json::from_str::<Value>(&line).unwrap()["file_name"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        wait_until("every callback", || emulator.callbacks().len() >= asked);
        let told = emulator.callbacks();
        let answered: BTreeSet<String> = told
            .iter()
            .filter(|call| call.status == Some(200))
            .map(|call| call.file_name.to_string())
            .collect();
        assert!(
            !answered.is_empty() && answered.is_subset(&printed),
            "answered, but not printed: {:?}",
            answered.difference(&printed)
        );
    }
}

/// Who reads it has died. The server was told that all is well, so the file is named at least.
#[test]
fn listen_names_what_it_cannot_print() {
    let emulator = Emulator::builder().plain().rows(1).start().unwrap();
    let ccfs = Ccfs::at(&emulator);
    let mut listen = ccfs.start(&["listen", "--bind", "127.0.0.1:0"]);
    let url = listen.error_line().strip_prefix("listening on ").unwrap().to_owned();
    listen.turn_away();
    ccfs.run(&[
        "query",
        "--begin",
        "2023-04-05 00:00:00",
        "--end",
        "2023-04-06 00:00:00",
        "--callback",
        &url,
    ])
    .ends_with_code(0);
    let said = listen.error_line();
    let name = emulator.files().pop().unwrap();
    assert!(said.contains(name.as_str()) && said.contains("could not be printed"), "{said}");
    assert_eq!(listen.wait(), Some(1));
}

#[test]
fn an_interrupted_download_leaves_nothing() {
    let emulator = Emulator::builder().start().unwrap();
    let ccfs = Ccfs::against(&emulator);
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
    let name = emulator.files().pop().unwrap();
    for backend in ["blocking", "async"] {
        emulator.faults().clear();
        emulator.clear_logs();
        // It waits for the server's Retry-After when the signal comes.
        emulator.faults().add(ccfs_emulator::Fault::Busy(60));
        let mut download = ccfs.start(&["--backend", backend, "download", name.as_str()]);
        download.until("the request", || !emulator.received().is_empty());
        signal(&download, "INT");
        assert_eq!(download.wait(), Some(130));
        assert_eq!(ccfs.files("."), Vec::<String>::new());
    }
}

/// A pipe whose reader leaves early is no error: `ccfs convert … | head -1`.
#[test]
fn a_closed_pipe_ends_quietly() {
    let ccfs = Ccfs::new();
    let rows = support::SKILLS_CSV.repeat(200_000);
    fs::write(ccfs.path("a.csv"), rows).unwrap();
    let shell = format!(
        "{} convert a.csv | head -1 | wc -l; echo ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_ccfs")
    );
    let Ok(run) = ccfs.program("bash", &["-c", &shell]).output() else {
        skipped("bash is not on this machine");
        return;
    };
    assert_eq!(
        String::from_utf8_lossy(&run.stdout).split_whitespace().collect::<Vec<_>>(),
        ["1", "0"]
    );
    assert_eq!(String::from_utf8_lossy(&run.stderr), "");
}
