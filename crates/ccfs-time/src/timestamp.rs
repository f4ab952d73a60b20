use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{CalendarError, Day, LocalTime, TimeText};

/// 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z, between which a year has four digits.
const FIRST_MILLIS: i64 = -62_167_219_200_000;
const LAST_MILLIS: i64 = 253_402_300_799_999;

/// A point in time, in whole milliseconds, from the year 0 to the year 9999.
///
/// Times outside these years become the nearest time in them.
///
/// ```
/// use ccfs_time::{Precision, Timestamp};
///
/// let at = Timestamp::from_unix_millis(1_630_402_730_872);
/// assert_eq!(at.to_string(), "2021-08-31T09:38:50.872Z");
/// assert_eq!(at.text(Precision::Seconds).as_str(), "2021-08-31T09:38:50Z");
/// assert_eq!("2021-08-31T09:38:50.872Z".parse::<Timestamp>()?, at);
/// assert_eq!(at.unix_seconds(), 1_630_402_730);
/// # Ok::<(), ccfs_time::CalendarError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    unix_millis: i64,
}

impl Timestamp {
    /// Creates a timestamp from milliseconds since 1970-01-01T00:00:00Z; negative before.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        let unix_millis = if millis < FIRST_MILLIS {
            FIRST_MILLIS
        } else if millis > LAST_MILLIS {
            LAST_MILLIS
        } else {
            millis
        };
        Self { unix_millis }
    }

    /// Creates a timestamp from the date and time in UTC.
    #[must_use]
    pub fn from_utc(time: LocalTime) -> Self {
        Self { unix_millis: time.naive_epoch_seconds() * 1000 }
    }

    /// Returns the date and time in UTC, without the milliseconds.
    pub fn utc(self) -> LocalTime {
        let Some(time) = LocalTime::from_naive_epoch_seconds(self.unix_seconds()) else {
            unreachable!("a timestamp is in the years 0 to 9999")
        };
        time
    }

    /// Returns the day in UTC.
    pub fn utc_day(self) -> Day {
        self.utc().day()
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z; negative before.
    pub const fn unix_millis(self) -> i64 {
        self.unix_millis
    }

    /// Returns the whole seconds since 1970-01-01T00:00:00Z, rounded down; negative before.
    pub const fn unix_seconds(self) -> i64 {
        self.unix_millis.div_euclid(1000)
    }

    /// Adds `millis`, which may be negative.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self::from_unix_millis(self.unix_millis.saturating_add(millis))
    }

    /// Returns the milliseconds from `earlier` to this time; negative if this time is earlier.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.unix_millis - earlier.unix_millis
    }

    /// Returns the text as in an `Authorization` header, without allocation.
    pub fn text(self, precision: Precision) -> TimeText {
        let text = TimeText::new(self.utc(), b'T');
        match precision {
            Precision::Millis => text.with_millis(self.unix_millis.rem_euclid(1000)),
            Precision::Seconds => text.with_z(),
        }
    }
}

impl LocalTime {
    /// Returns the local time at `instant` where clocks are `offset_seconds` ahead of UTC.
    ///
    /// Local times outside the years 0 to 9999 become the nearest time in that range.
    pub fn at_offset(instant: Timestamp, offset_seconds: i32) -> Self {
        instant.plus_millis(i64::from(offset_seconds) * 1000).utc()
    }
}

impl FromStr for Timestamp {
    type Err = CalendarError;

    /// Parses `yyyy-MM-ddTHH:mm:ss.SSSZ` or `yyyy-MM-ddTHH:mm:ssZ`.
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let (seconds, millis) = match text.as_bytes() {
            [seconds @ .., b'.', a, b, c, b'Z'] => (seconds, [*a, *b, *c]),
            [seconds @ .., b'Z'] => (seconds, *b"000"),
            _ => return Err(CalendarError::TimestampShape),
        };
        if !millis.iter().all(u8::is_ascii_digit) {
            return Err(CalendarError::TimestampShape);
        }
        let time = LocalTime::parse(seconds, b'T').map_err(|error| match error {
            CalendarError::NoSuchDay | CalendarError::NoSuchTime => CalendarError::NoSuchTimestamp,
            _ => CalendarError::TimestampShape,
        })?;
        let millis = millis.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
        Ok(Self::from_utc(time).plus_millis(millis))
    }
}

impl From<SystemTime> for Timestamp {
    /// Drops what is smaller than a millisecond.
    fn from(time: SystemTime) -> Self {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_millis(match time.duration_since(UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        })
    }
}

impl fmt::Display for Timestamp {
    /// Writes `2021-08-31T09:38:50.872Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(Precision::Millis).as_str())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

/// Precision of a timestamp's text.
///
/// In an `Authorization` header, servers accept both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precision {
    /// `2021-08-31T09:38:50.872Z`, as sent by the vendor's demo client.
    #[default]
    Millis,
    /// `2021-08-31T09:38:50Z`.
    Seconds,
}
