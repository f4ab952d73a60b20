//! The pull as a state machine without I/O.

mod open;
mod report;
mod step;
mod stored;
mod throttle;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use ccfs_proto::{IndexFileName, Now, ResponseId};

use self::open::Open;
pub use self::step::{Asked, History, Job, Known, Outcome, Step, Task, Trouble};
pub use self::stored::{Fingerprint, Stored};
pub use self::throttle::Outage;
use self::throttle::Throttle;
use crate::journal::Entry;
use crate::pace::Pace;
use crate::window::Window;
use crate::zone::Zone;

/// Decides the next step of a pull: request, download, record, wait.
///
/// Like an [`Exchange`](ccfs_proto::Exchange), it does no I/O and reads no clock: a driver runs the
/// steps of [`poll`](Self::poll) and reports their results. It is deterministic. The driver must
/// write an [`Entry`] to disk before it polls again, report every started job once, and pass
/// monotonic times. It should pass the server's time as the wall time, if the server's `Date`
/// headers show it, because the names of files contain the server's day.
///
/// ```
/// use std::time::Duration;
/// use ccfs_proto::{Now, ResponseId, Timestamp};
/// use ccfs_pull::{Fingerprint, Known, Pace, Scheduler, Step, Stored, Task, Zone};
///
/// let (zone, window) = (Zone::named("Asia/Shanghai")?, "20230405T000000_20230407T235959".parse()?);
/// let mut now = Now { wall: "2023-04-08T00:00:00Z".parse::<Timestamp>()?, monotonic: Duration::ZERO };
/// let mut scheduler = Scheduler::new(zone, Pace::default(), [(window, Known::Fresh)], now);
///
/// let mut journal = Vec::new();
/// loop {
///     match scheduler.poll(now) {
///         Step::Record(entry) => journal.push(entry),
///         Step::Start(job) => match job.task {
///             Task::Ask => scheduler.on_asked(now, job.window, "9239cb50a8384bb0ab503441bf089446".parse()?),
///             Task::Fetch(name) => {
///                 assert_eq!(name.as_str(), "20230408_9239cb50a8384bb0ab503441bf089446.zip");
///                 scheduler.on_stored(now, job.window, Stored::new(Fingerprint::of(b"the ZIP"), 1000), vec![]);
///             }
///         },
///         Step::Wait(duration) => now.monotonic += duration.unwrap_or_default(),
///         Step::Done => break,
///     }
/// }
/// assert_eq!(journal.len(), 3, "about to ask, asked, stored");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Scheduler {
    zone: Zone,
    pace: Pace,
    windows: BTreeMap<Window, Slot>,
    /// Windows to request.
    fresh: BTreeSet<Window>,
    /// Windows that are being requested or have a job at the server.
    open: BTreeSet<Window>,
    /// The window of each job, also of jobs that are over.
    by_id: BTreeMap<ResponseId, Window>,
    early: VecDeque<(ResponseId, IndexFileName)>,
    throttle: Throttle,
    /// Steps to return before the next decision.
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
    /// Its file of an earlier request, which stays if this one brings none.
    stored: Option<Stored>,
    /// Number of requests of this run that may have arrived.
    asks: u32,
    faults: u32,
    setbacks: u32,
}

#[derive(Debug)]
enum State {
    /// To be requested, but not before `after`.
    Fresh {
        after: Duration,
    },
    /// The request was sent at this time of the monotonic clock.
    Asking {
        sent: Duration,
    },
    /// The server has a job.
    Open(Box<Open>),
    Settled(Outcome),
}

impl Scheduler {
    /// Creates a scheduler for these windows, each with its state after earlier runs.
    pub fn new(
        zone: Zone,
        pace: Pace,
        windows: impl IntoIterator<Item = (Window, impl Into<History>)>,
        now: Now,
    ) -> Self {
        let mut scheduler = Self {
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
        for (window, history) in windows {
            let History { known, stored, job, .. } = history.into();
            if let Some(id) = job {
                scheduler.by_id.insert(id, window);
            }
            let state = match known {
                Known::Fresh => {
                    scheduler.fresh.insert(window);
                    State::Fresh { after: Duration::ZERO }
                }
                Known::Asked(asked) => {
                    scheduler.open.insert(window);
                    // Its callback may have come between the runs: look for the file at once.
                    State::Open(Box::new(Open::new(
                        asked,
                        &scheduler.zone,
                        0,
                        None,
                        now,
                        now.monotonic,
                        &scheduler.pace,
                    )))
                }
                Known::Complete(outcome) => State::Settled(outcome),
            };
            scheduler
                .windows
                .insert(window, Slot { state, stored, asks: 0, faults: 0, setbacks: 0 });
        }
        scheduler
    }

    /// Adds a job that an earlier run requested for a window. If the server returns its ID for
    /// another window, too, that window fails.
    pub fn know_job(&mut self, id: ResponseId, window: Window) {
        self.by_id.entry(id).or_insert(window);
    }

    /// Returns the next step.
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
            if self.stopped || self.left() == 0 {
                return if self.running == 0 { Step::Done } else { Step::Wait(None) };
            }
            if self.running >= self.throttle.slots() {
                return Step::Wait(None);
            }
            let due = self.next_due();
            match due.map(|(due, window)| (due.max(self.throttle.until()), window)) {
                Some((due, window)) if due <= now.monotonic => self.begin(window, now),
                Some((due, _)) => {
                    let due = self.throttle.gives_up(&self.pace).map_or(due, |end| end.min(due));
                    return Step::Wait(Some(due.saturating_sub(now.monotonic)));
                }
                None => return Step::Wait(None),
            }
        }
    }

    /// Returns the window that is due first, and when. Open windows precede new ones.
    fn next_due(&self) -> Option<(Duration, Window)> {
        let open = self.open.iter().filter_map(|window| match &self.windows.get(window)?.state {
            State::Open(open) if !open.fetching => Some((open.due, *window)),
            _ => None,
        });
        let room = self.open.len() < self.throttle.slots();
        let fresh = self.fresh.iter().filter(|_| room).filter_map(|window| {
            match self.windows.get(window)?.state {
                State::Fresh { after } => Some((after, *window)),
                _ => None,
            }
        });
        // A window that is due now ends the search: with many windows, looking at all of them is
        // slow.
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
                slot.state = State::Asking { sent: now.monotonic };
                slot.asks += 1;
                self.asked += 1;
                self.fresh.remove(&window);
                self.open.insert(window);
                self.outbox.push_back(Step::Record(Entry::Asking { window, at: now.wall }));
                self.outbox.push_back(Step::Start(Job { window, task: Task::Ask }));
            }
            State::Open(open) => {
                let Some(name) = open.name().cloned() else { return };
                (open.fetching, open.started) = (true, now.monotonic);
                self.outbox.push_back(Step::Start(Job { window, task: Task::Fetch(name) }));
            }
            State::Asking { .. } | State::Settled(_) => {}
        }
    }
}

/// Progress and results.
impl Scheduler {
    /// Returns every window, with its outcome if it has one.
    pub fn outcomes(&self) -> impl Iterator<Item = (Window, Option<&Outcome>)> {
        self.windows.iter().map(|(window, slot)| {
            let State::Settled(outcome) = &slot.state else { return (*window, None) };
            (*window, Some(outcome))
        })
    }

    /// Returns the outcome of a window, if it has one.
    pub fn outcome(&self, window: Window) -> Option<&Outcome> {
        match &self.windows.get(&window)?.state {
            State::Settled(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Number of windows without an outcome.
    pub fn left(&self) -> usize {
        self.fresh.len() + self.open.len()
    }

    /// Number of running jobs.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Number of windows that are being requested or have a job at the server.
    pub fn in_flight(&self) -> usize {
        self.open.len()
    }

    /// Number of requests for windows in this run.
    pub fn asked(&self) -> u64 {
        self.asked
    }

    /// Returns the current outage, if the last call failed so that the whole pull pauses.
    pub fn outage(&self, now: Now) -> Option<Outage> {
        self.throttle.outage(now.monotonic, &self.pace)
    }

    /// Returns the last failure if failures lasted longer than [`Pace::outage_timeout`] or, before
    /// the first good answer, than [`Pace::wait_for_server`].
    pub fn gave_up(&self) -> Option<&str> {
        self.hopeless
            .then(|| self.last_trouble.as_deref().unwrap_or("there was no successful response"))
    }
}
