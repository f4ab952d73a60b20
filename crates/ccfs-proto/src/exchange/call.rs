use std::fmt;
use std::mem;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::endpoint::Endpoint;
use super::error::{ErrorKind, OutOfTurn, RequestError};
use super::failure::{FailureKind, TransportFailure};
use super::policy::Policy;
use super::request::PreparedRequest;
use super::retry;
use super::skew::{Clock, ClockSkew};
use super::state::State;
use super::step::{Now, SinkKind, Step, Target};
use crate::answer::Classifier;
use crate::auth::{Credentials, Signer};
use crate::operation::Operation;

/// One call, from the first attempt to its outcome, as a state machine without I/O.
///
/// It signs every attempt, classifies the answer, retries what may be retried, signs once more with
/// the server's time if the local clock is wrong, and enforces the timeouts. It opens no socket,
/// reads no clock and draws no random number: equal inputs give equal steps.
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
/// Any other call fails with [`OutOfTurn`] and changes nothing. Every call passes the current time.
///
/// A driver reports every status, body and failure to the exchange, and makes no decisions. Reports
/// that contradict each other cause no unsafe retry: the exchange retries a request that is not
/// idempotent only if every earlier attempt ended before [`on_head`](Self::on_head) with a failure
/// that proves that the request [never arrived](FailureKind::never_arrived), or the server answered
/// "try later", or (once) refused it with a 401 because of a wrong clock.
///
/// Dropping an exchange cancels the call; the driver drops its connection.
///
/// `Exchange` is `Send + Sync` if its operation and answer are.
#[must_use]
pub struct Exchange<O: Operation> {
    pub(super) operation: O,
    request: PreparedRequest,
    target: Target,
    signer: Signer,
    pub(super) policy: Policy,
    pub(super) sink: SinkKind,
    pub(super) jitter: Box<dyn FnMut() -> u64 + Send + Sync>,
    pub(super) state: State<O::Answer>,
    pub(super) started: Option<Duration>,
    pub(super) attempts: u32,
    received: u64,
    declared: Option<u64>,
    pub(super) clock: Clock,
    /// Bytes that the sink has received in this attempt.
    pub(super) written: u64,
    pub(super) last_failure: Option<ErrorKind>,
    /// The `Retry-After` of the last answer.
    pub(super) retry_after: Option<Duration>,
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
            received: 0,
            declared: None,
            clock: Clock::default(),
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
        self.clock.correction = millis;
        self
    }

    /// Returns how far the clock is off, measured on the latest response that allowed it.
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.clock.skew
    }

    /// Returns the milliseconds that are added to the clock for signatures.
    pub fn correction(&self) -> i64 {
        self.clock.correction
    }

    /// Returns the correction to keep for later calls, which pass it to
    /// [`assume_correction`](Self::assume_correction). `None` unless this call changed the
    /// correction and the server accepted the signature, whatever it answered.
    pub fn confirmed_correction(&self) -> Option<i64> {
        self.clock.is_confirmed.then_some(self.clock.correction)
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
            State::AwaitingHead { .. } | State::Finished => return Err(self.out_of_turn("poll")),
            State::Receiving { pending, requested, .. } => {
                if let Some(bytes) = pending.take() {
                    self.written += bytes.len() as u64;
                    return Ok(Step::Write(bytes));
                }
                if !remaining.is_zero() {
                    *requested = true;
                    let idle_timeout = self.policy.idle_timeout.min(remaining);
                    return Ok(Step::Receive { idle_timeout });
                }
                // A refusal says more than the failure before it, even without its whole body.
                self.out_of_time(self.refused());
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
                self.out_of_time(None);
            }
            State::Over(_) => {}
        }
        match mem::replace(&mut self.state, State::Finished) {
            State::Over(result) => Ok(Step::Done(result)),
            _ => Err(self.out_of_turn("poll")),
        }
    }

    /// What is left of the total timeout.
    pub(super) fn remaining(&self, now: Now) -> Duration {
        let elapsed = now.monotonic.saturating_sub(self.started.unwrap_or(now.monotonic));
        self.policy.total_timeout.saturating_sub(elapsed)
    }

    fn send(&mut self, now: Now, remaining: Duration) -> Step<O::Answer> {
        match self.request.sign(&self.signer, now.wall.plus_millis(self.clock.correction)) {
            Ok(request) => {
                self.attempts += 1;
                (self.received, self.declared, self.retry_after) = (0, None, None);
                self.state = State::AwaitingHead { sent: now };
                let idle_timeout = self.policy.idle_timeout.min(remaining);
                Step::Send { request, target: self.target.clone(), idle_timeout, remaining }
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
        let State::AwaitingHead { sent } = self.state else {
            return Err(self.out_of_turn("on_head"));
        };
        self.clock.on_head(sent, now, status, headers);
        self.retry_after = retry::retry_after(headers, now.wall);
        if FailureKind::is_head_too_large(headers) {
            let failure = TransportFailure::from(FailureKind::HeadTooLarge).at(&self.target);
            self.failed(now, ErrorKind::Transport(failure));
            return Ok(());
        }
        let classifier = Classifier::new(status, headers, self.operation.expected())
            .envelope_limit(self.policy.envelope_limit)
            .file_limit(self.policy.file_limit)
            .over_tls(self.target.tls);
        self.declared = classifier.declared();
        self.state =
            State::Receiving { classifier: Box::new(classifier), pending: None, requested: false };
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
            Ok(bytes) => *pending = bytes,
            Err(error) => self.failed(now, ErrorKind::Answer(error)),
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
            State::Receiving { classifier, requested: true, .. } => {
                match self.answer(*classifier) {
                    Ok(answer) => self.state = State::Over(Ok(answer)),
                    Err(kind) => self.failed(now, kind),
                }
                Ok(())
            }
            other => {
                self.state = other;
                Err(self.out_of_turn("on_end"))
            }
        }
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
        let failure = match &self.state {
            State::AwaitingHead { .. } => failure,
            State::Receiving { requested: true, .. } => failure.after_head(),
            _ => return Err(self.out_of_turn("on_failure")),
        };
        // A refusal without its whole body is still one: a 401 must not be retried like a broken
        // connection.
        let refused = self.refused();
        // At the end of the total timeout, the `idle_timeout` was what was left of it.
        if failure.kind() == FailureKind::IdleTimeout && self.remaining(now).is_zero() {
            self.out_of_time(refused);
        } else {
            self.failed(now, refused.unwrap_or(ErrorKind::Transport(failure)));
        }
        Ok(())
    }

    fn out_of_turn(&self, called: &'static str) -> OutOfTurn {
        OutOfTurn { called, state: self.state.name() }
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
