//! Classifies errors of ureq.

use std::io;

use ccfs_proto::FailureKind;
use ccfs_proto::exchange::{TlsFailure, TransportFailure};
use ureq::{Error, Timeout};

/// An I/O error before the request was sent: of the resolver, or of a connection that was not
/// established yet.
#[derive(Debug, thiserror::Error)]
#[error("the request was not sent")]
pub(crate) struct NotSent {
    pub(crate) kind: FailureKind,
    #[source]
    pub(crate) cause: io::Error,
}

/// Classifies an error that occurred before the head of the response.
pub(crate) fn send_failure(error: Error) -> TransportFailure {
    let error = match error {
        Error::Other(other) => match other.downcast::<NotSent>() {
            Ok(not_sent) => return TransportFailure::caused_by(not_sent.kind, not_sent.cause),
            Err(other) => Error::Other(other),
        },
        error => error,
    };
    let kind = match &error {
        Error::HostNotFound | Error::Timeout(Timeout::Resolve) => FailureKind::Resolve,
        Error::Timeout(Timeout::Connect) => {
            return TransportFailure::caused_by(FailureKind::Connect, timed_out(error));
        }
        Error::ConnectionFailed => FailureKind::Connect,
        Error::ConnectProxyFailed(reason) => proxy_failure(reason),
        Error::Rustls(error) => FailureKind::Tls(ccfs_tls::classify_error(error)),
        Error::Tls(_) | Error::Pem(_) | Error::TlsRequired => FailureKind::Tls(TlsFailure::Other),
        Error::Timeout(_) => FailureKind::IdleTimeout,
        Error::LargeResponseHeader(..) => FailureKind::HeadTooLarge,
        Error::Protocol(error) if error.to_string().contains("too many headers") => {
            FailureKind::HeadTooLarge
        }
        Error::Protocol(_) | Error::Http(_) => FailureKind::InvalidHttp,
        Error::Io(error) => io_failure(error),
        // The request may have arrived.
        _ => FailureKind::Broken,
    };
    match error {
        Error::Io(error) => TransportFailure::caused_by(kind, error),
        Error::Rustls(error) => TransportFailure::caused_by(kind, error),
        // The other variants contain no error, and some contain a URL.
        _ => kind.into(),
    }
}

/// Classifies ureq's text about a proxy: `proxy server responded 407/407`.
fn proxy_failure(reason: &str) -> FailureKind {
    let status = reason.rsplit(['/', ' ']).next().and_then(|digits| digits.parse().ok());
    status.map_or(FailureKind::Connect, FailureKind::of_proxy)
}

fn timed_out(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, error)
}

fn io_failure(error: &io::Error) -> FailureKind {
    // Errors of the handshake are wrapped in I/O errors.
    if let Some(tls) = ccfs_tls::classify_io_error(error) {
        return FailureKind::Tls(tls);
    }
    match error.kind() {
        // These occur only while connecting. An unreachable host or network can also end an
        // established connection.
        io::ErrorKind::ConnectionRefused | io::ErrorKind::AddrNotAvailable => FailureKind::Connect,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => FailureKind::IdleTimeout,
        _ => FailureKind::Broken,
    }
}

/// Classifies an error while the body is read.
pub(crate) fn read_failure(error: io::Error) -> TransportFailure {
    let ureq = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let kind = match (ureq, error.kind()) {
        (Some(Error::Timeout(_)), _)
        | (None, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => FailureKind::IdleTimeout,
        _ => FailureKind::BodyBroken,
    };
    TransportFailure::caused_by(kind, error)
}
