use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::CalendarError;

/// 0000-01-01 and 9999-12-31 in days since 1970-01-01.
const EPOCH_DAYS: RangeInclusive<i64> = -719_528..=2_932_896;
/// Days in 400 years, after which the calendar repeats.
const DAYS_IN_ERA: u32 = 146_097;
/// Days from -0400-03-01 to 1970-01-01.
const MARCH_TO_EPOCH: i64 = 719_468 + 146_097;

/// A date of the Gregorian calendar in the years 0 to 9999, written as `2023-04-06`.
///
/// ```
/// use ccfs_time::{CalendarError, Day};
///
/// let day = Day::new(2024, 2, 28)?.next().expect("it is not the last day of the year 9999");
/// assert_eq!(day, "2024-02-29".parse()?);
/// assert_eq!(day.midnight().to_string(), "2024-02-29 00:00:00");
/// assert_eq!(Day::new(2023, 2, 29), Err(CalendarError::NoSuchDay));
/// # Ok::<(), CalendarError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    // In this order, the derived order of days is that of the calendar.
    year: u16,
    month: u8,
    of_month: u8,
}

impl Day {
    /// Creates a day from a year of 0 to 9999, a month and a day of the month.
    ///
    /// # Errors
    ///
    /// Returns [`CalendarError::NoSuchDay`] if the calendar does not have this day.
    #[inline]
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, CalendarError> {
        // Every month has 28 days, so for most dates the length of the month does not matter.
        let in_month = matches!((month, day), (1..=12, 1..=28))
            || (day > 28 && day <= days_in_month(year, month));
        if in_month && year <= 9999 {
            Ok(Self { year, month, of_month: day })
        } else {
            Err(CalendarError::NoSuchDay)
        }
    }

    /// Parses `20230406`, the format in file names.
    ///
    /// # Errors
    ///
    /// Returns [`CalendarError::DayShape`] if the text is not eight digits, and
    /// [`CalendarError::NoSuchDay`] if the calendar does not have this day.
    pub fn from_digits(text: &str) -> Result<Self, CalendarError> {
        let digits = <[u8; 8]>::try_from(text.as_bytes()).map_err(|_| CalendarError::DayShape)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(CalendarError::DayShape);
        }
        let [century, years, month, day] =
            [0, 2, 4, 6].map(|at| (digits[at] - b'0') * 10 + (digits[at + 1] - b'0'));
        Self::new(u16::from(century) * 100 + u16::from(years), month, day)
    }

    /// Returns the year, 0 to 9999.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// Returns the month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// Returns the day of the month, 1 to 31.
    pub const fn day(self) -> u8 {
        self.of_month
    }

    /// Returns the following day, or `None` after 9999-12-31.
    pub fn next(self) -> Option<Self> {
        Self::from_epoch_days(self.epoch_days() + 1)
    }

    /// Returns the preceding day, or `None` before 0000-01-01.
    pub fn previous(self) -> Option<Self> {
        Self::from_epoch_days(self.epoch_days() - 1)
    }

    /// Returns the days since 1970-01-01; negative before.
    ///
    /// Years are counted from March, so that the leap day comes last, and from the year -400, so
    /// that no number is negative.
    pub(crate) fn epoch_days(self) -> i64 {
        let (year, month, day) =
            (i64::from(self.year), i64::from(self.month), i64::from(self.of_month));
        let year = year + 400 - i64::from(month <= 2);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year;
        days - MARCH_TO_EPOCH
    }

    /// The reverse of [`epoch_days`](Self::epoch_days); `None` outside the years 0 to 9999.
    pub(crate) fn from_epoch_days(days: i64) -> Option<Self> {
        if !EPOCH_DAYS.contains(&days) {
            return None;
        }
        let days = u32::try_from(days + MARCH_TO_EPOCH).ok()?;
        let (era, day_of_era) = (days / DAYS_IN_ERA, days % DAYS_IN_ERA);
        let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
        let year_of_era = (day_of_era - leap_days) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = year_of_era + era * 400 + u32::from(month <= 2) - 400;
        Some(Self {
            year: u16::try_from(year).ok()?,
            month: u8::try_from(month).ok()?,
            of_month: u8::try_from(day).ok()?,
        })
    }
}

/// Days in a month; 0 for a month that does not exist.
fn days_in_month(year: u16, month: u8) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u8::from(is_leap),
        _ => 0,
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.of_month)
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
        match text.as_bytes() {
            [_, _, _, _, b'-', _, _, b'-', _, _] => Self::from_digits(&text.replace('-', "")),
            _ => Err(CalendarError::DayShape),
        }
    }
}
