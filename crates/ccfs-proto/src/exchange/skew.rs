use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::step::Now;
use crate::time::Timestamp;
use crate::words::InWords;

/// After a longer round trip it is not known well enough when the server wrote its `Date`.
const LONGEST_TRIP: Duration = Duration::from_secs(10);
/// If the wall clock moved by so much more or less than the monotonic one, it was set meanwhile.
const CLOCK_JUMP_MILLIS: u64 = 1000;

/// How far the server's clock is ahead of the local one, measured on one response.
///
/// It is the difference between the server's `Date` and the midpoint of the round trip. Its error
/// is at most half the round trip plus half a second (`Date` has whole seconds). It is not measured
/// on responses with `Age` (from a cache), after a round trip of more than 10 seconds, or if the
/// local clock was set meanwhile. See [Lockout and clock](crate::protocol#lockout-and-clock).
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

    /// Returns whether the clocks differ by more than `threshold`, even if the measurement has its
    /// largest error.
    pub fn exceeds(self, threshold: Duration) -> bool {
        let least = self.millis.saturating_abs().saturating_sub(self.uncertainty_millis);
        u128::try_from(least).is_ok_and(|least| least > threshold.as_millis())
    }
}

/// The clock of one call: what its responses showed, and the correction of its signatures.
#[derive(Default)]
pub(super) struct Clock {
    /// The latest measurement.
    pub(super) skew: Option<ClockSkew>,
    /// The measurement on the latest response.
    pub(super) skew_now: Option<ClockSkew>,
    /// Milliseconds added to the clock when signing.
    pub(super) correction: i64,
    /// Whether this call changed the correction.
    pub(super) is_corrected: bool,
    /// Whether the server accepted a signature with the corrected time.
    pub(super) is_confirmed: bool,
}

impl Clock {
    /// Measures the clock on a response that began at `now`, to a request of the time `sent`.
    pub(super) fn on_head(&mut self, sent: Now, now: Now, status: StatusCode, headers: &HeaderMap) {
        let trip = now.monotonic.saturating_sub(sent.monotonic);
        self.skew_now = ClockSkew::measure(sent.wall, now.wall, trip, headers);
        self.skew = self.skew_now.or(self.skew);
        self.is_confirmed |= self.is_corrected && status.is_success();
    }

    /// After a 401, corrects the clock if it is wrong enough and was not corrected yet.
    pub(super) fn correct(&mut self, status: StatusCode, threshold: Option<Duration>) -> bool {
        let Some(skew) = self.skew_now else { return false };
        // How far the signature was off: the assumed correction may have fixed or caused it.
        let off = ClockSkew { millis: skew.millis.saturating_sub(self.correction), ..skew };
        if self.is_corrected
            || status != StatusCode::UNAUTHORIZED
            || !threshold.is_some_and(|threshold| off.exceeds(threshold))
        {
            return false;
        }
        self.is_corrected = true;
        self.correction = skew.millis;
        true
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
