//! One call as a state machine: [`Exchange`], its steps, settings and errors.

mod endpoint;
mod error;
mod failure;
mod policy;
mod request;
mod retry;
mod skew;
mod step;
mod tls;

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

pub use self::endpoint::{Endpoint, EndpointError, Scheme};
pub use self::error::{ErrorKind, ExchangeError, OutOfTurn, RequestError};
pub(crate) use self::failure::advice_on_proxy;
pub use self::failure::{FailureKind, HEAD_LIMIT, HEADERS_LIMIT, TransportFailure};
pub use self::policy::Policy;
pub use self::request::PreparedRequest;
pub use self::skew::ClockSkew;
pub use self::step::{Now, SinkKind, Step, Target};
pub use self::tls::TlsFailure;

use self::retry::Retry;
use crate::answer::{AnswerError, Classified, Classifier, Envelope, Expected};
use crate::auth::{Credentials, Signer};
use crate::operation::{Operation, Received};
use crate::words::shown;

/// One call, from the first attempt to its outcome, as a state machine without I/O.
///
/// It signs every attempt, classifies the answer, retries what may be retried, corrects a wrong
/// clock once, and enforces the timeouts. It opens no socket, reads no clock and draws no random
/// number: equal inputs give equal steps.
///
/// # Contract
///
/// A driver calls [`poll`](Self::poll) in a loop and does what the returned [`Step`] says:
///
/// | step | the driver | then calls |
/// |---|---|---|
/// | [`Send`](Step::Send) | connects and sends the request | `on_head` or `on_failure` |
/// | [`Receive`](Step::Receive) | reads a piece of the body | `on_body`, `on_end` or `on_failure` |
/// | [`Write`](Step::Write) | appends to the file | `poll` |
/// | [`Rewind`](Step::Rewind) | empties the file | `poll` |
/// | [`Wait`](Step::Wait) | waits | `poll` |
/// | [`Done`](Step::Done) | returns the outcome | nothing |
///
/// Any other call is [`OutOfTurn`] and changes nothing. Every call passes the current time.
///
/// A driver reports what it saw and decides nothing: every status, body and failure goes to the
/// exchange. A report that cannot be true repeats no request: one that is not idempotent is sent
/// again only if every earlier attempt ended before [`on_head`](Self::on_head) with a failure that
/// proves that it [never arrived](FailureKind::never_arrived), or the server answered "try later",
/// or (once) refused it with a 401 because of a wrong clock.
///
/// Dropping an exchange cancels the call; the driver drops its connection.
///
/// `Exchange` is `Send + Sync` if its operation and answer are.
#[must_use]
pub struct Exchange<O: Operation> {
    operation: O,
    request: PreparedRequest,
    target: Target,
    signer: Signer,
    policy: Policy,
    sink: SinkKind,
    jitter: Box<dyn FnMut() -> u64 + Send + Sync>,
    state: State<O::Answer>,
    started: Option<Duration>,
    attempts: u32,
    sent: Option<Now>,
    received: u64,
    declared: Option<u64>,
    /// The latest measurement, and the one on the latest response.
    skew: Option<ClockSkew>,
    skew_now: Option<ClockSkew>,
    /// Milliseconds added to the clock when signing.
    correction: i64,
    corrected: bool,
    /// Whether the server accepted a signature with the corrected time.
    confirmed: bool,
    /// Bytes that the sink has received in this attempt.
    written: u64,
    last_failure: Option<ErrorKind>,
    /// The `Retry-After` of the last answer that failed.
    retry_after: Option<Duration>,
}

enum State<A> {
    Ready,
    AwaitingHead,
    Receiving {
        classifier: Box<Classifier>,
        retry_after: Option<Duration>,
        /// Bytes to write before the next piece is requested.
        pending: VecDeque<Bytes>,
        /// Whether a piece was requested: a driver that reads without polling would miss a timeout.
        requested: bool,
    },
    Rewinding {
        until: Duration,
    },
    Waiting {
        until: Duration,
    },
    Over(Result<A, ExchangeError>),
    Finished,
}

impl<O: Operation> Exchange<O> {
    /// Creates an exchange. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if a field of the operation breaks the interface's rules, or the request of
    /// a custom operation cannot be sent or signed.
    pub fn new(
        operation: O,
        endpoint: &Endpoint,
        credentials: &Credentials,
        policy: &Policy,
    ) -> Result<Self, RequestError> {
        let request = PreparedRequest::new(operation.request()?, endpoint)?;
        Ok(Self {
            operation,
            request,
            target: Target::new(endpoint),
            signer: Signer::new(credentials)
                .query_line(policy.query_line)
                .precision(policy.precision),
            policy: policy.clone(),
            sink: SinkKind::default(),
            jitter: Box::new(|| u64::MAX),
            state: State::Ready,
            started: None,
            attempts: 0,
            sent: None,
            received: 0,
            declared: None,
            skew: None,
            skew_now: None,
            correction: 0,
            corrected: false,
            confirmed: false,
            written: 0,
            last_failure: None,
            retry_after: None,
        })
    }

    /// Sets whether the sink of a download can be rewound. Default: [`SinkKind::Once`].
    pub fn sink(mut self, kind: SinkKind) -> Self {
        self.sink = kind;
        self
    }

    /// Sets the source of random numbers for the waits between attempts. Default: none; each wait
    /// is the longest of its range.
    pub fn jitter(mut self, source: impl FnMut() -> u64 + Send + Sync + 'static) -> Self {
        self.jitter = Box::new(source);
        self
    }

    /// Sets the correction of the clock, in milliseconds, with which the first attempt is signed:
    /// the [`correction`](Self::correction) of an earlier call. Default: 0.
    pub fn assume_correction(mut self, millis: i64) -> Self {
        self.correction = millis;
        self
    }

    /// Returns how far the clock is off, as the latest response showed it.
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.skew
    }

    /// Returns the milliseconds that are added to the clock for signatures.
    pub fn correction(&self) -> i64 {
        self.correction
    }

    /// Returns the correction to keep for later calls, which pass it to
    /// [`assume_correction`](Self::assume_correction). `None` unless this call changed the
    /// correction and the server accepted the signature, whatever it answered.
    pub fn confirmed_correction(&self) -> Option<i64> {
        self.confirmed.then_some(self.correction)
    }

    /// Returns the number of requests sent so far.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the bytes of the body that arrived in the latest attempt, and the length that the
    /// server declared for it. Valid at any time, also after the end.
    pub fn progress(&self) -> (u64, Option<u64>) {
        (self.received, self.declared)
    }

    /// Returns what to do next.
    ///
    /// Call it first, after every report, and after every step that needs no report (`Write`,
    /// `Rewind`, `Wait`). Calling it again while it asks to wait or to receive repeats that step.
    ///
    /// # Errors
    ///
    /// [`OutOfTurn`] while a sent request awaits its report, and after [`Step::Done`].
    pub fn poll(&mut self, now: Now) -> Result<Step<O::Answer>, OutOfTurn> {
        self.started.get_or_insert(now.monotonic);
        let remaining = self.remaining(now);
        match &mut self.state {
            State::AwaitingHead | State::Finished => return Err(self.out_of_turn("poll")),
            State::Receiving { pending, requested, .. } => {
                if let Some(bytes) = pending.pop_front() {
                    self.written += bytes.len() as u64;
                    return Ok(Step::Write(bytes));
                }
                if !remaining.is_zero() {
                    *requested = true;
                    let idle_timeout = self.policy.idle_timeout.min(remaining);
                    return Ok(Step::Receive { idle_timeout });
                }
                // A refusal says more than the failure before it, even without its whole body.
                let cause = self.refused().or_else(|| self.last_failure.take());
                self.out_of_time(cause);
            }
            State::Rewinding { until } => {
                self.state = State::Waiting { until: *until };
                self.written = 0;
                return Ok(Step::Rewind);
            }
            State::Waiting { until } if now.monotonic < *until => {
                return Ok(Step::Wait(until.saturating_sub(now.monotonic)));
            }
            State::Ready | State::Waiting { .. } => {
                if !remaining.is_zero() {
                    return Ok(self.send(now, remaining));
                }
                let cause = self.last_failure.take();
                self.out_of_time(cause);
            }
            State::Over(_) => {}
        }
        match mem::replace(&mut self.state, State::Finished) {
            State::Over(result) => Ok(Step::Done(result)),
            _ => Err(self.out_of_turn("poll")),
        }
    }

    /// What is left of the total timeout.
    fn remaining(&self, now: Now) -> Duration {
        let elapsed = now.monotonic.saturating_sub(self.started.unwrap_or(now.monotonic));
        self.policy.total_timeout.saturating_sub(elapsed)
    }

    fn send(&mut self, now: Now, remaining: Duration) -> Step<O::Answer> {
        match self.request.sign(&self.signer, now.wall.plus_millis(self.correction)) {
            Ok(request) => {
                self.attempts += 1;
                self.sent = Some(now);
                (self.received, self.declared) = (0, None);
                self.state = State::AwaitingHead;
                let (target, idle_timeout) =
                    (self.target.clone(), self.policy.idle_timeout.min(remaining));
                Step::Send { request, target, idle_timeout, remaining }
            }
            Err(error) => {
                self.state = State::Finished;
                Step::Done(Err(self.error(ErrorKind::Request(error))))
            }
        }
    }

    /// Reports the response's status and headers, after [`Step::Send`].
    ///
    /// # Errors
    ///
    /// [`OutOfTurn`] if no sent request awaits its response.
    pub fn on_head(
        &mut self,
        now: Now,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<(), OutOfTurn> {
        if !matches!(self.state, State::AwaitingHead) {
            return Err(self.out_of_turn("on_head"));
        }
        if let Some(sent) = self.sent {
            let trip = now.monotonic.saturating_sub(sent.monotonic);
            self.skew_now = ClockSkew::measure(sent.wall, now.wall, trip, headers);
            self.skew = self.skew_now.or(self.skew);
        }
        self.confirmed |= self.corrected && status.is_success();
        if let Some(kind) = FailureKind::of_head(headers) {
            let failure = TransportFailure::from(kind).at(&self.target);
            self.failed(now, ErrorKind::Transport(failure), None);
            return Ok(());
        }
        let classifier = Classifier::new(status, headers, self.operation.expected())
            .envelope_limit(self.policy.envelope_limit)
            .file_limit(self.policy.file_limit)
            .over_tls(self.target.tls);
        self.declared = classifier.declared();
        self.state = State::Receiving {
            classifier: Box::new(classifier),
            retry_after: retry::retry_after(headers, now.wall),
            pending: VecDeque::new(),
            requested: false,
        };
        Ok(())
    }

    /// Reports a piece of the body, of any size, after [`Step::Receive`].
    ///
    /// # Errors
    ///
    /// [`OutOfTurn`] if no piece was requested.
    pub fn on_body(&mut self, now: Now, chunk: Bytes) -> Result<(), OutOfTurn> {
        let State::Receiving { classifier, pending, requested: requested @ true, .. } =
            &mut self.state
        else {
            return Err(self.out_of_turn("on_body"));
        };
        *requested = false;
        self.received += chunk.len() as u64;
        match classifier.push(chunk) {
            Ok(bytes) => pending.extend(bytes),
            Err(error) => self.failed(now, ErrorKind::Answer(error), None),
        }
        Ok(())
    }

    /// Reports the end of the body, after [`Step::Receive`]: the HTTP message is complete.
    ///
    /// The exchange compares the length with `Content-Length` and looks for the end of a ZIP. If
    /// the last chunk of a chunked body is missing, or an HTTP/2 stream was reset, call
    /// [`on_failure`](Self::on_failure) with [`FailureKind::BodyBroken`].
    ///
    /// # Errors
    ///
    /// [`OutOfTurn`] if no piece was requested.
    pub fn on_end(&mut self, now: Now) -> Result<(), OutOfTurn> {
        match mem::replace(&mut self.state, State::Finished) {
            State::Receiving { classifier, retry_after, requested: true, .. } => {
                match self.answer(*classifier) {
                    Ok(answer) => self.state = State::Over(Ok(answer)),
                    Err(kind) => self.failed(now, kind, retry_after),
                }
                Ok(())
            }
            other => {
                self.state = other;
                Err(self.out_of_turn("on_end"))
            }
        }
    }

    fn answer(&self, classifier: Classifier) -> Result<O::Answer, ErrorKind> {
        let received = match classifier.finish().map_err(ErrorKind::Answer)? {
            Classified::Envelope(envelope) => {
                self.check_code(&envelope)?;
                if matches!(self.operation.expected(), Expected::File(_)) {
                    return Err(ErrorKind::Answer(AnswerError::SuccessWithoutFile));
                }
                Received::Envelope(envelope)
            }
            Classified::Json(json) => {
                if let Ok(envelope) = Envelope::parse_within(json.as_str().as_bytes(), usize::MAX) {
                    self.check_code(&envelope)?;
                }
                Received::Json(json)
            }
            Classified::File(receipt) => Received::File(receipt),
            Classified::Refusal(refusal) => {
                return Err(ErrorKind::Refused { refusal: refusal.into(), skew: self.skew_now });
            }
        };
        self.operation.answer(received).map_err(ErrorKind::Answer)
    }

    fn check_code(&self, envelope: &Envelope) -> Result<(), ErrorKind> {
        let code = envelope.code();
        if self.operation.is_success(code) {
            return Ok(());
        }
        Err(ErrorKind::ResultCode {
            code: code.clone(),
            description: shown(envelope.description()).into(),
            meaning: self.operation.meaning(code).into(),
            advice: self.operation.advice(code),
        })
    }

    /// Reports that the connection failed, or that no data arrived within the `idle_timeout`, after
    /// [`Step::Send`] or [`Step::Receive`].
    ///
    /// Pass a [`FailureKind`], or a [`TransportFailure`] with the client's error. After
    /// [`on_head`](Self::on_head), a failure that says that the request never arrived counts as
    /// [`BodyBroken`](FailureKind::BodyBroken).
    ///
    /// # Errors
    ///
    /// [`OutOfTurn`] if neither a response nor a piece of it was requested.
    pub fn on_failure(
        &mut self,
        now: Now,
        failure: impl Into<TransportFailure>,
    ) -> Result<(), OutOfTurn> {
        let failure = failure.into().at(&self.target);
        let (failure, retry_after) = match &self.state {
            State::AwaitingHead => (failure, None),
            State::Receiving { retry_after, requested: true, .. } => {
                (failure.after_head(), *retry_after)
            }
            _ => return Err(self.out_of_turn("on_failure")),
        };
        // A refusal without its whole body is still one: a 401 must not be retried like a broken
        // connection.
        let refused = self.refused();
        // At the end of the total timeout, the `idle_timeout` was what was left of it.
        if failure.kind() == FailureKind::IdleTimeout && self.remaining(now).is_zero() {
            let cause = refused.or_else(|| self.last_failure.take());
            self.out_of_time(cause);
        } else {
            self.failed(now, refused.unwrap_or(ErrorKind::Transport(failure)), retry_after);
        }
        Ok(())
    }

    /// The refusal that is being received, if the response is one.
    fn refused(&self) -> Option<ErrorKind> {
        let State::Receiving { classifier, .. } = &self.state else { return None };
        let refusal = classifier.refusal()?.into();
        Some(ErrorKind::Refused { refusal, skew: self.skew_now })
    }

    /// Decides between a retry and the end.
    fn failed(&mut self, now: Now, kind: ErrorKind, retry_after: Option<Duration>) {
        self.retry_after = retry_after;
        if self.correct_clock(&kind) {
            self.last_failure = Some(kind);
            self.state = State::Ready;
            return;
        }
        // The attempt with a corrected clock is not a retry.
        if self.attempts > self.policy.max_retries.saturating_add(self.corrected.into()) {
            return self.give_up(kind);
        }
        let retry = retry::rule(&kind, self.operation.repeat(), retry_after);
        if retry == Retry::No || (self.written > 0 && self.sink == SinkKind::Once) {
            return self.give_up(kind);
        }
        let wait = retry::wait(retry, self.attempts, &self.policy, (self.jitter)());
        if wait > self.policy.max_backoff {
            return self.give_up(kind);
        }
        let until = now.monotonic.saturating_add(wait);
        let started = self.started.unwrap_or_default();
        if until >= started.saturating_add(self.policy.total_timeout) {
            return self.out_of_time(Some(kind));
        }
        self.last_failure = Some(kind);
        self.state =
            if self.written > 0 { State::Rewinding { until } } else { State::Waiting { until } };
    }

    /// After a 401, corrects the clock if it is wrong enough and was not corrected yet.
    fn correct_clock(&mut self, kind: &ErrorKind) -> bool {
        let ErrorKind::Refused { refusal, skew: Some(skew) } = kind else { return false };
        let Some(threshold) = self.policy.skew_threshold else { return false };
        if self.corrected || refusal.status != StatusCode::UNAUTHORIZED {
            return false;
        }
        // How far the signature was off: the assumed correction may have fixed or caused it.
        let off = ClockSkew { millis: skew.millis.saturating_sub(self.correction), ..*skew };
        if !off.exceeds(threshold) {
            return false;
        }
        self.corrected = true;
        self.correction = skew.millis;
        true
    }

    fn out_of_time(&mut self, cause: Option<ErrorKind>) {
        let limit = self.policy.total_timeout;
        self.give_up(ErrorKind::TotalTimeout { limit, cause: cause.map(Box::new) });
    }

    fn give_up(&mut self, kind: ErrorKind) {
        let kind = if self.written > 0 && self.sink == SinkKind::Once {
            ErrorKind::Interrupted { handed_over: self.written, cause: Box::new(kind) }
        } else {
            kind
        };
        self.state = State::Over(Err(self.error(kind)));
    }

    fn error(&self, kind: ErrorKind) -> ExchangeError {
        ExchangeError {
            interface: self.operation.interface(),
            attempts: self.attempts,
            retry_after: self.retry_after,
            kind,
        }
    }

    fn out_of_turn(&self, called: &'static str) -> OutOfTurn {
        OutOfTurn { called, state: self.state.name() }
    }
}

impl<A> State<A> {
    fn name(&self) -> &'static str {
        match self {
            Self::Ready => "is ready to send",
            Self::AwaitingHead => "awaits the response's head",
            Self::Receiving { pending, .. } if !pending.is_empty() => "has bytes to write",
            Self::Receiving { requested: false, .. } => "waits to be polled",
            Self::Receiving { .. } => "receives the body",
            Self::Rewinding { .. } => "rewinds the sink",
            Self::Waiting { .. } => "waits before the next attempt",
            Self::Over(_) | Self::Finished => "is over",
        }
    }
}

impl<O: Operation> fmt::Debug for Exchange<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("interface", &self.operation.interface())
            .field("attempts", &self.attempts)
            .field("state", &self.state.name())
            .finish_non_exhaustive()
    }
}
