//! Times and days, against calendar arithmetic of our own.

use std::time::{Duration, SystemTime};

use ccfs_proto::time::{CalendarError, Precision, TimestampError};
use ccfs_proto::{Day, LocalTime, Timestamp};
use proptest::prelude::*;

use super::cases;

/// 9999-12-31T23:59:59.999Z.
const LAST: i64 = 253_402_300_799_999;

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 0000-01-01 to that day, counted year by year and month by month.
fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let years = year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    years + (1..month).map(|month| days_in(year, month)).sum::<i64>() + day - 1
}

/// The reverse: steps down from the year that the count can at most be in.
fn day_after(days: i64) -> (i64, i64, i64) {
    let mut year = days / 365;
    while days_to(year, 1, 1) > days {
        year -= 1;
    }
    let (mut month, mut rest) = (1, days - days_to(year, 1, 1));
    while rest >= days_in(year, month) {
        rest -= days_in(year, month);
        month += 1;
    }
    (year, month, rest + 1)
}

/// The text of an instant, without a calendar library.
fn plain_text(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = day_after(days + days_to(1970, 1, 1));
    let (seconds, millis) = (rest / 1000, rest % 1000);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{millis:03}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// All that can be written, its edges more often than chance would have them.
fn millis() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0..=LAST, 1 => LAST - 200_000_000..=LAST, 1 => 0_i64..100_000]
}

fn day() -> impl Strategy<Value = Day> {
    (0_u16..=9999, 1_u8..=12, 1_u8..=28)
        .prop_map(|(year, month, day)| Day::new(year, month, day).unwrap())
}

fn local_time() -> impl Strategy<Value = LocalTime> {
    (day(), 0_u8..24, 0_u8..60, 0_u8..60)
        .prop_map(|(day, hour, minute, second)| LocalTime::new(day, hour, minute, second).unwrap())
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn timestamps_are_written_as_the_calendar_has_them_and_read_back(millis in millis()) {
        let at = Timestamp::from_unix_millis(millis);
        prop_assert_eq!(at.unix_millis(), millis);
        let text = at.text(Precision::Millis);
        prop_assert_eq!(text.as_str(), plain_text(millis));
        prop_assert_eq!(at.to_string(), text.as_str());
        prop_assert_eq!(text.as_str().parse::<Timestamp>(), Ok(at));
        let seconds = at.text(Precision::Seconds);
        prop_assert_eq!(seconds.as_str(), format!("{}Z", &text.as_str()[..19]));
        prop_assert_eq!(seconds.as_str().parse::<Timestamp>(), Ok(Timestamp::from_unix_millis(millis / 1000 * 1000)));
        prop_assert_eq!(at.utc_day().to_string(), &text.as_str()[..10]);
        prop_assert_eq!(Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_millis(millis.unsigned_abs())), at);
    }

    #[test]
    fn what_parses_is_written_the_same(text in prop_oneof![
        ".{0,30}",
        "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{3})?Z",
    ]) {
        match text.parse::<Timestamp>() {
            Ok(at) => {
                let precision = if text.len() == 24 { Precision::Millis } else { Precision::Seconds };
                let again = at.text(precision);
                prop_assert_eq!(again.as_str(), text);
            }
            Err(TimestampError::NoSuchTime) => prop_assert!(text.len() == 20 || text.len() == 24),
            Err(_) => {}
        }
    }

    #[test]
    fn times_past_either_end_become_the_end(millis in any::<i64>(), step in any::<i64>()) {
        let at = Timestamp::from_unix_millis(millis);
        prop_assert_eq!(at.unix_millis(), millis.clamp(0, LAST));
        let moved = at.plus_millis(step);
        prop_assert_eq!(moved.unix_millis(), at.unix_millis().saturating_add(step).clamp(0, LAST));
        prop_assert_eq!(moved.millis_since(at), moved.unix_millis() - at.unix_millis());
    }

    #[test]
    fn a_time_has_the_parts_that_it_is_made_of(day in day(), hour in 0_u8..30, minute in 0_u8..70, second in 0_u8..70) {
        match LocalTime::new(day, hour, minute, second) {
            Ok(time) => {
                prop_assert_eq!((time.day(), time.hour(), time.minute(), time.second()), (day, hour, minute, second));
                let since = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
                prop_assert_eq!(time.seconds_since(day.midnight()), since);
            }
            Err(error) => {
                prop_assert_eq!(error, CalendarError::NoSuchTime);
                prop_assert!(hour > 23 || minute > 59 || second > 59);
            }
        }
    }

    #[test]
    fn a_day_exists_when_the_calendar_has_it(year in 0_u16..12_000, month in any::<u8>(), day in any::<u8>(), near in (0_u8..15, 0_u8..34)) {
        for (month, day) in [(month, day), near] {
            let exists = year <= 9999 && (1..=12).contains(&month) && (1..=days_in(year.into(), month.into())).contains(&day.into());
            let made = Day::new(year, month, day);
            prop_assert_eq!(made.is_ok(), exists);
            let text = format!("{year:04}-{month:02}-{day:02}");
            match made {
                Ok(made) => {
                    prop_assert_eq!((made.year(), made.month(), made.day()), (year, month, day));
                    prop_assert_eq!(made.to_string(), text.as_str());
                    prop_assert_eq!(text.parse(), Ok(made));
                }
                Err(error) if text.len() == 10 => prop_assert_eq!(text.parse::<Day>(), Err(error)),
                Err(_) => prop_assert_eq!(text.parse::<Day>(), Err(CalendarError::DayShape)),
            }
        }
    }

    #[test]
    fn days_follow_each_other(day in day()) {
        let count = |day: Day| days_to(day.year().into(), day.month().into(), day.day().into());
        if let Some(next) = day.next() {
            prop_assert_eq!(count(next), count(day) + 1);
            prop_assert_eq!(next.previous(), Some(day));
            prop_assert!(next > day);
        } else {
            prop_assert_eq!(day.to_string(), "9999-12-31");
        }
        prop_assert!(day.previous().is_some() || day.to_string() == "0000-01-01");
    }

    #[test]
    fn local_times_round_trip_and_add_up(time in local_time(), other in local_time(), seconds in any::<i32>()) {
        prop_assert_eq!(time.to_string().parse(), Ok(time));
        prop_assert_eq!(time.to_string().replace(' ', "T").parse(), Ok(time));
        // Steps past 8000 years are none of the calendar library's.
        if time.day().year().abs_diff(other.day().year()) < 8000 {
            prop_assert_eq!(other.plus_seconds(time.seconds_since(other)), Some(time));
        }
        prop_assert_eq!(time.seconds_since(other), -other.seconds_since(time));
        prop_assert_eq!(time.seconds_since(other) >= 0, time >= other);
        if let Some(moved) = time.plus_seconds(seconds.into()) {
            prop_assert_eq!(moved.seconds_since(time), i64::from(seconds));
        }
    }

    #[test]
    fn an_offset_clock_shows_the_instant_moved(millis in millis(), offset in -86_400_i32..=86_400) {
        let shown = LocalTime::at_offset(Timestamp::from_unix_millis(millis), offset);
        let moved = (millis + i64::from(offset) * 1000).clamp(0, LAST);
        prop_assert_eq!(shown.to_string().replace(' ', "T"), &plain_text(moved)[..19]);
    }

    #[test]
    fn local_time_parsing_never_panics_and_keeps_what_it_takes(text in prop_oneof![
        ".{0,25}",
        "[0-9]{4}-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-6][0-9]:[0-6][0-9é+]",
    ]) {
        if let Ok(time) = text.parse::<LocalTime>() {
            prop_assert_eq!(time.to_string(), text.replace('T', " "));
        }
        if let Ok(day) = text.parse::<Day>() {
            prop_assert_eq!(day.to_string(), text);
        }
    }
}

#[test]
fn extreme_steps_are_no_panic() {
    let time: LocalTime = "2023-04-06 08:30:00".parse().unwrap();
    for seconds in [i64::MIN, i64::MIN + 1, i64::MAX] {
        assert_eq!(time.plus_seconds(seconds), None);
    }
    for offset in [i32::MIN, i32::MAX] {
        for millis in [0, LAST] {
            let _ = LocalTime::at_offset(Timestamp::from_unix_millis(millis), offset);
        }
    }
}

#[test]
fn every_year_and_every_part_of_a_second_is_written() {
    let years = (1970..=9999).map(|year| (days_to(year, 1, 1) - days_to(1970, 1, 1)) * 86_400_000);
    for millis in years.chain(0..if cfg!(miri) { 10 } else { 1000 }) {
        assert_eq!(Timestamp::from_unix_millis(millis).to_string(), plain_text(millis));
    }
}

/// The last second of jiff's instants was written as 1970; a fuzzer found it.
#[test]
fn the_last_days_of_the_year_9999_are_written() {
    for (millis, text) in [
        (253_402_207_200_807, "9999-12-30T22:00:00.807Z"),
        (253_402_207_199_999, "9999-12-30T21:59:59.999Z"),
    ] {
        assert_eq!(Timestamp::from_unix_millis(millis).to_string(), text);
    }
}
