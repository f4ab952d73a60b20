//! Times as texts and as numbers.

use ccfs_proto::time::{CalendarError, Precision};
use ccfs_proto::{Day, LocalTime, Timestamp};

use crate::calendar::{days_since_1970, digits, is_day};
use crate::tape::text;

/// The bytes are a text for the three parsers, and their first eight a number of milliseconds.
///
/// Each parser accepts exactly the texts of its rule, which is implemented here a second time, and prints them unchanged.
pub fn timestamp(input: &[u8]) {
    let text = text(input);
    header_time(text);
    day(text);
    local_time(text);
    if let Some(bytes) = input.first_chunk() {
        number(i64::from_le_bytes(*bytes));
    }
}

fn header_time(text: &str) {
    match text.parse::<Timestamp>() {
        Ok(at) => {
            let precision = if text.len() == 24 { Precision::Millis } else { Precision::Seconds };
            assert_eq!(at.text(precision).as_str(), text);
            assert_eq!(Some(at.unix_millis()), expected_millis(text));
        }
        Err(CalendarError::TimestampShape | CalendarError::NoSuchTimestamp) => {
            assert_eq!(expected_millis(text), None)
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// The rule of the header's time: `yyyy-MM-ddTHH:mm:ss.SSSZ`, with or without the milliseconds.
fn expected_millis(text: &str) -> Option<i64> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let (clock, millis) = match clock.split_once('.') {
        Some((clock, millis)) => (clock, exactly(millis, 3)?),
        None => (clock, 0),
    };
    let (year, month, day) = date_parts(date)?;
    let seconds = seconds_of(clock)?;
    let seconds = days_since_1970(year, month, day) * 86_400 + i64::from(seconds);
    Some(seconds * 1000 + i64::from(millis))
}

fn day(text: &str) {
    match text.parse::<Day>() {
        Ok(day) => {
            assert_eq!(day.to_string(), text);
            assert_eq!(
                date_parts(text),
                Some((day.year().into(), day.month().into(), day.day().into()))
            );
            for (neighbour, distance) in [(day.next(), 1), (day.previous(), -1)] {
                let Some(neighbour) = neighbour else { continue };
                let days = |day: Day| {
                    days_since_1970(day.year().into(), day.month().into(), day.day().into())
                };
                assert_eq!(days(neighbour) - days(day), distance);
            }
        }
        Err(CalendarError::DayShape | CalendarError::NoSuchDay) => {
            assert_eq!(date_parts(text), None)
        }
        Err(other) => panic!("{other:?}"),
    }
}

fn local_time(text: &str) {
    let parts = || {
        let (date, clock) = text.split_once([' ', 'T'])?;
        Some((date_parts(date)?, seconds_of(clock)?))
    };
    match text.parse::<LocalTime>() {
        Ok(time) => {
            assert_eq!(time.to_string(), text.replace('T', " "));
            let (date, seconds) = parts().expect("what the rule takes");
            let day = time.day();
            assert_eq!((day.year().into(), day.month().into(), day.day().into()), date);
            let midnight = day.midnight();
            assert_eq!(time.seconds_since(midnight), i64::from(seconds));
            assert_eq!(midnight.plus_seconds(seconds.into()), Some(time));
        }
        Err(_) => assert_eq!(parts(), None),
    }
}

/// Any number of milliseconds gives a time that can be printed and parsed again, and adding any distance does not panic.
fn number(millis: i64) {
    let at = Timestamp::from_unix_millis(millis);
    let (first, last) = (-62_167_219_200_000, 253_402_300_799_999);
    assert_eq!(at.unix_millis(), millis.clamp(first, last));
    assert_eq!(at.text(Precision::Millis).as_str().parse::<Timestamp>(), Ok(at));
    let whole_seconds = Timestamp::from_unix_millis(at.unix_seconds() * 1000);
    assert_eq!(at.text(Precision::Seconds).as_str().parse::<Timestamp>(), Ok(whole_seconds));
    assert!(at.to_string().starts_with(&at.utc_day().to_string()));
    let moved = at.plus_millis(millis);
    assert!(moved == Timestamp::from_unix_millis(first) || moved.millis_since(at) <= millis);
    #[allow(clippy::cast_possible_truncation)] // Any offset will do.
    let local = LocalTime::at_offset(at, millis as i32);
    assert_eq!(local.to_string().parse(), Ok(local));
    let _ = local.plus_seconds(millis);
}

fn date_parts(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('-');
    let (year, month, day) =
        (exactly(parts.next()?, 4)?, exactly(parts.next()?, 2)?, exactly(parts.next()?, 2)?);
    (parts.next().is_none() && is_day(year, month, day)).then_some((year, month, day))
}

fn seconds_of(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let (hour, minute, second) =
        (exactly(parts.next()?, 2)?, exactly(parts.next()?, 2)?, exactly(parts.next()?, 2)?);
    (parts.next().is_none() && hour < 24 && minute < 60 && second < 60)
        .then_some(hour * 3600 + minute * 60 + second)
}

fn exactly(text: &str, length: usize) -> Option<u32> {
    if text.len() == length { digits(text) } else { None }
}
