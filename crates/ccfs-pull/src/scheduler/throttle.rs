//! How many jobs at once, and when none: what flow control and broken connections do to a pull.

use std::time::Duration;

use crate::plan::Pace;

#[derive(Debug)]
pub(super) struct Throttle {
    slots: usize,
    most: usize,
    /// The server answered a call properly. Before that there is one at a time: were the key wrong, several would bring the lock nearer at once.
    known: bool,
    pause: Duration,
    until: Duration,
    /// When the present trouble began.
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

    /// Jobs that may run at once now.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// When the present pause ends.
    pub(super) fn until(&self) -> Duration {
        self.until
    }

    /// Something was achieved: one more at once, and no pause.
    pub(super) fn success(&mut self, pace: &Pace) {
        self.answered(pace);
        self.slots = (self.slots + 1).min(self.most);
    }

    /// The server answered properly.
    pub(super) fn answered(&mut self, pace: &Pace) {
        self.pause = pace.backoff;
        self.trouble = None;
        if !self.known {
            self.known = true;
            self.slots = self.most;
        }
    }

    /// "Try later": half as many at once, and a pause.
    pub(super) fn busy(&mut self, now: Duration, pace: &Pace) {
        // What was sent before the pause began tells nothing new.
        if now >= self.until {
            self.slots = (self.slots / 2).max(1);
        }
        self.offline(now, pace);
    }

    /// No connection: a pause.
    pub(super) fn offline(&mut self, now: Duration, pace: &Pace) {
        self.trouble.get_or_insert(now);
        if now >= self.until {
            self.until = now.saturating_add(self.pause);
            self.pause = self.pause.saturating_mul(2).min(pace.max_backoff);
        }
    }

    /// Whether the trouble has lasted too long.
    pub(super) fn is_hopeless(&self, now: Duration, pace: &Pace) -> bool {
        self.trouble.is_some_and(|since| now.saturating_sub(since) >= pace.outage_timeout)
    }
}
