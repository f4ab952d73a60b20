//! One call under way, and what `tracing` is told of it.

use std::fmt;
use std::future::Future;

use ccfs_proto::exchange::{OutOfTurn, RequestError};
use ccfs_proto::{Exchange, Operation, SinkKind, Step};
use http::{HeaderMap, StatusCode};

use crate::clock::Clock;
use crate::error::Error;
use crate::session::Session;

/// One call of a session: what a driver's loop asks while it goes on. See `docs/embedding.md`, "What a driver does".
///
/// With the feature `tracing` it has a span, `call`, with the interface's name, and in the end the attempts, the bytes of the last answer and the kind
/// of the outcome; and events for every attempt, answer, wait and correction of the clock. No body, no URL, no header and no word of the server's stands in
/// any of them. Without the feature there is nothing of that.
#[must_use = "a call does nothing by itself: a driver's loop asks it"]
pub struct Call<'a> {
    session: &'a Session,
    correction: i64,
    ended: bool,
    span: CallSpan,
}

impl<'a> Call<'a> {
    pub(crate) fn begin<O: Operation>(
        session: &'a Session,
        operation: O,
        sink: SinkKind,
    ) -> Result<(Self, Exchange<O>), RequestError> {
        let span = CallSpan::new(&operation.interface());
        let exchange = session.begin(operation, sink)?;
        Ok((Self { session, correction: exchange.correction(), ended: false, span }, exchange))
    }

    /// The session's clock.
    pub fn clock(&self) -> &'a dyn Clock {
        self.session.clock()
    }

    /// What to do next: [`Exchange::poll`], at the clock's time.
    pub fn poll<O: Operation>(
        &mut self,
        exchange: &mut Exchange<O>,
    ) -> Result<Step<O::Answer>, OutOfTurn> {
        let step = exchange.poll(self.clock().now())?;
        match &step {
            Step::Send { .. } => {
                let correction = exchange.correction();
                if correction != self.correction {
                    self.correction = correction;
                    self.span.corrected(correction);
                }
                self.span.attempt(exchange.attempts());
            }
            Step::Wait(duration) => self.span.waits(*duration),
            Step::Rewind => self.span.begins_anew(),
            _ => {}
        }
        Ok(step)
    }

    /// The head of an answer is there. Drivers say so beside [`Exchange::on_head`].
    pub fn on_head(&self, status: StatusCode, headers: &HeaderMap) {
        self.span.answer(status.as_u16());
        self.session.on_head(status, headers);
    }

    /// The span, to do things in.
    pub fn span(&self) -> CallSpan {
        self.span.clone()
    }

    /// The call is over: what it learned is remembered, as [`Session::end`] does.
    pub fn end<O: Operation>(mut self, exchange: &Exchange<O>, result: &Result<O::Answer, Error>) {
        self.ended = true;
        self.session.end(exchange, result.is_ok());
        self.span.ended(
            exchange.attempts(),
            exchange.progress().0,
            result.as_ref().map_or_else(Error::code, |_| "done"),
        );
    }
}

impl Drop for Call<'_> {
    /// A future that is dropped ends its call without a result.
    fn drop(&mut self) {
        if !self.ended {
            self.span.given_up();
        }
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("session", &self.session).finish_non_exhaustive()
    }
}

/// The span of a [`Call`]; nothing without the feature `tracing`.
#[derive(Clone, Debug)]
pub struct CallSpan {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

#[cfg(feature = "tracing")]
impl CallSpan {
    fn new(interface: &str) -> Self {
        use tracing::field::Empty;
        Self {
            span: tracing::info_span!(
                "call",
                interface,
                attempts = Empty,
                bytes = Empty,
                outcome = Empty
            ),
        }
    }

    /// Does `work` within the span.
    pub fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        self.span.in_scope(work)
    }

    /// Lets a future run within the span.
    pub fn follow<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        tracing::Instrument::instrument(future, self.span.clone())
    }

    fn attempt(&self, attempt: u32) {
        tracing::debug!(parent: &self.span, attempt, "sends");
    }

    fn corrected(&self, millis: i64) {
        tracing::info!(parent: &self.span, millis, "signs with a corrected clock");
    }

    fn answer(&self, status: u16) {
        tracing::debug!(parent: &self.span, status, "an answer begins");
    }

    fn waits(&self, duration: std::time::Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(parent: &self.span, millis, "waits before another attempt");
    }

    fn begins_anew(&self) {
        tracing::debug!(parent: &self.span, "begins the file anew");
    }

    fn given_up(&self) {
        self.span.record("outcome", "given up");
        tracing::debug!(parent: &self.span, "given up");
    }

    fn ended(&self, attempts: u32, bytes: u64, outcome: &'static str) {
        self.span.record("attempts", attempts).record("bytes", bytes).record("outcome", outcome);
        tracing::debug!(parent: &self.span, attempts, bytes, outcome, "ends");
    }
}

#[cfg(not(feature = "tracing"))]
#[allow(clippy::unused_self)]
impl CallSpan {
    fn new(_: &str) -> Self {
        Self {}
    }

    /// Does `work` within the span.
    pub fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }

    /// Lets a future run within the span.
    pub fn follow<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future
    }

    fn attempt(&self, _: u32) {}
    fn corrected(&self, _: i64) {}
    fn answer(&self, _: u16) {}
    fn waits(&self, _: std::time::Duration) {}
    fn begins_anew(&self) {}
    fn given_up(&self) {}
    fn ended(&self, _: u32, _: u64, _: &'static str) {}
}
