//! One call as a state machine.

mod error;
mod policy;
mod request;
mod retry;
mod skew;
mod step;
mod tls;

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

pub use self::error::{ErrorKind, ExchangeError, OutOfTurn, RequestError, TransportFailure};
pub use self::policy::Policy;
pub use self::request::PreparedRequest;
pub use self::skew::ClockSkew;
pub use self::step::{Now, SinkKind, Step};
pub use self::tls::TlsFailure;

use self::retry::Again;
use crate::auth::{Credentials, Signer};
use crate::classify::{Classified, Classifier};
use crate::endpoint::Endpoint;
use crate::operation::{Operation, Received};

/// One call from the first byte to the outcome, without a socket, a clock, a sleep or a random number of its own.
///
/// It signs every attempt afresh, tells answers apart, retries what may be retried, corrects a wrong clock once, and keeps the
/// deadline. A driver asks [`poll`](Self::poll) what to do, does it, and reports what happened; the crate's page shows one whole.
/// Equal inputs give equal steps. Dropping it at any step leaves nothing behind.
pub struct Exchange<O: Operation> {
    operation: O,
    request: PreparedRequest,
    signer: Signer,
    policy: Policy,
    sink: SinkKind,
    jitter: Box<dyn FnMut() -> u64 + Send>,
    state: State<O::Answer>,
    started: Option<Duration>,
    attempts: u32,
    sent: Option<Now>,
    skew: Option<ClockSkew>,
    /// Milliseconds added to the clock when signing.
    correction: i64,
    corrected: bool,
    handed_over: u64,
    last_failure: Option<ErrorKind>,
}

enum State<A> {
    Ready,
    AwaitingHead,
    /// `asked` from [`Step::Receive`] until the report on it: a driver that reads without asking would miss the deadline.
    Receiving {
        classifier: Box<Classifier>,
        retry_after: Option<Duration>,
        pending: VecDeque<Bytes>,
        asked: bool,
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
    /// An exchange that has sent nothing yet.
    ///
    /// It fails with [`Field`](RequestError::Field) when a field of the operation breaks the interface's rules, and with
    /// [`Path`](RequestError::Path) when an operation of one's own has a path that cannot be signed.
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
            skew: None,
            correction: 0,
            corrected: false,
            handed_over: 0,
            last_failure: None,
        })
    }

    /// Says whether what takes the file can start over. Default: [`SinkKind::Once`].
    #[must_use]
    pub fn sink(mut self, kind: SinkKind) -> Self {
        self.sink = kind;
        self
    }

    /// Gives a source of random numbers for the waits. Default: none; the waits are the longest of their range.
    #[must_use]
    pub fn jitter(mut self, source: impl FnMut() -> u64 + Send + 'static) -> Self {
        self.jitter = Box::new(source);
        self
    }

    /// Signs with a clock that is corrected from the start by what an earlier call's [`correction`](Self::correction) was, in
    /// milliseconds. Default: 0.
    #[must_use]
    pub fn assume_correction(mut self, millis: i64) -> Self {
        self.correction = millis;
        self
    }

    /// How far the clock is off, as the latest answer showed it.
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.skew
    }

    /// Milliseconds that signatures are ahead of the caller's clock: not 0 once a correction was needed.
    pub fn correction(&self) -> i64 {
        self.correction
    }

    /// Whether this call needed a correction other than the one that it began with: then [`correction`](Self::correction) is worth keeping.
    pub fn has_corrected(&self) -> bool {
        self.corrected
    }

    /// Requests sent so far.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Bytes of the body that have come in the attempt that runs, and the length that the server declared for it.
    pub fn progress(&self) -> (u64, Option<u64>) {
        match &self.state {
            State::Receiving { classifier, .. } => (classifier.received(), classifier.declared()),
            _ => (0, None),
        }
    }

    /// What to do next.
    pub fn poll(&mut self, now: Now) -> Result<Step<O::Answer>, OutOfTurn> {
        let started = *self.started.get_or_insert(now.monotonic);
        let left = self.policy.deadline.saturating_sub(now.monotonic.saturating_sub(started));
        match &mut self.state {
            State::AwaitingHead | State::Finished => return Err(self.out_of_turn("poll")),
            State::Over(_) => {
                let State::Over(result) = std::mem::replace(&mut self.state, State::Finished)
                else {
                    unreachable!("just seen")
                };
                return Ok(Step::Done(result));
            }
            State::Receiving { pending, asked, .. } => {
                if let Some(bytes) = pending.pop_front() {
                    self.handed_over += bytes.len() as u64;
                    return Ok(Step::Write(bytes));
                }
                if !left.is_zero() {
                    *asked = true;
                    return Ok(Step::Receive { within: self.policy.stall.min(left) });
                }
            }
            State::Rewinding { until } => {
                self.state = State::Waiting { until: *until };
                self.handed_over = 0;
                return Ok(Step::Rewind);
            }
            State::Waiting { until } if now.monotonic < *until => {
                return Ok(Step::Wait(until.saturating_sub(now.monotonic)));
            }
            State::Ready | State::Waiting { .. } => {
                if !left.is_zero() {
                    return Ok(self.send(now, left));
                }
            }
        }
        // A refusal that is still coming in says more than what went wrong before it.
        let refused = match &self.state {
            State::Receiving { classifier, .. } => classifier.refusal(),
            _ => None,
        };
        let cause = refused.map(|refusal| ErrorKind::Refused { refusal, skew: self.skew });
        let cause = cause.or_else(|| self.last_failure.take());
        self.out_of_time(cause);
        self.poll(now)
    }

    fn send(&mut self, now: Now, left: Duration) -> Step<O::Answer> {
        match self.request.sign(&self.signer, now.wall.plus_millis(self.correction)) {
            Ok(request) => {
                self.attempts += 1;
                self.sent = Some(now);
                self.state = State::AwaitingHead;
                Step::Send { request, within: self.policy.stall.min(left), left }
            }
            Err(error) => {
                self.state = State::Finished;
                Step::Done(Err(self.error(ErrorKind::Request(error))))
            }
        }
    }

    /// The answer's status and headers are there.
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
            self.skew = ClockSkew::measure(sent.wall, now.wall, trip, headers).or(self.skew);
        }
        let classifier = Classifier::new(status, headers, self.operation.expected());
        let classifier = classifier
            .envelope_limit(self.policy.envelope_limit)
            .file_limit(self.policy.file_limit);
        self.state = State::Receiving {
            classifier: Box::new(classifier),
            retry_after: retry::retry_after(headers, now.wall),
            pending: VecDeque::new(),
            asked: false,
        };
        Ok(())
    }

    /// A piece of the body is there.
    pub fn on_body(&mut self, now: Now, chunk: Bytes) -> Result<(), OutOfTurn> {
        let State::Receiving { classifier, pending, asked: asked @ true, .. } = &mut self.state
        else {
            return Err(self.out_of_turn("on_body"));
        };
        *asked = false;
        match classifier.push(chunk) {
            Ok(bytes) => pending.extend(bytes.into_iter().filter(|bytes| !bytes.is_empty())),
            Err(error) => self.failed(now, ErrorKind::Answer(error), None),
        }
        Ok(())
    }

    /// The body ended cleanly.
    pub fn on_end(&mut self, now: Now) -> Result<(), OutOfTurn> {
        if !matches!(&self.state, State::Receiving { asked: true, .. }) {
            return Err(self.out_of_turn("on_end"));
        }
        let State::Receiving { classifier, retry_after, .. } =
            std::mem::replace(&mut self.state, State::Finished)
        else {
            unreachable!("just seen")
        };
        let received = match classifier.finish() {
            Ok(Classified::Envelope(envelope)) if self.operation.is_success(envelope.code()) => {
                Ok(Received::Envelope(envelope))
            }
            Ok(Classified::Envelope(envelope)) => {
                let advice = self.operation.advice(envelope.code());
                Err(ErrorKind::result_code_of(&envelope, advice))
            }
            Ok(Classified::Json(json)) => Ok(Received::Json(json)),
            Ok(Classified::File(receipt)) => Ok(Received::File(receipt)),
            Ok(Classified::Refusal(refusal)) => {
                Err(ErrorKind::Refused { refusal, skew: self.skew })
            }
            Err(error) => Err(ErrorKind::Answer(error)),
        };
        match received
            .and_then(|received| self.operation.answer(received).map_err(ErrorKind::Answer))
        {
            Ok(answer) => self.state = State::Over(Ok(answer)),
            Err(kind) => self.failed(now, kind, retry_after),
        }
        Ok(())
    }

    /// The connection failed, before or in the middle of the answer, or was silent for longer than the step allowed.
    pub fn on_failure(&mut self, now: Now, failure: TransportFailure) -> Result<(), OutOfTurn> {
        let retry_after = match &self.state {
            State::AwaitingHead => None,
            State::Receiving { retry_after, asked: true, .. } => *retry_after,
            _ => return Err(self.out_of_turn("on_failure")),
        };
        let refused = match &self.state {
            State::Receiving { classifier, .. } => classifier.refusal(),
            _ => None,
        };
        // A refusal whose body broke off is still a refusal: a 401 must not be taken for a bad connection and sent again.
        let kind = match refused {
            Some(refusal) => ErrorKind::Refused { refusal, skew: self.skew },
            None => ErrorKind::Transport(failure),
        };
        self.failed(now, kind, retry_after);
        Ok(())
    }

    /// Decides between another attempt and the end.
    fn failed(&mut self, now: Now, kind: ErrorKind, retry_after: Option<Duration>) {
        if self.attempts >= self.policy.attempts {
            return self.give_up(kind);
        }
        if self.correct_clock(&kind) {
            self.last_failure = Some(kind);
            self.state = State::Ready;
            return;
        }
        let again = retry::again(&kind, self.operation.repeat(), retry_after);
        if again == Again::No {
            return self.give_up(kind);
        }
        if self.handed_over > 0 && self.sink == SinkKind::Once {
            return self.give_up(kind);
        }
        let wait = retry::wait(again, self.attempts + 1, &self.policy, (self.jitter)());
        let until = now.monotonic.saturating_add(wait);
        let end = self.started.unwrap_or_default().saturating_add(self.policy.deadline);
        if wait > self.policy.backoff_limit {
            return self.give_up(kind);
        }
        if until >= end {
            return self.out_of_time(Some(kind));
        }
        self.last_failure = Some(kind);
        self.state = if self.handed_over > 0 {
            State::Rewinding { until }
        } else {
            State::Waiting { until }
        };
    }

    /// After a 401: whether the clock is wrong enough to explain it, and was not corrected yet.
    fn correct_clock(&mut self, kind: &ErrorKind) -> bool {
        let ErrorKind::Refused { refusal, skew: Some(skew) } = kind else { return false };
        let Some(threshold) = self.policy.correct_skew_beyond else { return false };
        if self.corrected || refusal.status != StatusCode::UNAUTHORIZED {
            return false;
        }
        // What counts is how far the signature was off, which an assumed correction may have mended or caused.
        let off = ClockSkew { millis: skew.millis.saturating_sub(self.correction), ..*skew };
        if !off.exceeds(threshold) {
            return false;
        }
        self.corrected = true;
        self.correction = skew.millis;
        true
    }

    fn give_up(&mut self, kind: ErrorKind) {
        let kind = self.interrupted(kind);
        self.state = State::Over(Err(self.error(kind)));
    }

    fn out_of_time(&mut self, cause: Option<ErrorKind>) {
        self.give_up(ErrorKind::Deadline {
            limit: self.policy.deadline,
            cause: cause.map(Box::new),
        });
    }

    /// Says how much a sink has that will not get the rest.
    fn interrupted(&self, kind: ErrorKind) -> ErrorKind {
        if self.handed_over > 0 && self.sink == SinkKind::Once {
            ErrorKind::Interrupted { handed_over: self.handed_over, cause: Box::new(kind) }
        } else {
            kind
        }
    }

    fn error(&self, kind: ErrorKind) -> ExchangeError {
        ExchangeError { interface: self.operation.interface(), attempts: self.attempts, kind }
    }

    fn out_of_turn(&self, did: &'static str) -> OutOfTurn {
        OutOfTurn { did, state: self.state.name() }
    }
}

impl<A> State<A> {
    fn name(&self) -> &'static str {
        match self {
            Self::Ready => "is ready to send",
            Self::AwaitingHead => "waits for the answer's head",
            Self::Receiving { pending, .. } if !pending.is_empty() => "has bytes to write",
            Self::Receiving { asked: false, .. } => "waits to be polled",
            Self::Receiving { .. } => "receives the body",
            Self::Rewinding { .. } => "starts the file over",
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
