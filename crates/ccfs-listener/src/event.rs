//! What a listener hands out.

use std::net::SocketAddr;
use std::time::Duration;

use ccfs_proto::{Callback, ReceiveError, Timestamp};

/// One request that came, after it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Who sent it; behind a proxy, the proxy.
    pub peer: SocketAddr,
    /// When, by the listener's clock.
    pub at: Timestamp,
    /// The callback, or why it is none.
    pub callback: Result<Callback, Refusal>,
}

impl Event {
    /// An event: for tests of what is done about events.
    #[must_use]
    pub fn new(peer: SocketAddr, at: Timestamp, callback: Result<Callback, Refusal>) -> Self {
        Self { peer, at, callback }
    }
}

/// Why a request was not taken for a callback. It says nothing of the request's own words: those are a stranger's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is not signed, its signature is not accepted, or its body is no callback.
    #[error(transparent)]
    Received(#[from] ReceiveError),
    /// The server told of this file before, in a call with another signature. It was answered like the first, so that the server stops calling.
    #[error("the signature is right, but the callback was taken before: the server called again")]
    Duplicate,
    /// It went to another path than the listener's.
    #[error("the request went to another path than the callback URL's")]
    Path,
    /// Its body is larger than the bound.
    #[error("the request's body is larger than the bound of {limit} bytes")]
    TooLarge {
        /// The bound in bytes.
        limit: usize,
    },
    /// Its body took too long.
    #[error("the request's body did not come within {} ms", limit.as_millis())]
    TooSlow {
        /// The bound.
        limit: Duration,
    },
    /// Its body broke off, or was not framed as HTTP wants it.
    #[error("the request's body broke off")]
    Broken,
}
