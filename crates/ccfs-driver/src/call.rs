//! One running call, and its `tracing` span.

use std::fmt;
use std::future::Future;

use ccfs_proto::exchange::{OutOfTurn, RequestError};
use ccfs_proto::{Exchange, Operation, SinkKind, Step};
use http::{HeaderMap, StatusCode};

use crate::clock::Clock;
use crate::error::Error;
use crate::session::Session;

/// One running call of a [`Session`], polled by a driver's loop. See `docs/embedding.md`, "What a
/// driver does".
///
/// With the feature `tracing` a call has a span named `call`. Its fields are the interface's name
/// and, once the call has ended, the number of attempts, the bytes of the last response body and
/// the outcome ([`Error::code`], `done` or `cancelled`). Each attempt, response, wait and clock
/// correction is an event. Fields and events contain no body, URL, header or text from the server.
#[must_use = "a call does nothing unless a driver polls it"]
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

    /// Returns the session's clock.
    pub fn clock(&self) -> &'a dyn Clock {
        self.session.clock()
    }

    /// Returns the next step: [`Exchange::poll`] at the clock's current time.
    ///
    /// # Errors
    ///
    /// [`OutOfTurn`] if the previous step was not reported to the exchange, which is a bug in the
    /// driver.
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
            Step::Wait(duration) => self.span.waiting(*duration),
            Step::Rewind => self.span.rewound(),
            Step::Receive { .. } | Step::Write(_) | Step::Done(_) => {}
        }
        Ok(step)
    }

    /// Records the head of a response. Drivers call it in addition to [`Exchange::on_head`].
    pub fn on_head(&self, status: StatusCode, headers: &HeaderMap) {
        self.span.response(status.as_u16());
        self.session.on_head(status, headers);
    }

    /// Returns the call's span.
    pub fn span(&self) -> CallSpan {
        self.span.clone()
    }

    /// Ends the call, and updates the session as [`Session::end`] does.
    pub fn end<O: Operation>(mut self, exchange: &Exchange<O>, result: &Result<O::Answer, Error>) {
        self.ended = true;
        self.session.end(exchange);
        self.span.ended(
            exchange.attempts(),
            exchange.progress().0,
            result.as_ref().map_or_else(Error::code, |_| "done"),
        );
    }
}

impl Drop for Call<'_> {
    /// Records the call as cancelled if it has not ended: its future was dropped.
    fn drop(&mut self) {
        if !self.ended {
            self.span.cancelled();
        }
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("session", &self.session).finish_non_exhaustive()
    }
}

/// The span of a [`Call`]. Does nothing without the feature `tracing`.
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

    /// Runs `work` inside the span.
    pub fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        self.span.in_scope(work)
    }

    /// Wraps `future` so that it runs inside the span.
    pub fn instrument<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        tracing::Instrument::instrument(future, self.span.clone())
    }

    fn attempt(&self, attempt: u32) {
        tracing::info!(parent: &self.span, attempt, "sending request");
    }

    fn corrected(&self, millis: i64) {
        tracing::info!(parent: &self.span, millis, "signing with a corrected clock");
    }

    fn response(&self, status: u16) {
        tracing::info!(parent: &self.span, status, "received response head");
    }

    fn waiting(&self, duration: std::time::Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(parent: &self.span, millis, "waiting before the next attempt");
    }

    fn rewound(&self) {
        tracing::debug!(parent: &self.span, "restarting the download");
    }

    fn cancelled(&self) {
        self.span.record("outcome", "cancelled");
        tracing::debug!(parent: &self.span, "call cancelled");
    }

    fn ended(&self, attempts: u32, bytes: u64, outcome: &'static str) {
        self.span.record("attempts", attempts).record("bytes", bytes).record("outcome", outcome);
        tracing::info!(parent: &self.span, attempts, bytes, outcome, "call ended");
    }
}

#[cfg(not(feature = "tracing"))]
#[allow(clippy::unused_self)]
impl CallSpan {
    fn new(_: &str) -> Self {
        Self {}
    }

    /// Runs `work` inside the span.
    pub fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }

    /// Wraps `future` so that it runs inside the span.
    pub fn instrument<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future
    }

    fn attempt(&self, _: u32) {}
    fn corrected(&self, _: i64) {}
    fn response(&self, _: u16) {}
    fn waiting(&self, _: std::time::Duration) {}
    fn rewound(&self) {}
    fn cancelled(&self) {}
    fn ended(&self, _: u32, _: u64, _: &'static str) {}
}
