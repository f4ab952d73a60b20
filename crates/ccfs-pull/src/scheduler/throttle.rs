//! Limits concurrency and pauses the pull after flow control and connection failures.

use std::time::Duration;

use super::step::Trouble;
use crate::pace::Pace;

#[derive(Debug)]
pub(super) struct Throttle {
    slots: usize,
    most: usize,
    /// Whether a call has succeeded. Before that, jobs run one at a time: with a wrong key, each
    /// call would add a bad signature towards the lock of the address.
    known: bool,
    pause: Duration,
    until: Duration,
    /// Whether the server has answered at all, "try later" included.
    reached: bool,
    /// When the first call of the current failures began.
    trouble: Option<Duration>,
    failures: u32,
}

/// Failures that pause the whole pull: the server is busy, or cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outage {
    /// Number of failures.
    pub failures: u32,
    /// The time since the start of the first call that failed.
    pub lasts: Duration,
    /// The time until the next attempt.
    pub next_attempt: Duration,
    /// The time until the pull gives up, if the failures go on.
    pub gives_up: Duration,
}

impl Throttle {
    pub(super) fn new(pace: &Pace) -> Self {
        Self {
            slots: 1,
            most: pace.slots(),
            known: false,
            reached: false,
            pause: pace.backoff,
            until: Duration::ZERO,
            trouble: None,
            failures: 0,
        }
    }

    /// Maximum number of concurrent jobs.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// End of the current pause.
    pub(super) fn until(&self) -> Duration {
        self.until
    }

    /// After a success: resets failures, and allows one more job.
    pub(super) fn success(&mut self, pace: &Pace) {
        self.answered(pace);
        self.slots = (self.slots + 1).min(self.most);
    }

    /// After a proper response: resets the length of pauses and the start of the failures.
    pub(super) fn answered(&mut self, pace: &Pace) {
        self.pause = pace.backoff;
        self.trouble = None;
        self.failures = 0;
        if !self.known {
            self.known = true;
            self.slots = self.most;
        }
    }

    /// After the failure of a call that began at `started`: pauses. After "try later" and a request
    /// without an answer it also halves the number of jobs.
    pub(super) fn failed(
        &mut self,
        trouble: Trouble,
        started: Duration,
        now: Duration,
        pace: &Pace,
    ) {
        self.reached |= trouble == Trouble::Busy;
        self.trouble.get_or_insert(started);
        self.failures = self.failures.saturating_add(1);
        // Calls that were sent before the pause do not count again.
        if now >= self.until {
            if matches!(trouble, Trouble::Busy | Trouble::Unanswered) {
                self.slots = (self.slots / 2).max(1);
            }
            self.until = now.saturating_add(self.pause);
            self.pause = self.pause.saturating_mul(2).min(pace.max_backoff);
        }
    }

    /// Makes the current pause at least this long.
    pub(super) fn wait_at_least(&mut self, now: Duration, pause: Duration) {
        if self.trouble.is_some() {
            self.until = self.until.max(now.saturating_add(pause));
        }
    }

    /// When the pull gives up, if the failures go on.
    pub(super) fn gives_up(&self, pace: &Pace) -> Option<Duration> {
        let limit =
            if self.known || self.reached { pace.outage_timeout } else { pace.wait_for_server };
        self.trouble.map(|since| since.saturating_add(limit))
    }

    /// Whether the failures have lasted too long.
    pub(super) fn is_hopeless(&self, now: Duration, pace: &Pace) -> bool {
        self.gives_up(pace).is_some_and(|end| now >= end)
    }

    pub(super) fn outage(&self, now: Duration, pace: &Pace) -> Option<Outage> {
        Some(Outage {
            failures: self.failures,
            lasts: now.saturating_sub(self.trouble?),
            next_attempt: self.until.saturating_sub(now),
            gives_up: self.gives_up(pace)?.saturating_sub(now),
        })
    }
}
