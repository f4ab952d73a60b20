//! Dates and times of day without a time zone, as the interfaces use them.

use std::fmt;
use std::str::FromStr;

use jiff::civil;

use crate::time::Timestamp;

/// A date of the Gregorian calendar in the years 0 to 9999, written as `2023-04-06`.
///
/// ```
/// use ccfs_proto::Day;
/// use ccfs_proto::time::CalendarError;
///
/// let day = Day::new(2024, 2, 28)?.next().expect("it is not the last day of the year 9999");
/// assert_eq!(day, "2024-02-29".parse()?);
/// assert_eq!(day.midnight().to_string(), "2024-02-29 00:00:00");
/// assert_eq!(Day::new(2023, 2, 29), Err(CalendarError::NoSuchDay));
/// # Ok::<(), CalendarError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(civil::Date);

impl Day {
    /// Creates a day from a year of 0 to 9999, a month and a day of the month.
    ///
    /// # Errors
    ///
    /// Returns [`CalendarError::NoSuchDay`] if the calendar does not have this day.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, CalendarError> {
        let part = |value: u8| i8::try_from(value).map_err(|_| CalendarError::NoSuchDay);
        let year = i16::try_from(year).map_err(|_| CalendarError::NoSuchDay)?;
        let date = civil::Date::new(year, part(month)?, part(day)?);
        date.map(Self).map_err(|_| CalendarError::NoSuchDay)
    }

    /// Returns the year.
    pub fn year(self) -> u16 {
        self.0.year().unsigned_abs()
    }

    /// Returns the month, 1 to 12.
    pub fn month(self) -> u8 {
        self.0.month().unsigned_abs()
    }

    /// Returns the day of the month, 1 to 31.
    pub fn day(self) -> u8 {
        self.0.day().unsigned_abs()
    }

    /// Parses `yyyyMMdd`, the form in file names.
    pub(crate) fn from_digits(text: &str) -> Option<Self> {
        has_shape(text, b"00000000").then(|| text.parse().ok().map(Self)).flatten()
    }

    /// Returns the following day, or `None` after 9999-12-31.
    pub fn next(self) -> Option<Self> {
        self.0.tomorrow().ok().map(Self)
    }

    /// Returns the preceding day, or `None` before 0000-01-01.
    pub fn previous(self) -> Option<Self> {
        self.0.yesterday().ok().filter(|date| date.year() >= 0).map(Self)
    }

    /// Returns the first second of the day, 00:00:00.
    #[must_use]
    pub fn midnight(self) -> LocalTime {
        LocalTime(self.0.to_datetime(civil::Time::midnight()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Day({self})")
    }
}

impl FromStr for Day {
    type Err = CalendarError;

    /// Parses `2023-04-06`.
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        if !has_shape(text, b"0000-00-00") {
            return Err(CalendarError::DayShape);
        }
        text.parse().map(Self).map_err(|_| CalendarError::NoSuchDay)
    }
}

/// A date and time of day without a time zone, in whole seconds: `2023-04-06 08:30:00`.
///
/// The interfaces use the local time of the call center (tenant time zone).
/// See [Agent skill interfaces](crate::protocol#agent-skill-interfaces).
///
/// ```
/// use ccfs_proto::time::CalendarError;
/// use ccfs_proto::{LocalTime, Timestamp};
///
/// let begin: LocalTime = "2023-04-06 08:30:00".parse()?;
/// let end = begin.plus_seconds(3600).expect("it is before the year 10000");
/// assert_eq!((end.hour(), end.minute(), end.second()), (9, 30, 0));
/// assert_eq!(end.seconds_since(begin), 3600);
///
/// let instant = Timestamp::from_unix_millis(1_680_768_000_000);
/// let in_shanghai = LocalTime::at_offset(instant, 8 * 3600);
/// assert_eq!(in_shanghai.to_string(), "2023-04-06 16:00:00");
/// # Ok::<(), CalendarError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(civil::DateTime);

impl LocalTime {
    /// Creates a time from a day, an hour of 0 to 23, a minute and a second of 0 to 59.
    ///
    /// # Errors
    ///
    /// Returns [`CalendarError::NoSuchTime`] if a part is out of range.
    pub fn new(day: Day, hour: u8, minute: u8, second: u8) -> Result<Self, CalendarError> {
        let part = |value: u8| i8::try_from(value).map_err(|_| CalendarError::NoSuchTime);
        let time = civil::Time::new(part(hour)?, part(minute)?, part(second)?, 0)
            .map_err(|_| CalendarError::NoSuchTime)?;
        Ok(Self(day.0.to_datetime(time)))
    }

    /// Returns the day.
    pub fn day(self) -> Day {
        Day(self.0.date())
    }

    /// Returns the hour, 0 to 23.
    pub fn hour(self) -> u8 {
        self.0.hour().unsigned_abs()
    }

    /// Returns the minute, 0 to 59.
    pub fn minute(self) -> u8 {
        self.0.minute().unsigned_abs()
    }

    /// Returns the second, 0 to 59.
    pub fn second(self) -> u8 {
        self.0.second().unsigned_abs()
    }

    /// Returns the seconds from `earlier` to this time without daylight saving time; negative if
    /// this time is earlier.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.duration_since(earlier.0).as_secs()
    }

    /// Adds `seconds`, which may be negative. Returns `None` outside the years 0 to 9999.
    pub fn plus_seconds(self, seconds: i64) -> Option<Self> {
        let moved = self.0.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?;
        (moved.year() >= 0).then_some(Self(moved))
    }

    /// Returns the local time at `instant` where clocks are `offset_seconds` ahead of UTC.
    ///
    /// Local times before 1970 and after the year 9999 become the nearest time in that range.
    pub fn at_offset(instant: Timestamp, offset_seconds: i32) -> Self {
        let civil = instant.plus_millis(i64::from(offset_seconds) * 1000).civil();
        Self(civil.with().subsec_nanosecond(0).build().unwrap_or(civil))
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.date(), self.0.time())
    }
}

impl fmt::Debug for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalTime({self})")
    }
}

impl FromStr for LocalTime {
    type Err = CalendarError;

    /// Parses `2023-04-06 08:30:00`. A `T` is allowed in place of the space.
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        if !has_shape(text, b"0000-00-00 00:00:00") && !has_shape(text, b"0000-00-00T00:00:00") {
            return Err(CalendarError::TimeShape);
        }
        let part = |start| text[start..start + 2].parse().map_err(|_| CalendarError::TimeShape);
        Self::new(text[..10].parse()?, part(11)?, part(14)?, part(17)?)
    }
}

/// Returns whether `text` equals `shape`, with any digit for each `0`.
pub(crate) fn has_shape(text: &str, shape: &[u8]) -> bool {
    text.bytes()
        .map(|byte| if byte.is_ascii_digit() { b'0' } else { byte })
        .eq(shape.iter().copied())
}

/// A text or number is not a valid date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// The text does not have the format of a date.
    #[error("malformed date; write it as 2023-04-06")]
    DayShape,
    /// The date does not exist.
    #[error("date does not exist; use a day of the calendar in the years 0 to 9999")]
    NoSuchDay,
    /// The text does not have the format of a time.
    #[error("malformed time; write it as \"2023-04-06 08:30:00\" in the tenant's time zone")]
    TimeShape,
    /// The time of day does not exist.
    #[error("time of day does not exist; hours are 0 to 23, minutes and seconds 0 to 59")]
    NoSuchTime,
}
