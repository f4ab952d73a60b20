//! Errors for programs: codes, sources and messages of failed calls.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use ccfs_proto::exchange::{TlsFailure, TransportFailure};
use ccfs_proto::{ErrorKind, Exchange, ExchangeError, FailureKind, Now, Policy, Step, Timestamp};
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;

use super::cases;

/// An error of an HTTP client around another.
#[derive(Debug)]
struct Wrapper(Box<dyn Error + Send + Sync>);

impl fmt::Display for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrapper-text")
    }
}

impl Error for Wrapper {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

fn kinds() -> impl Strategy<Value = FailureKind> {
    prop::sample::select(vec![
        FailureKind::Resolve,
        FailureKind::Connect,
        FailureKind::Tls(TlsFailure::Expired),
        FailureKind::Broken,
        FailureKind::IdleTimeout,
        FailureKind::BodyBroken,
        FailureKind::InvalidHttp,
    ])
}

fn reasons() -> impl Strategy<Value = (io::ErrorKind, &'static str)> {
    prop::sample::select(vec![
        (io::ErrorKind::ConnectionRefused, "connection refused"),
        (io::ErrorKind::NetworkUnreachable, "network unreachable"),
        (io::ErrorKind::HostUnreachable, "host unreachable"),
        (io::ErrorKind::TimedOut, "timed out"),
    ])
}

/// Ends a call with this failure in its first attempt.
fn call(kind: FailureKind, source: Option<Wrapper>, headed: bool, host: &str) -> ExchangeError {
    let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse().unwrap();
    let operation = ccfs_proto::DownloadAgentSkillInfoFile::new(name);
    let credentials = ccfs_proto::Credentials::from_text("ak", "sk".to_owned()).unwrap();
    let (endpoint, policy) = (host.parse().unwrap(), Policy::default().max_retries(0));
    let mut exchange = Exchange::new(operation, &endpoint, &credentials, &policy).unwrap();
    let wall = Timestamp::from_unix_millis(1_700_000_000_000);
    let now = Now { wall, monotonic: Duration::ZERO };
    assert!(matches!(exchange.poll(now), Ok(Step::Send { .. })));
    if headed {
        exchange.on_head(now, StatusCode::OK, &HeaderMap::new()).unwrap();
        assert!(matches!(exchange.poll(now), Ok(Step::Receive { .. })));
    }
    match source {
        Some(source) => exchange.on_failure(now, TransportFailure::caused_by(kind, source)),
        None => exchange.on_failure(now, kind),
    }
    .unwrap();
    match exchange.poll(now) {
        Ok(Step::Done(Err(error))) => error,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(cases(128))]

    /// However deep the operating system's error is, the message has its reason and the chain of
    /// sources leads to it.
    #[test]
    fn the_reason_of_a_failed_connection_is_in_the_message_and_in_the_sources(
        (io_kind, words) in reasons(),
        depth in 0_usize..5,
    ) {
        let mut source = Wrapper(io::Error::from(io_kind).into());
        for _ in 0..depth {
            source = Wrapper(source.into());
        }
        let error = call(FailureKind::Connect, Some(source), false, "https://[::1]:8443");
        prop_assert_eq!(
            error.to_string(),
            format!("downloadAgentSkillInfoFile: could not connect to [::1]:8443: {words}; check host, port, firewall and proxy")
        );
        let mut chain =
            std::iter::successors(error.source(), |&error: &&(dyn Error + 'static)| error.source());
        let found = chain.find_map(|error| error.downcast_ref::<io::Error>());
        prop_assert_eq!(found.map(io::Error::kind), Some(io_kind));
    }

    /// The text of a client's error may quote the server or a URL: no message repeats it.
    #[test]
    fn messages_do_not_repeat_the_text_of_sources(kind in kinds(), headed in any::<bool>()) {
        let error = call(kind, Some(Wrapper("secret-text".into())), headed, "https://10.1.2.3:8443");
        let text = error.to_string();
        prop_assert!(!text.contains("wrapper-text") && !text.contains("secret-text"), "{}", text);
        prop_assert!(error.source().is_some());
    }

    /// A code is a word of lower case letters and underscores; what a driver can report is retryable
    /// unless another attempt would fail alike.
    #[test]
    fn failed_connections_have_a_code(kind in kinds(), headed in any::<bool>()) {
        let error = call(kind, None, headed, "http://10.1.2.3");
        prop_assert!(error.code().bytes().all(|b| b == b'_' || b.is_ascii_lowercase()), "{}", error.code());
        prop_assert!(error.is_network() && !error.is_auth());
        let ErrorKind::Transport(failure) = &error.kind else { panic!("{error:?}") };
        let permanent = matches!(failure.kind(), FailureKind::Tls(_) | FailureKind::InvalidHttp);
        prop_assert_eq!(error.is_retryable(), !permanent);
        prop_assert!(!(headed && failure.kind().never_arrived()), "it had arrived");
        let cause = Some(Box::new(error.kind.clone()));
        let kind = ErrorKind::TotalTimeout { limit: Duration::from_secs(1), cause };
        prop_assert_eq!(kind.code(), error.code());
    }
}

/// The documented table of codes has exactly the codes that occur.
#[test]
fn the_documented_codes_are_those_that_occur() {
    let source = include_str!("../../src/exchange/error.rs");
    let (table, body) = source
        .split_once("/// | code | failure |")
        .and_then(|(_, rest)| {
            rest.split_once("pub fn code(&self) -> &'static str {\n        match self.root()")
        })
        .unwrap();
    let documented: BTreeSet<&str> = table.split('`').skip(1).step_by(2).collect();
    let body = body.split_once("\n    }\n").unwrap().0;
    let used: BTreeSet<&str> = body.split('"').skip(1).step_by(2).collect();
    assert_eq!(documented, used);
    assert!(used.len() > 10);
}
