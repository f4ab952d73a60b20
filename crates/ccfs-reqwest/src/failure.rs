//! Classifies errors of reqwest.

use std::error::Error as StdError;
use std::io;

use ccfs_proto::FailureKind;
use ccfs_proto::exchange::TransportFailure;
use reqwest::Error;

/// Classifies an error that occurred before the head of the response.
pub(crate) fn send_failure(error: Error) -> TransportFailure {
    let kind = if error.is_dns() {
        FailureKind::Resolve
    } else if let Some(tls) = chain(&error).find_map(|cause| cause.downcast_ref::<rustls::Error>())
    {
        FailureKind::Tls(ccfs_tls::classify_error(tls))
    } else if error.is_connect() {
        FailureKind::Connect
    } else if error.is_timeout() {
        FailureKind::IdleTimeout
    } else if chain(&error).any(is_head_error) {
        FailureKind::HeadTooLarge
    } else if chain(&error).any(is_parse_error) {
        FailureKind::InvalidHttp
    } else {
        // The request may have arrived.
        FailureKind::Broken
    };
    caused_by(kind, error)
}

/// Classifies an error while the body is read.
pub(crate) fn read_failure(error: Error) -> TransportFailure {
    let kind = if error.is_timeout() { FailureKind::IdleTimeout } else { FailureKind::BodyBroken };
    caused_by(kind, error)
}

/// Removes the URL from the error, because its query may contain a token.
pub(crate) fn caused_by(kind: FailureKind, error: Error) -> TransportFailure {
    let timed_out = kind == FailureKind::Connect && error.is_timeout();
    let error = error.without_url();
    if timed_out {
        TransportFailure::caused_by(kind, io::Error::new(io::ErrorKind::TimedOut, error))
    } else {
        TransportFailure::caused_by(kind, error)
    }
}

/// Iterates over the error and its causes, including the errors that I/O errors wrap, which
/// `source` skips.
pub(crate) fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&cause| {
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => cause.source(),
        }
    })
}

/// hyper offers `is_parse_too_large` to servers only.
fn is_head_error(cause: &(dyn StdError + 'static)) -> bool {
    is_parse_error(cause) && cause.to_string() == "message head is too large"
}

fn is_parse_error(cause: &(dyn StdError + 'static)) -> bool {
    cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse)
}
