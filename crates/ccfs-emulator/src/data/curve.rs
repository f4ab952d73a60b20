//! When things happen in a call center: little at night, much at ten and at three.

use ccfs_proto::LocalTime;

const HOUR: i64 = 3600;
/// How busy each hour of a day is, against the others.
const WEIGHTS: [u64; 24] =
    [1, 1, 1, 1, 1, 1, 2, 6, 20, 32, 34, 30, 18, 26, 34, 36, 30, 24, 12, 8, 6, 4, 2, 1];

/// Spreads events over a window as a call center's day does.
pub(crate) struct Curve {
    begin: LocalTime,
    /// From the window's begin, the seconds of each stretch of one weight, and the weight of everything up to its end.
    stretches: Vec<Stretch>,
}

struct Stretch {
    from: i64,
    seconds: u64,
    weight: u64,
    before: u64,
}

impl Curve {
    pub(crate) fn new(begin: LocalTime, end: LocalTime) -> Self {
        let midnight = begin.day().midnight();
        let (start, span) = (begin.seconds_since(midnight), end.seconds_since(begin).max(0));
        let mut stretches = Vec::new();
        let (mut from, mut before) = (0, 0);
        while from < span {
            let of_day = (start + from) % (24 * HOUR);
            let to = (from + HOUR - of_day % HOUR).min(span);
            let weight = usize::try_from(of_day / HOUR)
                .ok()
                .and_then(|hour| WEIGHTS.get(hour))
                .copied()
                .unwrap_or(1);
            let seconds = (to - from).unsigned_abs();
            stretches.push(Stretch { from, seconds, weight, before });
            before += seconds * weight;
            from = to;
        }
        Self { begin, stretches }
    }

    /// When event number `nth` of `count` happens. Later events never happen earlier.
    pub(crate) fn at(&self, nth: u64, count: u64) -> LocalTime {
        let total =
            self.stretches.last().map_or(0, |last| last.before + last.seconds * last.weight);
        // Both factors may be large; the quotient is below `total`.
        let target = u64::try_from(u128::from(total) * u128::from(nth) / u128::from(count.max(1)))
            .unwrap_or(total);
        let index =
            self.stretches.partition_point(|stretch| stretch.before <= target).saturating_sub(1);
        let seconds = self.stretches.get(index).map_or(0, |stretch| {
            let within = ((target - stretch.before) / stretch.weight).min(stretch.seconds);
            stretch.from + i64::try_from(within).unwrap_or_default()
        });
        self.begin.plus_seconds(seconds).unwrap_or(self.begin)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn most_of_a_day_happens_in_its_working_hours() {
        let (begin, end) =
            ("2023-04-05 00:00:00".parse().unwrap(), "2023-04-06 00:00:00".parse().unwrap());
        let curve = Curve::new(begin, end);
        let times: Vec<LocalTime> = (0..1000).map(|nth| curve.at(nth, 1000)).collect();
        assert!(times.is_sorted() && times[0] == begin && times[999] < end);
        let (from, to) =
            ("2023-04-05 08:00:00".parse().unwrap(), "2023-04-05 18:00:00".parse().unwrap());
        let working = times.iter().filter(|&&at| at >= from && at < to).count();
        assert!((800..950).contains(&working), "{working}");
    }

    #[test]
    fn a_window_without_length_has_one_time() {
        let begin = "2023-04-05 10:20:30".parse().unwrap();
        assert_eq!(Curve::new(begin, begin).at(7, 10), begin);
    }
}
