//! A point in time as auth-v2 writes it.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil;
use jiff::tz::Offset;

use super::calendar::has_shape;
use super::{Day, LocalTime};

/// 9999-12-31T23:59:59.999Z, the last time with a year of four digits.
const LAST_MILLIS: i64 = 253_402_300_799_999;
const EPOCH: civil::DateTime = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
/// Shapes of the two precisions, with `0` for any digit.
const MILLIS_SHAPE: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
const SECONDS_SHAPE: &[u8; 20] = b"0000-00-00T00:00:00Z";

/// A point in time, in whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Times before 1970 and after the year 9999 cannot be written in the format of auth-v2; they
/// become the nearest time that can.
///
/// ```
/// use ccfs_proto::Timestamp;
/// use ccfs_proto::time::Precision;
///
/// let at = Timestamp::from_unix_millis(1_630_402_730_872);
/// assert_eq!(at.to_string(), "2021-08-31T09:38:50.872Z");
/// assert_eq!(at.text(Precision::Seconds).as_str(), "2021-08-31T09:38:50Z");
/// assert_eq!("2021-08-31T09:38:50.872Z".parse::<Timestamp>()?, at);
/// # Ok::<(), ccfs_proto::time::TimestampError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Creates a timestamp from milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        if millis < 0 {
            Self(0)
        } else if millis > LAST_MILLIS {
            Self(LAST_MILLIS)
        } else {
            Self(millis)
        }
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// Adds `millis`, which may be negative.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self::from_unix_millis(self.0.saturating_add(millis))
    }

    /// Returns the milliseconds from `earlier` to this time; negative if this time is earlier.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Returns the day in UTC.
    pub fn utc_day(self) -> Day {
        LocalTime::at_offset(self, 0).day()
    }

    /// Writes the timestamp as in an `Authorization` header, without allocation.
    pub fn text(self, precision: Precision) -> TimestampText {
        let time = self.civil();
        let mut bytes = *MILLIS_SHAPE;
        bytes[0..4].copy_from_slice(&digits::<4>(time.year()));
        bytes[5..7].copy_from_slice(&digits::<2>(time.month().into()));
        bytes[8..10].copy_from_slice(&digits::<2>(time.day().into()));
        bytes[11..13].copy_from_slice(&digits::<2>(time.hour().into()));
        bytes[14..16].copy_from_slice(&digits::<2>(time.minute().into()));
        bytes[17..19].copy_from_slice(&digits::<2>(time.second().into()));
        bytes[20..23].copy_from_slice(&digits::<3>(time.millisecond()));
        match precision {
            Precision::Millis => TimestampText { bytes, len: MILLIS_SHAPE.len() },
            Precision::Seconds => {
                bytes[19] = b'Z';
                TimestampText { bytes, len: SECONDS_SHAPE.len() }
            }
        }
    }

    /// Returns the date and time in UTC.
    pub(crate) fn civil(self) -> civil::DateTime {
        // `jiff::Timestamp` does not reach the last 26 hours of the calendar.
        if self.0 >= jiff::Timestamp::MAX.as_second() * 1000 {
            return EPOCH.saturating_add(jiff::SignedDuration::from_millis(self.0));
        }
        Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(self.0).unwrap_or_default())
    }
}

/// Returns the last `N` decimal digits of `number`.
fn digits<const N: usize>(number: i16) -> [u8; N] {
    let mut rest = number.unsigned_abs();
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    digits
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Parses `yyyy-MM-ddTHH:mm:ss.SSSZ` or `yyyy-MM-ddTHH:mm:ssZ`.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        if !has_shape(text, MILLIS_SHAPE) && !has_shape(text, SECONDS_SHAPE) {
            return Err(TimestampError::Shape);
        }
        let time: LocalTime = text[..19].parse().map_err(|_| TimestampError::NoSuchTime)?;
        let seconds = time.seconds_since(LocalTime::at_offset(Self(0), 0));
        if seconds < 0 {
            return Err(TimestampError::NoSuchTime);
        }
        let millis: i64 = text[19..].trim_matches(['.', 'Z']).parse().unwrap_or_default();
        Ok(Self(seconds * 1000 + millis))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(LAST_MILLIS))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(Precision::Millis).as_str())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

/// Precision of the timestamp in an `Authorization` header. Servers accept both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precision {
    /// `2021-08-31T09:38:50.872Z`, as sent by the vendor's demo client.
    #[default]
    Millis,
    /// `2021-08-31T09:38:50Z`.
    Seconds,
}

/// Text of a [`Timestamp`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TimestampText {
    bytes: [u8; 24],
    len: usize,
}

impl TimestampText {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl fmt::Display for TimestampText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TimestampText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A text is not a valid auth-v2 timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// The text does not have the format of a timestamp.
    #[error("malformed timestamp; write it as 2021-08-31T09:38:50.872Z or 2021-08-31T09:38:50Z")]
    Shape,
    /// The date or the time of day does not exist, or it is before 1970.
    #[error("date or time of the timestamp does not exist or is before 1970; correct it")]
    NoSuchTime,
}
