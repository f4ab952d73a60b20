//! Handling a request after it was read.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccfs_driver::Clock;
use ccfs_proto::Timestamp;
use ccfs_proto::callback::{Begin, Callback, JobKey, Outcome, Receiver, ReplayGuard, with_request};
use hyper::StatusCode;
use hyper::http::request::Parts;

use crate::connection::{ConnectionError, ConnectionFault};
use crate::event::{Event, Refusal};
use crate::queue::Queue;
use crate::rate_limit::RateLimit;

/// What all connections share.
pub(crate) struct Handler {
    pub(crate) receiver: Receiver,
    pub(crate) guard: Mutex<Box<dyn ReplayGuard<Error = String> + Send>>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) path: Option<String>,
    pub(crate) body_limit: usize,
    pub(crate) head_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) on_connection_error: Option<Box<dyn Fn(ConnectionError) + Send + Sync>>,
    pub(crate) connection_reports: RateLimit<ConnectionFault>,
    pub(crate) refusal_reports: RateLimit<&'static str>,
}

/// The answer to a request, and the content of its event. Without an event when the server is to
/// call again.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: &'static str,
    pub(crate) event: Option<Result<Callback, Refusal>>,
}

impl Handler {
    /// Reports a connection that ended without a request, unless too many were reported before.
    pub(crate) fn report(&self, peer: SocketAddr, fault: Option<ConnectionFault>) {
        let (Some(report), Some(fault)) = (&self.on_connection_error, fault) else { return };
        let now = self.clock.now();
        if let Some(suppressed) = self.connection_reports.admit(fault, now.monotonic) {
            report(ConnectionError { peer, at: now.wall, fault, suppressed });
        }
    }

    /// Creates an event that happens now.
    pub(crate) fn event(&self, peer: SocketAddr, callback: Result<Callback, Refusal>) -> Event {
        let now = self.clock.now();
        let mut event = Event::new(peer, now.wall, callback);
        if let Err(refusal) = &event.callback {
            event.suppressed = self.refusal_reports.admit(refusal.reason(), now.monotonic);
        }
        event
    }

    /// Checks a request. If it is a new callback, a place in the queue is reserved for it.
    pub(crate) fn handle(&self, head: &Parts, body: &[u8]) -> Reply {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut place = None;
        let outcome = with_request(head, body, |request| {
            self.receiver.receive(request, &mut **guard, self.clock.now().wall, |_| {
                place = self.queue.reserve();
                place.is_some()
            })
        });
        if let (Some(place), Outcome::Accepted(_)) = (place, &outcome) {
            place.forget();
        }
        let answer = outcome.answer();
        let event = match outcome {
            Outcome::Accepted(callback) => Some(Ok(callback)),
            Outcome::Repeated => Some(Err(Refusal::Duplicate)),
            Outcome::Busy => None,
            Outcome::Refused(error) => Some(Err(Refusal::Invalid(error))),
            Outcome::GuardFailed(error) => Some(Err(Refusal::Guard(error))),
        };
        Reply { status: answer.status, body: answer.body, event }
    }
}

/// A guard of any error type, as one whose error is the message.
pub(crate) struct MessageGuard<G>(pub(crate) G);

impl<G: ReplayGuard<Error: fmt::Display>> ReplayGuard for MessageGuard<G> {
    type Error = String;

    fn begin(&mut self, key: &JobKey, now: Timestamp) -> Result<Begin, String> {
        self.0.begin(key, now).map_err(|error| error.to_string())
    }

    fn commit(&mut self, key: &JobKey, now: Timestamp) -> Result<bool, String> {
        self.0.commit(key, now).map_err(|error| error.to_string())
    }

    fn roll_back(&mut self, key: &JobKey) -> Result<(), String> {
        self.0.roll_back(key).map_err(|error| error.to_string())
    }
}
