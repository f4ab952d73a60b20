use std::time::Duration;

use bytes::Bytes;

use super::error::ExchangeError;
use super::step::Now;
use crate::answer::Classifier;

/// State of an exchange whose answer is an `A`.
pub(super) enum State<A> {
    Ready,
    AwaitingHead {
        sent: Now,
    },
    Receiving {
        classifier: Box<Classifier>,
        /// Bytes to write before the next piece is requested.
        pending: Option<Bytes>,
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

impl<A> State<A> {
    /// Returns what the exchange does, for messages.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Ready => "is ready to send",
            Self::AwaitingHead { .. } => "awaits the response's head",
            Self::Receiving { pending: Some(_), .. } => "has bytes to write",
            Self::Receiving { requested: false, .. } => "waits to be polled",
            Self::Receiving { .. } => "receives the body",
            Self::Rewinding { .. } => "rewinds the sink",
            Self::Waiting { .. } => "waits before the next attempt",
            Self::Over(_) | Self::Finished => "is over",
        }
    }
}
