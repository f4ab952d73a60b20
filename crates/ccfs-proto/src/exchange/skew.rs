//! How far the caller's clock is off, by the server's `Date`.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use jiff::fmt::rfc2822::DateTimeParser;

use crate::timestamp::Timestamp;
use crate::words::InWords;

/// Round trips longer than this say too little about when the server wrote its `Date`.
const LONGEST_TRIP: Duration = Duration::from_secs(10);
/// When the wall clock moved by so much more or less than the monotonic one, somebody set it in the middle of the trip.
const CLOCK_JUMP_MILLIS: u64 = 1000;
/// From here on a person should look at the clock.
const NOTABLE: Duration = Duration::from_secs(30);

/// How far the server's clock is ahead of the caller's, as measured on one answer.
///
/// Measured from `Date` against the midpoint of the round trip, so it is right to half the trip plus half a second (`Date` has whole
/// seconds). An answer with `Age` came out of a cache, and one after a long trip says too little: both are passed over,
/// and so is one during which the caller's clock was set. See `docs/protocol.md`, "Lockout and clock".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockSkew {
    /// Milliseconds that the server's clock is ahead of the caller's; negative when it is behind.
    pub millis: i64,
    /// How far that may be off, in milliseconds.
    pub uncertainty_millis: i64,
}

impl ClockSkew {
    /// Reads the skew off an answer; `None` where it does not show.
    ///
    /// `sent` and `received` are the caller's clock, `trip` is the time between the two on a clock that does not jump.
    pub fn measure(
        sent: Timestamp,
        received: Timestamp,
        trip: Duration,
        headers: &HeaderMap,
    ) -> Option<Self> {
        if trip > LONGEST_TRIP || headers.contains_key(header::AGE) {
            return None;
        }
        let trip_millis = i64::try_from(trip.as_millis()).ok()?;
        if received.millis_since(sent).abs_diff(trip_millis) > CLOCK_JUMP_MILLIS {
            return None;
        }
        let server = http_date(headers.get(header::DATE)?)?;
        // `Date` names the second, so on average the server's clock stood in the middle of it.
        let server = server.plus_millis(500);
        Some(Self {
            millis: server.millis_since(sent.plus_millis(trip_millis / 2)),
            uncertainty_millis: 500 + trip_millis / 2,
        })
    }

    /// Whether the clocks differ by more than `threshold`.
    pub fn exceeds(self, threshold: Duration) -> bool {
        u128::from(self.millis.unsigned_abs()) > threshold.as_millis()
    }

    pub(super) fn is_notable(self) -> bool {
        self.exceeds(NOTABLE)
    }
}

/// Reads the form of date that HTTP makes servers send: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(value: &HeaderValue) -> Option<Timestamp> {
    let parsed = DateTimeParser::new().parse_timestamp(value.as_bytes()).ok()?;
    Some(Timestamp::from_unix_millis(parsed.as_millisecond()))
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // At best it is measured to half a second.
        let seconds = self.millis.unsigned_abs().saturating_add(500) / 1000;
        let side = if self.millis >= 0 { "behind" } else { "ahead of" };
        write!(
            f,
            "This machine's clock is about {} {side} the server's: set it right",
            InWords(Duration::from_secs(seconds))
        )
    }
}
