//! Properties of days, local times and timestamps. The oracle is jiff.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, SystemTime};

use ccfs_time::{CalendarError, Day, LocalTime, Precision, Timestamp};
use jiff::civil;
use proptest::prelude::*;

/// 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z.
const FIRST: i64 = -62_167_219_200_000;
const LAST: i64 = 253_402_300_799_999;
const EPOCH: civil::DateTime = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// The date and time in UTC by jiff, whose `Timestamp` does not reach the last 26 hours.
fn oracle(millis: i64) -> civil::DateTime {
    EPOCH.checked_add(jiff::SignedDuration::from_millis(millis)).unwrap()
}

fn oracle_day(day: Day) -> civil::Date {
    day.to_string().parse().unwrap()
}

/// `2021-08-31T09:38:50`, with `separator` in place of the `T`.
fn seconds_text(time: civil::DateTime, separator: char) -> String {
    time.strftime(&format!("%Y-%m-%d{separator}%H:%M:%S")).to_string()
}

/// Any time; those at the ends of the range and around 1970 more often than by chance.
fn millis() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => FIRST..=LAST,
        1 => LAST - 200_000_000..=LAST,
        1 => FIRST..FIRST + 200_000_000,
        1 => -100_000_i64..100_000,
    ]
}

/// Any day; the last ones of February and of the year more often than by chance.
fn day() -> impl Strategy<Value = Day> {
    let parts = prop_oneof![
        3 => (0_u16..=9999, 1_u8..=12, 1_u8..=31),
        1 => (0_u16..=9999, Just(2), 28_u8..=29),
        1 => (prop::sample::select(vec![0, 100, 400, 1900, 2000, 9999]), prop::sample::select(vec![1, 2, 3, 12]), 1_u8..=31),
    ];
    parts.prop_filter_map("a day that exists", |(year, month, day)| Day::new(year, month, day).ok())
}

fn local_time() -> impl Strategy<Value = LocalTime> {
    (day(), 0_u8..24, 0_u8..60, 0_u8..60)
        .prop_map(|(day, hour, minute, second)| LocalTime::new(day, hour, minute, second).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 512 }) })]

    #[test]
    fn a_day_exists_if_jiff_has_it(year in 0_u16..12_000, month in any::<u8>(), day in any::<u8>(), near in (0_u8..15, 0_u8..34)) {
        for (month, day) in [(month, day), near] {
            let small = |part: u8| i8::try_from(part).unwrap_or(i8::MAX);
            let oracle = civil::Date::new(i16::try_from(year).unwrap(), small(month), small(day));
            let text = format!("{year:04}-{month:02}-{day:02}");
            let digits = format!("{year:04}{month:02}{day:02}");
            match Day::new(year, month, day) {
                Ok(made) => {
                    prop_assert_eq!(oracle.unwrap().to_string(), made.to_string());
                    prop_assert_eq!((made.year(), made.month(), made.day()), (year, month, day));
                    prop_assert_eq!(text.parse(), Ok(made));
                    prop_assert_eq!(Day::from_digits(&digits), Ok(made));
                }
                Err(error) => {
                    prop_assert_eq!(error, CalendarError::NoSuchDay);
                    prop_assert!(oracle.is_err());
                    let shape = if text.len() == 10 { error } else { CalendarError::DayShape };
                    prop_assert_eq!(text.parse::<Day>(), Err(shape));
                    prop_assert_eq!(Day::from_digits(&digits), Err(shape));
                }
            }
        }
    }

    #[test]
    fn days_follow_each_other_as_in_jiff(day in day()) {
        let text = |day: Option<Day>| day.map(|day| day.to_string());
        let oracle = |date: Result<civil::Date, _>| {
            date.ok().filter(|date| date.year() >= 0).map(|date| date.to_string())
        };
        prop_assert_eq!(text(day.next()), oracle(oracle_day(day).tomorrow()));
        prop_assert_eq!(text(day.previous()), oracle(oracle_day(day).yesterday()));
        prop_assert!(day.next().is_none_or(|next| next > day));
    }

    #[test]
    fn a_time_has_the_parts_that_it_was_created_from(day in day(), hour in 0_u8..30, minute in 0_u8..70, second in 0_u8..70) {
        match LocalTime::new(day, hour, minute, second) {
            Ok(time) => {
                prop_assert_eq!((time.day(), time.hour(), time.minute(), time.second()), (day, hour, minute, second));
                let since = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
                prop_assert_eq!(time.seconds_since(day.midnight()), since);
                prop_assert_eq!(time.to_string(), format!("{day} {hour:02}:{minute:02}:{second:02}"));
                prop_assert_eq!(time.iso().to_string(), format!("{day}T{hour:02}:{minute:02}:{second:02}"));
            }
            Err(error) => {
                prop_assert_eq!(error, CalendarError::NoSuchTime);
                prop_assert!(hour > 23 || minute > 59 || second > 59);
            }
        }
    }

    #[test]
    fn local_times_are_counted_and_ordered_as_in_jiff(time in local_time(), other in local_time(), seconds in prop_oneof![any::<i64>(), -400_000_000_000_i64..400_000_000_000, any::<i32>().prop_map(i64::from)]) {
        let civil = |time: LocalTime| time.iso().as_str().parse::<civil::DateTime>().unwrap();
        let since = |time: LocalTime, other| civil(time).duration_since(other).as_secs();
        prop_assert_eq!(time.naive_epoch_seconds(), since(time, EPOCH));
        prop_assert_eq!(time.seconds_since(other), since(time, civil(other)));
        prop_assert_eq!(time.cmp(&other), civil(time).cmp(&civil(other)));
        // From 1970, because jiff adds at most about 8000 years.
        let moved = since(time, EPOCH).checked_add(seconds);
        let in_range = moved.filter(|seconds| (FIRST / 1000..=LAST / 1000).contains(seconds));
        prop_assert_eq!(
            time.plus_seconds(seconds).map(|moved| moved.to_string()),
            in_range.map(|seconds| seconds_text(oracle(seconds * 1000), ' '))
        );
        prop_assert_eq!(other.plus_seconds(time.seconds_since(other)), Some(time));
    }

    #[test]
    fn texts_of_local_times_parse_to_the_same_time(time in local_time()) {
        prop_assert_eq!(time.to_string().parse(), Ok(time));
        prop_assert_eq!(time.iso().to_string().parse(), Ok(time));
        prop_assert_eq!(LocalTime::from_cell(time.to_string().as_bytes()), Ok(time));
        prop_assert_eq!(LocalTime::from_cell(time.iso().as_bytes()), Err(CalendarError::TimeShape));
    }

    /// A cell is distinguished by its shape, then its date, then its time of day.
    #[test]
    fn a_bad_cell_is_reported_by_its_first_fault(cell in prop_oneof![
        3 => "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}".prop_map(String::into_bytes),
        3 => "[0-9]{4}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-6][0-9]:[0-6][0-9]".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..25),
        1 => prop::collection::vec(any::<u8>(), 19),
    ], at in 0_usize..19, byte in any::<u8>()) {
        let mut changed = cell.clone();
        if let Some(place) = changed.get_mut(at) {
            *place = byte;
        }
        for cell in [cell, changed] {
            let form: Vec<u8> = cell.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }).collect();
            let text = String::from_utf8_lossy(&cell);
            let part = |at: usize| text[at..at + 2].parse::<u8>().unwrap();
            let expected = if form != b"0000-00-00 00:00:00" {
                Err(CalendarError::TimeShape)
            } else if text[..10].parse::<civil::Date>().is_err() {
                Err(CalendarError::NoSuchDay)
            } else if part(11) > 23 || part(14) > 59 || part(17) > 59 {
                Err(CalendarError::NoSuchTime)
            } else {
                Ok(text.to_string())
            };
            prop_assert_eq!(LocalTime::from_cell(&cell).map(|time| time.to_string()), expected);
        }
    }

    #[test]
    fn parsing_never_panics_and_nothing_is_written_otherwise_than_read(text in prop_oneof![
        ".{0,30}",
        "[0-9]{4}-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-6][0-9]:[0-6][0-9é+]",
        "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{3})?Z",
        "[0-9-]{10}",
    ]) {
        if let Ok(time) = text.parse::<LocalTime>() {
            prop_assert_eq!(time.to_string(), text.replace('T', " "));
        }
        if let Ok(day) = text.parse::<Day>() {
            prop_assert_eq!(day.to_string(), text.as_str());
        }
        if let Ok(day) = Day::from_digits(&text) {
            prop_assert_eq!(day.to_string().replace('-', ""), text.as_str());
        }
        match text.parse::<Timestamp>() {
            Ok(at) => {
                let precision = if text.len() == 24 { Precision::Millis } else { Precision::Seconds };
                prop_assert_eq!(at.text(precision).to_string(), text);
            }
            Err(CalendarError::NoSuchTimestamp) => prop_assert!(text.len() == 20 || text.len() == 24),
            Err(_) => {}
        }
    }

    #[test]
    fn timestamps_are_written_as_by_jiff_and_parse_to_the_same_time(millis in millis()) {
        let at = Timestamp::from_unix_millis(millis);
        prop_assert_eq!(at.unix_millis(), millis);
        let oracle = oracle(millis);
        let seconds = seconds_text(oracle, 'T');
        let text = at.text(Precision::Millis);
        prop_assert_eq!(text.as_str(), format!("{seconds}.{:03}Z", oracle.millisecond()));
        prop_assert_eq!(text.as_bytes(), text.as_str().as_bytes());
        prop_assert_eq!(at.to_string(), text.as_str());
        prop_assert_eq!(text.as_str().parse(), Ok(at));
        let whole = Timestamp::from_unix_millis(at.unix_seconds() * 1000);
        prop_assert!((0..1000).contains(&at.millis_since(whole)));
        let text = at.text(Precision::Seconds);
        prop_assert_eq!(text.as_str(), format!("{seconds}Z"));
        prop_assert_eq!(text.as_str().parse(), Ok(whole));
        prop_assert_eq!(Timestamp::from_utc(at.utc()), whole);
        prop_assert_eq!(at.utc().iso().to_string(), seconds);
        prop_assert_eq!(at.utc_day(), at.utc().day());
        let distance = Duration::from_millis(millis.unsigned_abs());
        let epoch = SystemTime::UNIX_EPOCH;
        let system = if millis < 0 { epoch - distance } else { epoch + distance };
        prop_assert_eq!(Timestamp::from(system), at);
    }

    #[test]
    fn times_past_either_end_become_the_end(millis in prop_oneof![any::<i64>(), millis()], step in prop_oneof![any::<i64>(), millis()]) {
        let at = Timestamp::from_unix_millis(millis);
        prop_assert_eq!(at.unix_millis(), millis.clamp(FIRST, LAST));
        let moved = at.plus_millis(step);
        prop_assert_eq!(moved.unix_millis(), at.unix_millis().saturating_add(step).clamp(FIRST, LAST));
        prop_assert_eq!(moved.millis_since(at), moved.unix_millis() - at.unix_millis());
    }

    #[test]
    fn an_offset_moves_the_local_time(millis in millis(), offset in prop_oneof![any::<i32>(), -86_400_i32..=86_400]) {
        let local = LocalTime::at_offset(Timestamp::from_unix_millis(millis), offset);
        let moved = (millis + i64::from(offset) * 1000).clamp(FIRST, LAST);
        prop_assert_eq!(local.to_string(), seconds_text(oracle(moved), ' '));
    }
}

/// Every day and its number, from the first to the last.
#[test]
#[cfg_attr(miri, ignore = "takes minutes")]
fn all_days_are_counted() {
    let mut next = Some(Day::new(0, 1, 1).unwrap());
    let mut seconds = -62_167_219_200;
    while let Some(day) = next {
        assert_eq!(day.midnight().naive_epoch_seconds(), seconds);
        assert_eq!(day.next().map_or(day, |next| next.previous().unwrap()), day);
        next = day.next();
        seconds += 86_400;
    }
    assert_eq!(seconds, 253_402_300_800);
}
