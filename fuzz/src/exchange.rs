//! The exchange as a whole, under any script.

use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::auth::{Freshness, QueryLine, decode_query};
use ccfs_proto::exchange::{OutOfTurn, TlsFailure};
use ccfs_proto::operation::{FieldForm, INTERFACES, Interface, InterfaceField, Received, Repeat};
use ccfs_proto::time::Precision;
use ccfs_proto::{
    AnyOperation, Credentials, ErrorKind, Exchange, FailureKind, Now, Operation, Policy,
    RequestView, SinkKind, Step, Timestamp, Verifier,
};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};

use crate::tape::Tape;

/// Maximum number of actions of a script.
const ACTIONS: usize = 400;
const SECRET: &str = "MARKED-SECRET";

/// The bytes are a script: the interface, the policy, then the driver's actions, in or out of turn.
///
/// Checks that:
///
/// - nothing panics;
/// - an action in turn is accepted, and an action out of turn is refused and changes nothing;
/// - every request has a valid signature with the current time;
/// - nothing is sent after the total timeout, the last attempt or a 403; after a 401, at most one request with a corrected clock;
/// - a request that is not idempotent is not retried if it may have arrived;
/// - a sink that cannot be rewound gets the bytes of one attempt only, and a complete file has the bytes of the last body;
/// - after any script, the exchange ends if the driver follows its steps.
pub fn exchange(input: &[u8]) {
    // A server that sends the secret in its answer knows it from elsewhere, and its text is shown.
    if input.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()) {
        return;
    }
    let mut tape = Tape::new(input);
    let (operation, policy) = (operation(tape.pick(INTERFACES)), policy(&mut tape));
    let sink = tape.pick(&[SinkKind::Once, SinkKind::Rewinds]);
    let assumed = tape.pick(&[0, 0, 0, 90_000, -90_000, i64::MIN, i64::MAX]);
    let mut random = u64::from(tape.byte()).wrapping_mul(0x0101_0101_0101_0101);
    let credentials = Credentials::from_text("ak", SECRET.to_owned()).expect("good keys");
    let endpoint = "https://10.1.2.3:8443/gateway".parse().expect("an endpoint");
    let exchange = Exchange::new(operation.clone(), &endpoint, &credentials, &policy)
        .expect("good fields")
        .sink(sink);
    let exchange = exchange.assume_correction(assumed).jitter(move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        random
    });
    let mut play = Play {
        exchange,
        operation,
        policy,
        sink,
        verifier: Verifier::new(&credentials)
            .freshness(Freshness { past: Duration::from_secs(1), future: Duration::ZERO }),
        now: Now {
            wall: Timestamp::from_unix_millis(1_700_000_000_250),
            monotonic: Duration::from_secs(5),
        },
        started: None,
        turn: Turn::Poll,
        sent: 0,
        first_body: None,
        last: Last::Nothing,
        corrections: 0,
        came: Vec::new(),
        written: Vec::new(),
    };
    for _ in 0..ACTIONS {
        if tape.is_empty() {
            break;
        }
        play.act(&mut tape);
    }
    play.end();
}

/// The operation of an interface with a good text in each field that must be given.
fn operation(interface: Interface) -> AnyOperation {
    let text = |name: &str, form: FieldForm| match (name, form) {
        ("callBackURL", _) => "https://10.9.8.7/callback".to_owned(),
        ("endTime", _) => "2023-04-06 09:00:00".to_owned(),
        (_, FieldForm::Time) => "2023-04-06 08:30:00".to_owned(),
        (_, FieldForm::IndexFileName) => "20230406_9239cb50a8384bb0ab503441bf089446.zip".to_owned(),
        (_, FieldForm::OneOf(words)) => words[0].to_owned(),
        (_, FieldForm::Text(_)) => "a".to_owned(),
        _ => "1".to_owned(),
    };
    let wanted = interface.fields.iter().filter(|field| field.required || field.name == "callId");
    let (data, texts): (Vec<&InterfaceField>, Vec<&InterfaceField>) =
        wanted.partition(|field| matches!(field.form, FieldForm::Wav(_)));
    let texts =
        texts.into_iter().map(|field| (field.name.to_owned(), text(field.name, field.form)));
    let made = if data.is_empty() {
        AnyOperation::from_fields(interface.name, texts, None)
    } else {
        let wav = b"RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x40\x1F\0\0\x01\0\x08\0data\x02\0\0\0\x80\x80";
        AnyOperation::from_fields(interface.name, texts, Some(Bytes::from_static(wav)))
    };
    made.expect("good fields")
}

fn policy(tape: &mut Tape<'_>) -> Policy {
    let mut policy = Policy::default();
    policy.max_retries = tape.pick(&[3, 0, 1, 2, 6, u32::MAX]);
    // Without both bounds a call may go on for ever.
    let longest = if policy.max_retries > 6 { Duration::from_secs(1200) } else { Duration::MAX };
    let seconds = |tape: &mut Tape<'_>| match tape.byte() {
        255 => Duration::MAX,
        seconds @ 128.. => Duration::from_secs(u64::from(seconds - 127) * 60),
        millis => Duration::from_millis(u64::from(millis) * 100),
    };
    policy.total_timeout = seconds(tape).min(longest);
    policy.idle_timeout = seconds(tape);
    policy.backoff = seconds(tape);
    policy.busy_backoff = seconds(tape);
    policy.max_backoff = seconds(tape);
    policy.skew_threshold = tape.pick(&[Some(Duration::from_secs(60)), None, Some(Duration::ZERO)]);
    policy.query_line = tape.pick(&QueryLine::ALL);
    policy.precision = tape.pick(&[Precision::Millis, Precision::Seconds]);
    (policy.envelope_limit, policy.file_limit) = tape.pick(&[(1 << 20, 16 << 30), (200, 100)]);
    policy
}

/// The call that is in turn.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    Poll,
    Head,
    Body,
    Over,
}

/// The last report about an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Last {
    Nothing,
    Sent,
    Head(u16),
    Failure(FailureKind),
    End,
}

struct Play {
    exchange: Exchange<AnyOperation>,
    operation: AnyOperation,
    policy: Policy,
    sink: SinkKind,
    verifier: Verifier,
    now: Now,
    /// Time of the first poll.
    started: Option<Duration>,
    turn: Turn,
    sent: u32,
    first_body: Option<Bytes>,
    last: Last,
    corrections: u32,
    /// Bytes of the current attempt's body, and those that the sink has.
    came: Vec<u8>,
    written: Vec<u8>,
}

impl Play {
    /// Plays one action of the script.
    fn act(&mut self, tape: &mut Tape<'_>) {
        match tape.byte() % 10 {
            0..=2 => drop(self.poll()),
            3 => {
                let step = tape.pick(&[
                    Duration::from_millis(1),
                    Duration::from_secs(1),
                    Duration::from_secs(60),
                    Duration::MAX / 300,
                ]);
                self.pass(step.saturating_mul(tape.byte().into()));
            }
            4 => {
                let millis =
                    tape.pick(&[1, 1000, -1000, 3_600_000, -3_600_000, i64::MAX, i64::MIN]);
                self.now.wall = self.now.wall.plus_millis(millis);
            }
            5 => {
                let status = tape.pick(&[200, 200, 200, 401, 403, 429, 503, 404, 500, 302, 204]);
                let headers = headers(tape);
                self.head(status, &headers);
            }
            6 => {
                let own = tape.some();
                self.body(own);
            }
            7 => {
                let code = tape.pick(&["0", "0300008", "0300009", "0300011", "x"]);
                let data = r#""resultData":{"responseId":"9239cb50a8384bb0ab503441bf089446","token":"t","url":["https://a/b"]}"#;
                self.body(
                    format!(r#"{{"resultCode":"{code}","resultDesc":"so it is",{data}}}"#)
                        .as_bytes(),
                );
            }
            8 => self.finish(),
            _ => {
                use FailureKind::{
                    BodyBroken, Broken, Connect, HeadTooLarge, IdleTimeout, InvalidHttp,
                    ProxyRefused, Resolve, Tls,
                };
                self.fail(tape.pick(&[
                    Resolve,
                    Connect,
                    Tls(TlsFailure::Other),
                    Broken,
                    IdleTimeout,
                    BodyBroken,
                    InvalidHttp,
                    ProxyRefused { status: 407 },
                    HeadTooLarge,
                ]));
            }
        }
    }

    fn pass(&mut self, duration: Duration) {
        self.now.monotonic = self.now.monotonic.saturating_add(duration);
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.now.wall = self.now.wall.plus_millis(millis);
    }

    fn deadline_is_over(&self) -> bool {
        let started = self.started.unwrap_or(self.now.monotonic);
        self.now.monotonic.saturating_sub(started) >= self.policy.total_timeout
    }

    /// Polls. Returns the time to wait if the step is `Wait`.
    fn poll(&mut self) -> Option<Duration> {
        let before = self.state();
        let polled = self.exchange.poll(self.now);
        if matches!(self.turn, Turn::Head | Turn::Over) {
            self.refused(polled.map(drop), &before);
            return None;
        }
        self.started.get_or_insert(self.now.monotonic);
        let step = polled.expect("it was time to poll");
        assert!(!format!("{step:?}").contains(SECRET));
        match step {
            Step::Send { request, idle_timeout, remaining, .. } => {
                self.send(&request, idle_timeout, remaining)
            }
            Step::Receive { idle_timeout } => {
                assert!(idle_timeout <= self.policy.idle_timeout && !self.deadline_is_over());
                self.turn = Turn::Body;
            }
            Step::Write(bytes) => {
                assert!(!bytes.is_empty());
                assert!(
                    self.came[self.written.len()..].starts_with(&bytes),
                    "the sink gets what the attempt brings"
                );
                self.written.extend_from_slice(&bytes);
                self.turn = Turn::Poll;
            }
            Step::Rewind => {
                assert_eq!(self.sink, SinkKind::Rewinds);
                assert!(!self.written.is_empty(), "there is nothing to throw away");
                self.written.clear();
            }
            Step::Wait(wait) => {
                assert!(!wait.is_zero() && wait <= self.policy.max_backoff);
                return Some(wait);
            }
            Step::Done(outcome) => {
                self.turn = Turn::Over;
                match outcome {
                    Ok(Received::File(receipt)) => {
                        assert_eq!(receipt.bytes, self.came.len() as u64);
                        assert_eq!(self.written, self.came);
                    }
                    Ok(_) => assert!(self.written.is_empty()),
                    Err(error) => {
                        assert_eq!(error.attempts, self.sent);
                        assert!(!error.to_string().contains(SECRET));
                        let interrupted = matches!(&error.kind, ErrorKind::Interrupted { handed_over, .. } if *handed_over == self.written.len() as u64);
                        assert_eq!(
                            interrupted,
                            self.sink == SinkKind::Once && !self.written.is_empty()
                        );
                    }
                }
            }
        }
        None
    }

    fn send(&mut self, request: &Request<Bytes>, idle_timeout: Duration, remaining: Duration) {
        assert!(
            idle_timeout <= remaining
                && idle_timeout <= self.policy.idle_timeout
                && !self.deadline_is_over()
        );
        assert_eq!(
            remaining,
            self.policy.total_timeout.saturating_sub(
                self.now.monotonic.saturating_sub(self.started.unwrap_or_default())
            )
        );
        assert!(self.written.is_empty(), "an attempt on top of bytes of an earlier one");
        match self.last {
            Last::Head(401) => self.corrections += 1,
            Last::Failure(failure) if failure.is_permanent() => {
                panic!("an attempt after a permanent failure: {failure:?}")
            }
            Last::Failure(failure) => {
                assert!(failure.never_arrived() || self.operation.repeat() == Repeat::Idempotent)
            }
            Last::Nothing | Last::Head(429 | 503) | Last::End => {}
            other @ (Last::Sent | Last::Head(_)) => panic!("an attempt after {other:?}"),
        }
        assert!(self.corrections <= 1, "a second attempt after a refused signature");
        // An attempt with a corrected clock is not a retry.
        let allowed = self.policy.max_retries.saturating_add(self.corrections);
        assert!(self.sent <= allowed, "more attempts than allowed");
        assert_eq!(self.first_body.get_or_insert_with(|| request.body().clone()), request.body());
        self.check_signature(request);
        self.sent += 1;
        assert_eq!(self.exchange.attempts(), self.sent);
        self.came.clear();
        (self.last, self.turn) = (Last::Sent, Turn::Head);
    }

    fn check_signature(&self, request: &Request<Bytes>) {
        let signed = self.operation.request().expect("good fields").signed;
        let Some(authorization) = request.headers().get(header::AUTHORIZATION) else {
            return assert!(!signed);
        };
        assert!(signed && authorization.is_sensitive());
        let pairs = decode_query(request.uri().query().unwrap_or_default());
        let query: Vec<(&str, &str)> =
            pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let headers: Vec<(&str, &str)> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().expect("visible ASCII")))
            .collect();
        let view = RequestView {
            method: request.method().as_str(),
            path: request.uri().path(),
            query: &query,
            headers: &headers,
            body: request.body(),
        };
        let at = self.now.wall.plus_millis(self.exchange.correction());
        let verifier = self.verifier.clone().query_line(self.policy.query_line);
        verifier
            .verify(authorization.to_str().expect("visible ASCII"), view, at)
            .expect("a valid signature of its time");
    }

    fn head(&mut self, status: u16, headers: &HeaderMap) {
        let before = self.state();
        let result = self.exchange.on_head(
            self.now,
            StatusCode::from_u16(status).expect("a status"),
            headers,
        );
        if self.is_taken(result, Turn::Head, &before) {
            (self.last, self.turn) = (Last::Head(status), Turn::Poll);
        }
    }

    fn body(&mut self, chunk: &[u8]) {
        let before = self.state();
        let result = self.exchange.on_body(self.now, Bytes::copy_from_slice(chunk));
        if self.is_taken(result, Turn::Body, &before) {
            self.came.extend_from_slice(chunk);
            self.turn = Turn::Poll;
        }
    }

    fn finish(&mut self) {
        let before = self.state();
        let result = self.exchange.on_end(self.now);
        if self.is_taken(result, Turn::Body, &before) {
            self.turn = Turn::Poll;
            if matches!(self.last, Last::Head(200..=299)) {
                self.last = Last::End;
            }
        }
    }

    fn fail(&mut self, failure: FailureKind) {
        let turn = if self.turn == Turn::Body { Turn::Body } else { Turn::Head };
        let before = self.state();
        let result = self.exchange.on_failure(self.now, failure);
        if self.is_taken(result, turn, &before) {
            self.turn = Turn::Poll;
            // The status of a refusal counts, even if its body is incomplete.
            match self.last {
                Last::Sent => self.last = Last::Failure(failure),
                // The response has begun, so the request did arrive, whatever the driver says.
                Last::Head(200..=299) => {
                    let arrived = !failure.never_arrived();
                    let failure = if arrived { failure } else { FailureKind::BodyBroken };
                    self.last = Last::Failure(failure);
                }
                _ => {}
            }
        }
    }

    fn is_taken(&self, result: Result<(), OutOfTurn>, turn: Turn, before: &State) -> bool {
        if self.turn == turn {
            result.expect("it was its turn");
            return true;
        }
        self.refused(result, before);
        false
    }

    fn refused(&self, result: Result<(), OutOfTurn>, before: &State) {
        assert!(result.expect_err("it was not its turn").to_string().contains("out of turn"));
        assert_eq!(self.state(), *before, "what is out of turn changes nothing");
    }

    fn state(&self) -> State {
        let skew = self.exchange.clock_skew().map(|skew| skew.millis);
        (format!("{:?}", self.exchange), self.exchange.progress(), self.exchange.correction(), skew)
    }

    /// Ends the exchange: the driver follows its steps, and no server answers.
    fn end(mut self) {
        for _ in 0..2000 {
            match self.turn {
                Turn::Over => {
                    self.poll();
                    return;
                }
                Turn::Head | Turn::Body => {
                    self.pass(Duration::from_secs(60));
                    self.fail(FailureKind::IdleTimeout);
                }
                Turn::Poll => {
                    if let Some(wait) = self.poll() {
                        self.pass(wait);
                    }
                }
            }
        }
        panic!("the exchange does not end");
    }
}

/// Headers of an answer: those that an exchange looks at, with good and odd values.
fn headers(tape: &mut Tape<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let dates = [
        "Tue, 14 Nov 2023 22:13:20 GMT",
        "Tue, 14 Nov 2023 23:13:20 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
    ];
    let flags = tape.byte();
    if flags & 1 != 0 {
        headers.insert(header::DATE, HeaderValue::from_static(tape.pick(&dates)));
    }
    if flags & 2 != 0 {
        let text = tape.pick(&["0", "7", "99999999999999999999", "soon", "", dates[0], dates[1]]);
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(text));
    }
    if flags & 4 != 0 {
        headers.insert(header::AGE, HeaderValue::from_static("3"));
    }
    if flags & 8 != 0 {
        headers.insert(header::CONTENT_LENGTH, u64::from(tape.byte()).into());
    }
    if let (true, Ok(value)) = (flags & 16 != 0, HeaderValue::from_bytes(tape.some())) {
        headers
            .insert(tape.pick(&[header::DATE, header::RETRY_AFTER, header::CONTENT_LENGTH]), value);
    }
    headers
}

/// What can be seen of an exchange.
type State = (String, (u64, Option<u64>), i64, Option<i64>);
