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
        FailureKind::ProxyRefused { status: 403 },
        FailureKind::ProxyRefused { status: 407 },
        FailureKind::Tls(TlsFailure::Expired),
        FailureKind::HeadTooLarge,
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
        let permanent = matches!(
            failure.kind(),
            FailureKind::Tls(_)
                | FailureKind::InvalidHttp
                | FailureKind::ProxyRefused { .. }
                | FailureKind::HeadTooLarge
        );
        prop_assert_eq!(error.is_retryable(), !permanent);
        prop_assert!(!(headed && failure.kind().never_arrived()), "it had arrived");
        let cause = Some(Box::new(error.kind.clone()));
        let kind = ErrorKind::TotalTimeout { limit: Duration::from_secs(1), cause };
        prop_assert_eq!(kind.code(), error.code());
    }
}

proptest! {
    #![proptest_config(cases(128))]

    /// A response with too many or too large header fields is refused at its head, with the limit.
    #[test]
    fn the_head_of_a_response_is_limited(fields in 0..150_usize, len in prop_oneof![0..40_usize, 400..1500_usize], long in 0..70_000_usize) {
        let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse().unwrap();
        let operation = ccfs_proto::DownloadAgentSkillInfoFile::new(name);
        let credentials = ccfs_proto::Credentials::from_text("ak", "sk".to_owned()).unwrap();
        let (endpoint, policy) = ("https://10.1.2.3".parse().unwrap(), Policy::default());
        let mut exchange = Exchange::new(operation, &endpoint, &credentials, &policy).unwrap();
        let wall = Timestamp::from_unix_millis(1_700_000_000_000);
        let now = Now { wall, monotonic: Duration::ZERO };
        assert!(matches!(exchange.poll(now), Ok(Step::Send { .. })));
        let mut headers = HeaderMap::new();
        for _ in 0..fields {
            headers.append("set-cookie", "a".repeat(len).parse().unwrap());
        }
        headers.append("x-long", "b".repeat(long).parse().unwrap());
        exchange.on_head(now, StatusCode::OK, &headers).unwrap();
        let size = fields * ("set-cookie: \r\n".len() + len) + "x-long: \r\n".len() + long;
        if fields < 100 && size <= 64 * 1024 {
            let is_receiving = matches!(exchange.poll(now), Ok(Step::Receive { .. }));
            prop_assert!(is_receiving);
            return Ok(());
        }
        let expected = FailureKind::HeadTooLarge;
        let said = "10.1.2.3:443 has too many or too large header fields, limits 100 and 65536 bytes;";
        let Ok(Step::Done(Err(error))) = exchange.poll(now) else { panic!("an error") };
        prop_assert_eq!(&error.kind, &ErrorKind::Transport(expected.into()));
        prop_assert_eq!((error.attempts, error.code()), (1, "head_too_large"));
        prop_assert!(error.to_string().contains(said), "{}", error);
    }

    /// A refusal of a proxy is the network's failure, not one of the account, and is not retried.
    #[test]
    fn a_refusal_of_a_proxy_is_not_the_servers(
        status in prop::sample::select(&[401_u16, 403, 404, 407, 502][..]),
        header in prop::option::of(prop::sample::select(&[("proxy-authenticate", "Basic realm=a"), ("x-squid-error", "ERR_ACCESS_DENIED 0"), ("proxy-status", "a; error=http_request_denied"), ("proxy-status", "a"), ("via", "1.1 a (squid)")][..])),
        spring in any::<bool>(),
    ) {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, value.parse().unwrap());
        }
        let error = refused(StatusCode::from_u16(status).unwrap(), &headers, spring);
        let from_proxy = status == 407 || header.is_some_and(|(name, value)| name.starts_with("proxy-a") || name.starts_with("x-") || value.contains("error="));
        prop_assert_eq!(error.is_network(), from_proxy);
        prop_assert_eq!(error.is_auth(), !from_proxy && matches!(status, 401 | 403));
        prop_assert_eq!(error.code() == "proxy", from_proxy);
        prop_assert_eq!(error.to_string().contains("the proxy, not the server"), from_proxy, "{}", error);
        prop_assert_eq!(error.attempts, 1);
    }
}

/// The error of a call that is answered with this status.
fn refused(status: StatusCode, headers: &HeaderMap, spring: bool) -> ExchangeError {
    let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse().unwrap();
    let operation = ccfs_proto::DownloadAgentSkillInfoFile::new(name);
    let credentials = ccfs_proto::Credentials::from_text("ak", "sk".to_owned()).unwrap();
    let endpoint = "http://10.1.2.3".parse().unwrap();
    let mut exchange =
        Exchange::new(operation, &endpoint, &credentials, &Policy::default()).unwrap();
    let wall = Timestamp::from_unix_millis(1_700_000_000_000);
    let now = Now { wall, monotonic: Duration::ZERO };
    assert!(matches!(exchange.poll(now), Ok(Step::Send { .. })));
    exchange.on_head(now, status, headers).unwrap();
    if spring {
        assert!(matches!(exchange.poll(now), Ok(Step::Receive { .. })));
        let body = r#"{"timestamp":1,"error":"Forbidden"}"#;
        exchange.on_body(now, body.into()).unwrap();
    }
    assert!(matches!(exchange.poll(now), Ok(Step::Receive { .. })));
    exchange.on_end(now).unwrap();
    match exchange.poll(now) {
        Ok(Step::Done(Err(error))) => error,
        other => panic!("{other:?}"),
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
