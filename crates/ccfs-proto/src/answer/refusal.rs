use std::fmt;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::answer::without_mark;
use crate::exchange::advice_on_proxy;
use crate::json;
use crate::time::Timestamp;
use crate::words::{lossy_text, shown};

/// An answer whose status is not success: 401 for a bad signature, 403 for a locked address, and
/// the errors of gateways.
///
/// The fields are those of the server's JSON, if it sent any. Each is read by itself: a field that is
/// absent or has another type does not hide the others. See
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
    /// The server's time, in milliseconds since 1970. `None` if it sent none, or one that is
    /// neither such a number nor an ISO 8601 time with an offset.
    pub timestamp: Option<i64>,
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
        let fields = Fields::read(&body);
        let text = |json| json::text(json).map(|text| shown(&text).into());
        let is_given = |json: &RawValue| !matches!(json.get(), "null" | "\"\"");
        let error: Option<Box<str>> = fields.error.and_then(text);
        Self {
            status,
            has_ccfs_form: error.as_ref().is_some_and(|error| !error.is_empty())
                && [fields.timestamp, fields.path].into_iter().flatten().any(is_given),
            error,
            message: fields.message.and_then(text),
            timestamp: fields.timestamp.and_then(unix_millis),
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

/// The fields of a refusal, each in any form. Of a field that occurs twice, the last one counts.
#[derive(Default)]
struct Fields<'a> {
    error: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    timestamp: Option<&'a RawValue>,
    path: Option<&'a RawValue>,
}

impl<'a> Fields<'a> {
    /// Reads the fields before the first error: the body may be cut off.
    fn read(body: &'a str) -> Self {
        struct Reader<'f, 'a>(&'f mut Fields<'a>);

        impl<'de> Visitor<'de> for Reader<'_, 'de> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
                while let Some(name) = map.next_key::<String>()? {
                    let value = Some(map.next_value()?);
                    match name.as_str() {
                        "error" => self.0.error = value,
                        "message" => self.0.message = value,
                        "timestamp" => self.0.timestamp = value,
                        "path" => self.0.path = value,
                        _ => {}
                    }
                }
                Ok(())
            }
        }

        let mut fields = Self::default();
        let _ = serde_json::Deserializer::from_str(body).deserialize_map(Reader(&mut fields));
        fields
    }
}

/// Reads milliseconds since 1970, or an ISO 8601 time with its offset.
fn unix_millis(json: &RawValue) -> Option<i64> {
    let text = json::text_or_number(json)?;
    text.parse().ok().or_else(|| iso_millis(&text))
}

/// Reads `yyyy-MM-ddTHH:mm:ss`, a fraction of any length, and `Z`, `+HH:mm` or `+HHmm`.
fn iso_millis(text: &str) -> Option<i64> {
    let (seconds, rest) = text.split_at_checked("yyyy-MM-ddTHH:mm:ss".len())?;
    let seconds = format!("{seconds}Z").parse::<Timestamp>().ok()?;
    let (fraction, offset) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("", rest),
    };
    let millis = fraction.bytes().chain(*b"000").take(3);
    let millis = millis.fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    let offset_minutes = match offset.as_bytes() {
        b"Z" => 0,
        &[sign @ (b'+' | b'-'), ref digits @ ..] => {
            let &([a, b, c, d] | [a, b, b':', c, d]) = digits else { return None };
            let digit = |byte: u8| char::from(byte).to_digit(10).map(i64::from);
            let minutes = (digit(a)? * 10 + digit(b)?) * 60 + digit(c)? * 10 + digit(d)?;
            if sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    Some(seconds.plus_millis(millis - offset_minutes * 60_000).unix_millis())
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
        if self.is_from_proxy {
            write!(f, " from the proxy, not the server")?;
            return f.write_str(advice_on_proxy(self.status.as_u16()));
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
