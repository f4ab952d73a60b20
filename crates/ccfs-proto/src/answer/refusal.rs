use std::fmt;

use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answer::without_mark;
use crate::json;
use crate::words::shown;

/// An answer whose status is not success: 401 for a bad signature, 403 for a locked address, and
/// the errors of gateways.
///
/// The fields are those of the server's JSON, if it sent any. See
/// [Answers](crate::protocol#answers) and [Lockout and clock](crate::protocol#lockout-and-clock).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRefusal {
    /// HTTP status.
    pub status: StatusCode,
    /// The server's `error`, such as `Forbidden`: at most 200 characters, no control characters.
    pub error: Option<Box<str>>,
    /// The server's `message`, shortened the same way.
    pub message: Option<Box<str>>,
    /// The server's time, in milliseconds since 1970.
    pub timestamp: Option<i64>,
}

impl HttpRefusal {
    pub(super) fn new(status: StatusCode, body: &[u8]) -> Self {
        // A field in another form, such as a time as text, does not hide the others.
        #[derive(Default, Deserialize)]
        struct Json<'a> {
            #[serde(borrow)]
            error: Option<&'a RawValue>,
            #[serde(borrow)]
            message: Option<&'a RawValue>,
            #[serde(borrow)]
            timestamp: Option<&'a RawValue>,
        }
        let text = |json| json::text(json).map(|text| shown(&text).into());
        let json: Json<'_> = serde_json::from_slice(without_mark(body)).unwrap_or_default();
        Self {
            status,
            error: json.error.and_then(text),
            message: json.message.and_then(text),
            timestamp: json.timestamp.and_then(|json| json.get().parse().ok()),
        }
    }
}

impl fmt::Debug for HttpRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRefusal")
            .field("status", &self.status.as_u16())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for HttpRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status.as_u16())?;
        if let Some(word) = self.error.as_deref().or(self.status.canonical_reason()) {
            write!(f, " ({word})")?;
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
