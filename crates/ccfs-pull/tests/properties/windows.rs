//! Windows cover a range exactly, in every zone.

use ccfs_proto::{Day, LocalTime, Timestamp};
use ccfs_pull::{Window, Zone, windows};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::cases;

fn midnight(day: Day) -> LocalTime {
    day.midnight()
}

fn plus_days(day: Day, days: i64) -> Day {
    midnight(day).plus_seconds(days * 86_400).unwrap().day()
}

fn day(year: u16, month: u8, day: u8) -> Day {
    Day::new(year, month, day).unwrap()
}

/// Real seconds in a window, counted in another way than the library does: second by second where a clock is set, by jiff alone.
fn real_seconds(zone: &Zone, window: Window) -> i64 {
    let rules = TimeZone::get(zone.name()).unwrap();
    let civil = |time: LocalTime| {
        time.to_string().replace(' ', "T").parse::<jiff::civil::DateTime>().unwrap()
    };
    // Instants that show a time of the window lie within two days around it.
    let margin = jiff::SignedDuration::from_hours(50);
    let (begin, end) = (civil(window.begin()), civil(window.end()));
    let from = TimeZone::UTC.to_timestamp(begin).unwrap().checked_sub(margin).unwrap();
    let to = TimeZone::UTC.to_timestamp(end).unwrap().checked_add(margin).unwrap();
    let mut edges = vec![from];
    edges.extend(rules.following(from).map(|change| change.timestamp()).take_while(|at| *at < to));
    edges.push(to);
    let mut shown: Option<(i64, i64)> = None;
    for pair in edges.windows(2) {
        // Between two changes the clock runs evenly, so what it shows of the window is one stretch.
        let offset = i64::from(rules.to_offset(pair[0]).seconds());
        let utc = |time| TimeZone::UTC.to_timestamp(time).unwrap().as_second();
        let (first, last) = (
            (utc(begin) - offset).max(pair[0].as_second()),
            (utc(end) - offset).min(pair[1].as_second() - 1),
        );
        if first <= last {
            shown = Some(shown.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
        }
    }
    shown.map_or(0, |(first, last)| last + 1 - first)
}

/// The properties of any list of windows between two days.
fn hold(zone: &Zone, from: Day, to: Day, days: u8, found: &[Window]) {
    let limit = i64::from(days) * 86_400;
    let mut next = midnight(from);
    for window in found {
        assert_eq!(window.begin(), next, "{zone}: no gap and no overlap before {window}");
        assert!(
            window.end().seconds_since(window.begin()) < limit,
            "{zone}: {window} is too long on the wall"
        );
        let real = real_seconds(zone, *window);
        assert!(real <= limit, "{zone}: {window} has {real} real seconds, and {limit} are allowed");
        next = window.end().plus_seconds(1).unwrap();
    }
    assert_eq!(next, midnight(plus_days(to, 1)), "{zone}: all of the range");
}

fn zones() -> Vec<Zone> {
    Zone::names().map(|name| Zone::named(&name).unwrap()).collect()
}

/// Every zone that there is: through common changes, through a winter in which islands left a whole day out, and with long windows.
#[test]
fn every_zone_is_covered_exactly() {
    let zones = zones();
    assert!(zones.len() > 400, "{} zones", zones.len());
    for zone in &zones {
        let stretches = [
            ((2023, 3, 1), (2023, 4, 15), 1),
            ((2023, 9, 15), (2023, 11, 10), 1),
            ((2011, 12, 1), (2012, 1, 10), 3),
            ((2007, 1, 1), (2007, 12, 31), 31),
        ];
        for (from, to, days) in stretches {
            let (from, to) = (day(from.0, from.1, from.2), day(to.0, to.1, to.2));
            hold(zone, from, to, days, &windows(zone, from, to, days, &[]).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_day_of_25_hours_is_kept_within_bounds() {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let cut = |days| {
        windows(&zone, day(2023, 10, 28), day(2023, 10, 31), days, &[])
            .map(|w| w.to_string())
            .collect::<Vec<_>>()
    };
    // Saturday to Monday would be 73 hours.
    assert_eq!(cut(3), ["20231028T000000_20231029T235959", "20231030T000000_20231031T235959"]);
    // Sunday alone has 25, so it is cut where its clock is set back.
    let one = [
        "20231028T000000_20231028T235959",
        "20231029T000000_20231029T015959",
        "20231029T020000_20231029T235959",
    ];
    assert_eq!(cut(1)[..3], one);
    // In spring nothing changes but that a window has an hour less.
    let spring: Vec<_> = windows(&zone, day(2023, 3, 25), day(2023, 3, 27), 3, &[]).collect();
    assert_eq!(spring.len(), 1);
    assert_eq!(real_seconds(&zone, spring[0]), 71 * 3600);
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn any_range_is_covered_exactly(at in any::<prop::sample::Index>(), start in 0_i64..24_000, len in 0_i64..40, days in 1_u8..=31) {
        let zones = zones();
        let zone = &zones[at.index(zones.len())];
        let from = plus_days(day(1971, 1, 1), start);
        let to = plus_days(from, len);
        hold(zone, from, to, days, &windows(zone, from, to, days, &[]).collect::<Vec<_>>());
    }

    /// Periods that are already covered are left out, and every other instant is covered once.
    #[test]
    fn covered_periods_are_not_split_again(start in 0_i64..400, len in 0_i64..40, days in 1_u8..=4, earlier in prop::collection::vec((0_i64..60, 0_i64..9, 1_u8..=4), 0..4)) {
        let zone = Zone::named("America/Sao_Paulo").unwrap();
        let from = plus_days(day(2018, 1, 1), start);
        let to = plus_days(from, len);
        // Runs before this one, each of which left out what was there.
        let mut taken: Vec<Window> = Vec::new();
        for (shift, len, days) in earlier {
            let first = plus_days(from, shift - 20);
            let more: Vec<Window> = windows(&zone, first, plus_days(first, len), days, &taken).collect();
            taken.extend(more);
        }
        let fresh: Vec<Window> = windows(&zone, from, to, days, &taken).collect();
        let mut all: Vec<Window> = taken.iter().chain(&fresh).copied().collect();
        all.sort_unstable();
        for pair in all.windows(2) {
            prop_assert!(pair[0].end() < pair[1].begin(), "{} and {} overlap", pair[0], pair[1]);
        }
        let (first, last) = (midnight(from), midnight(plus_days(to, 1)).plus_seconds(-1).unwrap());
        let covered: i64 = all.iter().filter(|w| w.end() >= first && w.begin() <= last)
            .map(|w| w.end().min(last).seconds_since(w.begin().max(first)) + 1).sum();
        prop_assert_eq!(covered, last.seconds_since(first) + 1);
        // And once all is there, nothing is left.
        prop_assert_eq!(windows(&zone, from, to, days, &all).count(), 0);
    }

    #[test]
    fn a_windows_text_is_read_back(start in 0_i64..3_000_000_000, len in 0_i64..300_000) {
        let begin = midnight(day(1971, 1, 1)).plus_seconds(start).unwrap();
        let window = Window::new(begin, begin.plus_seconds(len).unwrap()).unwrap();
        prop_assert_eq!(window.to_string().parse::<Window>().unwrap(), window);
        prop_assert_eq!(window.to_string().len(), 31);
    }
}

#[test]
fn other_texts_are_not_windows() {
    for text in [
        "",
        "20230405T000000",
        "20230405T000000_20230404T000000",
        "20230405T000000_20230230T000000",
        "20230405 000000_20230405 000001x",
    ] {
        assert!(text.parse::<Window>().is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// A local time with its offset is an instant with that local time; of a repeated one, the earlier.
    #[test]
    fn offsets_lead_back(name in prop::sample::select(Zone::names().collect::<Vec<_>>()), seconds in 0_i64..4_000_000_000) {
        let zone = Zone::named(&name).unwrap();
        let instant = Timestamp::from_unix_millis(seconds * 1000);
        let local = zone.local(instant);
        let offset = zone.offset(local).unwrap();
        let utc = local.plus_seconds(-i64::from(offset)).unwrap();
        let back = Timestamp::from_unix_millis(utc.seconds_since("1970-01-01 00:00:00".parse().unwrap()) * 1000);
        prop_assert_eq!(zone.local(back), local);
        prop_assert!(back <= instant);
    }
}

#[test]
fn a_skipped_hour_has_the_offset_before_the_change() {
    let zone = Zone::named("America/New_York").unwrap();
    let offset = |time: &str| zone.offset(time.parse().unwrap()).unwrap() / 3600;
    assert_eq!(offset("2023-03-12 01:59:59"), -5);
    assert_eq!(offset("2023-03-12 02:30:00"), -5);
    assert_eq!(offset("2023-03-12 03:00:00"), -4);
    assert_eq!(offset("2023-11-05 01:30:00"), -4);
}
