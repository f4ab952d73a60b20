//! Messages, and `Debug` output.

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::answer::{Advice, AnswerError, Expected, FileKind, HttpRefusal, RawJson};
use ccfs_proto::auth::AuthorizationHeader;
use ccfs_proto::exchange::{ClockSkew, PreparedRequest, TlsFailure};
use ccfs_proto::operation::{Interface, OperationRequest, PlaybackToken};
use ccfs_proto::{
    AnyOperation, Classifier, Credentials, DownloadAgentSkillInfoFile, Envelope, ErrorKind,
    Exchange, ExchangeError, FailureKind, Now, Operation, Policy, RequestView, ResultCode, Signer,
    SinkKind, Step, Timestamp,
};
use http::{HeaderMap, StatusCode, header};
use proptest::prelude::*;

use super::cases;

const WALL: Timestamp = Timestamp::from_unix_millis(1_700_000_000_000);
const NAME: &str = "20230406_9239cb50a8384bb0ab503441bf089446.zip";

fn credentials() -> Credentials {
    Credentials::from_text("ak", "sk".to_owned()).unwrap()
}

fn exchange(policy: &Policy) -> Exchange<DownloadAgentSkillInfoFile> {
    let operation = DownloadAgentSkillInfoFile::new(NAME.parse().unwrap());
    let endpoint = "http://10.1.2.3".parse().unwrap();
    Exchange::new(operation, &endpoint, &credentials(), policy).unwrap()
}

fn at(monotonic: Duration) -> Now {
    Now { wall: WALL, monotonic }
}

fn refusal(status: u16, headers: &HeaderMap, body: &'static str) -> HttpRefusal {
    let status = StatusCode::from_u16(status).unwrap();
    let mut classifier = Classifier::new(status, headers, Expected::Envelope);
    classifier.push(Bytes::from(body)).unwrap();
    classifier.refusal().unwrap()
}

/// How far the server's clock is ahead, when it answers at once.
fn skew(ahead: i64) -> ClockSkew {
    let seconds = u64::try_from(1_700_000_000 + ahead).unwrap();
    let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(seconds));
    let headers = HeaderMap::from_iter([(header::DATE, date.parse().unwrap())]);
    ClockSkew::measure(WALL, WALL, Duration::ZERO, &headers).unwrap()
}

/// A debugger sees what a value is, also if its content is not shown.
#[test]
fn debug_names_the_type() {
    let named = |value: &dyn Debug, name: &str| {
        assert!(format!("{value:?}").starts_with(name), "{value:?} is a {name}");
    };
    let headers = &[("host", "h")];
    let view = RequestView { method: "GET", path: "/p", query: &[], headers, body: b"" };
    let signer = Signer::new(&credentials());
    let steps = signer.explain(view, WALL).unwrap();
    named(&credentials(), "Credentials");
    named(&signer, "Signer");
    named(&view, "RequestView");
    named(&steps, "SigningSteps");
    named(&AuthorizationHeader::parse(&steps.authorization()).unwrap(), "AuthorizationHeader");
    let request = OperationRequest::get("/p");
    named(&request, "OperationRequest");
    named(
        &PreparedRequest::new(request, &"https://h".parse().unwrap()).unwrap(),
        "PreparedRequest",
    );
    named(&Classifier::new(StatusCode::OK, &HeaderMap::new(), Expected::Envelope), "Classifier");
    named(&RawJson::from_slice(b"[1]").unwrap(), "RawJson(3 bytes)");
    named(&Envelope::parse(br#"{"resultCode":"0"}"#).unwrap(), "Envelope");
    named(&PlaybackToken::new("t".to_owned()).unwrap(), "PlaybackToken");
    let operation = DownloadAgentSkillInfoFile::new(NAME.parse().unwrap());
    named(&operation, "DownloadAgentSkillInfoFile");
    assert!(format!("{operation:?}").contains(NAME));
    let any = AnyOperation::from_operation(operation);
    named(&any, "AnyOperation(\"downloadAgentSkillInfoFile\")");
    let id = "9239cb50a8384bb0ab503441bf089446".parse::<ccfs_proto::ResponseId>().unwrap();
    named(&id, "ResponseId(9239cb50a8384bb0ab503441bf089446)");

    let mut exchange = exchange(&Policy::default());
    named(&exchange, "Exchange");
    named(&exchange.poll(at(Duration::ZERO)).unwrap(), "Send { method: POST, path: ");
    exchange.on_head(at(Duration::ZERO), StatusCode::OK, &HeaderMap::new()).unwrap();
    named(&exchange.poll(at(Duration::ZERO)).unwrap(), "Receive(60s)");
    named(&Step::<()>::Write(Bytes::from("ab")), "Write(2 bytes)");
    named(&Step::<()>::Rewind, "Rewind");
    named(&Step::<()>::Wait(Duration::ZERO), "Wait");
    named(&Step::<()>::Done(Ok(())), "Done");
}

#[test]
fn a_refusal_says_what_to_do() {
    let none = HeaderMap::new();
    for (status, body, text) in [
        (301, "", "HTTP 301 (Moved Permanently): a signed request must not follow a redirect"),
        (401, "", "HTTP 401 (Unauthorized): the server rejected the signature"),
        (403, r#"{"error":"Locked"}"#, "HTTP 403 (Locked): the server locked this address"),
        (404, "", "HTTP 404 (Not Found): no such interface"),
        (429, "", "HTTP 429 (Too Many Requests): the server is busy"),
        (503, "", "HTTP 503 (Service Unavailable): the server is busy"),
        (599, "", "HTTP 599"),
        (407, "", "HTTP 407 (Proxy Authentication Required) from the proxy, not the server; it r"),
    ] {
        let message = refusal(status, &none, body).to_string();
        assert!(message.starts_with(text), "{message}");
    }
    assert_eq!(refusal(599, &none, "").to_string(), "HTTP 599");
    let squid = HeaderMap::from_iter([("x-squid-error".parse().unwrap(), "x".parse().unwrap())]);
    for (status, advice) in [
        (403, "; it does not allow this host and port"),
        (500, "; it could not reach the server"),
        (599, "; it could not reach the server"),
        (600, "; check the proxy settings"),
    ] {
        let message = refusal(status, &squid, "").to_string();
        assert!(message.contains(advice), "{message}");
    }
}

#[test]
fn failure_messages_say_what_to_do() {
    let code = |code: &str, description: &str, meaning: &str| ErrorKind::ResultCode {
        code: code.into(),
        description: description.into(),
        meaning: meaning.into(),
        advice: Advice::TryLater,
    };
    let resolve = || Box::new(ErrorKind::Transport(FailureKind::Resolve.into()));
    let minute = Duration::from_secs(60);
    let refused = |skew| ErrorKind::Refused {
        refusal: Box::new(refusal(599, &HeaderMap::new(), "")),
        skew: Some(skew),
    };
    for (kind, text) in [
        (code("7", "", ""), "the server answered 7; try again later"),
        (code("7", "D", "m"), "the server answered 7: m (\"D\"); try again later"),
        (code("7", "M", "m"), "the server answered 7: m; try again later"),
        (
            ErrorKind::TotalTimeout { limit: minute, cause: None },
            "no time is left within the total timeout of 1 minute",
        ),
        (
            ErrorKind::TotalTimeout { limit: minute, cause: Some(resolve()) },
            "no time is left within the total timeout of 1 minute; last failure: could not resolve \
             the host name of the server; check the endpoint's host, and DNS",
        ),
        (
            ErrorKind::Interrupted { handed_over: 7, cause: resolve() },
            "download broke after 7 bytes, and its sink cannot be rewound: could not resolve the \
             host name of the server; check the endpoint's host, and DNS",
        ),
        (
            ErrorKind::Transport(FailureKind::Tls(TlsFailure::NotTls).into()),
            "TLS handshake with the server failed: the server does not speak TLS; check the port, \
             or use an http:// endpoint",
        ),
        (
            ErrorKind::Answer(AnswerError::OtherFile { kind: FileKind::Wav }),
            "answer is a WAV file, which this interface does not answer with",
        ),
        (refused(skew(30)), "HTTP 599"),
        (
            refused(skew(31)),
            "HTTP 599; the local clock is about 32 seconds behind the server's, set it",
        ),
        (
            refused(skew(-3600)),
            "HTTP 599; the local clock is about 1 hour ahead of the server's, set it",
        ),
    ] {
        assert_eq!(kind.to_string(), text);
    }
    let pins =
        |others| TlsFailure::PinDiffers { presented: [0xab; 32], pinned: [0x0c; 32], others };
    let start = format!("server certificate has the pin {}, expected ", "ab".repeat(32));
    assert!(pins(0).to_string().starts_with(&format!("{start}{};", "0c".repeat(32))));
    assert!(
        pins(2).to_string().starts_with(&format!("{start}{} (or one of 2 more);", "0c".repeat(32)))
    );
    let truncated = |declared| AnswerError::Truncated { declared, received: 5 }.to_string();
    assert_eq!(truncated(None), "answer is cut off or has a wrong length: 5 bytes");
    assert_eq!(truncated(Some(9)), "answer is cut off or has a wrong length: 5 bytes instead of 9");
}

/// Ends a call whose attempts are all answered with 503.
fn busy(attempts: u32, retry_after: Option<u64>) -> ExchangeError {
    let policy = Policy::default().max_retries(attempts - 1);
    let mut exchange = exchange(&policy).sink(SinkKind::Rewinds);
    let mut now = at(Duration::ZERO);
    let headers = retry_after.map(|seconds| (header::RETRY_AFTER, seconds.into()));
    let headers: HeaderMap = headers.into_iter().collect();
    loop {
        match exchange.poll(now).unwrap() {
            Step::Send { .. } => {
                exchange.on_head(now, StatusCode::SERVICE_UNAVAILABLE, &headers).unwrap();
            }
            Step::Receive { .. } => exchange.on_end(now).unwrap(),
            Step::Wait(duration) => now.monotonic += duration,
            Step::Done(Err(error)) => return error,
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    /// The error has the interface, the number of attempts, and the wait for which the server asks.
    #[test]
    fn an_error_has_what_the_last_answer_said(attempts in 1_u32..5, retry_after in prop::option::of(prop_oneof![0_u64..300, 299_u64..=302])) {
        let error = busy(attempts, retry_after);
        // A wait of more than five minutes, the default of `max_backoff`, is not waited for.
        let attempts = if retry_after > Some(300) { 1 } else { attempts };
        prop_assert_eq!((error.attempts, error.retry_after), (attempts, retry_after.map(Duration::from_secs)));
        prop_assert_eq!((error.status(), error.result_code()), (Some(StatusCode::SERVICE_UNAVAILABLE), None));
        let text = error.to_string();
        prop_assert!(text.starts_with("downloadAgentSkillInfoFile: HTTP 503"), "{}", text);
        prop_assert_eq!(text.contains("; the server asks to wait "), retry_after.is_some(), "{}", text);
        prop_assert_eq!(text.ends_with(&format!(" (after {attempts} attempts)")), attempts > 1, "{}", text);
    }

    /// The error of a measurement is half a second, because `Date` has whole seconds, and half of
    /// the trip.
    #[test]
    fn the_error_of_a_measurement(ahead in -100_000_i64..100_000, trip in 0_i64..10_000) {
        let measured = skew(ahead);
        prop_assert_eq!((measured.millis, measured.uncertainty_millis), (ahead * 1000 + 500, 500));
        let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        let headers = HeaderMap::from_iter([(header::DATE, date.parse().unwrap())]);
        let elapsed = Duration::from_millis(trip.unsigned_abs());
        let measured = ClockSkew::measure(WALL, WALL.plus_millis(trip), elapsed, &headers).unwrap();
        prop_assert_eq!((measured.millis, measured.uncertainty_millis), (500 - trip / 2, 500 + trip / 2));
        let cached: HeaderMap = headers.into_iter().map(|(name, value)| (name.unwrap(), value)).chain([(header::AGE, 1.into())]).collect();
        prop_assert_eq!(ClockSkew::measure(WALL, WALL, Duration::ZERO, &cached), None);
    }
}

/// What an operation says about codes by default is what CC-FS documents.
#[test]
fn by_default_codes_are_those_of_ccfs() {
    let operation = DownloadAgentSkillInfoFile::new(NAME.parse().unwrap());
    for code in ResultCode::DOCUMENTED.iter().chain([&"x".into()]) {
        assert_eq!(operation.is_success(code), code.as_str() == "0");
        assert_eq!(operation.advice(code), code.advice());
        assert_eq!(operation.meaning(code), code.meaning());
    }
    assert!(Interface::named("downloadAgentSkillInfoFile").is_some_and(|interface| {
        interface.field("agentSkillInfoFileName").is_some() && interface.field("other").is_none()
    }));
}
