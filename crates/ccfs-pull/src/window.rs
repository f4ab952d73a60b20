//! A range of days, cut into windows that the server takes.

use std::fmt;
use std::str::FromStr;

use ccfs_proto::{Day, LocalTime};

use crate::zone::Zone;

const DAY: i64 = 24 * 3600;

/// A stretch of the tenant's clock: from its first second to its last, both belonging to it.
///
/// A window is a pair of *texts on a clock*, because that is what the server is asked with and what the records carry. So windows of
/// one range share no text and leave none out, whatever the clock does in between. See `docs/reliability.md`, "Pulling a range".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    begin: LocalTime,
    end: LocalTime,
}

impl Window {
    /// The window from `begin` to `end`; `None` when the end comes first.
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
}

impl fmt::Display for Window {
    /// `20230405T000000_20230407T235959`: sorts by time, and stands in file names.
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
        let (begin, end) = text.split_once('_').ok_or(WindowError)?;
        Self::new(expanded(begin)?, expanded(end)?).ok_or(WindowError)
    }
}

/// A text is no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a window is written 20230405T000000_20230407T235959")]
#[non_exhaustive]
pub struct WindowError;

fn compact(time: LocalTime) -> String {
    time.to_string()
        .chars()
        .filter(|c| !"-:".contains(*c))
        .map(|c| if c == ' ' { 'T' } else { c })
        .collect()
}

fn expanded(text: &str) -> Result<LocalTime, WindowError> {
    if text.len() != 15 || !text.is_ascii() {
        return Err(WindowError);
    }
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let (date, time) = (
        [part(0, 4), part(4, 6), part(6, 8)].join("-"),
        [part(9, 11), part(11, 13), part(13, 15)].join(":"),
    );
    format!("{date}{}{time}", part(8, 9)).parse().map_err(|_| WindowError)
}

/// Cuts the days from `from` to `to`, both included, into windows of at most `days` days, and leaves out what `taken` covers already.
///
/// A window ends with a day wherever it can. It is never longer than `days` times 24 hours, by the clock on the wall nor by the time that
/// really passes: around the end of daylight saving it has a day less, and a day of 25 hours that is longer than a whole window is cut
/// where its clock is set back. `taken` may be in any order.
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

/// Where a window that begins at `begin` ends, at `last` at the latest.
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
    // The day itself is too long, so its clock is set back: up to there, or else as far as times come twice.
    let end = first_end.min(last);
    let cut = zone.repeated(begin, end).and_then(|(start, behind)| {
        if start > begin { start.plus_seconds(-1) } else { behind.plus_seconds(-1) }
    });
    cut.map_or(end, |cut| cut.clamp(begin, end))
}
