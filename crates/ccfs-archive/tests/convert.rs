//! Times as those of the calendar crates.
#![cfg(all(feature = "jiff-02", feature = "chrono-04", feature = "time-03"))]
#![allow(clippy::unwrap_used)]

use ccfs_archive::{TenantTime, UtcTime};

/// The ends of what is held, and leap days.
const DATES: [&str; 5] = [
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59",
    "2000-02-29 12:00:01",
    "1969-12-31 23:59:59",
    "2015-02-08 20:23:30",
];

#[test]
fn every_crate_shows_the_same_clock() {
    for date in DATES {
        let time: TenantTime = date.parse().unwrap();
        let iso = time.to_string();
        assert_eq!(jiff::civil::DateTime::from(time).to_string(), iso);
        assert_eq!(format!("{:?}", chrono::NaiveDateTime::from(time)), iso);
        let primitive = time::PrimitiveDateTime::from(time);
        assert_eq!(
            (primitive.year(), u8::from(primitive.month()), primitive.day()),
            (i32::from(time.year()), time.month(), time.day())
        );
        assert_eq!(primitive.as_hms(), (time.hour(), time.minute(), time.second()));
    }
}

#[test]
fn every_crate_knows_the_same_instant() {
    for date in DATES {
        let time: UtcTime = date.parse().unwrap();
        assert_eq!(chrono::DateTime::<chrono::Utc>::from(time).timestamp(), time.unix_seconds());
        assert_eq!(time::OffsetDateTime::from(time).unix_timestamp(), time.unix_seconds());
        match jiff::Timestamp::try_from(time) {
            Ok(timestamp) => assert_eq!(timestamp.as_second(), time.unix_seconds()),
            Err(_) => assert_eq!(time.year(), 9999),
        }
    }
}
