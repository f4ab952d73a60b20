use std::fmt;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::value::RawValue;

use crate::exchange::advice_on_proxy;
use crate::json::{self, without_mark};
use crate::words::{lossy_text, shown};

/// An answer whose status is not success: 401 for a bad signature, 403 for a locked address, and
/// the errors of gateways.
///
/// The fields are those of the server's JSON, if it sent any. Each is read by itself: a field that is
/// absent or has another type does not hide the others. See
/// [Answers](crate::protocol#answers) and [Lockout and clock](crate::protocol#lockout-and-clock).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRefusal {
    /// HTTP status.
    pub status: StatusCode,
    /// The server's `error`, such as `Forbidden`: at most 200 characters, no control characters.
    pub error: Option<Box<str>>,
    /// Whether the body has the form in which CC-FS refuses, which is that of Spring: a JSON object
    /// with a text `error`, and a `timestamp` or a `path` of any type. Answers of gateways rarely
    /// have it.
    pub has_ccfs_form: bool,
    /// Whether a proxy that the client uses for plain HTTP answered instead of the server, as far as
    /// the response shows: status 407, or a header that only proxies send (`Proxy-Authenticate`,
    /// `X-Squid-Error`, `Proxy-Status` with an error).
    pub is_from_proxy: bool,
}

impl HttpRefusal {
    pub(super) fn new(status: StatusCode, is_from_proxy: bool, body: &[u8]) -> Self {
        let body = lossy_text(without_mark(body));
        // Up to the first error, because the body may be cut off.
        let [error, timestamp, path] = json::fields(&body, ["error", "timestamp", "path"]);
        let is_given = |json: &RawValue| !matches!(json.get(), "null" | "\"\"");
        let error = error.and_then(json::text);
        Self {
            status,
            has_ccfs_form: error.as_ref().is_some_and(|error| !error.is_empty())
                && [timestamp, path].into_iter().flatten().any(is_given),
            error: error.map(|text| shown(&text).into()),
            is_from_proxy,
        }
    }
}

/// Whether a response with this status and these headers is a proxy's own.
pub(super) fn is_from_proxy(status: StatusCode, headers: &HeaderMap) -> bool {
    let is_error = |value: &HeaderValue| value.as_bytes().windows(6).any(|text| text == b"error=");
    status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        || headers.contains_key(header::PROXY_AUTHENTICATE)
        || headers.contains_key("x-squid-error")
        || headers.get_all("proxy-status").iter().any(is_error)
}

impl fmt::Display for HttpRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status.as_u16())?;
        if let Some(word) = self.error.as_deref().or(self.status.canonical_reason()) {
            write!(f, " ({word})")?;
        }
        if self.is_from_proxy {
            let advice = advice_on_proxy(self.status.as_u16());
            return write!(f, " from the proxy, not the server{advice}");
        }
        f.write_str(match self.status.as_u16() {
            401 => {
                ": the server rejected the signature; check keys, clock and endpoint before the \
                 next call, because bad signatures lock the address"
            }
            403 => {
                ": the server locked this address after bad signatures, or denies the call; wait, \
                 and check the keys"
            }
            404 => ": no such interface at this address; check the endpoint's path prefix",
            429 | 503 => ": the server is busy; try again later",
            300..=399 => {
                ": a signed request must not follow a redirect; use its target as the endpoint if \
                 you trust it"
            }
            _ => "",
        })
    }
}
