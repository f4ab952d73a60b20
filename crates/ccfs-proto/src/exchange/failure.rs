use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::step::Target;
use super::tls::TlsFailure;

/// How a connection failed.
///
/// A driver translates its client's errors into one of these. When it is not certain that the
/// request never arrived, it reports [`Broken`](Self::Broken): the exchange then retries only what
/// is idempotent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The host name could not be resolved. Nothing was sent. Retried.
    Resolve,
    /// No connection was established, or not within the timeout. Nothing was sent. Retried.
    Connect,
    /// The proxy refused to connect to the server, with this HTTP status: 407 if it requires a
    /// login, 403 if it does not allow the host or port. Nothing was sent to the server. Not
    /// retried. A proxy that could not reach the server (5xx) is [`Connect`](Self::Connect).
    ProxyRefused {
        /// Status of the proxy's answer to `CONNECT`.
        status: u16,
    },
    /// The TLS handshake failed. Nothing was sent. Not retried: another attempt would fail, too.
    Tls(TlsFailure),
    /// The connection broke before the response began. The request may have arrived: retried only
    /// for idempotent operations.
    Broken,
    /// No data arrived within the step's `idle_timeout`. The request may have arrived: retried only
    /// for idempotent operations.
    IdleTimeout,
    /// The connection broke in the middle of the response. Retried only for idempotent operations.
    BodyBroken,
    /// The response is not valid HTTP, or the client refused it. Not retried.
    InvalidHttp,
    /// The response has more than [`HEADERS_LIMIT`] header fields, or its head is larger than
    /// [`HEAD_LIMIT`] bytes. Not retried.
    HeadTooLarge,
}

/// Largest number of header fields of a response: 100.
pub const HEADERS_LIMIT: usize = 100;
/// Largest head of a response in bytes, names and values of its header fields included: 64 KiB.
pub const HEAD_LIMIT: usize = 64 * 1024;

impl FailureKind {
    /// Returns whether the request certainly never reached the server.
    pub const fn never_arrived(self) -> bool {
        matches!(self, Self::Resolve | Self::Connect | Self::ProxyRefused { .. } | Self::Tls(_))
    }

    /// Classifies the status of a proxy's answer to `CONNECT`, other than 200, as
    /// [`ProxyRefused`](Self::ProxyRefused) or, if a later attempt may succeed, as
    /// [`Connect`](Self::Connect).
    pub const fn of_proxy(status: u16) -> Self {
        if matches!(status, 400..=499) && !matches!(status, 408 | 429) {
            Self::ProxyRefused { status }
        } else {
            Self::Connect
        }
    }

    /// Returns whether another attempt would fail in the same way.
    pub const fn is_permanent(self) -> bool {
        matches!(
            self,
            Self::ProxyRefused { .. } | Self::Tls(_) | Self::InvalidHttp | Self::HeadTooLarge
        )
    }

    /// Returns whether the head of a response exceeds a limit.
    pub(super) fn is_head_too_large(headers: &HeaderMap) -> bool {
        // `: ` and CR LF.
        let len =
            |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
        headers.len() > HEADERS_LIMIT || headers.iter().map(len).sum::<usize>() > HEAD_LIMIT
    }
}

/// A failed connection: its kind, and the error of the HTTP client that caused it, if the driver
/// has one.
///
/// ```
/// use std::error::Error;
/// use std::io;
/// use ccfs_proto::exchange::{FailureKind, TransportFailure};
///
/// let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
/// let failure = TransportFailure::caused_by(FailureKind::Connect, refused);
/// assert_eq!(
///     failure.to_string(),
///     "could not connect to the server: connection refused; check host, port, firewall and proxy"
/// );
/// assert!(failure.source().is_some_and(|source| source.is::<io::Error>()));
/// ```
///
/// Two failures are equal if their kinds are equal; sources cannot be compared.
#[derive(Clone, Debug)]
pub struct TransportFailure(Box<Inner>);

/// Boxed, so that errors stay small.
#[derive(Clone, Debug)]
struct Inner {
    kind: FailureKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
    /// The exchange knows it and adds it.
    server: Option<Box<str>>,
}

impl TransportFailure {
    /// Creates a failure with the error that caused it, for `source()` and for the message.
    ///
    /// The source must not hold a secret or a URL with a query, because programs print the chain of
    /// sources.
    #[must_use]
    pub fn caused_by(kind: FailureKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Box::new(Inner { kind, source: Some(source.into().into()), server: None }))
    }

    /// Returns how the connection failed.
    pub fn kind(&self) -> FailureKind {
        self.0.kind
    }

    /// Corrects the kind of a failure after the response began: the request did arrive, and the
    /// connection broke while the body was received.
    pub(super) fn after_head(mut self) -> Self {
        if self.0.kind.never_arrived() || self.0.kind == FailureKind::Broken {
            self.0.kind = FailureKind::BodyBroken;
        }
        self
    }

    pub(super) fn at(mut self, target: &Target) -> Self {
        self.0.server = Some(target.to_string().into());
        self
    }

    /// Returns the innermost I/O error in the chain of sources, for its kind and the system's code.
    pub fn io_error(&self) -> Option<&io::Error> {
        let chain = std::iter::successors(self.source(), |&error| {
            // The `source` of an I/O error is the source of the error in it.
            match error.downcast_ref::<io::Error>() {
                Some(error) => error.get_ref().map(|inner| inner as _),
                None => error.source(),
            }
        });
        chain.filter_map(|error| error.downcast_ref()).last()
    }
}

impl From<FailureKind> for TransportFailure {
    fn from(kind: FailureKind) -> Self {
        Self(Box::new(Inner { kind, source: None, server: None }))
    }
}

impl PartialEq for TransportFailure {
    fn eq(&self, other: &Self) -> bool {
        self.0.kind == other.0.kind
    }
}

impl Eq for TransportFailure {}

impl Error for TransportFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for TransportFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.0.server.as_deref().unwrap_or("the server");
        // The standard library has words for each kind, but not for errors that it cannot classify.
        let reason = self.io_error().map(|error| format!(": {}", error.kind()));
        let unclassified = [": other error", ": uncategorized error"];
        let reason = reason.filter(|reason| !unclassified.contains(&reason.as_str()));
        let reason = reason.unwrap_or_default();
        match self.0.kind {
            FailureKind::Resolve => {
                // The resolver's own words: the standard library has no kind for its errors.
                let why = self.io_error().map(|error| format!(": {error}")).unwrap_or_default();
                write!(
                    f,
                    "could not resolve the host name of {server}{why}; check the endpoint's host, and DNS"
                )
            }
            FailureKind::Connect => write!(
                f,
                "could not connect to {server}{reason}; check host, port, firewall and proxy"
            ),
            FailureKind::ProxyRefused { status } => {
                write!(f, "the proxy refused the connection to {server} with HTTP {status}")?;
                f.write_str(advice_on_proxy(status))
            }
            FailureKind::Tls(failure) => write!(f, "TLS handshake with {server} failed: {failure}"),
            FailureKind::Broken => {
                write!(f, "connection to {server} broke before the response began{reason}")
            }
            FailureKind::IdleTimeout => write!(
                f,
                "no data from {server} within the idle timeout; try again, or raise the idle timeout"
            ),
            FailureKind::BodyBroken => {
                write!(f, "connection to {server} broke in the middle of the response{reason}")
            }
            FailureKind::InvalidHttp => write!(
                f,
                "response of {server} is not valid HTTP; check the endpoint's scheme and port"
            ),
            FailureKind::HeadTooLarge => write!(
                f,
                "response of {server} has too many or too large header fields, limits \
                 {HEADERS_LIMIT} and {HEAD_LIMIT} bytes; ask its operators, or those of a gateway \
                 in front of it"
            ),
        }
    }
}

/// What to do about a proxy's answer with this status.
pub(crate) fn advice_on_proxy(status: u16) -> &'static str {
    match status {
        407 => {
            "; it requires a login, set it in the URL of the proxy: http://user:password@host:port"
        }
        403 => {
            "; it does not allow this host and port, ask its operators or exclude the host with \
             NO_PROXY"
        }
        500..=599 => "; it could not reach the server, check the endpoint's host and port",
        _ => "; check the proxy settings, or exclude the host with NO_PROXY",
    }
}
