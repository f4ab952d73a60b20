//! A window with a job at the server: the possible names of its file, and when to look for it.

use std::time::Duration;

use ccfs_proto::{Day, IndexFileName, LocalTime, Now, Timestamp};

use super::step::Asked;
use crate::pace::Pace;
use crate::zone::Zone;

/// The extreme UTC offsets on Earth, in hours, and the tolerance for the local clock, in minutes.
const WEST: i64 = 12;
const EAST: i64 = 14;
const SLACK: i64 = 10;
/// Every third round tries all names, the others only the likeliest one.
const ALL_NAMES: u32 = 3;

#[derive(Debug)]
pub(super) struct Open {
    pub(super) asked: Asked,
    /// The likeliest first.
    names: Vec<IndexFileName>,
    /// Index of the next name.
    at: usize,
    round: u32,
    pause: Duration,
    /// When to look next, on the monotonic clock.
    pub(super) due: Duration,
    pub(super) fetching: bool,
    /// When the last fetch began, on the monotonic clock.
    pub(super) started: Duration,
    /// The age of the job at the time `since`. Of a job of an earlier run, it is measured at the
    /// first answer: then the server's clock is known.
    age: Option<Duration>,
    since: Duration,
    /// Every answer so far was "no data".
    only_no_data: bool,
    callback_name: CallbackName,
    pub(super) faults: u32,
}

/// Whether a callback has delivered the name of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallbackName {
    Unknown,
    /// Delivered while another name was being tried.
    DuringFetch,
    Known,
}

/// The consequence of a missing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotThere {
    Wait,
    NoData,
    Lost,
}

impl Open {
    /// Creates the state of a job: of this run with `age` zero, of an earlier one with `None`.
    /// `shift` is the number of days that the server's day was ahead of the tenant's when the last
    /// file was found.
    pub(super) fn new(
        asked: Asked,
        zone: &Zone,
        shift: i64,
        age: Option<Duration>,
        now: Now,
        due: Duration,
        pace: &Pace,
    ) -> Self {
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
            started: now.monotonic,
            age,
            since: now.monotonic,
            only_no_data: true,
            callback_name: CallbackName::Unknown,
            faults: 0,
        }
    }

    /// The name to try now.
    pub(super) fn name(&self) -> Option<&IndexFileName> {
        self.names.get(self.at)
    }

    /// Sets the name from a callback.
    pub(super) fn set_name(&mut self, name: &IndexFileName, now: Now) {
        if self.callback_name != CallbackName::Unknown {
            return;
        }
        self.names.retain(|known| known != name);
        self.names.insert(0, name.clone());
        self.at = 0;
        self.due = now.monotonic;
        self.callback_name =
            if self.fetching { CallbackName::DuringFetch } else { CallbackName::Known };
    }

    /// Handles the answer that the tried name has no file or, with `no_data`, no data.
    pub(super) fn not_there(&mut self, no_data: bool, now: Now, pace: &Pace) -> NotThere {
        self.only_no_data &= no_data;
        if self.callback_name == CallbackName::DuringFetch {
            // The missing name was another one. The name from the callback is next, at once.
            self.callback_name = CallbackName::Known;
            return NotThere::Wait;
        }
        let passed = now.monotonic.saturating_sub(self.since);
        // Negative if a clock went back: then only the time of this run counts.
        let wall = || u64::try_from(now.wall.millis_since(self.asked.at)).unwrap_or(0);
        let age =
            *self.age.get_or_insert_with(|| Duration::from_millis(wall()).saturating_sub(passed));
        let old = age + passed >= pace.lost_after;
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

    /// Schedules the next look after a pause, which doubles.
    pub(super) fn wait(&mut self, now: Now, pace: &Pace) {
        self.due = now.monotonic + self.pause;
        self.pause = self.pause.saturating_mul(2).min(pace.max_poll_interval);
    }

    /// Number of days that the day in the current name is ahead of the tenant's day of the request.
    pub(super) fn shift_of(&self, zone: &Zone) -> Option<i64> {
        let (found, tenants) =
            (self.name()?.day()?.midnight(), zone.local(self.asked.at).day().midnight());
        Some(found.seconds_since(tenants) / (24 * 3600))
    }
}

/// Every day that it may have been at the server when it accepted the request, the likeliest first.
///
/// The name contains the server's day, and the server's time zone is not published. The first
/// candidates are the day at the last known `shift` and the tenant's day, followed by all other
/// days on Earth at that time.
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
    // A stable sort keeps the order of the others.
    days.sort_by_key(|day| (Some(*day) != shifted, *day != tenants));
    days
}
