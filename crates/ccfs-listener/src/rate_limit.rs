//! Limiting reports about requests and connections that strangers cause.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Limits reports to one a second for each reason, and counts those in between. It keeps one entry
/// for each reason, so reasons must not contain data of a peer.
#[derive(Debug)]
pub(crate) struct RateLimit<R>(Mutex<BTreeMap<R, Reported>>);

#[derive(Debug, Default)]
struct Reported {
    at: Option<Duration>,
    suppressed: u64,
}

impl<R: Ord> RateLimit<R> {
    const INTERVAL: Duration = Duration::from_secs(1);

    /// Returns the number of reports with this reason that were suppressed since the last one, if
    /// this one is to be made at the monotonic time `now`. Otherwise returns `None` and counts it.
    pub(crate) fn admit(&self, reason: R, now: Duration) -> Option<u64> {
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = reported.entry(reason).or_default();
        if last.at.is_some_and(|at| now.saturating_sub(at) < Self::INTERVAL) {
            last.suppressed += 1;
            return None;
        }
        last.at = Some(now);
        Some(std::mem::take(&mut last.suppressed))
    }
}

impl<R> Default for RateLimit<R> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Reports with the same reason are at least a second apart, and everything is reported or counted.
        #[test]
        fn reports_are_a_second_apart_and_nothing_is_lost(
            steps in prop::collection::vec((0_u64..700, prop::sample::select(&[
                "not signed", "another path", "too slow",
            ][..])), 0..100),
        ) {
            let limit = RateLimit::default();
            let mut now = Duration::ZERO;
            let mut last = BTreeMap::new();
            let mut counts = BTreeMap::<_, (u64, u64)>::new();
            for (millis, reason) in steps {
                now += Duration::from_millis(millis);
                let (seen, told) = counts.entry(reason).or_default();
                *seen += 1;
                let due = last.get(&reason).is_none_or(|at: &Duration| now >= *at + Duration::from_secs(1));
                let admitted = limit.admit(reason, now);
                prop_assert_eq!(admitted.is_some(), due);
                if let Some(suppressed) = admitted {
                    *told += 1 + suppressed;
                    prop_assert_eq!(told, seen);
                    last.insert(reason, now);
                }
            }
        }
    }
}
