//! The whole core at work, with a network that is written down and a clock that is passed in.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::callback::{Callback, MemoryGuard, Receiver};
use ccfs_proto::auth::Freshness;
use ccfs_proto::operation::{FieldForm, INTERFACES, Interface};
use ccfs_proto::{AnyOperation, Credentials, Endpoint, Envelope, Exchange, FailureKind, Now, Policy, RequestView, SinkKind, Step, Timestamp, Verifier};
use http::{HeaderMap, HeaderValue, StatusCode};

/// Runs everything once. The answer counts what was done, so that nothing can be left out when it is linked.
pub fn everything() -> usize {
    let endpoint: Endpoint =
        black_box("https://10.1.2.3:8443/gateway").parse().expect("an endpoint");
    let credentials =
        Credentials::from_text(black_box("my-app-id"), String::from("the secret")).expect("keys");
    let mut done = 0;
    for interface in INTERFACES {
        for answer in 0..ANSWERS {
            done += call(operation(interface), &endpoint, &credentials, black_box(answer));
        }
    }
    done + callback(&credentials)
}

fn operation(interface: &Interface) -> AnyOperation {
    let text = |form| match form {
        FieldForm::Time => "2023-04-01 00:00:00",
        FieldForm::Number | FieldForm::UnixMillis => "7",
        FieldForm::IndexFileName => "20230406_9239cb50a8384bb0ab503441bf089446.zip",
        FieldForm::OneOf(texts) => texts[0],
        FieldForm::Path(_) => "a.wav",
        _ => "http://10.9.8.7/callback",
    };
    let fields = interface
        .fields
        .iter()
        .filter(|field| field.required && !matches!(field.form, FieldForm::Wav(_)));
    let fields = fields.map(|field| (field.name.to_owned(), text(field.form).to_owned()));
    let has_data = interface.fields.iter().any(|field| matches!(field.form, FieldForm::Wav(_)));
    AnyOperation::from_fields(interface.name, fields, has_data.then(|| WAV.into()))
        .expect("the table says what it takes")
}

const WAV: &[u8] = b"RIFF\x25\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x01\0\0\0\x80";
const ANSWERS: usize = 9;

/// What a server says, in all its ways.
fn answer(number: usize) -> Result<(StatusCode, &'static [u8]), FailureKind> {
    match number {
        0 => {
            Ok((StatusCode::OK, br#"{"resultCode":"0","resultDesc":"ok","resultData":{"responseId":"9239cb50a8384bb0ab503441bf089446"}}"#))
        }
        1 => Ok((StatusCode::OK, b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")),
        2 => Ok((StatusCode::OK, WAV)),
        3 => Ok((StatusCode::OK, br#"{"resultCode":"0300008","resultDesc":"later"}"#)),
        4 => Ok((StatusCode::OK, b"<html>who are you?")),
        5 => Ok((StatusCode::UNAUTHORIZED, br#"{"status":401,"error":"Unauthorized","message":"no"}"#)),
        6 => Ok((StatusCode::SERVICE_UNAVAILABLE, b"")),
        7 => Err(FailureKind::Connect),
        _ => Err(FailureKind::IdleTimeout),
    }
}

/// One call, to its end: the steps that it took.
fn call(
    operation: AnyOperation,
    endpoint: &Endpoint,
    credentials: &Credentials,
    number: usize,
) -> usize {
    let mut clock = Now {
        wall: Timestamp::from_unix_millis(black_box(1_680_768_000_000)),
        monotonic: Duration::ZERO,
    };
    let mut headers = HeaderMap::new();
    headers.insert("date", HeaderValue::from_static("Thu, 06 Apr 2023 09:30:00 GMT"));
    headers.insert("retry-after", HeaderValue::from_static("Thu, 06 Apr 2023 08:00:05 GMT"));
    let Ok(exchange) = Exchange::new(operation, endpoint, credentials, &Policy::default()) else {
        return 1;
    };
    let mut exchange = exchange.sink(SinkKind::Rewinds);
    let (mut steps, mut body) = (0, None);
    loop {
        steps += 1;
        clock.monotonic += Duration::from_millis(10);
        match exchange.poll(clock).expect("in turn") {
            Step::Send { request, .. } => {
                steps += request.headers().len();
                match answer(number) {
                    Ok((status, bytes)) => {
                        exchange.on_head(clock, status, &headers).expect("in turn");
                        body = Some(Bytes::from_static(bytes));
                    }
                    Err(failure) => exchange.on_failure(clock, failure).expect("in turn"),
                }
            }
            Step::Receive { .. } => match body.take() {
                Some(bytes) if !bytes.is_empty() => {
                    exchange.on_body(clock, bytes).expect("in turn")
                }
                _ => exchange.on_end(clock).expect("in turn"),
            },
            Step::Write(bytes) => steps += bytes.len(),
            Step::Wait(duration) => clock.monotonic += duration,
            Step::Done(Ok(answer)) => return steps + format!("{answer:?}").len(),
            Step::Done(Err(error)) => return steps + format!("{error} {error:?}").len(),
            _ => {}
        }
    }
}

/// The receiver's side.
fn callback(credentials: &Credentials) -> usize {
    let body = br#"{"request":{"version":"2.0"},"msgBody":{"responseId":"9239cb50a8384bb0ab503441bf089446","fileName":"20230406_9239cb50a8384bb0ab503441bf089446.zip"}}"#;
    let at = Timestamp::from_unix_millis(black_box(1_680_768_000_000));
    let view = RequestView {
        method: "POST",
        path: "/callback",
        query: &[],
        headers: &[("host", "10.9.8.7")],
        body,
    };
    let signed = ccfs_proto::Signer::new(credentials).sign(view, at).expect("it can be signed");
    let headers = [("host", "10.9.8.7"), ("authorization", signed.to_str().expect("text"))];
    let verifier = Verifier::new(credentials).freshness(Freshness::default());
    let mut guard = MemoryGuard::default();
    let outcome = Receiver::new(credentials).receive(
        RequestView { headers: &headers, ..view },
        &mut guard,
        at,
        |_| black_box(true),
    );
    let parsed = Callback::parse(black_box(body)).expect("a callback");
    let envelope = Envelope::parse(black_box(br#"{"resultCode":"0"}"#)).expect("an envelope");
    assert_eq!(outcome.answer().status, 200, "the callback is accepted");
    format!(
        "{outcome:?} {parsed:?} {envelope:?} {:?}",
        verifier.diagnose(signed.to_str().expect("text"), view)
    )
    .len()
}

/// What the core must not do, each once: the check that does not find all of these here finds nothing.
#[cfg(feature = "planted")]
pub fn planted() -> String {
    let (wall, monotonic) = (std::time::SystemTime::now(), std::time::Instant::now());
    let file = std::fs::File::open("/nowhere");
    let socket = std::net::TcpStream::connect("127.0.0.1:9");
    let thread = std::thread::spawn(|| std::thread::sleep(Duration::ZERO)).join();
    let variable = std::env::var("HOME");
    let process = std::process::Command::new("true").status();
    println!("said");
    format!("{wall:?} {monotonic:?} {file:?} {socket:?} {thread:?} {variable:?} {process:?}")
}
