//! reqwest's errors in the exchange's words.

use std::error::Error as StdError;
use std::io;

use ccfs_proto::TransportFailure;
use reqwest::Error;

/// What went wrong before the head of the answer was there.
pub(crate) fn send_failure(error: &Error) -> TransportFailure {
    if error.is_dns() {
        TransportFailure::Resolve
    } else if let Some(tls) = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        TransportFailure::Tls(ccfs_tls::failure(tls))
    } else if error.is_connect() {
        TransportFailure::Connect
    } else if error.is_timeout() {
        TransportFailure::Stall
    } else if chain(error).any(is_parse_error) {
        TransportFailure::Protocol
    } else {
        // In doubt it may have arrived, and then what starts a job is not repeated.
        TransportFailure::Broken
    }
}

/// What went wrong in the middle of the body.
pub(crate) fn read_failure(error: &Error) -> TransportFailure {
    if error.is_timeout() { TransportFailure::Stall } else { TransportFailure::BodyBroken }
}

/// The error and what caused it, looking into I/O errors, which hide what they wrap.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&cause| {
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => cause.source(),
        }
    })
}

fn is_parse_error(cause: &(dyn StdError + 'static)) -> bool {
    cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse)
}
