use std::fmt;
use std::str::FromStr;

use crate::{CalendarError, Day};

const SECONDS_IN_DAY: i64 = 86_400;

/// A date and time of day without a time zone, in whole seconds: `2023-04-06 08:30:00`.
///
/// Index files and interfaces use the local time of the call center (tenant time zone). Times are
/// ordered as they are written. A local time is not an instant: when clocks are set back, the same
/// time occurs twice.
///
/// ```
/// use ccfs_time::{CalendarError, LocalTime};
///
/// let begin: LocalTime = "2023-04-06 08:30:00".parse()?;
/// let end = begin.plus_seconds(3600).expect("it is before the year 10000");
/// assert_eq!((end.hour(), end.minute(), end.second()), (9, 30, 0));
/// assert_eq!(end.seconds_since(begin), 3600);
/// assert_eq!(end.iso().to_string(), "2023-04-06T09:30:00");
/// assert_eq!("2023-02-29 08:30:00".parse::<LocalTime>(), Err(CalendarError::NoSuchDay));
/// # Ok::<(), CalendarError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime {
    // In this order, the derived order is that of time.
    day: Day,
    hour: u8,
    minute: u8,
    second: u8,
}

impl LocalTime {
    /// Creates a time from a day, an hour of 0 to 23, a minute and a second of 0 to 59.
    ///
    /// # Errors
    ///
    /// Returns [`CalendarError::NoSuchTime`] if a part is out of range.
    #[inline]
    pub fn new(day: Day, hour: u8, minute: u8, second: u8) -> Result<Self, CalendarError> {
        if hour > 23 || minute > 59 || second > 59 {
            return Err(CalendarError::NoSuchTime);
        }
        Ok(Self { day, hour, minute, second })
    }

    /// Parses a cell of an index file: `2023-04-06 08:30:00`, with a space and nothing around it.
    ///
    /// # Errors
    ///
    /// Returns [`CalendarError::TimeShape`] if the cell does not have this format,
    /// [`CalendarError::NoSuchDay`] if the calendar does not have the day, and
    /// [`CalendarError::NoSuchTime`] if the time of day is past 23:59:59.
    #[inline]
    pub fn from_cell(cell: &[u8]) -> Result<Self, CalendarError> {
        Self::parse(cell, b' ')
    }

    /// Parses three words of eight bytes, the last two of which overlap.
    #[inline]
    pub(crate) fn parse(text: &[u8], separator: u8) -> Result<Self, CalendarError> {
        let text: &[u8; 19] = text.try_into().map_err(|_| CalendarError::TimeShape)?;
        let word =
            |at: usize| text[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let middle_form = [b'0', b'0', separator, b'0', b'0', b':', b'0', b'0'];
        let (date, is_date) = two_digit_numbers(word(0), *b"0000-00-");
        let (middle, is_middle) = two_digit_numbers(word(8), middle_form);
        let (clock, is_clock) = two_digit_numbers(word(11), *b"00:00:00");
        if !(is_date & is_middle & is_clock) {
            return Err(CalendarError::TimeShape);
        }
        let [century, _, years, _, _, month, ..] = date;
        let [day, ..] = middle;
        let [hour, _, _, minute, _, _, second, _] = clock;
        let day = Day::new(u16::from(century) * 100 + u16::from(years), month, day)?;
        Self::new(day, hour, minute, second)
    }

    /// Returns the day.
    pub const fn day(self) -> Day {
        self.day
    }

    /// Returns the hour, 0 to 23.
    pub const fn hour(self) -> u8 {
        self.hour
    }

    /// Returns the minute, 0 to 59.
    pub const fn minute(self) -> u8 {
        self.minute
    }

    /// Returns the second, 0 to 59.
    pub const fn second(self) -> u8 {
        self.second
    }

    /// Returns the seconds from 1970-01-01 00:00:00 to this time, as if both were in UTC; negative
    /// before.
    pub fn naive_epoch_seconds(self) -> i64 {
        let (hour, minute, second) =
            (i64::from(self.hour), i64::from(self.minute), i64::from(self.second));
        self.day.epoch_days() * SECONDS_IN_DAY + hour * 3600 + minute * 60 + second
    }

    /// The reverse of [`naive_epoch_seconds`](Self::naive_epoch_seconds); `None` outside the years
    /// 0 to 9999.
    pub(crate) fn from_naive_epoch_seconds(seconds: i64) -> Option<Self> {
        let day = Day::from_epoch_days(seconds.div_euclid(SECONDS_IN_DAY))?;
        let rest = u32::try_from(seconds.rem_euclid(SECONDS_IN_DAY)).ok()?;
        let part = |value: u32| u8::try_from(value).ok();
        let (hour, minute, second) = (part(rest / 3600)?, part(rest / 60 % 60)?, part(rest % 60)?);
        Some(Self { day, hour, minute, second })
    }

    /// Returns the seconds from `earlier` to this time, as if every day had 24 hours; negative if
    /// this time is earlier.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.naive_epoch_seconds() - earlier.naive_epoch_seconds()
    }

    /// Adds `seconds`, which may be negative. Returns `None` outside the years 0 to 9999.
    pub fn plus_seconds(self, seconds: i64) -> Option<Self> {
        self.naive_epoch_seconds().checked_add(seconds).and_then(Self::from_naive_epoch_seconds)
    }

    /// Returns the text with a `T`, as in ISO 8601: `2023-04-06T08:30:00`.
    pub fn iso(self) -> TimeText {
        TimeText::new(self, b'T')
    }
}

impl Day {
    /// Returns the first second of the day, 00:00:00.
    #[must_use]
    pub const fn midnight(self) -> LocalTime {
        LocalTime { day: self, hour: 0, minute: 0, second: 0 }
    }
}

/// Reads a word of the form that `form` shows, with `0` for any digit.
///
/// Byte `i` of the first value is the number of two digits that begins there, if `form` has digits
/// there. The second value is whether the word has that form.
#[inline]
fn two_digit_numbers(word: u64, form: [u8; 8]) -> ([u8; 8], bool) {
    let difference = word ^ u64::from_le_bytes(form);
    // Adding this sets the highest bit of a byte that differs too much: by more than 9 where a
    // digit is expected, by anything elsewhere.
    let room = u64::from_le_bytes(form.map(|byte| if byte == b'0' { 0x76 } else { 0x7F }));
    let too_large = (difference.wrapping_add(room) | difference) & 0x8080_8080_8080_8080;
    let numbers = difference.wrapping_mul(10).wrapping_add(difference >> 8);
    (numbers.to_le_bytes(), too_large == 0)
}

impl fmt::Display for LocalTime {
    /// Writes `2023-04-06 08:30:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(TimeText::new(*self, b' ').as_str())
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
        let separator = if text.as_bytes().get(10) == Some(&b'T') { b'T' } else { b' ' };
        Self::parse(text.as_bytes(), separator)
    }
}

/// Text of a time, such as `2021-08-31T09:38:50.872Z`. It is not allocated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TimeText {
    bytes: [u8; 24],
    len: usize,
}

impl TimeText {
    /// Writes the date, `separator`, and the time of day to the second.
    pub(crate) fn new(time: LocalTime, separator: u8) -> Self {
        let day = time.day();
        let [century, years] =
            [day.year() / 100, day.year() % 100].map(|part| u8::try_from(part).unwrap_or_default());
        let mut bytes = *b"0000-00-00 00:00:00.000Z";
        bytes[10] = separator;
        for (at, number) in [
            (0, century),
            (2, years),
            (5, day.month()),
            (8, day.day()),
            (11, time.hour()),
            (14, time.minute()),
            (17, time.second()),
        ] {
            bytes[at] += number / 10;
            bytes[at + 1] += number % 10;
        }
        Self { bytes, len: 19 }
    }

    /// Appends `millis`, 0 to 999, and a `Z`.
    pub(crate) fn with_millis(mut self, millis: i64) -> Self {
        for (at, digit) in [(20, millis / 100), (21, millis / 10 % 10), (22, millis % 10)] {
            self.bytes[at] += u8::try_from(digit).unwrap_or_default();
        }
        Self { len: 24, ..self }
    }

    /// Appends a `Z`.
    pub(crate) fn with_z(mut self) -> Self {
        self.bytes[19] = b'Z';
        Self { len: 20, ..self }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Returns the text as bytes, which are ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl fmt::Display for TimeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TimeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
