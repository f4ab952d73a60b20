//! The commands that keep running: `serve` and `listen`.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, iter, thread};

use crate::support::{Ccfs, QUERY};
use ccfs::Credentials;
use ccfs::proto::Signer;
use ccfs_emulator::Emulator;
use ccfs_tests::http::{self, Post};
use ccfs_tests::{config, query_to, skipped, wait_until};
use serde_json::Value;

/// What `kill` sends by that name.
fn signal(child: &crate::support::Running, name: &str) {
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
    ccfs.run(&[&["query"], &QUERY[..4], &["--callback", &callback]].concat()).ends_with_code(0);
    let told: Value = serde_json::from_str(&listen.line()).unwrap();
    assert_eq!(listen.wait(), Some(0));
    let name = told["file_name"].as_str().unwrap();
    ccfs.run(&["download", name, "-o", "skills.zip"]).ends_with_code(0);
    let run = ccfs.run(&["convert", "skills.zip"]);
    assert_eq!(run.stdout.lines().count(), 7);
    // The printed pin can be used instead of the CA.
    let ccfs = ccfs.env("CCFS_CA", "").env("CCFS_PIN_SHA256", &text("pin_sha256"));
    ccfs.run(&["download", name, "-o", "pinned.zip"]).ends_with_code(0);
    signal(&serve, "TERM");
    assert_eq!(serve.wait(), Some(0));
}

/// A server that never answers, and a stdin that never ends, do not keep a command alive.
#[test]
fn a_signal_ends_blocked_commands() {
    let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip";
    let pull = ["pull", "--from", "2023-04-01", "--to", "2023-04-03", "--out", "out"];
    let download = ["download", name, "-o", "skills.zip"];
    let silent: [&[&str]; 3] = [&pull, &download, &["doctor"]];
    // A command may take a second to end.
    thread::scope(|scope| {
        for arguments in silent {
            for backend in ["blocking", "async"] {
                for (signal, code) in [("TERM", 143), ("INT", 130)] {
                    scope.spawn(move || ends_at(arguments, backend, signal, code));
                }
            }
        }
    });
    let ccfs = Ccfs::new();
    let mut run = ccfs.start(&["convert", "-", "-o", "skills.jsonl"]);
    run.until("its temporary file", || ccfs.files(".").iter().any(|name| name.contains(".part")));
    signal(&run, "TERM");
    // `wait` would close stdin.
    ccfs_tests::wait_until("its end", || run.is_over());
    assert_eq!(run.wait(), Some(143));
    assert_eq!(ccfs.files("."), Vec::<String>::new());
}

/// Sends a signal to a command that waits for a response.
fn ends_at(arguments: &[&str], backend: &str, name: &str, code: i32) {
    let emulator = ccfs_emulator::Emulator::builder().start().unwrap();
    emulator.faults().add(ccfs_emulator::Fault::Silent);
    let ccfs = Ccfs::against(&emulator).env("CCFS_TZ", "UTC").env("CCFS_BACKEND", backend);
    let mut run = ccfs.start(arguments);
    run.until("a request", || !emulator.received().is_empty());
    signal(&run, name);
    assert_eq!(run.wait(), Some(code), "{arguments:?} over {backend}");
    let left = ccfs.files(".").into_iter().chain(ccfs.files("out"));
    let left: Vec<String> =
        left.filter(|name| name.ends_with("part") || name.ends_with("zip")).collect();
    assert_eq!(left, Vec::<String>::new(), "{arguments:?}");
}

/// Keys of a production server are used only with `--use-configured-keys`, and are never printed or logged.
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
        assert!(help.stdout.contains(fault.form), "{}: {}", fault.name, help.stdout);
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
    ccfs.run(&[&["query"], &QUERY[..]].concat()).ends_with_code(0);
    let told: Vec<Value> = (0..2).map(|_| serde_json::from_str(&serve.line()).unwrap()).collect();
    assert_eq!((&told[0]["fault"], &told[0]["status"]), (&"busy:0".into(), &503.into()));
    assert_eq!((&told[1]["signature"], &told[1]["result_code"]), (&"accepted".into(), &"0".into()));
    signal(&serve, "TERM");
    assert_eq!(serve.wait(), Some(0));
}

#[test]
fn listen_refuses_unsigned_requests_and_ends_with_130() {
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

/// A connection without a request is reported.
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

/// The server does not repeat a callback that was answered with 200, so callbacks that arrive while the command ends are printed, too.
#[test]
fn listen_prints_whatever_it_answered_well() {
    let emulator =
        Emulator::builder().plain().rows(1).callback_attempts(1, Duration::ZERO).start().unwrap();
    let ccfs = Ccfs::at(&emulator);
    let client = ccfs::Client::new(config(&emulator)).unwrap();
    for arguments in
        [&["listen", "--bind", "127.0.0.1:0"][..], &["listen", "--bind", "127.0.0.1:0", "--once"]]
    {
        emulator.clear_logs();
        let mut listen = ccfs.start(arguments);
        let url = listen.error_line().strip_prefix("listening on ").unwrap().to_owned();
        let mut asked = 0;
        while !listen.is_over() {
            client.call(query_to(&url)).unwrap();
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

#[test]
fn an_interrupted_download_leaves_nothing() {
    let emulator = Emulator::builder().start().unwrap();
    let ccfs = Ccfs::against(&emulator);
    ccfs.run(&[&["query"], &QUERY[..]].concat()).ends_with_code(0);
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

/// A pipe that its reader closes early is not an error: `ccfs convert … | head -1`.
#[test]
fn a_closed_pipe_ends_quietly() {
    let ccfs = Ccfs::new();
    let rows = crate::support::SKILLS_CSV.repeat(200_000);
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

/// `ccfs listen` with the keys of [`send`]; `shell` is put before it, and `redirection` after it.
fn listen(ccfs: &Ccfs, shell: &str, arguments: &str, redirection: &str) -> (Child, SocketAddr) {
    let command =
        format!("{shell} exec \"$0\" listen --bind 127.0.0.1:0 {arguments} {redirection}");
    let mut child =
        ccfs.program("sh", &["-c", &command, env!("CARGO_BIN_EXE_ccfs")]).spawn().unwrap();
    // Byte by byte: the rest is for other readers.
    let said: Vec<u8> = iter::repeat_with(|| {
        let mut byte = [0];
        child.stderr.as_mut().unwrap().read_exact(&mut byte).unwrap();
        byte[0]
    })
    .take_while(|byte| *byte != b'\n')
    .collect();
    let said = String::from_utf8(said).unwrap();
    let address = said.split("http://").nth(1).unwrap_or_else(|| panic!("{said}"));
    (child, address.parse().unwrap())
}

fn receiving() -> Ccfs {
    Ccfs::new().env("CCFS_ACCESS_KEY", "ak").env("CCFS_SECRET_KEY", "sk")
}

/// The file of a job.
fn file_name(job: usize) -> String {
    format!("20230406_{job:032x}.zip")
}

/// Sends a callback for this job. Returns the status; 0 if there was no answer.
fn send(address: SocketAddr, job: usize) -> u16 {
    let (id, name) = (format!("{job:032x}"), file_name(job));
    let callback = ccfs::Callback::new(id.parse().unwrap(), name.parse().unwrap(), None);
    let (body, host) = (callback.to_body("fileName"), address.to_string());
    let keys = Credentials::from_text("ak", "sk".into()).unwrap();
    let now = ccfs::Timestamp::from(SystemTime::now());
    let post = Post { host: &host, path: "/", body: &body, ..Post::default() };
    let answer = http::send(address, &post.signed(&Signer::new(&keys), now));
    answer.map_or(0, |answer| answer.status)
}

/// The files that these JSON lines name.
fn named(lines: &str) -> BTreeSet<String> {
    let lines = lines.lines().filter(|line| line.starts_with("{\"response_id\""));
    let name = |line| serde_json::from_str::<Value>(line).unwrap()["file_name"].clone();
    lines.map(|line| name(line).as_str().unwrap().to_owned()).collect()
}

/// The reader of stdout ends while callbacks arrive, or does not read while a signal ends the
/// command. Each callback that was answered with 200 was read, or is on stderr or in the spool.
#[test]
fn no_answered_callback_is_lost_with_the_reader_of_stdout() {
    const CALLBACKS: usize = 1000;
    for (spool, reader_ends) in [(false, true), (true, true), (false, false), (true, false)] {
        let ccfs = receiving();
        let (mut child, address) =
            listen(&ccfs, "", if spool { "--spool spool.jsonl" } else { "" }, "");
        let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (id, answered) = (child.id().to_string(), AtomicUsize::new(0));
        let (read, said, statuses) = thread::scope(|scope| {
            let senders: Vec<_> = (0..8)
                .map(|first| {
                    let answered = &answered;
                    scope.spawn(move || {
                        let send = |job| {
                            let status = send(address, job);
                            answered.fetch_add(1, Ordering::SeqCst);
                            (job, status)
                        };
                        (first..CALLBACKS).step_by(8).map(send).collect::<Vec<_>>()
                    })
                })
                .collect();
            let errors = scope.spawn(move || {
                let mut said = String::new();
                stderr.read_to_string(&mut said).unwrap();
                said
            });
            let mut read = vec![0; 4000];
            stdout.read_exact(&mut read).unwrap();
            // Otherwise it stays open, and is not read.
            let mut stdout = Some(stdout);
            if reader_ends {
                wait_until("unread callbacks", || answered.load(Ordering::SeqCst) > 300);
                stdout = None;
            } else {
                wait_until("all callbacks", || answered.load(Ordering::SeqCst) == CALLBACKS);
                assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
            }
            let said = errors.join().unwrap();
            drop(stdout);
            let statuses = senders.into_iter().flat_map(|sender| sender.join().unwrap());
            // The last line that was read may be incomplete.
            read.truncate(read.iter().rposition(|byte| *byte == b'\n').unwrap() + 1);
            (String::from_utf8(read).unwrap(), said, statuses.collect::<Vec<_>>())
        });
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert!(said.contains("stdout cannot be written: "), "{said}");
        let in_spool = fs::read_to_string(ccfs.path("spool.jsonl")).unwrap_or_default();
        assert_eq!((in_spool.is_empty(), named(&said).is_empty()), (!spool, spool));

        let known = &(&named(&read) | &named(&said)) | &named(&in_spool);
        let accepted: Vec<_> = statuses.iter().filter(|(_, status)| *status == 200).collect();
        let lost: Vec<_> =
            accepted.iter().filter(|(job, _)| !known.contains(&file_name(*job))).collect();
        assert!(lost.is_empty() && accepted.len() > 300, "{lost:?} of {}", accepted.len());
        assert!(statuses.iter().all(|(_, status)| [0, 200, 503].contains(status)), "{statuses:?}");

        // The next start prints the spool.
        if spool {
            let (mut child, _) = listen(&ccfs, "", "--spool spool.jsonl", "> printed");
            wait_until("an empty spool", || {
                fs::metadata(ccfs.path("spool.jsonl")).unwrap().len() == 0
            });
            assert_eq!(fs::read_to_string(ccfs.path("printed")).unwrap(), in_spool);
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

#[test]
fn a_callback_that_meets_a_full_disk_is_on_stderr_or_in_the_spool() {
    if !std::path::Path::new("/dev/full").exists() {
        return skipped("there is no /dev/full");
    }
    // With a limit of 0 bytes for files, the spool cannot be written either.
    let limit = "ulimit -f 0;";
    for (shell, spool, place) in [
        ("", "", "on stderr"),
        ("", "--spool spool", "in spool"),
        (limit, "--spool spool", "on stderr"),
    ] {
        let ccfs = receiving();
        let (mut child, address) = listen(&ccfs, shell, spool, "> /dev/full");
        assert_eq!(send(address, 7), 200);
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert!(said.contains("No space left") && said.contains("1 callback "), "{said}");
        assert!(said.contains(place), "{said}");
        assert_eq!(said.contains("cannot write the spool"), !shell.is_empty(), "{said}");
        let in_spool = fs::read_to_string(ccfs.path("spool")).unwrap_or_default();
        assert_eq!(named(&(said + &in_spool)), BTreeSet::from([file_name(7)]));
    }
}

/// Only callbacks are printed from a spool, and nothing else is emptied.
#[test]
fn two_listeners_do_not_share_a_spool() {
    let ccfs = receiving();
    let (mut child, _address) = listen(&ccfs, "", "--spool spool", "");
    let run = ccfs.run(&["listen", "--bind", "127.0.0.1:0", "--spool", "spool"]);
    run.ends_with_code(1);
    assert!(run.stderr.contains("the spool spool is in use by another process"), "{run:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_spool_with_other_contents_is_refused() {
    let ccfs = receiving();
    let line = format!(
        r#"{{"response_id":"{:032x}","file_name":"{}","account_id":null}}"#,
        7,
        file_name(7)
    );
    let start = ["listen", "--bind", "127.0.0.1:0", "--spool", "spool"];
    for text in ["secret", "[1]\n", "{}\n", &format!("{line}\nsecret\n")] {
        fs::write(ccfs.path("spool"), text).unwrap();
        let run = ccfs.run(&start);
        run.ends_with_code(1);
        assert!(run.stderr.contains("is not a callback") && run.stdout.is_empty(), "{run:?}");
        assert_eq!(fs::read_to_string(ccfs.path("spool")).unwrap(), text);
    }
    let fifo = Command::new("mkfifo").arg(ccfs.path("fifo")).status();
    if fifo.is_ok_and(|status| status.success()) {
        let run = ccfs.run(&["listen", "--bind", "127.0.0.1:0", "--spool", "fifo"]);
        run.ends_with_code(2);
        assert!(run.stderr.contains("must be a regular file"), "{run:?}");
    }
    // A spool has no line without an end, however long.
    fs::write(ccfs.path("spool"), vec![b'{'; 600_000]).unwrap();
    ccfs.run(&start).ends_with_code(1);
    // A line that a power cut left incomplete is reported and removed.
    for cut in [1, 8, 40] {
        fs::write(ccfs.path("spool"), format!("{line}\n{}", &line[..cut])).unwrap();
        let mut run = ccfs.start(&start);
        let said = run.error_line();
        assert!(said.contains(&format!("is incomplete and was removed ({cut} bytes)")), "{said}");
        assert!(run.error_line().starts_with("listening on "));
        assert_eq!(run.line(), line);
        signal(&run, "TERM");
        assert_eq!(run.wait(), Some(143));
        assert_eq!(fs::read_to_string(ccfs.path("spool")).unwrap(), "");
    }
    // Lines that cannot be printed again stay as they are.
    if fs::metadata("/dev/full").is_ok() {
        let lines = format!("{line}\n{line}\n");
        fs::write(ccfs.path("spool"), &lines).unwrap();
        let (mut child, _) = listen(&ccfs, "", "--spool spool", ">/dev/full");
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert_eq!(fs::read_to_string(ccfs.path("spool")).unwrap(), lines);
    }
}

/// A blocked stderr neither blocks callbacks nor keeps a signal from ending the command.
#[test]
fn a_blocked_stderr_does_not_block_listen() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_unread, mut stderr) = std::os::unix::net::UnixStream::pair().unwrap();
    stderr.set_nonblocking(true).unwrap();
    while stderr.write(&[0; 1024]).is_ok() {}
    while stderr.write(&[0]).is_ok() {}
    stderr.set_nonblocking(false).unwrap();
    let ccfs = receiving();
    let mut child = ccfs
        .program(env!("CARGO_BIN_EXE_ccfs"), &["listen", "--bind", &free.to_string()])
        .stderr(std::os::fd::OwnedFd::from(stderr))
        .spawn()
        .unwrap();
    wait_until("the listener", || TcpStream::connect(free).is_ok());
    // Each is reported on stderr.
    for _ in 0..20 {
        TcpStream::connect(free).unwrap().write_all(b"junk\r\n\r\n").unwrap();
    }
    assert_eq!(send(free, 7), 200);
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(named(&line), BTreeSet::from([file_name(7)]));
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

/// More silent connections than `listen` keeps, and than it may have files open.
#[test]
fn two_thousand_silent_connections_do_not_keep_a_callback_out() {
    for (shell, more, said) in [
        ("", "", "no request: too many connections from this address"),
        ("ulimit -n 50;", "", "no request: too many connections or open files"),
        ("", "--connections-per-address 4000", "no request: too many connections or open files"),
    ] {
        let ccfs = receiving();
        let (mut child, address) = listen(&ccfs, shell, more, "");
        let silent: Vec<_> = (0..2000).map(|_| TcpStream::connect(address).unwrap()).collect();
        assert_eq!(send(address, 7), 200);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(named(&line), BTreeSet::from([file_name(7)]));
        drop(silent);
        child.kill().unwrap();
        child.wait().unwrap();
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert!(errors.contains(said) && errors.lines().count() < 100, "{errors}");
    }
}

#[test]
fn slow_requests_are_ended_after_the_given_times() {
    let ccfs = receiving();
    let times = "--head-timeout 0.1s --body-timeout 0.2s";
    let (mut child, address) = listen(&ccfs, "", times, "");
    // The defaults are 5 and 10 seconds, and 60 seconds for a connection.
    for (request, time, answer) in [
        ("POST / HTTP/1.1\r\nhost", 100, None),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{",
            200,
            Some("HTTP/1.1 408 Request Timeout"),
        ),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        let begin = Instant::now();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answered = String::new();
        stream.read_to_string(&mut answered).unwrap();
        let took = begin.elapsed();
        assert_eq!(answered.lines().next(), answer, "{answered}");
        assert!((Duration::from_millis(time)..Duration::from_secs(5)).contains(&took), "{took:?}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A flood of refused requests is one line a second, with the number of the others.
#[test]
fn refusals_are_printed_once_a_second() {
    let ccfs = receiving();
    let (mut child, address) = listen(&ccfs, "", "", "");
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut refused = 0;
    let mut next = || {
        let mut line = String::new();
        thread::scope(|scope| {
            let reading = scope.spawn(|| errors.read_line(&mut line).unwrap());
            while !reading.is_finished() {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
                stream.read_to_end(&mut Vec::new()).unwrap();
                refused += 1;
            }
        });
        line
    };
    let (first, second) = (next(), next());
    assert!(first.contains("refused: request is not signed (from 127.0.0.1:"), "{first}");
    let others = second.split("; ").find_map(|part| part.split_once(" more since the last report"));
    let others: usize = others.unwrap_or_else(|| panic!("{second}")).0.parse().unwrap();
    assert!((1..refused).contains(&others), "{others} of {refused}");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Runs the command as a user without other processes, who may have this many threads. Returns
/// `None` where that is not possible.
fn with_threads(ccfs: &Ccfs, threads: u32, arguments: &[&str]) -> Option<Command> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(ccfs.path("."), fs::Permissions::from_mode(0o777)).unwrap();
    let limit = format!("--nproc={threads}");
    let user = ["setpriv", "--reuid=54321", "--clear-groups", env!("CARGO_BIN_EXE_ccfs")];
    let allowed = ccfs.program("prlimit", &[&["--nproc=100"], &user[..], &["--version"]].concat());
    let is_possible = { allowed }.output().is_ok_and(|run| run.status.success());
    is_possible
        .then(|| ccfs.program("prlimit", &[&[limit.as_str()], &user[..], arguments].concat()))
}

#[test]
fn a_thread_that_cannot_be_made_is_an_error() {
    let ccfs = receiving();
    let serve = ["--json", "serve", "--plain", "--bind", "127.0.0.1:0"];
    for arguments in [&["listen", "--bind", "127.0.0.1:0"][..], &serve] {
        // One thread is that of the signals.
        for threads in 2.. {
            let Some(mut command) = with_threads(&ccfs, threads, arguments) else {
                return skipped("a limit of threads for another user needs root and setpriv");
            };
            let mut child = command.spawn().unwrap();
            let mut stderr = BufReader::new(child.stderr.take().unwrap());
            let mut said = String::new();
            stderr.read_line(&mut said).unwrap();
            if said.contains("listening on") {
                child.kill().unwrap();
                child.wait().unwrap();
                assert!(threads > 2);
                break;
            }
            if said.contains("ready; ") {
                // The emulator makes a thread for each file.
                let mut ready = String::new();
                BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
                let ready: Value = serde_json::from_str(&ready).unwrap();
                let text = |name: &str| ready[name].as_str().unwrap();
                let client = Ccfs::new()
                    .env("CCFS_ENDPOINT", text("endpoint"))
                    .env("CCFS_ACCESS_KEY", text("access_key"))
                    .env("CCFS_SECRET_KEY", text("secret_key"));
                let run = client.run(&[&["query", "--json"], &QUERY[..]].concat());
                run.ends_with_code(0);
                let job: Value = serde_json::from_str(run.stdout.trim()).unwrap();
                let name = job["file_name"].as_str().unwrap();
                let run = client.run(&["--json", "download", name]);
                run.ends_with_code(1);
                assert!(run.stderr.contains("result_code"), "{run:?}");
                child.kill().unwrap();
                stderr.read_to_string(&mut said).unwrap();
                child.wait().unwrap();
                assert!(threads > 2 && !said.contains("panicked"), "{said}");
                break;
            }
            stderr.read_to_string(&mut said).unwrap();
            let code = child.wait().unwrap().code();
            assert!(matches!(code, Some(1 | 3)), "{code:?} {said}");
            assert!(said.contains("thread") && !said.contains("panicked"), "{said}");
        }
    }
}
