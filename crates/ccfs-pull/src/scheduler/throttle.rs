//! Limits concurrency and pauses the pull after flow control and connection failures.

use std::time::Duration;

use crate::plan::Pace;

#[derive(Debug)]
pub(super) struct Throttle {
    slots: usize,
    most: usize,
    /// Whether a call has succeeded. Before that, jobs run one at a time: with a wrong key, each
    /// call would add a bad signature towards the lock of the address.
    known: bool,
    pause: Duration,
    until: Duration,
    /// When the current failures began.
    trouble: Option<Duration>,
}

impl Throttle {
    pub(super) fn new(pace: &Pace) -> Self {
        Self {
            slots: 1,
            most: pace.slots(),
            known: false,
            pause: pace.backoff,
            until: Duration::ZERO,
            trouble: None,
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
        if !self.known {
            self.known = true;
            self.slots = self.most;
        }
    }

    /// After "try later": halves the number of jobs, and pauses.
    pub(super) fn busy(&mut self, now: Duration, pace: &Pace) {
        // Calls that were sent before the pause do not count again.
        if now >= self.until {
            self.slots = (self.slots / 2).max(1);
        }
        self.offline(now, pace);
    }

    /// After a connection failure: pauses.
    pub(super) fn offline(&mut self, now: Duration, pace: &Pace) {
        self.trouble.get_or_insert(now);
        if now >= self.until {
            self.until = now.saturating_add(self.pause);
            self.pause = self.pause.saturating_mul(2).min(pace.max_backoff);
        }
    }

    /// Whether the failures have lasted too long.
    pub(super) fn is_hopeless(&self, now: Duration, pace: &Pace) -> bool {
        self.trouble.is_some_and(|since| now.saturating_sub(since) >= pace.outage_timeout)
    }
}
