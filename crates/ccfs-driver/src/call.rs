//! One running call, and its `tracing` span.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use ccfs_proto::exchange::{OutOfTurn, RequestError};
use ccfs_proto::{Exchange, Operation, SinkKind, Step};
use http::{HeaderMap, StatusCode};

use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::session::Session;

/// Records an event in the span of the call `$call`, if the feature `tracing` is enabled.
#[cfg(feature = "tracing")]
macro_rules! event {
    ($level:ident, $call:expr, $($event:tt)+) => {
        tracing::$level!(parent: &$call.span.0, $($event)+)
    };
}
#[cfg(not(feature = "tracing"))]
macro_rules! event {
    ($level:ident, $call:expr, $($field:ident = $value:expr,)* $text:literal) => {{
        $(let _ = $value;)*
    }};
}

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

impl Session {
    /// Starts a call, for a driver, with a span if the feature `tracing` is enabled. `sink` says
    /// whether the destination of a downloaded file can be rewound.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the operation breaks the interface's rules.
    pub fn call<O: Operation>(
        &self,
        operation: O,
        sink: SinkKind,
    ) -> Result<(Call<'_>, Exchange<O>), RequestError> {
        let span = CallSpan::new(&operation.interface());
        let Config { endpoint, credentials, policy, jitter, .. } = &self.config;
        let (jitter, correction) = (Arc::clone(jitter), self.correction());
        let exchange = Exchange::new(operation, endpoint, credentials, policy)?
            .sink(sink)
            .jitter(move || jitter())
            .assume_correction(correction);
        Ok((Call { session: self, correction, ended: false, span }, exchange))
    }
}

impl<'a> Call<'a> {
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
                    event!(info, self, millis = correction, "signing with a corrected clock");
                }
                event!(info, self, attempt = exchange.attempts(), "sending request");
            }
            Step::Wait(duration) => {
                let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
                event!(info, self, millis = millis, "waiting before the next attempt");
            }
            Step::Rewind => event!(debug, self, "restarting the download"),
            Step::Receive { .. } | Step::Write(_) | Step::Done(_) => {}
        }
        Ok(step)
    }

    /// Records the head of a response, and passes it to the function set with [`Config::on_head`].
    /// Drivers call it in addition to [`Exchange::on_head`].
    pub fn on_head(&self, status: StatusCode, headers: &HeaderMap) {
        event!(info, self, status = status.as_u16(), "received response head");
        if let Some(observe) = &self.session.config.on_head {
            observe(status, headers);
        }
    }

    /// Returns the call's span.
    pub fn span(&self) -> CallSpan {
        self.span.clone()
    }

    /// Ends the call. The session keeps the clock skew that it measured, and its clock correction if
    /// the server accepted the signature.
    pub fn end<O: Operation>(mut self, exchange: &Exchange<O>, result: &Result<O::Answer, Error>) {
        self.ended = true;
        self.session.end(exchange);
        let (attempts, bytes) = (exchange.attempts(), exchange.progress().0);
        let outcome = result.as_ref().map_or_else(Error::code, |_| "done");
        #[cfg(feature = "tracing")]
        self.span.0.record("attempts", attempts).record("bytes", bytes).record("outcome", outcome);
        event!(info, self, attempts = attempts, bytes = bytes, outcome = outcome, "call ended");
    }
}

impl Drop for Call<'_> {
    /// Records the call as cancelled if it has not ended: its future was dropped.
    fn drop(&mut self) {
        if !self.ended {
            #[cfg(feature = "tracing")]
            self.span.0.record("outcome", "cancelled");
            event!(debug, self, "call cancelled");
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
pub struct CallSpan(#[cfg(feature = "tracing")] tracing::Span);

#[cfg_attr(not(feature = "tracing"), allow(clippy::unused_self))]
impl CallSpan {
    #[cfg(feature = "tracing")]
    fn new(interface: &str) -> Self {
        use tracing::field::Empty;
        Self(tracing::info_span!(
            "call",
            interface,
            attempts = Empty,
            bytes = Empty,
            outcome = Empty
        ))
    }

    #[cfg(not(feature = "tracing"))]
    fn new(_: &str) -> Self {
        Self()
    }

    /// Runs `work` inside the span.
    pub fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        let work = || self.0.in_scope(work);
        work()
    }

    /// Wraps `future` so that it runs inside the span.
    pub fn instrument<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        #[cfg(feature = "tracing")]
        let future = tracing::Instrument::instrument(future, self.0.clone());
        future
    }
}
