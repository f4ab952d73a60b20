//! Cases that neither the scenarios nor the property tests cover: names that do not resolve, buffered writers, files that another
//! process changes, `Retry-After` with a date.

use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use ccfs_conformance::{Behaviour, Framing, ManualClock, ScriptedServer, archive_bytes};
use ccfs_driver::{Config, Error, FileError, Overwrite, WholeFile};
use ccfs_emulator::Emulator;
use ccfs_proto::auth::Freshness;
use ccfs_proto::{Credentials, ErrorKind, FailureKind};
use ccfs_tests::{Outcome, ask_both, config, download, query, runtime};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

fn credentials() -> Credentials {
    Credentials::from_text("ak", "sk".into()).unwrap()
}

/// Resolves no name.
#[derive(Debug)]
struct NoNames;

impl Resolver for NoNames {
    fn resolve(
        &self,
        _: &ureq::http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Err(ureq::Error::HostNotFound)
    }
}

impl reqwest::dns::Resolve for NoNames {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async { Err("no such name".into()) })
    }
}

/// If the name is not found, the request did not arrive: even a request that is not idempotent is retried.
#[test]
fn a_name_that_does_not_resolve_is_reported_and_retried() {
    let endpoint: ccfs_proto::Endpoint = "http://ccfs.example".parse().unwrap();
    let is_right = |result: Result<_, Error>, clock: &ManualClock| {
        let Err(Error::Exchange(error)) = result else {
            panic!("a call to an unknown host succeeded: {result:?}")
        };
        assert_eq!(
            (error.kind, error.attempts),
            (ErrorKind::Transport(FailureKind::Resolve.into()), 4)
        );
        assert_eq!(clock.waits().len(), 3);
    };
    let clock = ManualClock::default();
    let agent = ureq::Agent::with_parts(
        ureq::config::Config::builder().proxy(None).build(),
        DefaultConnector::default(),
        NoNames,
    );
    let client = ccfs_ureq::Client::with_http(
        Config::new(endpoint.clone(), credentials()).proxy(None).clock(clock.clone()),
        agent,
    );
    is_right(client.call(query()), &clock);

    let clock = ManualClock::default();
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(ccfs_tls::Trust::none().client_config_for(&endpoint).unwrap())
        .no_proxy()
        .dns_resolver(NoNames);
    let session = Config::new(endpoint, credentials()).proxy(None).clock(clock.clone());
    let client = ccfs_reqwest::Client::with_http(session, http.build().unwrap());
    is_right(runtime().block_on(client.call(query())), &clock);
}

/// A server that accepts the connection and says nothing in the handshake did not get the request: even
/// one that is not idempotent is retried.
#[test]
fn a_silent_handshake_is_no_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint: ccfs_proto::Endpoint =
        format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let session = || {
        Config::new(endpoint.clone(), credentials())
            .proxy(None)
            .clock(ManualClock::default())
            .connect_timeout(Duration::from_millis(200))
    };
    let trust = ccfs_tls::Trust::none().pin(ccfs_tls::Pin::of(b""));
    let blocking = ccfs_ureq::Client::with_trust(session(), &trust).unwrap().call(query());
    let client = ccfs_reqwest::Client::with_trust(session(), &trust).unwrap();
    for result in [blocking, runtime().block_on(client.call(query()))] {
        let error = result.unwrap_err();
        let error = error.exchange().unwrap();
        assert_eq!(error.kind, ErrorKind::Transport(FailureKind::Connect.into()), "{error}");
        assert_eq!(error.attempts, 4);
    }
}

/// A date in `Retry-After` is compared with the server's clock, because the local one may be hours off.
#[test]
fn a_date_to_come_back_at_is_the_servers() {
    let headers =
        ["date: Thu, 06 Apr 2023 11:00:00 GMT", "retry-after: Thu, 06 Apr 2023 11:00:07 GMT"];
    let later = || Behaviour::answer(503, &headers, b"", Framing::Length, None, 100);
    let server = ScriptedServer::play([
        later(),
        Behaviour::ok(archive_bytes(10)),
        later(),
        Behaviour::ok(archive_bytes(10)),
    ]);
    let endpoint: ccfs_proto::Endpoint = server.url().parse().unwrap();
    // This clock always returns 08:00:00.
    let clock = ManualClock::default();
    let client = ccfs_ureq::Client::new(
        Config::new(endpoint.clone(), credentials()).proxy(None).clock(clock.clone()),
    )
    .unwrap();
    client.download(download()).to_writer(Vec::new()).unwrap();
    let client = ccfs_reqwest::Client::new(
        Config::new(endpoint, credentials()).proxy(None).clock(clock.clone()),
    )
    .unwrap();
    runtime().block_on(client.download(download()).to_writer(Vec::new())).unwrap();
    assert_eq!(clock.waits(), [Duration::from_secs(7); 2]);
}

/// Calls that a progress function makes on the same thread, whose connections the server closes, do not change how the
/// end of a chunked body is understood.
#[test]
fn calls_of_a_progress_function_do_not_affect_the_download() {
    let body = archive_bytes(1000);
    let complete = Behaviour::answer(200, &[], &body, Framing::Chunked, None, 300);
    let cut = [format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n"].concat();
    let cut = Behaviour::raw(&["HTTP/1.1 200 OK", "transfer-encoding: chunked"], &cut, false);
    let client = |server: &ScriptedServer| {
        let config = Config::new(server.url().parse().unwrap(), credentials());
        ccfs_ureq::Client::new(config.proxy(None).clock(ManualClock::default())).unwrap()
    };
    for (answer, is_complete) in [(complete, true), (cut, false)] {
        for others in [Behaviour::close(), Behaviour::ok(archive_bytes(10))] {
            let (server, other) = (
                ScriptedServer::play([answer.clone()]),
                ScriptedServer::play(vec![others.clone(); 200]),
            );
            let (client, other) = (client(&server), client(&other));
            let mut written = Vec::new();
            let result = client
                .download(download())
                .progress(|_| {
                    let nested = other.download(download());
                    let _ = nested.to_writer(Vec::new());
                    ControlFlow::Continue(())
                })
                .to_writer(&mut written);
            assert_eq!(result.is_ok(), is_complete, "{others:?}: {result:?}");
            assert!(!is_complete || written == body);
        }
    }
}

/// At the end of a download, a buffered writer is flushed.
#[test]
fn a_writer_is_flushed_at_the_end() {
    let body = archive_bytes(3000);
    let server = ScriptedServer::play(vec![Behaviour::ok(body.clone()); 2]);
    let endpoint: ccfs_proto::Endpoint = server.url().parse().unwrap();

    let mut writer = BufWriter::with_capacity(64 * 1024, Vec::new());
    let client =
        ccfs_ureq::Client::new(Config::new(endpoint.clone(), credentials()).proxy(None)).unwrap();
    client.download(download()).to_writer(&mut writer).unwrap();
    assert!(*writer.get_ref() == body);

    let mut writer = tokio::io::BufWriter::with_capacity(64 * 1024, Vec::new());
    let client = ccfs_reqwest::Client::new(
        Config::new(endpoint, credentials()).proxy(None).connect_timeout(Duration::from_secs(30)),
    )
    .unwrap();
    runtime().block_on(client.download(download()).to_writer(&mut writer)).unwrap();
    assert!(*writer.get_ref() == body);
}

/// The number of bytes written and the length on disk must both match, because another process may have changed the hidden file.
#[test]
fn a_temporary_file_changed_by_another_process_is_not_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    let begin = || {
        let mut file = WholeFile::create(&path, Overwrite::Refuse).unwrap();
        file.write_all(b"four").unwrap();
        file
    };
    let is_refused =
        |result| assert!(matches!(result, Err(FileError::Length { .. })), "{result:?}");
    let shorter = begin();
    shorter.reopen().unwrap().set_len(3).unwrap();
    is_refused(shorter.commit(4));
    let longer = begin();
    let mut other = longer.reopen().unwrap();
    other.seek(SeekFrom::End(0)).unwrap();
    other.write_all(b"5").unwrap();
    is_refused(longer.commit(5));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    begin().commit(4).unwrap();
}

/// Temporary files are readable only by their owner; a download has the default permissions.
#[cfg(unix)]
#[test]
fn a_file_has_the_permissions_of_any_other() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mut file = WholeFile::create(folder.path().join("a.zip"), Overwrite::Refuse).unwrap();
    file.write_all(b"PK").unwrap();
    let path = file.commit(2).unwrap();
    let ordinary = std::fs::File::create(folder.path().join("b.zip")).unwrap();
    assert_eq!(
        path.metadata().unwrap().permissions().mode(),
        ordinary.metadata().unwrap().permissions().mode()
    );
}

/// A panic in the caller's check is passed to the caller, also from another thread, and no file remains.
#[test]
fn a_check_that_panics_panics() {
    let server = ScriptedServer::play(vec![Behaviour::ok(archive_bytes(10)); 2]);
    let session = Config::new(server.url().parse().unwrap(), credentials()).proxy(None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    let client = ccfs_ureq::Client::new(session.clone()).unwrap();
    let blocking = catch_unwind(AssertUnwindSafe(|| {
        client.download(download()).check(|_| panic!("MINE")).to_file(&path)
    }));
    let client = ccfs_reqwest::Client::new(session).unwrap();
    let asynchronous = catch_unwind(AssertUnwindSafe(|| {
        runtime().block_on(client.download(download()).check(|_| panic!("MINE")).to_file(&path))
    }));
    for panic in [blocking.unwrap_err(), asynchronous.unwrap_err()] {
        assert_eq!(panic.downcast_ref(), Some(&"MINE"));
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

/// Backends with clones of one session share its clock correction.
#[test]
fn a_wrong_clock_is_paid_for_once_in_a_session() {
    let ahead = ManualClock::at(ManualClock::default().wall().plus_millis(2 * 3600 * 1000));
    let emulator = Emulator::builder()
        .plain()
        .clock(move || ahead.wall())
        .freshness(Freshness::default())
        .lockout(None)
        .start()
        .unwrap();
    let config = config(&emulator).clock(ManualClock::default());
    let session = ccfs_driver::Session::new(config);
    ccfs_ureq::Client::new(session.clone()).unwrap().call(query()).unwrap();
    runtime().block_on(ccfs_reqwest::Client::new(session.clone()).unwrap().call(query())).unwrap();
    assert_eq!(
        emulator.received().len(),
        3,
        "one signature was too old, and its repetition and the other call were right"
    );
    assert!(
        session
            .clock_skew()
            .is_some_and(|skew| skew.millis < -7_000_000 || skew.millis > 7_000_000)
    );
}

/// `Duration::MAX` as a timeout means no limit, and adding it to the clock must not overflow.
#[test]
fn unlimited_timeouts_are_not_errors() {
    let emulator = Emulator::builder().plain().rows(1).start().unwrap();
    let session = || {
        let policy =
            ccfs_proto::Policy::default().idle_timeout(Duration::MAX).total_timeout(Duration::MAX);
        config(&emulator).policy(policy).connect_timeout(Duration::MAX)
    };
    let trust = ccfs_tls::Trust::none;
    ccfs_ureq::Client::with_trust(session(), &trust()).unwrap().call(query()).unwrap();
    runtime()
        .block_on(ccfs_reqwest::Client::with_trust(session(), &trust()).unwrap().call(query()))
        .unwrap();
}

/// Sends a raw response to both backends, once each.
fn both(response: &[u8]) -> [(&'static str, Outcome); 2] {
    let server = ScriptedServer::play(vec![Behaviour::bytes(response); 2]);
    ask_both(&server.url().parse().unwrap(), &credentials(), &ccfs_tls::Trust::none(), None)
}

/// The limits are those of the core, or those of ureq and hyper; the error is the same.
#[test]
fn too_many_or_too_large_header_fields_are_reported_with_the_limit() {
    let body = archive_bytes(10);
    let head = |fields: &[String]| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", body.len());
        [head.as_bytes(), fields.concat().as_bytes(), b"\r\n", &body].concat()
    };
    let fields = |count: usize, len: usize| {
        (0..count).map(|n| format!("x-{n}: {}\r\n", "a".repeat(len))).collect::<Vec<_>>()
    };
    for response in [
        head(&fields(100, 10)),
        head(&fields(110, 10)),
        head(&fields(500, 10)),
        head(&fields(1, 70_000)),
        head(&fields(90, 1000)),
    ] {
        for (name, result) in both(&response) {
            let error = result.unwrap_err();
            assert!(error.to_string().contains("limits 100 and 65536 bytes;"), "{name}: {error}");
            let kind = ErrorKind::Transport(FailureKind::HeadTooLarge.into());
            assert_eq!(error.exchange().unwrap().kind, kind, "{name}");
        }
    }
    for response in [head(&fields(99, 10)), head(&fields(1, 65_000))] {
        for (name, result) in both(&response) {
            assert!(result.is_ok(), "{name}: {result:?}");
        }
    }
}

/// A response in chunks is complete only with its last line.
#[test]
fn a_chunked_body_without_its_end_is_broken() {
    let body = archive_bytes(10);
    let response = |end: &str| {
        let head =
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n", body.len());
        [head.as_bytes(), &body, end.as_bytes()].concat()
    };
    for (name, result) in both(&response("\r\n0\r\n\r\n")) {
        assert!(result.is_ok(), "{name}: {result:?}");
    }
    for end in ["\r\n0\r\n\r", "\r\n0\r\n", "\r\n0\r", "\r\n0", "\r\n", "\r", ""] {
        for (name, result) in both(&response(end)) {
            let error = result.unwrap_err();
            let kind = error.exchange().unwrap().kind.root().clone();
            let expected = ErrorKind::Transport(FailureKind::BodyBroken.into());
            assert_eq!(kind, expected, "{name}: {end:?}");
        }
    }
}
