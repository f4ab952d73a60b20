//! Random scripts of server behaviour through both drivers: they must do the same, byte for byte.

use std::fmt::Debug;
use std::time::Duration;

use ccfs_conformance::{Backend, Behaviour, ManualClock, ScriptedServer, Seen, Setup, file_name};
use ccfs_driver::Error;
use ccfs_proto::{Credentials, DownloadAgentSkillInfoFile, ErrorKind, QueryAgentSkillInfoData};
use ccfs_tests::{Async, Blocking, properties};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

/// All that can be seen of a call from outside.
#[derive(Debug, PartialEq)]
struct Trace {
    requests: Vec<Vec<(String, String)>>,
    bodies: Vec<Vec<u8>>,
    waits: Vec<Duration>,
    taken: Vec<u8>,
    outcome: String,
}

fn trace<B: Backend + Default>(script: &[Behaviour], download: bool) -> Trace {
    let server = ScriptedServer::play(script.iter().cloned());
    let clock = ManualClock::default();
    let mut setup = Setup::new(
        server.url().parse().unwrap(),
        Credentials::from_text("ak", "sk".into()).unwrap(),
    );
    setup.clock = clock.clone();
    let client = B::default().client(&setup);
    let (outcome, taken) = if download {
        let mut taken = Vec::new();
        let result = client.to_writer(DownloadAgentSkillInfoFile::new(file_name()), &mut taken);
        (outcome_of(&result), taken)
    } else {
        let (begin, end) =
            ("2023-04-05 00:00:00".parse().unwrap(), "2023-04-06 00:00:00".parse().unwrap());
        let query = QueryAgentSkillInfoData::new(begin, end, "http://127.0.0.1:9/callback");
        (outcome_of(&client.query(query)), Vec::new())
    };
    let seen = server.seen();
    // The server has read a request before it plays anything. Without one, the traces would be the same whatever the drivers do.
    assert!(!seen.is_empty(), "no request arrived: {outcome}");
    let requests = seen.iter().map(|request| comparable(request, &server.url())).collect();
    Trace {
        requests,
        bodies: seen.into_iter().map(|request| request.body).collect(),
        waits: clock.waits(),
        taken,
        outcome,
    }
}

/// The outcome without what may differ: the HTTP client's own error below a failed connection.
fn outcome_of<T: Debug>(result: &Result<T, Error>) -> String {
    match result {
        Err(Error::Exchange(error)) => {
            format!("{} after {}: {}", error.interface, error.attempts, kind_of(&error.kind))
        }
        other => format!("{other:?}"),
    }
}

fn kind_of(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::Transport(failure) => format!("{:?}", failure.kind()),
        ErrorKind::Interrupted { handed_over, cause } => {
            format!("interrupted after {handed_over}: {}", kind_of(cause))
        }
        ErrorKind::TotalTimeout { limit, cause: Some(cause) } => {
            format!("{limit:?}: {}", kind_of(cause))
        }
        other => format!("{other:?}"),
    }
}

/// The request without what may differ: the port of the server, which is in `host` and so in the signature, and the order of headers.
fn comparable(request: &Seen, url: &str) -> Vec<(String, String)> {
    let host = url.strip_prefix("http://").unwrap();
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| match name.as_str() {
            "authorization" => (name.clone(), value.rsplit_once('/').unwrap().0.to_owned()),
            _ => (name.clone(), value.replace(host, "HOST")),
        })
        .collect();
    headers.push(("line".into(), request.line.clone()));
    headers.sort();
    headers
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/regressions/traces.txt"))),
        ..ProptestConfig::default()
    })]

    /// The drivers decide nothing, so two of them cannot differ.
    #[test]
    fn both_drivers_leave_the_same_trace(script in properties::script(), download: bool) {
        let blocking = trace::<Blocking>(&script, download);
        let asynchronous = trace::<Async>(&script, download);
        prop_assert_eq!(blocking, asynchronous);
    }
}

/// What random scripts leave out, because it is slow or rare.
#[test]
fn both_drivers_take_babble_and_silence_for_the_same() {
    for script in [vec![Behaviour::bytes("220 mail ready\r\n"); 4], vec![Behaviour::close(); 4]] {
        assert_eq!(trace::<Blocking>(&script, true), trace::<Async>(&script, true));
    }
}
