//! A point in time as auth-v2 writes it.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::SignedDuration;
use jiff::civil;
use jiff::tz::Offset;

/// 9999-12-31T23:59:59.999Z, the last time that the four-digit year of the format can write.
const LAST_MILLIS: i64 = 253_402_300_799_999;
const EPOCH: civil::DateTime = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// A point in time, in whole milliseconds since 1970-01-01T00:00:00Z.
///
/// The core reads no clock: whoever calls it passes the time. Times before 1970 and after the year 9999
/// cannot be written in auth-v2's format and become the nearest one that can.
///
/// ```
/// use ccfs_proto::{Precision, Timestamp};
///
/// let at = Timestamp::from_unix_millis(1_630_402_730_872);
/// assert_eq!(at.to_string(), "2021-08-31T09:38:50.872Z");
/// assert_eq!(at.text(Precision::Seconds).as_str(), "2021-08-31T09:38:50Z");
/// assert_eq!("2021-08-31T09:38:50.872Z".parse::<Timestamp>()?, at);
/// # Ok::<(), ccfs_proto::TimestampError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The time that many milliseconds after 1970-01-01T00:00:00Z.
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

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// This time plus `millis`, which may be negative.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self::from_unix_millis(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this time; negative when this time is before it.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// The day of this time in UTC.
    pub fn utc_day(self) -> crate::Day {
        let date = self.civil().date();
        crate::Day::from_parts(date.year(), date.month(), date.day())
    }

    /// The text that goes into the `Authorization` header, in `precision`.
    #[inline]
    pub fn text(self, precision: Precision) -> TimestampText {
        let at = self.civil();
        let (year, millis) = (at.year().cast_unsigned(), at.millisecond().cast_unsigned());
        let parts = [at.month(), at.day(), at.hour(), at.minute(), at.second()]
            .map(|part| u16::from(part.cast_unsigned()));
        let date = digits([year / 100, year % 100, parts[0], parts[1]]);
        let time = digits([parts[2], parts[3], parts[4], millis / 10]);
        let last = u64::from(b'0') + u64::from(millis % 10);
        // Eight characters at a time, the first in the lowest byte: `0000-00-`, `00T00:00` and `:00.000Z`.
        let words = [
            u64::from_le_bytes(*b"\0\0\0\0-\0\0-")
                | date & 0xFFFF_FFFF
                | (date >> 32 & 0xFFFF) << 40,
            u64::from_le_bytes(*b"\0\0T\0\0:\0\0")
                | date >> 48
                | (time & 0xFFFF) << 24
                | (time >> 16) << 48,
            u64::from_le_bytes(*b":\0\0.\0\0\0Z")
                | (time >> 32 & 0xFFFF) << 8
                | (time >> 48) << 32
                | last << 48,
        ];
        let mut bytes = [0; 24];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        match precision {
            Precision::Millis => TimestampText { bytes, len: 24 },
            Precision::Seconds => {
                bytes[19] = b'Z';
                TimestampText { bytes, len: 20 }
            }
        }
    }

    /// The calendar's view of it. In range by construction, so the fallbacks are never taken.
    #[inline]
    pub(crate) fn civil(self) -> civil::DateTime {
        // jiff's instants, which are quicker, end a day before its calendar does, and in milliseconds they end with a whole second.
        if self.0 >= jiff::Timestamp::MAX.as_second() * 1000 {
            return self.on_the_last_day();
        }
        Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(self.0).unwrap_or_default())
    }

    #[cold]
    fn on_the_last_day(self) -> civil::DateTime {
        EPOCH.checked_add(SignedDuration::from_millis(self.0)).unwrap_or(EPOCH)
    }
}

/// Four numbers below 100 as eight digits, the first in the lowest byte.
fn digits(numbers: [u16; 4]) -> u64 {
    // All four at once, each in its sixteen bits: 103 / 1024 is near enough to a tenth.
    let numbers = numbers.into_iter().rev().fold(0, |all, number| all << 16 | u64::from(number));
    let tens = (numbers * 103) >> 10 & 0x000F_000F_000F_000F;
    tens | (numbers - tens * 10) << 8 | 0x3030_3030_3030_3030
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads the text of an `Authorization` header: `yyyy-MM-ddTHH:mm:ss.SSSZ` or `yyyy-MM-ddTHH:mm:ssZ`.
    ///
    /// See `docs/protocol.md`, "Algorithm".
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let bytes = text.as_bytes();
        let millis = match bytes.len() {
            24 if bytes[19] == b'.' && bytes[23] == b'Z' => number(&bytes[20..23])?,
            20 if bytes[19] == b'Z' => 0,
            _ => return Err(TimestampError::Shape),
        };
        for (at, separator) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
            if bytes[at] != separator {
                return Err(TimestampError::Shape);
            }
        }
        let civil = civil::DateTime::new(
            number(&bytes[0..4])?,
            small(&bytes[5..7])?,
            small(&bytes[8..10])?,
            small(&bytes[11..13])?,
            small(&bytes[14..16])?,
            small(&bytes[17..19])?,
            i32::from(millis) * 1_000_000,
        )
        .map_err(|_| TimestampError::NoSuchTime)?;
        match i64::try_from(civil.duration_since(EPOCH).as_millis()) {
            Ok(millis @ 0..) => Ok(Self::from_unix_millis(millis)),
            _ => Err(TimestampError::NoSuchTime),
        }
    }
}

fn number(digits: &[u8]) -> Result<i16, TimestampError> {
    digits.iter().try_fold(0_i16, |value, digit| match digit {
        b'0'..=b'9' => Ok(value * 10 + i16::from(digit - b'0')),
        _ => Err(TimestampError::Shape),
    })
}

fn small(digits: &[u8]) -> Result<i8, TimestampError> {
    number(digits).map(|value| i8::try_from(value).unwrap_or(i8::MAX))
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

/// How fine the time in an `Authorization` header is written. Servers take both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precision {
    /// `2021-08-31T09:38:50.872Z`, what the vendor's demo client sends.
    #[default]
    Millis,
    /// `2021-08-31T09:38:50Z`.
    Seconds,
}

/// A [`Timestamp`] written out, without an allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TimestampText {
    bytes: [u8; 24],
    len: usize,
}

impl TimestampText {
    /// The text.
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

/// Why a text is no auth-v2 timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// The text does not look like a timestamp at all.
    #[error("a timestamp is written 2021-08-31T09:38:50.872Z or 2021-08-31T09:38:50Z, in UTC")]
    Shape,
    /// The shape is right, but there is no such day or time of day, or it is before 1970.
    #[error("the timestamp names a day or a time of day that does not exist, or one before 1970")]
    NoSuchTime,
}
