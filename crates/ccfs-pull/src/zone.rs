//! The tenant's time zone.

use std::fmt;
use std::str::FromStr;

use ccfs_time::{LocalTime, Timestamp};
use jiff::Timestamp as Instant;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// A time zone of the built-in IANA database, which is the same on every machine.
///
/// ```
/// use ccfs_pull::Zone;
///
/// let zone = Zone::named("Asia/Shanghai")?;
/// assert_eq!(zone.local("2023-04-06T18:00:00Z".parse::<ccfs_proto::Timestamp>()?).to_string(), "2023-04-07 02:00:00");
/// assert!(Zone::named("Asia/Nowhere").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: Box<str>,
    rules: TimeZone,
}

impl Zone {
    /// Returns the zone with an IANA name.
    ///
    /// # Errors
    ///
    /// [`ZoneError`] if there is no such zone.
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        match TimeZone::get(name) {
            Ok(rules) => Ok(Self { name: rules.iana_name().unwrap_or(name).into(), rules }),
            Err(_) => Err(ZoneError { name: name.chars().take(64).collect() }),
        }
    }

    /// Returns the names of all zones.
    pub fn names() -> impl Iterator<Item = String> {
        jiff::tz::db().available().map(|name| name.to_string())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the local time at an instant.
    pub fn local(&self, instant: Timestamp) -> LocalTime {
        let at = Instant::try_from(instant).unwrap_or_default();
        LocalTime::at_offset(instant, self.rules.to_offset(at).seconds())
    }

    /// Returns the seconds east of UTC at a local time. A repeated time counts as the first of the
    /// two, and a skipped time has the offset before the change, as in RFC 5545.
    pub fn offset(&self, time: LocalTime) -> Option<i32> {
        let ambiguous = self.rules.to_ambiguous_timestamp(DateTime::from(time));
        let offset = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before,
        };
        Some(offset.seconds())
    }

    /// Elapsed seconds from the first instant with local time `begin` to the end of the last second
    /// with local time `end`; more if one of them is skipped.
    pub(crate) fn elapsed(&self, begin: LocalTime, end: LocalTime) -> i64 {
        match (self.first(begin), self.last(end)) {
            (Some(first), Some(last)) => last.as_second() + 1 - first.as_second(),
            // At the ends of the calendar, where zones have no rules.
            _ => end.seconds_since(begin) + 1,
        }
    }

    /// The first repeated local times between `begin` and `end`: their first second, and the one
    /// after the last.
    pub(crate) fn repeated(
        &self,
        begin: LocalTime,
        end: LocalTime,
    ) -> Option<(LocalTime, LocalTime)> {
        let (first, last) = (self.first(begin)?, self.last(end)?);
        // If clocks were set back just before `begin`, the times after `begin` are repeated.
        let from = first.checked_sub(jiff::SignedDuration::from_hours(26)).ok()?;
        let mut changes =
            self.rules.following(from).take_while(|change| change.timestamp() <= last);
        changes.find_map(|change| {
            let before = self.rules.to_offset(
                change.timestamp().checked_sub(jiff::SignedDuration::from_secs(1)).ok()?,
            );
            let at = Timestamp::from_unix_millis(change.timestamp().as_millisecond());
            let [start, behind] =
                [change.offset(), before].map(|offset| LocalTime::at_offset(at, offset.seconds()));
            Some((start, behind))
                .filter(|(start, behind)| start < behind && *behind > begin && *start <= end)
        })
    }

    /// The first instant of a local time. That of a skipped time is before the change.
    fn first(&self, time: LocalTime) -> Option<Instant> {
        self.rules.to_ambiguous_timestamp(time.into()).earlier().ok()
    }

    /// The last instant of a local time. That of a skipped time is after the change.
    fn last(&self, time: LocalTime) -> Option<Instant> {
        self.rules.to_ambiguous_timestamp(time.into()).later().ok()
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(name: &str) -> Result<Self, ZoneError> {
        Self::named(name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// There is no time zone with this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not a time zone; give an IANA name such as Asia/Shanghai")]
#[non_exhaustive]
pub struct ZoneError {
    /// The name, shortened.
    pub name: String,
}
