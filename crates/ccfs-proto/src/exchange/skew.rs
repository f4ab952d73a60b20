use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use crate::time::Timestamp;
use crate::words::InWords;

/// After a longer round trip it is not known well enough when the server wrote its `Date`.
const LONGEST_TRIP: Duration = Duration::from_secs(10);
/// If the wall clock moved by so much more or less than the monotonic one, it was set meanwhile.
const CLOCK_JUMP_MILLIS: u64 = 1000;
/// From here on, messages mention the skew.
const NOTABLE: Duration = Duration::from_secs(30);

/// How far the server's clock is ahead of the local one, measured on one response.
///
/// It is the server's `Date` against the midpoint of the round trip, so its error is at most half
/// the round trip plus half a second (`Date` has whole seconds). It is not measured on responses
/// with `Age` (from a cache), after a round trip of more than 10 seconds, and if the local clock
/// was set meanwhile. See [Lockout and clock](crate::protocol#lockout-and-clock).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockSkew {
    /// Milliseconds that the server's clock is ahead of the local one; negative if it is behind.
    pub millis: i64,
    /// The largest error of `millis`.
    pub uncertainty_millis: i64,
}

impl ClockSkew {
    /// Measures the skew on a response; `None` if it cannot be measured.
    ///
    /// `sent` and `received` are local wall clock times; `trip` is the time between them on a
    /// monotonic clock.
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
        // `Date` has whole seconds: on average, the time was half a second later.
        let server = server.plus_millis(500);
        Some(Self {
            millis: server.millis_since(sent.plus_millis(trip_millis / 2)),
            uncertainty_millis: 500 + trip_millis / 2,
        })
    }

    /// Returns whether the clocks differ by more than `threshold`, also if the measurement is off
    /// by its largest error.
    pub fn exceeds(self, threshold: Duration) -> bool {
        let least = self.millis.saturating_abs().saturating_sub(self.uncertainty_millis);
        u128::try_from(least).is_ok_and(|least| least > threshold.as_millis())
    }

    pub(super) fn is_notable(self) -> bool {
        self.exceeds(NOTABLE)
    }
}

/// Parses an HTTP date: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(value: &HeaderValue) -> Option<Timestamp> {
    Some(Timestamp::from(httpdate::parse_http_date(value.to_str().ok()?).ok()?))
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The error is at least half a second.
        let seconds = self.millis.unsigned_abs().saturating_add(500) / 1000;
        let side = if self.millis >= 0 { "behind" } else { "ahead of" };
        write!(
            f,
            "the local clock is about {} {side} the server's, set it",
            InWords(Duration::from_secs(seconds))
        )
    }
}
