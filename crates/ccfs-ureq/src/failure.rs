//! ureq's errors in the exchange's words.

use std::io;

use ccfs_proto::{TlsFailure, TransportFailure};
use ureq::{Error, Timeout};

/// What went wrong before the head of the answer was there.
pub(crate) fn send_failure(error: &Error) -> TransportFailure {
    match error {
        Error::HostNotFound | Error::Timeout(Timeout::Resolve) => TransportFailure::Resolve,
        Error::ConnectionFailed
        | Error::ConnectProxyFailed(_)
        | Error::Timeout(Timeout::Connect) => TransportFailure::Connect,
        Error::Rustls(error) => TransportFailure::Tls(ccfs_tls::failure(error)),
        Error::Tls(_) | Error::Pem(_) | Error::TlsRequired => {
            TransportFailure::Tls(TlsFailure::Other)
        }
        Error::Timeout(_) => TransportFailure::Stall,
        Error::Protocol(_) | Error::Http(_) | Error::LargeResponseHeader(..) => {
            TransportFailure::Protocol
        }
        Error::Io(error) => io_failure(error),
        // In doubt it may have arrived, and then what starts a job is not repeated.
        _ => TransportFailure::Broken,
    }
}

fn io_failure(error: &io::Error) -> TransportFailure {
    // The handshake happens inside I/O, so a refused certificate comes wrapped.
    if let Some(tls) = ccfs_tls::io_failure(error) {
        return TransportFailure::Tls(tls);
    }
    match error.kind() {
        // Only connecting fails so. An unreachable host or network can also be the end of a connection that was there.
        io::ErrorKind::ConnectionRefused | io::ErrorKind::AddrNotAvailable => {
            TransportFailure::Connect
        }
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => TransportFailure::Stall,
        _ => TransportFailure::Broken,
    }
}

/// What went wrong in the middle of the body.
pub(crate) fn read_failure(error: &io::Error) -> TransportFailure {
    let ureq = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match (ureq, error.kind()) {
        (Some(Error::Timeout(_)), _)
        | (None, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => TransportFailure::Stall,
        _ => TransportFailure::BodyBroken,
    }
}
