//! Each diagnosis, provoked by a fault of the emulator or by settings that do not fit it.
#![allow(clippy::unwrap_used)]

use std::net::ToSocketAddrs;
use std::time::{Duration, Instant};

use ccfs_doctor::{Cause, Doctor, Mark, Report, Verdict, Weight};
use ccfs_driver::Proxy;
use ccfs_emulator::{Emulator, Fault, Lockout};
use ccfs_proto::auth::{Freshness, QueryLine};
use ccfs_proto::{Credentials, Timestamp};
use ccfs_tests::{Behaviour, HeldPort, ScriptedServer, TEST_TIMEOUT, asks_for_certificate, trust};
use ccfs_tls::{Identity, Pin, Trust};

fn doctor(emulator: &Emulator) -> Doctor {
    let doctor = Doctor::new(emulator.endpoint().clone(), Some(emulator.credentials()));
    doctor.trust(trust(emulator)).proxy(None).timeout(TEST_TIMEOUT)
}

/// Returns the report about an emulator with this fault, and the number of requests, which is always one.
fn with(fault: Fault) -> Report {
    let emulator = Emulator::builder().fault(fault).start().unwrap();
    let report = doctor(&emulator).examine().unwrap();
    assert_eq!(emulator.received().len(), 1, "exactly one call");
    report
}

fn elsewhere(endpoint: &str, trust: Trust) -> Report {
    let credentials = Credentials::from_text("ak", "MARKER-secret-key".into()).unwrap();
    Doctor::new(endpoint.parse().unwrap(), Some(credentials))
        .trust(trust)
        .proxy(None)
        .timeout(TEST_TIMEOUT)
        .examine()
        .unwrap()
}

#[track_caller]
fn comes_to(report: &Report, verdict: Verdict, causes: &[(Cause, Weight)]) {
    let found: Vec<_> =
        report.findings.iter().map(|finding| (finding.cause, finding.weight)).collect();
    assert_eq!((report.verdict, &found[..]), (verdict, causes), "{report}");
    assert!(
        !format!("{report} {report:?} {}", serde_json::to_string(report).unwrap())
            .contains("MARKER")
    );
}

fn mark(report: &Report, name: &str) -> Mark {
    report.steps.iter().find(|step| step.name == name).unwrap().mark
}

use Weight::{Certain, Likely, Possible};

#[test]
fn all_is_well() {
    let emulator = Emulator::builder().start().unwrap();
    let report = doctor(&emulator).examine().unwrap();
    comes_to(&report, Verdict::Well, &[]);
    assert!(report.steps.iter().all(|step| step.mark == Mark::Ok), "{report}");
    assert_eq!((report.tls_version, report.certificates.len()), (Some("1.3"), 2));
    let own = &report.certificates[0];
    assert_eq!(own.sha256, emulator.certificate_sha256().unwrap());
    assert_eq!(own.names, ["localhost", "127.0.0.1", "::1"]);
    assert!(own.issuer.contains("ccfs-emulator CA") && own.subject.contains("ccfs-emulator"));
    assert!(own.not_before < own.not_after, "{own:?}");
    assert_eq!(emulator.received().len(), 1);
    assert_eq!(
        emulator.received()[0].result_code.as_ref().map(ToString::to_string),
        Some("0300011".into()),
        "a file that nobody has"
    );
    // A result code of any kind says that the signature was accepted.
    comes_to(&with(Fault::FlowControl), Verdict::Well, &[]);
}

#[test]
fn without_keys_nothing_is_signed() {
    let emulator = Emulator::builder().start().unwrap();
    let report = Doctor::new(emulator.endpoint().clone(), None)
        .trust(trust(&emulator))
        .proxy(None)
        .examine()
        .unwrap();
    comes_to(&report, Verdict::Unsigned, &[]);
    assert!(emulator.received().is_empty());
}

#[test]
fn a_wrong_key() {
    let emulator = Emulator::builder().start().unwrap();
    let wrong = Credentials::from_text(emulator.access_key(), "MARKER-another".into()).unwrap();
    let report = Doctor::new(emulator.endpoint().clone(), Some(wrong))
        .trust(trust(&emulator))
        .proxy(None)
        .examine()
        .unwrap();
    comes_to(
        &report,
        Verdict::Authentication,
        &[(Cause::Key, Likely), (Cause::HostRewritten, Possible), (Cause::QueryLine, Possible)],
    );
    assert!(report.findings[0].because.iter().any(|reason| reason == "the clocks agree"));
    assert_eq!(emulator.received().len(), 1, "it is not tried again");
}

#[test]
fn a_rewritten_host() {
    let report = with(Fault::HostRewritten);
    let causes =
        [(Cause::HostRewritten, Likely), (Cause::Key, Likely), (Cause::QueryLine, Possible)];
    comes_to(&report, Verdict::Authentication, &causes);
    assert!(
        report.findings[0].because.iter().any(|reason| reason.contains("nginx/1.24.0")),
        "{report}"
    );
}

#[test]
fn a_wrong_clock() {
    let ahead = |seconds: i64| {
        move || Timestamp::from(std::time::SystemTime::now()).plus_millis(seconds * 1000)
    };
    let emulator =
        Emulator::builder().clock(ahead(3600)).freshness(Freshness::default()).start().unwrap();
    let report = doctor(&emulator).examine().unwrap();
    let causes = [
        (Cause::Clock, Likely),
        (Cause::Key, Likely),
        (Cause::HostRewritten, Possible),
        (Cause::QueryLine, Possible),
    ];
    comes_to(&report, Verdict::Authentication, &causes);
    assert_eq!(mark(&report, "clock"), Mark::Warn);
    assert_eq!(emulator.received().len(), 1, "the clock is not corrected for a second call");
    assert!(report.clock_skew_millis.unwrap().abs_diff(3_600_000) < 30_000);
    // If the server accepts the time, the doctor only adds a remark.
    let emulator = Emulator::builder().clock(ahead(-120)).start().unwrap();
    comes_to(&doctor(&emulator).examine().unwrap(), Verdict::Well, &[(Cause::Clock, Possible)]);
}

#[test]
fn the_other_dialect_is_tried_only_when_asked_for() {
    for dialect in QueryLine::ALL {
        let other = QueryLine::ALL.into_iter().find(|&other| other != dialect).unwrap();
        let emulator = Emulator::builder().query_line(dialect).start().unwrap();
        let report = doctor(&emulator).query_line(other).examine().unwrap();
        comes_to(
            &report,
            Verdict::Authentication,
            &[(Cause::Key, Likely), (Cause::HostRewritten, Possible), (Cause::QueryLine, Possible)],
        );
        assert_eq!(emulator.received().len(), 1);
        let report = doctor(&emulator).query_line(other).try_dialects(true).examine().unwrap();
        comes_to(&report, Verdict::Authentication, &[(Cause::QueryLine, Certain)]);
        assert_eq!(emulator.received().len(), 3);
        // When the dialect is not the cause, the doctor no longer lists it.
        let wrong = Credentials::from_text(emulator.access_key(), "MARKER-another".into()).unwrap();
        let wrong = Doctor::new(emulator.endpoint().clone(), Some(wrong))
            .trust(trust(&emulator))
            .proxy(None);
        let report = wrong.try_dialects(true).examine().unwrap();
        comes_to(
            &report,
            Verdict::Authentication,
            &[(Cause::Key, Likely), (Cause::HostRewritten, Possible)],
        );
        // A call that is accepted needs no second one.
        emulator.clear_logs();
        doctor(&emulator).query_line(dialect).try_dialects(true).examine().unwrap();
        assert_eq!(emulator.received().len(), 1);
    }
}

#[test]
fn a_locked_address() {
    let report = with(Fault::Locked);
    comes_to(&report, Verdict::Authentication, &[(Cause::AddressLocked, Likely)]);
    assert!(
        !report.findings[0].may_sign_again && report.findings[0].advice.contains("send nothing")
    );
    // In a real run, the second bad signature locks the address.
    let lockout =
        Lockout { failures: 1, within: Duration::from_secs(60), lasts: Duration::from_secs(600) };
    let emulator = Emulator::builder().lockout(lockout).start().unwrap();
    let wrong = Credentials::from_text(emulator.access_key(), "MARKER-another".into()).unwrap();
    let wrong =
        Doctor::new(emulator.endpoint().clone(), Some(wrong)).trust(trust(&emulator)).proxy(None);
    let report = wrong.try_dialects(true).examine().unwrap();
    let causes =
        [(Cause::Key, Likely), (Cause::AddressLocked, Likely), (Cause::HostRewritten, Possible)];
    comes_to(&report, Verdict::Authentication, &causes);
    assert!(report.findings.iter().all(|finding| !finding.may_sign_again));
}

#[test]
fn a_gateway_in_front() {
    comes_to(
        &with(Fault::Gateway(401)),
        Verdict::Authentication,
        &[(Cause::Gateway, Likely), (Cause::Key, Possible)],
    );
    comes_to(
        &with(Fault::Gateway(403)),
        Verdict::Authentication,
        &[(Cause::Gateway, Likely), (Cause::AddressLocked, Possible)],
    );
    comes_to(&with(Fault::Gateway(502)), Verdict::Refused, &[(Cause::Gateway, Certain)]);
    comes_to(
        &with(Fault::Gateway(200)),
        Verdict::Refused,
        &[(Cause::Gateway, Likely), (Cause::NotCcfs, Possible)],
    );
    comes_to(
        &with(Fault::Gateway(404)),
        Verdict::Refused,
        &[(Cause::BasePath, Likely), (Cause::Gateway, Possible), (Cause::NotCcfs, Possible)],
    );
    let report = with(Fault::Gateway(502));
    assert_eq!(
        (report.head.server.as_deref(), report.head.between, report.head.html),
        (Some("nginx/1.24.0"), Some("via"), true)
    );
    // A page for a login, without a name or a trace.
    comes_to(
        &with(Fault::Html(200)),
        Verdict::Refused,
        &[(Cause::Gateway, Likely), (Cause::NotCcfs, Possible)],
    );
}

/// A plain server that answers both requests that a doctor may make with this JSON.
fn answering(status: u16, body: &str) -> ScriptedServer {
    ScriptedServer::play(vec![Behaviour::status(status, body); 2])
}

/// Newer versions of Spring write the time as text, or leave it out.
#[test]
fn refusals_of_newer_servers_are_the_servers() {
    let doctor = |endpoint: &str| {
        let credentials = Credentials::from_text("ak", "MARKER-secret-key".into()).unwrap();
        Doctor::new(endpoint.parse().unwrap(), Some(credentials)).proxy(None).timeout(TEST_TIMEOUT)
    };
    let key = [(Cause::Key, Likely), (Cause::HostRewritten, Possible)];
    for time in [
        r#""timestamp":1680782400000,"#,
        r#""timestamp":"2023-04-06T12:00:00.123+00:00","#,
        r#""timestamp":"2023-04-06T12:00:00Z","#,
        r#""timestamp":[2023,4,6,12,0],"#,
        r#""timestamp":null,"#,
        "",
    ] {
        let body = format!(
            r#"{{{time}"status":401,"error":"Unauthorized","message":null,"path":"/CCFS/resource/ccfs/a"}}"#
        );
        let server = answering(401, &body);
        let report = doctor(&server.url()).try_dialects(true).examine().unwrap();
        comes_to(&report, Verdict::Authentication, &key);
        assert_eq!(server.seen().len(), 2, "the second dialect was tried");
        let body = body.replace("401", "403").replace("Unauthorized", "Forbidden");
        let server = answering(403, &body);
        let report = doctor(&server.url()).try_dialects(true).examine().unwrap();
        comes_to(&report, Verdict::Authentication, &[(Cause::AddressLocked, Likely)]);
        assert_eq!(server.seen().len(), 1);
    }
    // The JSON of a gateway is not the server's.
    let server = answering(401, r#"{"message":"No API key found in request"}"#);
    let report = doctor(&server.url()).try_dialects(true).examine().unwrap();
    comes_to(&report, Verdict::Authentication, &[(Cause::Gateway, Likely), (Cause::Key, Possible)]);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_wrong_base_path() {
    let emulator = Emulator::builder().path_prefix("/gateway").start().unwrap();
    let endpoint = format!("https://{}/gatway", emulator.address()).parse().unwrap();
    let report = Doctor::new(endpoint, Some(emulator.credentials()))
        .trust(trust(&emulator))
        .proxy(None)
        .examine()
        .unwrap();
    comes_to(&report, Verdict::Refused, &[(Cause::BasePath, Likely)]);
}

#[test]
fn other_answers() {
    let report = with(Fault::Redirect);
    comes_to(&report, Verdict::Refused, &[(Cause::Redirected, Certain)]);
    assert_eq!(
        report.findings[0].because,
        ["the answer is a redirect to /elsewhere/CCFS/resource/ccfs/downloadAgentSkillInfoFile"]
    );
    comes_to(&with(Fault::Busy(5)), Verdict::Refused, &[(Cause::Busy, Likely)]);
    comes_to(
        &with(Fault::Garbage),
        Verdict::Refused,
        &[(Cause::NotCcfs, Likely), (Cause::Gateway, Possible)],
    );
    comes_to(
        &with(Fault::Empty),
        Verdict::Refused,
        &[(Cause::NotCcfs, Likely), (Cause::Gateway, Possible)],
    );
    comes_to(&with(Fault::CloseBeforeAnswer), Verdict::Network, &[(Cause::Silent, Likely)]);
    let emulator = Emulator::builder().fault(Fault::Silent).start().unwrap();
    let report = doctor(&emulator).timeout(Duration::from_secs(2)).examine().unwrap();
    comes_to(&report, Verdict::Network, &[(Cause::Silent, Certain)]);
}

#[test]
fn certificates_are_shown_although_they_are_refused() {
    let expired = Emulator::builder().expired_certificate(true).start().unwrap();
    let other_name = Emulator::builder().certificate_names(["ccfs.example.com"]).start().unwrap();
    let right = Emulator::builder().start().unwrap();
    for (emulator, trust, causes) in [
        (
            &expired,
            trust(&expired),
            &[(Cause::CertificateExpired, Certain), (Cause::Clock, Possible)][..],
        ),
        (&other_name, trust(&other_name), &[(Cause::WrongName, Certain)]),
        (&right, trust(&other_name), &[(Cause::UnknownIssuer, Certain)]),
        (&right, Trust::none(), &[(Cause::UnknownIssuer, Certain)]),
        (&right, Trust::none().pin(Pin::of(b"")), &[(Cause::PinDiffers, Certain)]),
    ] {
        let report = doctor(emulator).trust(trust).examine().unwrap();
        comes_to(&report, Verdict::Network, causes);
        assert_eq!(
            (mark(&report, "TLS"), mark(&report, "signed call")),
            (Mark::Fail, Mark::Skipped)
        );
        let pin = emulator.certificate_sha256().unwrap();
        assert_eq!(report.certificates[0].sha256, pin);
        assert!(report.to_string().contains(&format!("pin {pin}")), "{report}");
        assert!(emulator.received().is_empty(), "nothing is said to whom is not trusted");
        // After the user decides to trust it, the connection works.
        let report = doctor(emulator)
            .trust(Trust::none().pin(report.certificates[0].sha256.parse().unwrap()))
            .examine()
            .unwrap();
        assert_eq!(report.verdict, Verdict::Well, "{report}");
        emulator.clear_logs();
    }
}

#[test]
fn client_certificates() {
    let (emulator, stranger) = (
        Emulator::builder().require_client_certificate(true).start().unwrap(),
        Emulator::builder().start().unwrap(),
    );
    comes_to(
        &doctor(&emulator).examine().unwrap(),
        Verdict::Network,
        &[(Cause::ClientCertificateMissing, Certain)],
    );
    let identity = |of: &Emulator| {
        let identity = of.client_identity().unwrap();
        Identity::from_pem(identity.certificate_pem.as_bytes(), identity.key_pem.as_bytes())
            .unwrap()
    };
    let refused =
        doctor(&emulator).trust(trust(&emulator).identity(identity(&stranger))).examine().unwrap();
    comes_to(&refused, Verdict::Network, &[(Cause::ClientCertificateRefused, Certain)]);
    let taken =
        doctor(&emulator).trust(trust(&emulator).identity(identity(&emulator))).examine().unwrap();
    comes_to(&taken, Verdict::Well, &[]);
}

/// A server that asks for a client certificate, accepts the handshake without one, and closes the
/// connection instead of an answer, without a TLS alert.
#[test]
fn a_server_that_asks_for_a_client_certificate_and_closes() {
    for (answer, causes) in [
        ("", &[(Cause::ClientCertificateMissing, Likely), (Cause::Silent, Possible)][..]),
        (
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
            &[
                (Cause::ClientCertificateMissing, Likely),
                (Cause::NotCcfs, Possible),
                (Cause::Gateway, Possible),
            ],
        ),
    ] {
        let (endpoint, pin) = asks_for_certificate(rustls::ALL_VERSIONS, false, answer);
        let report = elsewhere(&endpoint, Trust::none().pin(pin));
        assert_eq!(report.findings[0].cause, Cause::ClientCertificateMissing, "{report}");
        let found: Vec<_> =
            report.findings.iter().map(|finding| (finding.cause, finding.weight)).collect();
        assert_eq!(found, causes, "{report}");
    }
}

#[test]
fn no_way_to_a_server() {
    let free = HeldPort::of_nobody();
    comes_to(
        &elsewhere(&format!("https://{}", free.address()), Trust::none()),
        Verdict::Network,
        &[(Cause::NothingListening, Certain)],
    );
    // A name that cannot exist (RFC 6761).
    if ("ccfs.invalid", 443).to_socket_addrs().is_ok_and(|mut addresses| addresses.next().is_some())
    {
        println!("skipped: the resolver here has an address for every name");
    } else {
        comes_to(
            &elsewhere("https://ccfs.invalid", Trust::none()),
            Verdict::Network,
            &[(Cause::NameNotFound, Certain)],
        );
    }
    let plain = Emulator::builder().plain().start().unwrap();
    let report = elsewhere(&format!("https://{}", plain.address()), Trust::none());
    comes_to(&report, Verdict::Network, &[(Cause::PlainInsteadOfTls, Certain)]);
    let tls = Emulator::builder().start().unwrap();
    let report = elsewhere(&format!("http://{}", tls.address()), Trust::none());
    assert_eq!(
        (report.verdict, report.findings[0].cause),
        (Verdict::Network, Cause::TlsInsteadOfPlain),
        "{report}"
    );
}

#[test]
fn a_server_that_does_not_speak_http() {
    let server = ScriptedServer::play([Behaviour::bytes("220 mail.example.com ESMTP ready\r\n")]);
    let report = elsewhere(&server.url(), Trust::none());
    comes_to(
        &report,
        Verdict::Network,
        &[(Cause::TlsInsteadOfPlain, Likely), (Cause::NotCcfs, Possible)],
    );
    let connections: Vec<_> = server.seen().iter().map(|call| call.connection).collect();
    assert_eq!(connections, [1], "the call's connection comes after the probe's");
}

#[test]
fn proxies() {
    let emulator = Emulator::builder().start().unwrap();
    let free = HeldPort::of_nobody();
    let nobody: Proxy = format!("http://user:MARKER-word@{}", free.address()).parse().unwrap();
    let report = doctor(&emulator).proxy(nobody).examine().unwrap();
    comes_to(&report, Verdict::Network, &[(Cause::ProxyUnreachable, Certain)]);
    // The emulator is not a proxy, and answers so in HTTP.
    let plain = Emulator::builder().plain().start().unwrap();
    let refusing: Proxy = format!("http://user:MARKER-word@{}", plain.address()).parse().unwrap();
    let report = doctor(&emulator).proxy(refusing).examine().unwrap();
    comes_to(&report, Verdict::Network, &[(Cause::ProxyRefused, Certain)]);
    assert!(emulator.received().is_empty());
}

/// Each byte arrives in time, but the complete answer never does.
#[test]
fn a_proxy_that_answers_byte_by_byte_does_not_hold_it() {
    let emulator = Emulator::builder().start().unwrap();
    let mut slow = Behaviour::bytes([b'H'; 8 << 10]);
    (slow.piece, slow.pause) = (1, Duration::from_millis(50));
    let server = ScriptedServer::play([slow]);
    let proxy: Proxy = server.url().parse().unwrap();
    let began = Instant::now();
    let report = doctor(&emulator).proxy(proxy).timeout(Duration::from_secs(2)).examine().unwrap();
    // 8 KiB of it would take seven minutes.
    assert!(began.elapsed() < Duration::from_secs(60));
    comes_to(&report, Verdict::Network, &[(Cause::ProxyRefused, Certain)]);
}

#[test]
fn an_unlimited_timeout_is_allowed() {
    let emulator = Emulator::builder().start().unwrap();
    comes_to(&doctor(&emulator).timeout(Duration::MAX).examine().unwrap(), Verdict::Well, &[]);
}

/// As RFC 9110 and RFC 7617 want it, in one piece; the login's value is what Python's base64 makes of it.
#[test]
fn a_tunnel_is_asked_for_with_the_login() {
    let emulator = Emulator::builder().start().unwrap();
    let server = ScriptedServer::play([Behaviour::status(407, "")]);
    let proxy = server.url().replace("http://", "http://user:wo%3ard@").parse::<Proxy>().unwrap();
    doctor(&emulator).proxy(proxy).examine().unwrap();
    let (to, asked) = (emulator.address().to_string(), server.seen().swap_remove(0));
    assert_eq!(asked.line, format!("CONNECT {to} HTTP/1.1"));
    let login = "Basic dXNlcjp3bzpyZA==".to_owned();
    let headers = [("host".to_owned(), to), ("proxy-authorization".to_owned(), login)];
    assert_eq!(asked.headers, headers);
}
