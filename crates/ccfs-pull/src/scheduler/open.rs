//! A window whose job is at the server: under which names its file may stand, and when to look.

use std::time::Duration;

use ccfs_proto::{Day, IndexFileName, LocalTime, Now, Timestamp};

use super::step::Asked;
use crate::plan::Pace;
use crate::zone::Zone;

/// How far clocks on Earth are behind and ahead of UTC, in hours, and how far ours may be off, in minutes.
const WEST: i64 = 12;
const EAST: i64 = 14;
const SLACK: i64 = 10;
/// In every so-many-th round all names are tried, else the likeliest alone.
const ALL_NAMES: u32 = 3;

#[derive(Debug)]
pub(super) struct Open {
    pub(super) asked: Asked,
    /// The likeliest first.
    names: Vec<IndexFileName>,
    /// Which of them is next.
    at: usize,
    round: u32,
    pause: Duration,
    /// When to look next, on the monotonic clock.
    pub(super) due: Duration,
    pub(super) fetching: bool,
    /// How old the job was, and when that was so.
    age: Duration,
    since: Duration,
    /// Every answer so far was "no data".
    only_no_data: bool,
    told: Told,
    pub(super) faults: u32,
}

/// Whether a callback told the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    No,
    /// While another name was being tried.
    Meanwhile,
    Before,
}

/// What comes of a file that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotThere {
    Wait,
    NoData,
    Lost,
}

impl Open {
    /// A job, of which an earlier run may have known already. `shift` is how many days the server's day was ahead of the tenant's when
    /// a file was found last.
    pub(super) fn new(
        asked: Asked,
        zone: &Zone,
        shift: i64,
        now: Now,
        due: Duration,
        pace: &Pace,
    ) -> Self {
        let age =
            Duration::from_millis(u64::try_from(now.wall.millis_since(asked.at)).unwrap_or(0));
        let names = days(&asked, zone, shift)
            .into_iter()
            .map(|day| IndexFileName::new(day, asked.id))
            .collect();
        Self {
            asked,
            names,
            at: 0,
            round: 0,
            pause: pace.poll_interval.min(pace.max_poll_interval),
            due,
            fetching: false,
            age,
            since: now.monotonic,
            only_no_data: true,
            told: Told::No,
            faults: 0,
        }
    }

    /// The name to try now.
    pub(super) fn name(&self) -> Option<&IndexFileName> {
        self.names.get(self.at)
    }

    /// The server itself told the name.
    pub(super) fn tell(&mut self, name: &IndexFileName, now: Now) {
        if self.told != Told::No {
            return;
        }
        self.names.retain(|known| known != name);
        self.names.insert(0, name.clone());
        self.at = 0;
        self.due = now.monotonic;
        self.told = if self.fetching { Told::Meanwhile } else { Told::Before };
    }

    /// The server has no file of the name that was tried, or `no_data` for it.
    pub(super) fn not_there(&mut self, no_data: bool, now: Now, pace: &Pace) -> NotThere {
        self.only_no_data &= no_data;
        if self.told == Told::Meanwhile {
            // That was another name. The one that was told is next, at once.
            self.told = Told::Before;
            return NotThere::Wait;
        }
        let old = self.age + now.monotonic.saturating_sub(self.since) >= pace.lost_after;
        let all = self.round % ALL_NAMES == ALL_NAMES - 1;
        if (all || old) && self.at + 1 < self.names.len() {
            self.at += 1;
            return NotThere::Wait;
        }
        if old {
            return if self.only_no_data { NotThere::NoData } else { NotThere::Lost };
        }
        self.at = 0;
        self.round += 1;
        self.wait(now, pace);
        NotThere::Wait
    }

    /// Looks again after a pause, which grows.
    pub(super) fn wait(&mut self, now: Now, pace: &Pace) {
        self.due = now.monotonic + self.pause;
        self.pause = self.pause.saturating_mul(2).min(pace.max_poll_interval);
    }

    /// How many days the day in a name is ahead of the tenant's on which it was asked for.
    pub(super) fn shift_of(&self, zone: &Zone) -> Option<i64> {
        let (found, tenants) =
            (self.name()?.day()?.midnight(), zone.local(self.asked.at).day().midnight());
        Some(found.seconds_since(tenants) / (24 * 3600))
    }
}

/// Every day that the server's calendar may have shown when it took the question, the likeliest first.
///
/// The name carries the server's day, and where the server stands is not published. So it is the tenant's day, unless another run of luck
/// (`shift`) says otherwise, and behind it whatever day it was anywhere.
fn days(asked: &Asked, zone: &Zone, shift: i64) -> Vec<Day> {
    let day_at = |time: Timestamp, minutes: i64| {
        LocalTime::at_offset(time.plus_millis(minutes * 60_000), 0).day()
    };
    let (earliest, latest) = (
        day_at(asked.sent.min(asked.at), -WEST * 60 - SLACK),
        day_at(asked.at.max(asked.sent), EAST * 60 + SLACK),
    );
    let mut days: Vec<Day> =
        std::iter::successors(Some(earliest), |day| day.next().filter(|day| *day <= latest))
            .take(4)
            .collect();
    let tenants = zone.local(asked.at).day();
    let shifted = tenants.midnight().plus_seconds(shift * 24 * 3600).map(LocalTime::day);
    // Stable, so that the others keep their order.
    days.sort_by_key(|day| (Some(*day) != shifted, *day != tenants));
    days
}
