//! Events of a listener.

use std::net::SocketAddr;
use std::time::Duration;

use ccfs_proto::Timestamp;
use ccfs_proto::auth::VerifyError;
use ccfs_proto::callback::{Callback, ReceiveError};

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Address of the client, or of the proxy in front of the listener.
    pub peer: SocketAddr,
    /// When the request was answered, by the listener's clock.
    pub at: Timestamp,
    /// The callback, or why the request was refused.
    pub callback: Result<Callback, Refusal>,
    /// Whether to log the event, so that strangers cannot fill a log with refused requests. `None`
    /// means no: a refusal with the same reason was reported less than a second before, by the
    /// listener's clock. Otherwise it is the number of refusals with this reason that were not
    /// reported since the last one. `Some(0)` for a callback.
    pub suppressed: Option<u64>,
}

impl Event {
    /// Creates an event, for tests of code that handles events.
    #[must_use]
    pub fn new(peer: SocketAddr, at: Timestamp, callback: Result<Callback, Refusal>) -> Self {
        Self { peer, at, callback, suppressed: Some(0) }
    }
}

/// Why a request is not a new callback. Contains no text of the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request is not a valid callback.
    #[error(transparent)]
    Invalid(#[from] ReceiveError),
    /// The callback was received before. It was answered with 200, so that the server stops
    /// calling.
    #[error("callback was received before; the server repeated it")]
    Duplicate,
    /// The replay guard failed with this error message. The request was answered with 503.
    #[error("replay guard failed: {0}; the server calls again")]
    Guard(String),
    /// The path is not the listener's.
    #[error("request path is not that of the callback URL")]
    Path,
    /// The body is larger than the limit.
    #[error("request body is larger than {limit} bytes")]
    TooLarge {
        /// Limit in bytes.
        limit: usize,
    },
    /// The body did not arrive in time.
    #[error("request body did not arrive within {} ms", limit.as_millis())]
    TooSlow {
        /// Time limit.
        limit: Duration,
    },
    /// The connection ended within the body, or the body is not valid HTTP.
    #[error("request body is incomplete or malformed")]
    Broken,
}

impl Refusal {
    /// Returns the reason for a [`RateLimit`](crate::rate_limit::RateLimit), without any data of the
    /// request.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(ReceiveError::Method) => "method",
            Self::Invalid(ReceiveError::Unsigned) => "unsigned",
            Self::Invalid(ReceiveError::Signature(error)) => match error {
                VerifyError::AccessKey => "access_key",
                VerifyError::HeaderMissing { .. } => "signed_header_missing",
                VerifyError::Mismatch => "signature_mismatch",
                VerifyError::NotFresh { .. } => "not_fresh",
                _ => "signature_malformed",
            },
            Self::Invalid(ReceiveError::Body(_)) => "body",
            Self::Invalid(_) => "invalid",
            Self::Duplicate => "duplicate",
            Self::Guard(_) => "guard",
            Self::Path => "path",
            Self::TooLarge { .. } => "too_large",
            Self::TooSlow { .. } => "too_slow",
            Self::Broken => "broken",
        }
    }
}
