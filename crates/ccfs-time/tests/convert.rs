//! Times as those of the calendar crates.
#![cfg(all(feature = "jiff-02", feature = "chrono-04", feature = "time-03"))]
#![allow(clippy::unwrap_used)]

use ccfs_time::Timestamp;
use proptest::prelude::*;

/// All times of the range, and often those at its ends.
fn seconds() -> impl Strategy<Value = i64> {
    const FIRST: i64 = -62_167_219_200;
    const LAST: i64 = 253_402_300_799;
    prop_oneof![FIRST..=LAST, FIRST..FIRST + 100_000, LAST - 100_000..=LAST, -100_i64..100]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_crate_has_the_same_local_time(seconds in seconds()) {
        let time = Timestamp::from_unix_millis(seconds * 1000).utc();
        let jiff = jiff::civil::DateTime::from(time);
        prop_assert_eq!(jiff.to_string(), time.iso().to_string());
        prop_assert_eq!(format!("{:?}", chrono::NaiveDateTime::from(time)), time.iso().to_string());
        let primitive = time::PrimitiveDateTime::from(time);
        prop_assert_eq!(primitive.assume_utc().unix_timestamp(), seconds);
    }

    #[test]
    fn every_crate_has_the_same_instant(seconds in seconds(), millis in 0_i64..1000) {
        let at = Timestamp::from_unix_millis(seconds * 1000 + millis);
        prop_assert_eq!(chrono::DateTime::<chrono::Utc>::from(at).timestamp_millis(), at.unix_millis());
        let nanos = time::OffsetDateTime::from(at).unix_timestamp_nanos();
        prop_assert_eq!(nanos, i128::from(at.unix_millis()) * 1_000_000);
        match jiff::Timestamp::try_from(at) {
            Ok(instant) => prop_assert_eq!(instant.as_millisecond(), at.unix_millis()),
            Err(_) => prop_assert!(at.to_string().starts_with("9999-12-3")),
        }
    }
}
