//! Splits a range of days into windows.

use std::fmt;
use std::str::FromStr;

use ccfs_proto::{Day, LocalTime};

use crate::zone::Zone;

const DAY: i64 = 24 * 3600;

/// The period of one request: from its first second to its last, inclusive, in local time of the
/// tenant.
///
/// Requests and records have local times without an offset, and so have windows: the windows of a
/// range cover every local time exactly once, even where clocks are set. See `docs/reliability.md`,
/// "Pulling a range".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    begin: LocalTime,
    end: LocalTime,
}

impl Window {
    /// Creates the window from `begin` to `end`, inclusive; `None` if `end` is before `begin`.
    pub fn new(begin: LocalTime, end: LocalTime) -> Option<Self> {
        (begin <= end).then_some(Self { begin, end })
    }

    /// Its first second.
    pub fn begin(self) -> LocalTime {
        self.begin
    }

    /// Its last second.
    pub fn end(self) -> LocalTime {
        self.end
    }

    /// Whether it begins and ends on the same day.
    pub(crate) fn is_one_day(self) -> bool {
        self.begin.day() == self.end.day()
    }

    /// Whether it overlaps the days from `from` to `to`, inclusive.
    pub fn overlaps(self, from: Day, to: Day) -> bool {
        self.begin.day() <= to && self.end.day() >= from
    }
}

impl fmt::Display for Window {
    /// Writes `20230405T000000_20230407T235959`, which sorts by time and is valid in file names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", compact(self.begin), compact(self.end))
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Window({self})")
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let parts = text.split_once('_');
        let times = parts.and_then(|(begin, end)| expanded(begin).zip(expanded(end)));
        times.and_then(|(begin, end)| Self::new(begin, end)).ok_or(WindowError)
    }
}

/// The text is not a valid window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a window; write it as 20230405T000000_20230407T235959")]
#[non_exhaustive]
pub struct WindowError;

fn compact(time: LocalTime) -> String {
    time.iso().as_str().replace(['-', ':'], "")
}

fn expanded(text: &str) -> Option<LocalTime> {
    let (day, time) = text.split_once('T')?;
    let part = |at: usize| time.get(at..at + 2)?.parse().ok();
    let time = LocalTime::new(Day::from_digits(day).ok()?, part(0)?, part(2)?, part(4)?).ok()?;
    (compact(time) == text).then_some(time)
}

/// Splits the days from `from` to `to`, inclusive, into windows of at most `days` days, except the
/// times that `taken` covers already. `taken` may be in any order.
///
/// A window is not longer than `days` times 24 hours, in local time and in elapsed time. It ends at
/// the end of a day; a window in which daylight saving time ends therefore has one day less. Only
/// if `days` is 1, a day of 25 hours is split, at the time to which its clocks are set back.
///
/// ```
/// use ccfs_pull::{Zone, windows};
///
/// let (zone, from, to) = (Zone::named("Asia/Shanghai")?, "2023-04-01".parse()?, "2023-04-04".parse()?);
/// let windows: Vec<String> = windows(&zone, from, to, 3, &[]).map(|window| window.to_string()).collect();
/// assert_eq!(windows, ["20230401T000000_20230403T235959", "20230404T000000_20230404T235959"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn windows<'a>(
    zone: &'a Zone,
    from: Day,
    to: Day,
    days: u8,
    taken: &[Window],
) -> impl Iterator<Item = Window> + use<'a> {
    let mut taken: Vec<Window> = taken.to_vec();
    taken.sort_unstable();
    let mut taken = taken.into_iter().peekable();
    let last = end_of(to);
    let mut next = Some(from.midnight());
    std::iter::from_fn(move || {
        loop {
            let begin = next.filter(|begin| *begin <= last)?;
            match taken.peek() {
                Some(window) if window.end < begin => drop(taken.next()),
                Some(window) if window.begin <= begin => {
                    next = window.end.plus_seconds(1);
                    taken.next();
                }
                ahead => {
                    let last = ahead
                        .and_then(|window| window.begin.plus_seconds(-1))
                        .map_or(last, |end| end.min(last));
                    let end = furthest(zone, begin, last, days.max(1));
                    next = end.plus_seconds(1);
                    return Some(Window { begin, end });
                }
            }
        }
    })
}

/// The last second of a day.
fn end_of(day: Day) -> LocalTime {
    LocalTime::new(day, 23, 59, 59).unwrap_or_else(|_| unreachable!("every day has such a second"))
}

/// Returns the end of a window that begins at `begin`; at most `last`.
fn furthest(zone: &Zone, begin: LocalTime, last: LocalTime, days: u8) -> LocalTime {
    let limit = i64::from(days) * DAY;
    let first_end = end_of(begin.day());
    let mut ends = (0..i64::from(days))
        .rev()
        .filter_map(|more| first_end.plus_seconds(more * DAY))
        .map(|end| end.min(last));
    let fits =
        |end: &LocalTime| end.seconds_since(begin) < limit && zone.elapsed(begin, *end) <= limit;
    if let Some(end) = ends.find(fits) {
        return end;
    }
    // The day is too long because clocks are set back: ends before the repeated times, or else
    // after them.
    let end = first_end.min(last);
    let cut = zone.repeated(begin, end).and_then(|(start, behind)| {
        if start > begin { start.plus_seconds(-1) } else { behind.plus_seconds(-1) }
    });
    cut.map_or(end, |cut| cut.clamp(begin, end))
}
