use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Request;

use super::error::ExchangeError;
use crate::exchange::Endpoint;
use crate::time::Timestamp;

/// The current time, as a driver passes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The wall clock, for signatures. It may be wrong, and it may jump.
    pub wall: Timestamp,
    /// Time since any fixed point on a clock that never goes back, for timeouts.
    pub monotonic: Duration,
}

/// The next thing that a driver must do for an [`Exchange`](crate::Exchange).
///
/// The enum is exhaustive: a driver that misses a step does not compile.
#[expect(clippy::exhaustive_enums, reason = "a driver must handle every step")]
pub enum Step<A> {
    /// Connect to `target` and send `request` unchanged, with a client that follows no redirects
    /// and decompresses nothing. Then call [`on_head`](crate::Exchange::on_head), or
    /// [`on_failure`](crate::Exchange::on_failure).
    Send {
        /// The request, freshly signed. Its URI is absolute.
        request: Request<Bytes>,
        /// The address to connect to, unless a proxy is used. An `http` proxy needs the absolute
        /// URI in the request line.
        target: Target,
        /// How long to wait for the response's head before reporting
        /// [`IdleTimeout`](super::FailureKind::IdleTimeout).
        idle_timeout: Duration,
        /// What is left of the total timeout, for clients that have one deadline for the whole
        /// response. `idle_timeout` is never longer.
        remaining: Duration,
    },
    /// Read a piece of the body, of any size. Then call [`on_body`](crate::Exchange::on_body),
    /// [`on_end`](crate::Exchange::on_end) at its end, or
    /// [`on_failure`](crate::Exchange::on_failure).
    Receive {
        /// How long to wait for the piece before reporting
        /// [`IdleTimeout`](super::FailureKind::IdleTimeout).
        idle_timeout: Duration,
    },
    /// Append these bytes to the file. Then poll again.
    Write(Bytes),
    /// Discard what was written so far, because another attempt follows. Only requested of
    /// [`SinkKind::Rewinds`]. Then poll again.
    Rewind,
    /// Wait this long. Then poll again.
    Wait(Duration),
    /// The call is over. [`poll`](crate::Exchange::poll) returns this step once.
    Done(Result<A, ExchangeError>),
}

impl<A: fmt::Debug> fmt::Debug for Step<A> {
    /// Without the query, which may hold a token, and without any body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { request, target, .. } => f
                .debug_struct("Send")
                .field("method", request.method())
                .field("path", &request.uri().path())
                .field("target", target)
                .finish_non_exhaustive(),
            Self::Receive { idle_timeout } => f.debug_tuple("Receive").field(idle_timeout).finish(),
            Self::Write(bytes) => write!(f, "Write({} bytes)", bytes.len()),
            Self::Rewind => f.write_str("Rewind"),
            Self::Wait(duration) => f.debug_tuple("Wait").field(duration).finish(),
            Self::Done(result) => f.debug_tuple("Done").field(result).finish(),
        }
    }
}

/// The address of a server, in the form that sockets and TLS libraries accept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Target {
    /// A host name, or an IP address without brackets.
    pub host: Box<str>,
    /// The port, 1 to 65535.
    pub port: u16,
    /// Whether the connection uses TLS.
    pub tls: bool,
}

impl Target {
    /// Returns the address of an endpoint.
    #[must_use]
    pub fn new(endpoint: &Endpoint) -> Self {
        Self {
            host: endpoint.host().trim_matches(['[', ']']).into(),
            port: endpoint.port(),
            tls: endpoint.is_https(),
        }
    }
}

impl fmt::Display for Target {
    /// `host:port`, with an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Whether the sink of a download can be rewound to the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SinkKind {
    /// It cannot: a pipe, a socket, any `Write`. A download that breaks after the first byte fails.
    #[default]
    Once,
    /// It can be emptied: a file, a buffer. A download that breaks is retried.
    Rewinds,
}
