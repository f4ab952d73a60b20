//! The blocking driver: a thread for each job, and one that decides nothing.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use ccfs_driver::{Clock, Error, Overwrite, Progress, SystemClock};
use ccfs_proto::Callback;
use ccfs_ureq::Client;

use crate::call::{self, Fetch};
use crate::error::PullError;
use crate::folder::Folder;
use crate::machine::{Job, Step, Stored, Task};
use crate::plan::{Pace, Plan};
use crate::run::{Got, Run};
use crate::summary::{PullProgress, PullSummary, WindowReport};

/// How long a wait goes on before callbacks and the progress function are looked at.
const SLICE: Duration = Duration::from_millis(100);

type ProgressFn<'a> = Box<dyn FnMut(&PullProgress) -> ControlFlow<()> + 'a>;
type WindowFn<'a> = Box<dyn FnMut(&WindowReport) + 'a>;

/// A pull over the blocking client that is ready to start.
///
/// ```no_run
/// use ccfs_archive::FileKind;
/// use ccfs_proto::Credentials;
/// use ccfs_pull::{BlockingPull, Plan, Zone};
///
/// let credentials = Credentials::from_text("my-app-id", std::env::var("CCFS_SECRET_KEY")?)?;
/// let client = ccfs_ureq::Client::new(ccfs_ureq::Session::new("https://10.1.2.3:8443".parse()?, credentials))?;
/// let plan = Plan::new(FileKind::AgentSkillInfo, Zone::named("Asia/Shanghai")?, "2023-04-01".parse()?, "2023-04-30".parse()?);
/// let summary = BlockingPull::new(&client, plan, "skills").run()?;
/// println!("{} rows in {} windows", summary.rows(), summary.windows.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is pulled before `run`"]
pub struct BlockingPull<'a> {
    client: &'a Client,
    plan: Plan,
    folder: PathBuf,
    pace: Pace,
    clock: Arc<dyn Clock>,
    callbacks: Option<Receiver<Callback>>,
    progress: Option<ProgressFn<'a>>,
    on_window: Option<WindowFn<'a>>,
}

impl<'a> BlockingPull<'a> {
    /// A pull into a folder, which is made where it is not there.
    pub fn new(client: &'a Client, plan: Plan, folder: impl Into<PathBuf>) -> Self {
        let clock = Arc::new(SystemClock::new());
        Self { client, plan, folder: folder.into(), pace: Pace::default(), clock, callbacks: None, progress: None, on_window: None }
    }

    /// How fast, and how patiently. Default: [`Pace::default`].
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Takes callbacks from here, out of whatever server receives and verifies them, and waits for them:
    /// [`Pace::CALLBACK_PATIENCE`] long, unless the pace says otherwise.
    pub fn callbacks(mut self, callbacks: Receiver<Callback>) -> Self {
        self.callbacks = Some(callbacks);
        self
    }

    /// Calls `progress` at every step, and ten times a second in between; `ControlFlow::Break(())` stops the pull, which ends with
    /// [`PullError::Stopped`] once what runs is broken off.
    pub fn progress(mut self, progress: impl FnMut(&PullProgress) -> ControlFlow<()> + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Calls `on_window` for each window that this run settles, as soon as that is in the journal.
    pub fn on_window(mut self, on_window: impl FnMut(&WindowReport) + 'a) -> Self {
        self.on_window = Some(Box::new(on_window));
        self
    }

    /// Sets the clock. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Pulls until every window is settled.
    pub fn run(self) -> Result<PullSummary, PullError> {
        let Self { client, plan, folder, mut pace, clock, mut callbacks, mut progress, mut on_window } = self;
        if callbacks.is_some() {
            pace.callback_patience.get_or_insert(Pace::CALLBACK_PATIENCE);
        }
        let access_key = client.session().access_key().as_str().to_owned();
        let mut run = Run::begin(plan, pace, &folder, client.session().endpoint(), &access_key, clock.now())?;
        let shared = Shared::default();
        let (sender, reports) = channel();
        thread::scope(|scope| {
            loop {
                if progress.as_mut().is_some_and(|report| report(&run.progress(shared.received.load(Ordering::Relaxed))).is_break()) {
                    run.stop_for(PullError::Stopped);
                }
                if run.is_stopping() {
                    shared.stop.store(true, Ordering::Relaxed);
                }
                take_callbacks(&mut run, &mut callbacks, &*clock);
                let (step, settled) = run.step(clock.now());
                if let Some(on_window) = &mut on_window {
                    settled.iter().for_each(on_window);
                }
                match step {
                    Step::Start(job) => {
                        let work = Work { client, folder: Arc::clone(&run.folder), plan: Arc::clone(&run.plan), shared: &shared, job };
                        let sender = sender.clone();
                        scope.spawn(move || work.run(&sender));
                    }
                    Step::Wait(within) => match wait(&mut run, &reports, within, callbacks.is_some(), &*clock) {
                        Some((job, Ok(result))) => run.report(clock.now(), &job, result),
                        Some((_, Err(panic))) => resume_unwind(panic),
                        None => {}
                    },
                    Step::Done => break,
                    _ => unreachable!("a step that this driver was not written for"),
                }
            }
        });
        run.end()
    }
}

impl std::fmt::Debug for BlockingPull<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockingPull")
            .field("plan", &self.plan)
            .field("folder", &self.folder)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

/// How a job ended, or the panic that ended it.
type Report = (Job, thread::Result<Result<Got, Error>>);

/// What all threads see.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    received: AtomicU64,
}

fn take_callbacks(run: &mut Run, callbacks: &mut Option<Receiver<Callback>>, clock: &dyn Clock) {
    while let Some(callback) = callbacks.as_ref().and_then(|callbacks| callbacks.try_recv().ok()) {
        run.pull().on_callback(clock.now(), &callback);
    }
}

/// Waits for a report, or for time to pass, but only for a slice at once.
fn wait(run: &mut Run, reports: &Receiver<Report>, within: Option<Duration>, for_callbacks: bool, clock: &dyn Clock) -> Option<Report> {
    if run.pull().running() > 0 {
        return reports.recv_timeout(within.map_or(SLICE, |within| within.min(SLICE))).ok();
    }
    let within = within.unwrap_or(SLICE);
    let slice = within.min(SLICE);
    if !clock.pass(if for_callbacks { slice } else { within }) {
        thread::sleep(slice);
    }
    None
}

/// A job and what it needs.
struct Work<'a> {
    client: &'a Client,
    folder: Arc<Folder>,
    plan: Arc<Plan>,
    shared: &'a Shared,
    job: Job,
}

impl Work<'_> {
    fn run(self, sender: &Sender<Report>) {
        #[cfg(feature = "tracing")]
        let _span = crate::run::span(&self.job).entered();
        let result = catch_unwind(AssertUnwindSafe(|| match &self.job.task {
            Task::Ask => self.client.call(call::ask(&self.plan, self.job.window)).map(|job| Got::Asked(job.response_id)),
            Task::Fetch(name) => self.fetch(call::fetch(&self.plan, name.clone())).map(Got::Stored),
        }));
        // Nobody listens any more only when another job panicked.
        let _ = sender.send((self.job, result));
    }

    fn fetch(&self, fetch: Fetch) -> Result<Stored, Error> {
        let window = self.job.window;
        let adopted = self.folder.adopt(window)?;
        let stored = adopted.map_or_else(|| self.download(fetch), Ok)?;
        self.folder.convert(window, || self.flow().is_continue())?;
        Ok(stored)
    }

    fn download(&self, fetch: Fetch) -> Result<Stored, Error> {
        let (mut counted, mut seen) = ((0, 0), 0);
        let check = |file| {
            counted = self.folder.check(file)?;
            Ok(())
        };
        let progress = |progress: Progress| {
            let more = progress.received.checked_sub(seen).unwrap_or(progress.received);
            seen = progress.received;
            self.shared.received.fetch_add(more, Ordering::Relaxed);
            self.flow()
        };
        let download = self.client.download(fetch).overwrite(Overwrite::Replace).check(check).progress(progress);
        let receipt = download.to_file(self.folder.zip(self.job.window))?;
        Ok(Stored::new(receipt.bytes, counted.0, counted.1))
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.shared.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
