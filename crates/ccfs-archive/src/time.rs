//! The two kinds of time in an index file, kept apart.

use std::fmt;
use std::str::FromStr;

use crate::error::RowFault;

/// A time as the **tenant's** clock showed it. The file does not say which zone that is.
///
/// It orders by what the clock showed. It is not an instant: the same value occurs twice when clocks go back.
/// With the tenant's zone and one of the features `jiff-02`, `chrono-04`, `time-03` it becomes one.
///
/// ```
/// use ccfs_archive::TenantTime;
///
/// let time: TenantTime = "2015-02-08 20:23:30".parse()?;
/// assert_eq!(time.to_string(), "2015-02-08T20:23:30");
/// assert!("2015-02-30 20:23:30".parse::<TenantTime>().is_err());
/// # Ok::<(), ccfs_archive::RowFault>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantTime(Civil);

/// A time in **UTC**, such as the one at which CC-FS stored a row. It is an instant.
///
/// ```
/// use ccfs_archive::UtcTime;
///
/// let time: UtcTime = "2015-02-08 12:23:30".parse()?;
/// assert_eq!(time.to_string(), "2015-02-08T12:23:30Z");
/// assert_eq!(time.unix_seconds(), 1_423_398_210);
/// # Ok::<(), ccfs_archive::RowFault>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UtcTime(Civil);

/// Year to second, each checked. The order of the fields is the order of time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Civil {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

/// Year, month, day, hour, minute, second.
#[cfg(any(feature = "jiff-02", feature = "chrono-04", feature = "time-03"))]
pub(crate) type Parts = (u16, u8, u8, u8, u8, u8);

macro_rules! civil_methods {
    ($type:ident, $suffix:literal) => {
        impl $type {
            /// A time of these parts; years 1 to 9999.
            pub fn new(
                year: u16,
                month: u8,
                day: u8,
                hour: u8,
                minute: u8,
                second: u8,
            ) -> Result<Self, RowFault> {
                Civil { year, month, day, hour, minute, second }.checked().map(Self)
            }

            /// The year, 1 to 9999.
            pub const fn year(self) -> u16 {
                self.0.year
            }

            /// The month, 1 to 12.
            pub const fn month(self) -> u8 {
                self.0.month
            }

            /// The day of the month, from 1.
            pub const fn day(self) -> u8 {
                self.0.day
            }

            /// The hour, 0 to 23.
            pub const fn hour(self) -> u8 {
                self.0.hour
            }

            /// The minute, 0 to 59.
            pub const fn minute(self) -> u8 {
                self.0.minute
            }

            /// The second, 0 to 59.
            pub const fn second(self) -> u8 {
                self.0.second
            }

            /// As a cell of an index file has it: `YYYY-MM-DD hh:mm:ss`.
            pub fn to_cell(self) -> String {
                self.0.text(' ').to_string()
            }

            #[cfg(any(feature = "jiff-02", feature = "chrono-04", feature = "time-03"))]
            pub(crate) const fn parts(self) -> Parts {
                let Civil { year, month, day, hour, minute, second } = self.0;
                (year, month, day, hour, minute, second)
            }

            /// Reads a cell, which is not empty.
            #[inline]
            pub(crate) fn from_cell(cell: &[u8]) -> Result<Self, RowFault> {
                Civil::from_cell(cell, b' ').map(Self)
            }
        }

        /// As ISO 8601 has it.
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{}", $suffix), self.0.text('T'))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        /// Takes what a cell holds, and what [`Display`](fmt::Display) writes.
        impl FromStr for $type {
            type Err = RowFault;

            fn from_str(text: &str) -> Result<Self, RowFault> {
                let separator = if text.as_bytes().get(10) == Some(&b'T') { b'T' } else { b' ' };
                let bare = if separator == b'T' {
                    text.strip_suffix($suffix).ok_or(RowFault::NotADate)?
                } else {
                    text
                };
                Civil::from_cell(bare.as_bytes(), separator).map(Self)
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text =
                    <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

civil_methods!(TenantTime, "");
civil_methods!(UtcTime, "Z");

impl UtcTime {
    /// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
    pub fn unix_seconds(self) -> i64 {
        let Civil { hour, minute, second, .. } = self.0;
        self.0.days() * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)
    }
}

impl Civil {
    /// Reads `YYYY-MM-DD hh:mm:ss` in three words of eight bytes, the last two of which overlap.
    #[inline]
    fn from_cell(cell: &[u8], separator: u8) -> Result<Self, RowFault> {
        let cell: &[u8; 19] = cell.try_into().map_err(|_| RowFault::NotADate)?;
        let word =
            |at: usize| cell[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let (date, middle, clock) = (word(0), word(8), word(11));
        let middle_form = [b'0', b'0', separator, b'0', b'0', b':', b'0', b'0'];
        let (date, date_bad) = digits(date, *b"0000-00-");
        let (middle, middle_bad) = digits(middle, middle_form);
        let (clock, clock_bad) = digits(clock, *b"00:00:00");
        if date_bad | middle_bad | clock_bad {
            return Err(RowFault::NotADate);
        }
        let (
            [century, _, years, _, _, month, ..],
            [day, ..],
            [hour, _, _, minute, _, _, second, _],
        ) = (date, middle, clock);
        let year = u16::from(century) * 100 + u16::from(years);
        Self { year, month, day, hour, minute, second }.checked()
    }

    #[inline]
    fn checked(self) -> Result<Self, RowFault> {
        let Self { year, month, day, hour, minute, second } = self;
        // Every month has 28 days, so that most dates need no calendar.
        let is_day =
            matches!((month, day), (1..=12, 1..=28)) || (day > 28 && day <= days_of(year, month));
        if !(1..=9999).contains(&year) || !is_day {
            return Err(RowFault::NoSuchDate);
        }
        if hour > 23 || minute > 59 || second > 59 {
            return Err(RowFault::NoSuchTime);
        }
        Ok(self)
    }

    /// Days since 1970-01-01 in the Gregorian calendar, counted from March so that the leap day comes last.
    fn days(self) -> i64 {
        let (year, month) = (i64::from(self.year), i64::from(self.month));
        let year = if month <= 2 { year - 1 } else { year };
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(self.day) - 1;
        year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
    }

    fn text(self, separator: char) -> impl fmt::Display {
        struct Text(Civil, char);
        impl fmt::Display for Text {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Civil { year, month, day, hour, minute, second } = self.0;
                write!(
                    f,
                    "{year:04}-{month:02}-{day:02}{}{hour:02}:{minute:02}:{second:02}",
                    self.1
                )
            }
        }
        Text(self, separator)
    }
}

/// Takes a form off a word: its zeros become the digits that stand there, the rest must be as it says. Each byte of the
/// first value is the number of two digits that begins there. The second value is whether something else stands there.
#[inline]
fn digits(word: u64, form: [u8; 8]) -> ([u8; 8], bool) {
    // A byte is too large if adding what is left up to 0x7F sets its highest bit: 9 for a digit, 0 for the rest.
    let room = u64::from_le_bytes(form.map(|byte| if byte == b'0' { 0x76 } else { 0x7F }));
    let left = word ^ u64::from_le_bytes(form);
    let pairs = left.wrapping_mul(10).wrapping_add(left >> 8);
    (pairs.to_le_bytes(), (left.wrapping_add(room) | left) & 0x8080_8080_8080_8080 != 0)
}

/// Days in a month; 0 for a month that does not exist.
fn days_of(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 0,
    }
}
