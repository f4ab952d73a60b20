//! Days and times of day without a zone, as the interfaces write them.

use std::fmt;
use std::str::FromStr;

use jiff::civil;

/// A day of the Gregorian calendar that exists. Shown as `2023-04-06`.
///
/// ```
/// use ccfs_proto::{CalendarError, Day};
///
/// let day = Day::new(2024, 2, 28)?.next().expect("the calendar goes on");
/// assert_eq!(day, "2024-02-29".parse()?);
/// assert_eq!(day.midnight().to_string(), "2024-02-29 00:00:00");
/// assert_eq!(Day::new(2023, 2, 29), Err(CalendarError::NoSuchDay));
/// # Ok::<(), CalendarError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(civil::Date);

impl Day {
    /// The day, when there is such a day in the years 0 to 9999; otherwise [`NoSuchDay`](CalendarError::NoSuchDay).
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, CalendarError> {
        let part = |value: u8| i8::try_from(value).map_err(|_| CalendarError::NoSuchDay);
        let year = i16::try_from(year).map_err(|_| CalendarError::NoSuchDay)?;
        civil::Date::new(year, part(month)?, part(day)?)
            .map(Self)
            .map_err(|_| CalendarError::NoSuchDay)
    }

    pub(crate) fn from_parts(year: i16, month: i8, day: i8) -> Self {
        Self(civil::Date::new(year, month, day).unwrap_or_default())
    }

    /// The year.
    pub fn year(self) -> u16 {
        self.0.year().unsigned_abs()
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        self.0.month().unsigned_abs()
    }

    /// The day of the month, 1 to 31.
    pub fn day(self) -> u8 {
        self.0.day().unsigned_abs()
    }

    /// Reads `yyyyMMdd`, as file names have it.
    pub(crate) fn from_digits(text: &str) -> Option<Self> {
        if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Self::new(text[0..4].parse().ok()?, text[4..6].parse().ok()?, text[6..8].parse().ok()?).ok()
    }

    /// The day after this one, where the calendar goes on.
    pub fn next(self) -> Option<Self> {
        self.0.tomorrow().ok().map(Self)
    }

    /// The day before this one, where the calendar has one.
    pub fn previous(self) -> Option<Self> {
        self.0.yesterday().ok().filter(|date| date.year() >= 0).map(Self)
    }

    /// Its first second, 00:00:00.
    #[must_use]
    pub fn midnight(self) -> LocalTime {
        LocalTime(self.0.to_datetime(civil::Time::midnight()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Day({self})")
    }
}

impl FromStr for Day {
    type Err = CalendarError;
    /// Reads `2023-04-06`.
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' || !text.is_ascii() {
            return Err(CalendarError::DayShape);
        }
        let digits: String = [&text[0..4], &text[5..7], &text[8..10]].concat();
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CalendarError::DayShape);
        }
        Self::from_digits(&digits).ok_or(CalendarError::NoSuchDay)
    }
}

/// A day and a time of day on the tenant's clock, without a zone: `2023-04-06 08:30:00`.
///
/// The interfaces take the tenant's time and name no zone. See `docs/protocol.md`, "Agent skill interfaces".
///
/// ```
/// use ccfs_proto::{CalendarError, LocalTime, Timestamp};
///
/// let begin: LocalTime = "2023-04-06 08:30:00".parse()?;
/// assert_eq!((begin.hour(), begin.minute(), begin.second()), (8, 30, 0));
/// let end = begin.plus_seconds(3600).expect("the calendar goes on");
/// assert_eq!(end.seconds_since(begin), 3600);
/// // What a clock in Shanghai shows.
/// let instant = Timestamp::from_unix_millis(1_680_768_000_000);
/// assert_eq!(LocalTime::at_offset(instant, 8 * 3600).to_string(), "2023-04-06 16:00:00");
/// # Ok::<(), CalendarError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(civil::DateTime);

impl LocalTime {
    /// The time of day on `day`, when there is one, with hours to 23, minutes and seconds to 59; otherwise
    /// [`NoSuchTime`](CalendarError::NoSuchTime).
    pub fn new(day: Day, hour: u8, minute: u8, second: u8) -> Result<Self, CalendarError> {
        let part = |value: u8| i8::try_from(value).map_err(|_| CalendarError::NoSuchTime);
        let time = civil::Time::new(part(hour)?, part(minute)?, part(second)?, 0)
            .map_err(|_| CalendarError::NoSuchTime)?;
        Ok(Self(day.0.to_datetime(time)))
    }

    /// Its day.
    pub fn day(self) -> Day {
        Day(self.0.date())
    }

    /// The hour, 0 to 23.
    pub fn hour(self) -> u8 {
        self.0.hour().unsigned_abs()
    }

    /// The minute, 0 to 59.
    pub fn minute(self) -> u8 {
        self.0.minute().unsigned_abs()
    }

    /// The second, 0 to 59.
    pub fn second(self) -> u8 {
        self.0.second().unsigned_abs()
    }

    /// Whole seconds from `earlier` to this time on a clock without daylight saving; negative when `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.duration_since(earlier.0).as_secs()
    }

    /// This time moved by whole seconds, where the calendar goes on.
    pub fn plus_seconds(self, seconds: i64) -> Option<Self> {
        let moved = self.0.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?;
        (moved.year() >= 0).then_some(Self(moved))
    }

    /// What a clock that is `offset_seconds` ahead of UTC shows at that instant. Before 1970 and after the year 9999 it stands still, as
    /// [`Timestamp`](crate::Timestamp) does.
    pub fn at_offset(instant: crate::Timestamp, offset_seconds: i32) -> Self {
        let civil = instant.plus_millis(i64::from(offset_seconds) * 1000).civil();
        Self(civil.with().subsec_nanosecond(0).build().unwrap_or(civil))
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}:{:02}", self.day(), self.hour(), self.minute(), self.second())
    }
}

impl fmt::Debug for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalTime({self})")
    }
}

impl FromStr for LocalTime {
    type Err = CalendarError;
    /// Reads `2023-04-06 08:30:00`; a `T` between the two parts is taken as well.
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let bytes = text.as_bytes();
        if bytes.len() != 19
            || !text.is_ascii()
            || !matches!(bytes[10], b' ' | b'T')
            || bytes[13] != b':'
            || bytes[16] != b':'
        {
            return Err(CalendarError::TimeShape);
        }
        let day: Day = text[..10].parse()?;
        let part = |from: usize| {
            let digits = &text[from..from + 2];
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u8>().ok()).flatten()
        };
        match (part(11), part(14), part(17)) {
            (Some(hour), Some(minute), Some(second)) => Self::new(day, hour, minute, second),
            _ => Err(CalendarError::TimeShape),
        }
    }
}

/// Why a text is no day or no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// Not the shape of a day.
    #[error("a day is written 2023-04-06")]
    DayShape,
    /// The shape of a day that does not exist.
    #[error("there is no such day in the calendar")]
    NoSuchDay,
    /// Not the shape of a time.
    #[error("a time is written \"2023-04-06 08:30:00\", in the tenant's time zone")]
    TimeShape,
    /// The shape of a time that does not exist.
    #[error("there is no such time of day: hours go to 23, minutes and seconds to 59")]
    NoSuchTime,
}
