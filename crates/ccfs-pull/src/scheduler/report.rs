//! Reports of drivers and their consequences.

use std::time::Duration;

use ccfs_proto::callback::Callback;
use ccfs_proto::{Now, ResponseId};

use super::open::{NotThere, Open};
use super::step::{Asked, Outcome, Step, Task, Trouble};
use super::stored::Stored;
use super::{Scheduler, Slot, State};
use crate::journal::{ConvertedFile, Entry};
use crate::window::Window;

/// Maximum number of callbacks kept for jobs whose response has not arrived yet.
const EARLY: usize = 256;
/// Maximum number of faulty responses to the requests of a window, and of damaged files of a job.
const FAULTS: u32 = 5;
/// Maximum number of failures of any kind for a window: the outage timeout does not end them while
/// other windows succeed.
const SETBACKS: u32 = 100;

/// Reports of drivers.
impl Scheduler {
    /// Reports that the server accepted the request for a window's file.
    pub fn on_asked(&mut self, now: Now, window: Window, id: ResponseId) {
        let Some(Slot { state: state @ State::Asking { .. }, .. }) = self.windows.get_mut(&window)
        else {
            return;
        };
        let State::Asking { sent } = *state else { return };
        self.running = self.running.saturating_sub(1);
        self.throttle.success(&self.pace);
        if let Some(first) = self.by_id.get(&id).filter(|first| **first != window) {
            let why = format!(
                "the server returned the job {id} of the window {first} for this window, too; the server, or a cache in between, is faulty"
            );
            return self.fail(now, window, &why);
        }
        // The wall clock may have been corrected since the request was sent.
        let trip = now.monotonic.saturating_sub(sent).as_millis();
        let sent = now.wall.plus_millis(-i64::try_from(trip).unwrap_or(0));
        let asked = Asked { id, sent, at: now.wall };
        let due = now.monotonic.saturating_add(self.pace.callback_timeout.unwrap_or_default());
        let age = Some(Duration::ZERO);
        let mut open = Open::new(asked, &self.zone, self.shift, age, now, due, &self.pace);
        if let Some(at) = self.early.iter().position(|(early, _)| *early == id)
            && let Some((_, name)) = self.early.remove(at)
        {
            open.set_name(&name, now);
        }
        *state = State::Open(Box::new(open));
        self.by_id.insert(id, window);
        self.outbox.push_back(Step::Record(Entry::Asked { window, id, sent, at: now.wall }));
    }

    /// Reports that a window's file is on disk, complete and checked, with the files that it was
    /// converted to.
    pub fn on_stored(
        &mut self,
        now: Now,
        window: Window,
        stored: Stored,
        converted: Vec<ConvertedFile>,
    ) {
        let Some(State::Open(open)) = self.windows.get_mut(&window).map(|slot| &mut slot.state)
        else {
            return;
        };
        if !open.fetching {
            return;
        }
        open.fetching = false;
        self.shift = open.shift_of(&self.zone).unwrap_or(self.shift);
        self.running = self.running.saturating_sub(1);
        self.throttle.success(&self.pace);
        let entry = Entry::Stored { window, at: now.wall, stored, converted };
        self.record(window, entry, Outcome::Stored(stored));
    }

    /// Reports that a job failed. `why` is used in reports and messages.
    pub fn on_trouble(&mut self, now: Now, window: Window, trouble: Trouble, why: &str) {
        let (asking, started) = match self.windows.get_mut(&window).map(|slot| &mut slot.state) {
            Some(State::Asking { sent }) => (true, *sent),
            Some(State::Open(open)) if open.fetching => {
                open.fetching = false;
                (false, open.started)
            }
            _ => return,
        };
        self.running = self.running.saturating_sub(1);
        if !matches!(trouble, Trouble::NoData | Trouble::NotThere | Trouble::BrokenOff) {
            self.last_trouble = Some(why.to_owned());
        }
        match trouble {
            Trouble::Busy | Trouble::Unanswered | Trouble::Offline | Trouble::Faulty => {
                self.throttle.failed(trouble, started, now.monotonic, &self.pace);
            }
            Trouble::BrokenOff => {}
            _ => self.throttle.answered(&self.pace),
        }
        if asking {
            self.not_asked(now, window, trouble, why);
        } else {
            self.not_fetched(now, window, trouble, why);
        }
    }

    /// Reports that the server asked to wait: the current pause has at least this length, but at
    /// most [`Pace::outage_timeout`](crate::Pace::outage_timeout).
    pub fn wait_at_least(&mut self, now: Now, pause: Duration) {
        self.throttle.wait_at_least(now.monotonic, pause.min(self.pace.outage_timeout));
    }

    /// Reports a callback. Late or repeated callbacks and those of unknown jobs have no effect.
    pub fn on_callback(&mut self, now: Now, callback: &Callback) {
        let known =
            self.by_id.get(&callback.response_id).and_then(|window| self.windows.get_mut(window));
        match known.map(|slot| &mut slot.state) {
            Some(State::Open(open)) if open.asked.id == callback.response_id => {
                open.set_name(&callback.file_name, now);
            }
            Some(_) => {}
            None if self.early.iter().any(|(id, _)| *id == callback.response_id) => {}
            None => {
                if self.early.len() >= EARLY {
                    self.early.pop_front();
                }
                self.early.push_back((callback.response_id, callback.file_name.clone()));
            }
        }
    }

    /// Starts no more jobs. The driver still has to report running jobs, and their results are
    /// recorded.
    pub fn stop(&mut self) {
        self.stopped = true;
        // Discards jobs that were not started; their `Asking` entries are harmless.
        let asked = &mut self.asked;
        self.outbox.retain(|step| match step {
            Step::Start(job) => {
                *asked -= u64::from(job.task == Task::Ask);
                false
            }
            _ => true,
        });
    }
}

impl Scheduler {
    fn not_asked(&mut self, now: Now, window: Window, trouble: Trouble, why: &str) {
        let Some(slot) = self.windows.get_mut(&window) else { return };
        // No job is known to exist, so this does not count as a lost one.
        slot.asks = slot.asks.saturating_sub(1);
        let after = match trouble {
            Trouble::NoData => return self.no_data(now, window),
            Trouble::Refused => return self.fail(now, window, why),
            Trouble::TooEarly => self.pace.max_poll_interval,
            // The throttle says when.
            _ => Duration::ZERO,
        };
        slot.faults += u32::from(matches!(
            trouble,
            Trouble::Faulty | Trouble::NotThere | Trouble::Damaged | Trouble::TooEarly
        ));
        if slot.faults >= FAULTS {
            return self.fail(now, window, why);
        }
        self.ask_again(now, window, after, why);
    }

    fn not_fetched(&mut self, now: Now, window: Window, trouble: Trouble, why: &str) {
        let pace = self.pace.clone();
        let Some(slot) = self.windows.get_mut(&window) else { return };
        let State::Open(open) = &mut slot.state else { return };
        slot.setbacks += u32::from(!matches!(trouble, Trouble::NotThere | Trouble::NoData));
        if slot.setbacks >= SETBACKS {
            return self.fail(now, window, why);
        }
        match trouble {
            Trouble::NotThere | Trouble::TooEarly | Trouble::NoData => {
                match open.not_there(trouble == Trouble::NoData, now, &pace) {
                    NotThere::Wait => {}
                    NotThere::NoData => self.no_data(now, window),
                    NotThere::Lost => {
                        let why = "the server no longer has its file, or never made it";
                        self.lose(now, window, why);
                    }
                }
            }
            Trouble::Damaged => {
                open.faults += 1;
                if open.faults >= FAULTS {
                    return self.lose(now, window, why);
                }
                open.wait(now, &pace);
            }
            Trouble::Refused => self.fail(now, window, why),
            // The throttle says when.
            Trouble::Busy
            | Trouble::Offline
            | Trouble::Unanswered
            | Trouble::Faulty
            | Trouble::BrokenOff => {}
        }
    }

    /// Records that the job is lost, and requests another one within the limit.
    fn lose(&mut self, now: Now, window: Window, why: &str) {
        self.outbox.push_back(Step::Record(Entry::Lost {
            window,
            at: now.wall,
            why: why.to_owned(),
        }));
        self.ask_again(now, window, Duration::ZERO, why);
    }

    fn ask_again(&mut self, now: Now, window: Window, after: Duration, why: &str) {
        let limit = self.pace.max_requests.max(1);
        let Some(slot) = self.windows.get_mut(&window) else { return };
        slot.setbacks += 1;
        if slot.asks >= limit || slot.setbacks >= SETBACKS {
            let why = if slot.asks >= limit {
                format!("requested {} times without success: {why}", slot.asks)
            } else {
                why.to_owned()
            };
            return self.fail(now, window, &why);
        }
        slot.state = State::Fresh { after: now.monotonic.saturating_add(after) };
        self.open.remove(&window);
        self.fresh.insert(window);
    }

    fn fail(&mut self, now: Now, window: Window, why: &str) {
        let why = why.to_owned();
        let entry = Entry::Failed { window, at: now.wall, why: why.clone() };
        self.record(window, entry, Outcome::Failed { why });
    }

    /// Settles a window without data. Its file of an earlier request stays.
    fn no_data(&mut self, now: Now, window: Window) {
        let stored = self.windows.get(&window).and_then(|slot| slot.stored);
        let outcome = stored.map_or(Outcome::NoData, Outcome::Stored);
        self.record(window, Entry::NoData { window, at: now.wall }, outcome);
    }

    fn record(&mut self, window: Window, entry: Entry, outcome: Outcome) {
        self.outbox.push_back(Step::Record(entry));
        self.open.remove(&window);
        self.fresh.remove(&window);
        if let Some(slot) = self.windows.get_mut(&window) {
            slot.state = State::Settled(outcome);
        }
    }
}
