//! The pull as a state machine: it decides, and does nothing.

mod open;
mod step;
mod throttle;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use ccfs_proto::{Callback, IndexFileName, Now, ResponseId, Timestamp};

use self::open::{NotThere, Open};
pub use self::step::{Asked, Job, Known, Outcome, Step, Stored, Task, Trouble};
use self::throttle::Throttle;
use crate::journal::Entry;
use crate::plan::Pace;
use crate::window::Window;
use crate::zone::Zone;

/// Callbacks that are kept because the answer which names their job is still on its way.
const EARLY: usize = 256;
/// Faulty answers to the question for one window, and damaged files of one job.
const FAULTS: u32 = 5;
/// Setbacks of any kind for one window before it is given up: between other windows' good answers no patience would end.
const SETBACKS: u32 = 100;

/// Decides what to do next about every window: ask, look, download, write down, wait.
///
/// Like an [`Exchange`](ccfs_proto::Exchange), it does no I/O and reads no clock: a driver does what [`poll`](Self::poll) says and reports
/// what came of it. The same reports give the same steps. A driver keeps three promises: an [`Entry`] is on the disk before the next step is asked
/// for, every job that was started is reported once, and time never goes back.
///
/// ```
/// use std::time::Duration;
/// use ccfs_proto::{Now, ResponseId, Timestamp};
/// use ccfs_pull::{Known, Pace, Pull, Step, Stored, Task, Zone};
///
/// let (zone, window) = (Zone::named("Asia/Shanghai")?, "20230405T000000_20230407T235959".parse()?);
/// let now = Now { wall: Timestamp::parse("2023-04-08T00:00:00Z")?, monotonic: Duration::ZERO };
/// let mut pull = Pull::new(zone, Pace::default(), [(window, Known::Fresh)], now);
///
/// let mut journal = Vec::new();
/// loop {
///     match pull.poll(now) {
///         Step::Record(entry) => journal.push(entry),
///         Step::Start(job) => match job.task {
///             Task::Ask => pull.on_asked(now, job.window, "9239cb50a8384bb0ab503441bf089446".parse()?),
///             Task::Fetch(name) => {
///                 assert_eq!(name.as_str(), "20230408_9239cb50a8384bb0ab503441bf089446.zip");
///                 pull.on_stored(now, job.window, Stored::new(42_345, 1000, 0));
///             }
///             _ => unreachable!(),
///         },
///         Step::Wait(_) => unreachable!("nothing to wait for in this example"),
///         Step::Done => break,
///         _ => unreachable!(),
///     }
/// }
/// assert_eq!(journal.len(), 3, "about to ask, asked, stored");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pull {
    zone: Zone,
    pace: Pace,
    windows: BTreeMap<Window, Slot>,
    /// Windows that are to be asked for.
    fresh: BTreeSet<Window>,
    /// Windows that are being asked for, or have a job at the server.
    open: BTreeSet<Window>,
    by_id: BTreeMap<ResponseId, Window>,
    early: VecDeque<(ResponseId, IndexFileName)>,
    throttle: Throttle,
    /// What has to be done before anything is decided.
    outbox: VecDeque<Step>,
    running: usize,
    shift: i64,
    asked: u64,
    stopped: bool,
    hopeless: bool,
    last_trouble: Option<String>,
}

#[derive(Debug)]
struct Slot {
    state: State,
    /// How often this run asked for it, and may have been heard.
    asks: u32,
    faults: u32,
    setbacks: u32,
}

#[derive(Debug)]
enum State {
    /// To be asked for, not before that time.
    Fresh {
        after: Duration,
    },
    /// The question is on its way.
    Asking {
        sent: Timestamp,
    },
    /// The server has a job.
    Open(Box<Open>),
    Settled(Outcome),
}

impl Pull {
    /// A pull of these windows, with what earlier runs left of them.
    pub fn new(zone: Zone, pace: Pace, windows: impl IntoIterator<Item = (Window, Known)>, now: Now) -> Self {
        let mut pull = Self {
            zone,
            throttle: Throttle::new(&pace),
            pace,
            windows: BTreeMap::new(),
            fresh: BTreeSet::new(),
            open: BTreeSet::new(),
            by_id: BTreeMap::new(),
            early: VecDeque::new(),
            outbox: VecDeque::new(),
            running: 0,
            shift: 0,
            asked: 0,
            stopped: false,
            hopeless: false,
            last_trouble: None,
        };
        for (window, known) in windows {
            let state = match known {
                Known::Fresh => {
                    pull.fresh.insert(window);
                    State::Fresh { after: Duration::ZERO }
                }
                Known::Asked(asked) => {
                    pull.open.insert(window);
                    pull.by_id.insert(asked.id, window);
                    // Its callback may have come while nobody listened: look at once.
                    State::Open(Box::new(Open::new(asked, &pull.zone, 0, now, now.monotonic, &pull.pace)))
                }
                Known::Complete(outcome) => State::Settled(outcome),
            };
            pull.windows.insert(window, Slot { state, asks: 0, faults: 0, setbacks: 0 });
        }
        pull
    }

    /// What to do next.
    pub fn poll(&mut self, now: Now) -> Step {
        loop {
            if let Some(step) = self.outbox.pop_front() {
                if matches!(step, Step::Start(_)) {
                    self.running += 1;
                }
                return step;
            }
            if !self.stopped && self.throttle.is_hopeless(now.monotonic, &self.pace) {
                self.hopeless = true;
                self.stopped = true;
            }
            if self.stopped || (self.fresh.is_empty() && self.open.is_empty()) {
                return if self.running == 0 { Step::Done } else { Step::Wait(None) };
            }
            if self.running >= self.throttle.slots() {
                return Step::Wait(None);
            }
            let due = self.next_due();
            match due.map(|(due, window)| (due.max(self.throttle.until()), window)) {
                Some((due, window)) if due <= now.monotonic => self.begin(window, now),
                Some((due, _)) => return Step::Wait(Some(due.saturating_sub(now.monotonic))),
                None => return Step::Wait(None),
            }
        }
    }

    /// The window that is due first, and when: what was begun goes before what is new.
    fn next_due(&self) -> Option<(Duration, Window)> {
        let open = self.open.iter().filter_map(|window| match &self.windows.get(window)?.state {
            State::Open(open) if !open.fetching => Some((open.due, *window)),
            _ => None,
        });
        let room = self.open.len() < self.throttle.slots();
        let fresh = self.fresh.iter().filter(|_| room).filter_map(|window| match self.windows.get(window)?.state {
            State::Fresh { after } => Some((after, *window)),
            _ => None,
        });
        // Of those that were never tried the first will do, and it is due at once: no need to look at all of them.
        let until = self.throttle.until();
        let mut best: Option<(Duration, Window)> = open.min();
        for (after, window) in fresh {
            if best.is_none_or(|(due, _)| after.max(until) < due.max(until)) {
                best = Some((after, window));
            }
            if after <= until || after.is_zero() {
                break;
            }
        }
        best
    }

    fn begin(&mut self, window: Window, now: Now) {
        let Some(slot) = self.windows.get_mut(&window) else { return };
        match &mut slot.state {
            State::Fresh { .. } => {
                slot.state = State::Asking { sent: now.wall };
                slot.asks += 1;
                self.asked += 1;
                self.fresh.remove(&window);
                self.open.insert(window);
                self.outbox.push_back(Step::Record(Entry::Asking { window, at: now.wall }));
                self.outbox.push_back(Step::Start(Job { window, task: Task::Ask }));
            }
            State::Open(open) => {
                let Some(name) = open.name().cloned() else { return };
                open.fetching = true;
                self.outbox.push_back(Step::Start(Job { window, task: Task::Fetch(name) }));
            }
            State::Asking { .. } | State::Settled(_) => {}
        }
    }
}

/// What drivers report.
impl Pull {
    /// The server took the question for a window's file, and named the job.
    pub fn on_asked(&mut self, now: Now, window: Window, id: ResponseId) {
        let Some(Slot { state: state @ State::Asking { .. }, .. }) = self.windows.get_mut(&window) else { return };
        let State::Asking { sent } = *state else { return };
        self.running = self.running.saturating_sub(1);
        self.throttle.success(&self.pace);
        let asked = Asked { id, sent, at: now.wall };
        let due = now.monotonic.saturating_add(self.pace.callback_patience.unwrap_or_default());
        let mut open = Open::new(asked, &self.zone, self.shift, now, due, &self.pace);
        if let Some(at) = self.early.iter().position(|(early, _)| *early == id)
            && let Some((_, name)) = self.early.remove(at)
        {
            open.tell(&name, now);
        }
        *state = State::Open(Box::new(open));
        self.by_id.insert(id, window);
        self.outbox.push_back(Step::Record(Entry::Asked { window, id, sent, at: now.wall }));
    }

    /// A window's file is on disk, whole and checked.
    pub fn on_stored(&mut self, now: Now, window: Window, stored: Stored) {
        let Some(open) = self.fetching(window) else { return };
        open.fetching = false;
        let (shift, zone) = (self.shift, self.zone.clone());
        let shift = self.fetched(window).and_then(|open| open.shift_of(&zone)).unwrap_or(shift);
        self.shift = shift;
        self.running = self.running.saturating_sub(1);
        self.throttle.success(&self.pace);
        self.settle(now, window, Outcome::Stored(stored));
    }

    /// A job came to nothing; `why` is told to people.
    pub fn on_trouble(&mut self, now: Now, window: Window, trouble: Trouble, why: &str) {
        let asking = match self.windows.get_mut(&window).map(|slot| &mut slot.state) {
            Some(State::Asking { .. }) => true,
            Some(State::Open(open)) if open.fetching => {
                open.fetching = false;
                false
            }
            _ => return,
        };
        self.running = self.running.saturating_sub(1);
        if !matches!(trouble, Trouble::NoData | Trouble::NotThere | Trouble::BrokenOff) {
            self.last_trouble = Some(why.to_owned());
        }
        match trouble {
            Trouble::Busy | Trouble::Unanswered => self.throttle.busy(now.monotonic, &self.pace),
            Trouble::Offline | Trouble::Faulty => self.throttle.offline(now.monotonic, &self.pace),
            Trouble::BrokenOff => {}
            _ => self.throttle.answered(&self.pace),
        }
        if asking { self.not_asked(now, window, trouble, why) } else { self.not_fetched(now, window, trouble, why) }
    }

    /// The server says that a file is there. Callbacks that are late, repeated, or of jobs that nobody asked for change nothing.
    pub fn on_callback(&mut self, now: Now, callback: &Callback) {
        let known = self.by_id.get(&callback.response_id).and_then(|window| self.windows.get_mut(window));
        match known.map(|slot| &mut slot.state) {
            Some(State::Open(open)) if open.asked.id == callback.response_id => open.tell(&callback.file_name, now),
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

    /// Begins nothing more. What runs is still to be reported, and what it brought is still written down.
    pub fn stop(&mut self) {
        self.stopped = true;
        // What was decided and not begun is as if it had never been; the entry before it does no harm.
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

impl Pull {
    fn not_asked(&mut self, now: Now, window: Window, trouble: Trouble, why: &str) {
        let Some(slot) = self.windows.get_mut(&window) else { return };
        // No job is known to have come of it, so there is none that the server could have lost.
        slot.asks = slot.asks.saturating_sub(1);
        let after = match trouble {
            Trouble::NoData => return self.settle(now, window, Outcome::NoData),
            Trouble::Refused => return self.fail(now, window, why),
            Trouble::TooEarly => self.pace.poll_limit,
            // The throttle says when.
            _ => Duration::ZERO,
        };
        slot.faults += u32::from(matches!(trouble, Trouble::Faulty | Trouble::NotThere | Trouble::Damaged));
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
            Trouble::NotThere | Trouble::TooEarly => match open.not_there(false, now, &pace) {
                NotThere::Wait => {}
                _ => self.lose(now, window, "the server no longer has its file, or never made it"),
            },
            Trouble::NoData => match open.not_there(true, now, &pace) {
                NotThere::Wait => {}
                NotThere::NoData => self.settle(now, window, Outcome::NoData),
                NotThere::Lost => self.lose(now, window, "the server no longer has its file, or never made it"),
            },
            Trouble::Damaged => {
                open.faults += 1;
                if open.faults >= FAULTS {
                    return self.lose(now, window, why);
                }
                open.wait(now, &pace);
            }
            Trouble::Refused => self.fail(now, window, why),
            // The throttle says when.
            Trouble::Busy | Trouble::Offline | Trouble::Unanswered | Trouble::Faulty | Trouble::BrokenOff => {}
        }
    }

    /// The job is gone: another one is asked for, if that may be.
    fn lose(&mut self, now: Now, window: Window, why: &str) {
        self.outbox.push_back(Step::Record(Entry::Lost { window, at: now.wall, why: why.to_owned() }));
        self.ask_again(now, window, Duration::ZERO, why);
    }

    fn ask_again(&mut self, now: Now, window: Window, after: Duration, why: &str) {
        let limit = self.pace.asks.max(1);
        let Some(slot) = self.windows.get_mut(&window) else { return };
        slot.setbacks += 1;
        if slot.asks >= limit || slot.setbacks >= SETBACKS {
            let why = if slot.asks >= limit { format!("asked for {} times in vain: {why}", slot.asks) } else { why.to_owned() };
            return self.fail(now, window, &why);
        }
        slot.state = State::Fresh { after: now.monotonic.saturating_add(after) };
        self.open.remove(&window);
        self.fresh.insert(window);
    }

    fn fail(&mut self, now: Now, window: Window, why: &str) {
        self.settle(now, window, Outcome::Failed { why: why.to_owned() });
    }

    fn settle(&mut self, now: Now, window: Window, outcome: Outcome) {
        let at = now.wall;
        let entry = match &outcome {
            Outcome::Stored(stored) => Entry::Stored { window, at, bytes: stored.bytes, rows: stored.rows, bad_rows: stored.bad_rows },
            Outcome::NoData => Entry::NoData { window, at },
            Outcome::Failed { why } => Entry::Failed { window, at, why: why.clone() },
        };
        self.outbox.push_back(Step::Record(entry));
        self.open.remove(&window);
        self.fresh.remove(&window);
        if let Some(slot) = self.windows.get_mut(&window) {
            slot.state = State::Settled(outcome);
        }
    }

    fn fetching(&mut self, window: Window) -> Option<&mut Open> {
        self.fetched(window).filter(|open| open.fetching)
    }

    fn fetched(&mut self, window: Window) -> Option<&mut Open> {
        match &mut self.windows.get_mut(&window)?.state {
            State::Open(open) => Some(open),
            _ => None,
        }
    }
}

/// How far it is.
impl Pull {
    /// Every window, and how it ended if it did.
    pub fn outcomes(&self) -> impl Iterator<Item = (Window, Option<&Outcome>)> {
        self.windows.iter().map(|(window, slot)| {
            let State::Settled(outcome) = &slot.state else { return (*window, None) };
            (*window, Some(outcome))
        })
    }

    /// How it ended with a window.
    pub fn outcome(&self, window: Window) -> Option<&Outcome> {
        match &self.windows.get(&window)?.state {
            State::Settled(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Windows that are not settled yet.
    pub fn left(&self) -> usize {
        self.fresh.len() + self.open.len()
    }

    /// Jobs that run now.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Windows that are being asked for, or have a job at the server.
    pub fn in_flight(&self) -> usize {
        self.open.len()
    }

    /// How often this run asked for a window.
    pub fn asked(&self) -> u64 {
        self.asked
    }

    /// Why it gave up, where trouble lasted longer than its patience.
    pub fn gave_up(&self) -> Option<&str> {
        self.hopeless.then(|| self.last_trouble.as_deref().unwrap_or("the server gave no good answer"))
    }
}
