//! How far the clock is off, by the server's `Date`.

use std::time::Duration;

use ccfs_proto::Timestamp;
use ccfs_proto::exchange::ClockSkew;
use http::{HeaderMap, header};
use proptest::prelude::*;

use super::cases;

/// The headers of an answer whose `Date` is that time, in whole seconds.
fn dated(at: Timestamp) -> HeaderMap {
    let seconds = u64::try_from(at.unix_millis() / 1000).unwrap();
    let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(seconds));
    HeaderMap::from_iter([(header::DATE, date.parse().unwrap())])
}

proptest! {
    #![proptest_config(cases(256))]

    /// Whatever the offset, the trip and where in it the server wrote its date, the measure is within its own uncertainty.
    #[test]
    fn the_measure_is_within_its_uncertainty(now in 1_000_000_000_000_i64..2_000_000_000_000, offset in -100_000_000_i64..100_000_000, trip in 0_i64..10_000, share in 0_i64..=100) {
        let sent = Timestamp::from_unix_millis(now);
        let server = sent.plus_millis(trip * share / 100 + offset);
        let elapsed = Duration::from_millis(trip.unsigned_abs());
        let skew = ClockSkew::measure(sent, sent.plus_millis(trip), elapsed, &dated(server)).unwrap();
        prop_assert!((skew.millis - offset).abs() <= skew.uncertainty_millis + 1, "{skew:?}, and it is {offset}");
    }

    /// A wall clock that was set in the middle of the trip says nothing, in whichever direction.
    #[test]
    fn a_clock_that_was_set_is_not_measured(now in 1_000_000_000_000_i64..2_000_000_000_000, jump in 2000_i64..100_000_000, back in any::<bool>(), trip in 0_i64..10_000) {
        let sent = Timestamp::from_unix_millis(now);
        let jump = if back { -jump } else { jump };
        let elapsed = Duration::from_millis(trip.unsigned_abs());
        prop_assert_eq!(ClockSkew::measure(sent, sent.plus_millis(trip + jump), elapsed, &dated(sent)), None);
    }
}
