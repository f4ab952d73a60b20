//! Properties of the suite's parts: the scripted server sends exactly its script and records what it received, and verdicts add up. What the suite finds is
//! shown by `mutants.rs`.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::env;
use std::io::{Cursor, Read};
use std::panic::{self, UnwindSafe};
use std::process::Command;
use std::sync::Once;
use std::thread;
use std::time::Duration;

use ccfs_conformance::{
    Behaviour, Framing, ManualClock, Outcome, ScriptedServer, Setup, Verdict, Verdicts,
    archive_bytes, scenarios, zip_of,
};
use ccfs_driver::{Clock, Config, Session};
use ccfs_proto::exchange::PreparedRequest;
use ccfs_proto::{
    Credentials, Endpoint, Operation, QueryAgentSkillInfoData, Signer, Timestamp, Verifier,
};
use ccfs_tests::http::{Answer, send};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config as ProptestConfig, FileFailurePersistence};

fn cases(cases: u32) -> ProptestConfig {
    let persistence = FileFailurePersistence::Direct("tests/regressions/parts.txt");
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(persistence)),
        ..ProptestConfig::default()
    }
}

/// Sends a request, and returns the answer.
fn exchange(server: &ScriptedServer, request: &[u8]) -> Option<Answer> {
    send(server.url().strip_prefix("http://").unwrap().parse().unwrap(), request)
}

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Runs what may panic on purpose, without a word on stderr: a property plays hundreds of cases, and each would print its backtrace.
fn without_noise(act: impl FnOnce() + UnwindSafe) -> thread::Result<()> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !SILENT.get() {
                usual(info);
            }
        }));
    });
    SILENT.set(true);
    let result = panic::catch_unwind(act);
    SILENT.set(false);
    result
}

fn framing() -> impl Strategy<Value = Framing> {
    prop::sample::select(vec![Framing::Length, Framing::Chunked, Framing::Close])
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Passed),
        Just(Outcome::NotPlayed { reason: "it speaks no TLS" }),
        ("[a-z ]{0,9}", "[a-z ]{0,9}")
            .prop_map(|(expected, seen)| Outcome::Failed { expected, seen }),
    ]
}

fn verdicts() -> impl Strategy<Value = Vec<Verdict>> {
    prop::collection::vec((0..scenarios().count(), outcome()), 0..8).prop_map(|list| {
        list.into_iter()
            .map(|(number, outcome)| Verdict {
                scenario: scenarios().nth(number).unwrap(),
                outcome,
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(cases(48))]

    /// Any body, in any framing and pieces, arrives, up to the byte at which the script cuts it off.
    #[test]
    fn an_answer_follows_the_script(
        status in 200_u16..600, body in prop::collection::vec(any::<u8>(), 0..600), framing in framing(),
        cut in prop::option::of(any::<Index>()), piece in 1_usize..700, value in "[ -~]{0,20}",
    ) {
        let cut_after = cut.map(|cut| cut.index(body.len() + 1));
        let extra = format!("x-extra: {value}");
        let behaviour = Behaviour::answer(status, &[&extra], &body, framing, cut_after, piece);
        let server = ScriptedServer::play([behaviour]);
        let answer = exchange(&server, b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
        prop_assert_eq!(answer.status, status);
        prop_assert_eq!(answer.header("x-extra"), Some(value.trim()));
        let declared = body.len().to_string();
        prop_assert_eq!(answer.header("content-length") == Some(&declared), framing == Framing::Length);
        prop_assert_eq!(answer.body, &body[..cut_after.unwrap_or(body.len())]);
        if framing == Framing::Chunked {
            prop_assert_eq!(answer.whole, cut_after.is_none());
        }
    }

    /// Sent requests are recorded: each one in order, byte for byte, with its connection.
    #[test]
    fn sent_requests_are_recorded(
        requests in prop::collection::vec(("/[!-~]{0,20}", "[!-~]([ -~]{0,20}[!-~])?", prop::collection::vec(any::<u8>(), 0..300)), 1..4)
    ) {
        let server = ScriptedServer::play(requests.iter().map(|_| Behaviour::ok("well")));
        for (path, value, body) in &requests {
            let head = format!("POST {path} HTTP/1.1\r\nX-Extra: {value}\r\nContent-Length: {}\r\n\r\n", body.len());
            exchange(&server, &[head.as_bytes(), body].concat());
        }
        let seen = server.seen();
        prop_assert_eq!(seen.len(), requests.len());
        for (number, (seen, (path, value, body))) in seen.iter().zip(&requests).enumerate() {
            prop_assert_eq!(seen.connection, number);
            prop_assert_eq!(&seen.line, &format!("POST {path} HTTP/1.1"));
            prop_assert_eq!(seen.header("x-extra"), Some(value.as_str()));
            prop_assert_eq!(&seen.body, body);
        }
    }

    /// Each request uses one behaviour of the script; after the end of the script, the server does not answer.
    #[test]
    fn a_script_is_played_once(statuses in prop::collection::vec(200_u16..600, 0..5), more in 0_usize..3) {
        let server = ScriptedServer::play(statuses.iter().map(|&status| Behaviour::status(status, "")));
        for status in &statuses {
            prop_assert_eq!(exchange(&server, b"GET / HTTP/1.1\r\n\r\n").unwrap().status, *status);
        }
        for _ in 0..more {
            prop_assert!(exchange(&server, b"GET / HTTP/1.1\r\n\r\n").is_none());
        }
        prop_assert_eq!(server.seen().len(), statuses.len() + more);
    }

    /// A request that the core signed has a valid signature as received; with one byte of the body changed on the way, it does not.
    #[test]
    fn signed_requests_verify_as_recorded(url in "https://[a-z]{1,20}/[a-z]{0,20}", change in prop::option::of((any::<Index>(), 1_u8..255))) {
        let now = Timestamp::from_unix_millis(1_680_768_000_000);
        let credentials = Credentials::from_text("ak", "secret".into()).unwrap();
        let server = ScriptedServer::play([Behaviour::ok("")]);
        let endpoint: Endpoint = server.url().parse().unwrap();
        let operation = QueryAgentSkillInfoData::new("2023-04-05 00:00:00".parse().unwrap(), "2023-04-06 00:00:00".parse().unwrap(), url);
        let request = PreparedRequest::new(operation.request().unwrap(), &endpoint).unwrap().sign(&Signer::new(&credentials), now).unwrap();
        let mut head = format!("POST {} HTTP/1.1\r\n", request.uri().path());
        for (name, value) in request.headers() {
            head.push_str(&[name.as_str(), ": ", value.to_str().unwrap(), "\r\n"].concat());
        }
        let mut body = request.body().to_vec();
        if let Some((at, flip)) = change {
            let at = at.index(body.len());
            body[at] ^= flip;
        }
        exchange(&server, &[head.as_bytes(), b"\r\n", &body].concat());
        let verified = server.seen()[0].verify(&Verifier::new(&credentials), now);
        prop_assert_eq!(verified.is_ok(), change.is_none());
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// Verdicts keep their order, pass if none failed and at least one ran, and their table has a line for each and the counts.
    #[test]
    fn verdicts_add_up(list in verdicts()) {
        let verdicts = Verdicts(list.clone());
        let count = |wanted: fn(&Outcome) -> bool| list.iter().filter(|verdict| wanted(&verdict.outcome)).count();
        let passed = count(|outcome| *outcome == Outcome::Passed);
        let failed = count(|outcome| matches!(outcome, Outcome::Failed { .. }));
        prop_assert_eq!(verdicts.failed().count(), failed);
        prop_assert_eq!(verdicts.all_passed(), failed == 0 && passed > 0);
        prop_assert_eq!(without_noise(|| verdicts.assert_all_passed()).is_ok(), verdicts.all_passed());
        let table = verdicts.to_string();
        prop_assert_eq!(table.lines().count(), list.len() + 2 * failed + 1);
        let last = format!("{} scenarios: {passed} passed, {failed} failed, {} not played", list.len(), list.len() - passed - failed);
        prop_assert_eq!(table.lines().last().unwrap(), last);
    }

    /// The clock moves only by the waits: they add up in both of its times, are recorded in order, and are shared by every clone.
    #[test]
    fn waits_add_up(waits in prop::collection::vec(0_u64..10_000_000, 0..9), start in 0_i64..4_000_000_000_000) {
        let start = Timestamp::from_unix_millis(start);
        let clock = ManualClock::at(start);
        let other = clock.clone();
        for (number, wait) in waits.iter().enumerate() {
            let clock = if number % 2 == 0 { &clock } else { &other };
            prop_assert!(clock.wait(Duration::from_millis(*wait)));
        }
        let sum: u64 = waits.iter().sum();
        prop_assert_eq!(clock.now().monotonic, Duration::from_millis(sum));
        prop_assert_eq!(clock.wall(), start.plus_millis(i64::try_from(sum).unwrap()));
        prop_assert_eq!(other.waits(), waits.into_iter().map(Duration::from_millis).collect::<Vec<_>>());
    }

    /// The archives that are handed out are whole for a reader that is not ours.
    #[test]
    fn archives_hold_their_member(member in prop::collection::vec(any::<u8>(), 0..3000), len in 0_usize..100_000) {
        let read = |archive: Vec<u8>| {
            let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
            let mut bytes = Vec::new();
            archive.by_index(0).unwrap().read_to_end(&mut bytes).unwrap();
            (archive.len(), bytes)
        };
        prop_assert_eq!(read(zip_of(&member)), (1, member));
        let archive = archive_bytes(len);
        prop_assert!(archive.len() >= len && archive.len() < len + 300, "{} bytes for {len}", archive.len());
        prop_assert_eq!(read(archive).1.len(), len);
    }
}

/// A setup's session connects only to loopback, whatever proxy the environment names: this test runs once more as a process with such an environment.
#[test]
fn a_proxy_of_the_machine_changes_nothing() {
    const NAME: &str = "a_proxy_of_the_machine_changes_nothing";
    const PROXY: &str = "http://127.0.0.1:9";
    let setup = Setup::new(
        "http://127.0.0.1:1".parse().unwrap(),
        Credentials::from_text("ak", "sk".into()).unwrap(),
    );
    assert!(Session::new(setup.config()).proxy().unwrap().is_none());
    if env::var("http_proxy").as_deref() == Ok(PROXY) {
        let usual = Config::new(setup.endpoint, setup.credentials);
        assert!(
            Session::new(usual).proxy().unwrap().is_some(),
            "the variable counts where nothing is said"
        );
        return;
    }
    let mut again = Command::new(env::current_exe().unwrap());
    again
        .args(["--exact", NAME])
        .env("http_proxy", PROXY)
        .env_remove("no_proxy")
        .env_remove("NO_PROXY");
    let output = again.output().unwrap();
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "{output:?}"
    );
}
