//! The async driver: a task for each job, and one that decides nothing.

use std::fmt;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccfs_driver::{Clock, Error, Overwrite, Progress, SystemClock};
use ccfs_proto::{Callback, IndexFileName};
use ccfs_reqwest::Client;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::sleep;

use crate::call;
use crate::error::PullError;
use crate::folder::Folder;
use crate::machine::{Job, Step, Stored, Task};
use crate::plan::{Pace, Plan};
use crate::run::{Got, Run};
use crate::summary::{PullProgress, PullSummary, WindowReport};
use crate::window::Window;

/// How long a wait goes on before the progress function is asked again.
const SLICE: Duration = Duration::from_millis(100);

type ProgressFn<'a> = Box<dyn FnMut(&PullProgress) -> ControlFlow<()> + Send + 'a>;
type WindowFn<'a> = Box<dyn FnMut(&WindowReport) + Send + 'a>;

/// A pull over the async client that is ready to start.
///
/// It needs a tokio runtime with I/O and time enabled. Dropping its future breaks everything off and leaves a folder that the next pull
/// goes on from; stopping it by the [progress](Self::progress) function also waits for questions that are under way, so that none of their
/// answers is lost.
///
/// ```no_run
/// use ccfs_archive::FileKind;
/// use ccfs_proto::Credentials;
/// use ccfs_pull::{AsyncPull, Plan, Zone};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let credentials = Credentials::from_text("my-app-id", std::env::var("CCFS_SECRET_KEY")?)?;
/// let client = ccfs_reqwest::Client::new(ccfs_reqwest::Session::new("https://10.1.2.3:8443".parse()?, credentials))?;
/// let plan = Plan::new(FileKind::AgentSkillInfo, Zone::named("Asia/Shanghai")?, "2023-04-01".parse()?, "2023-04-30".parse()?);
/// let summary = AsyncPull::new(&client, plan, "skills").run().await?;
/// println!("{} rows in {} windows", summary.rows(), summary.windows.len());
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is pulled before `run`"]
pub struct AsyncPull<'a> {
    client: Client,
    plan: Plan,
    folder: PathBuf,
    pace: Pace,
    clock: Arc<dyn Clock>,
    callbacks: Option<Receiver<Callback>>,
    progress: Option<ProgressFn<'a>>,
    on_window: Option<WindowFn<'a>>,
}

impl<'a> AsyncPull<'a> {
    /// A pull into a folder, which is made where it is not there.
    pub fn new(client: &Client, plan: Plan, folder: impl Into<PathBuf>) -> Self {
        let (client, clock) = (client.clone(), Arc::new(SystemClock::new()));
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
    pub fn progress(mut self, progress: impl FnMut(&PullProgress) -> ControlFlow<()> + Send + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Calls `on_window` for each window that this run settles, as soon as that is in the journal.
    pub fn on_window(mut self, on_window: impl FnMut(&WindowReport) + Send + 'a) -> Self {
        self.on_window = Some(Box::new(on_window));
        self
    }

    /// Sets the clock. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Pulls until every window is settled.
    pub async fn run(self) -> Result<PullSummary, PullError> {
        let Self { client, plan, folder, mut pace, clock, mut callbacks, mut progress, mut on_window } = self;
        if callbacks.is_some() {
            pace.callback_patience.get_or_insert(Pace::CALLBACK_PATIENCE);
        }
        let (endpoint, access_key, now) = (client.session().endpoint().clone(), client.session().access_key().clone(), clock.now());
        let mut run = blocking(move || Run::begin(plan, pace, &folder, &endpoint, access_key.as_str(), now)).await?;
        let worker = Worker { client, folder: Arc::clone(&run.folder), plan: Arc::clone(&run.plan), shared: Arc::default() };
        let mut jobs: JoinSet<(Job, Result<Got, Error>)> = JoinSet::new();
        loop {
            if progress.as_mut().is_some_and(|report| report(&run.progress(worker.shared.received.load(Ordering::Relaxed))).is_break()) {
                run.stop_for(PullError::Stopped);
            }
            if run.is_stopping() {
                worker.shared.stop.send_replace(true);
            }
            while let Some(callback) = callbacks.as_mut().and_then(|callbacks| callbacks.try_recv().ok()) {
                run.pull().on_callback(clock.now(), &callback);
            }
            // The journal is written on a thread for such work.
            let (back, step, settled) = blocking({
                let now = clock.now();
                move || {
                    let (step, settled) = run.step(now);
                    (run, step, settled)
                }
            })
            .await;
            run = back;
            if let Some(on_window) = &mut on_window {
                settled.iter().for_each(on_window);
            }
            match step {
                Step::Start(job) => {
                    #[cfg(feature = "tracing")]
                    let span = crate::run::span(&job);
                    let work = worker.clone().run(job);
                    #[cfg(feature = "tracing")]
                    let work = tracing::Instrument::instrument(work, span);
                    jobs.spawn(work);
                }
                Step::Wait(within) => match wait(&mut jobs, within, &mut callbacks, &*clock).await {
                    Some(Woken::Report(job, result)) => run.report(clock.now(), &job, result),
                    Some(Woken::Callback(callback)) => run.pull().on_callback(clock.now(), &callback),
                    None => {}
                },
                Step::Done => return run.end(),
                _ => unreachable!("a step that this driver was not written for"),
            }
        }
    }
}

impl fmt::Debug for AsyncPull<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncPull")
            .field("plan", &self.plan)
            .field("folder", &self.folder)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

enum Woken {
    Report(Job, Result<Got, Error>),
    Callback(Callback),
}

/// Waits for a report, a callback, or for time to pass, but only for a slice at once.
async fn wait(
    jobs: &mut JoinSet<(Job, Result<Got, Error>)>,
    within: Option<Duration>,
    callbacks: &mut Option<Receiver<Callback>>,
    clock: &dyn Clock,
) -> Option<Woken> {
    let slice = within.map_or(SLICE, |within| within.min(SLICE));
    if jobs.is_empty() && clock.pass(if callbacks.is_some() { slice } else { within.unwrap_or(SLICE) }) {
        return None;
    }
    tokio::select! {
        Some(joined) = jobs.join_next() => {
            let (job, result) = joined.unwrap_or_else(|error| panicked(error));
            Some(Woken::Report(job, result))
        }
        Some(callback) = next(callbacks) => Some(Woken::Callback(callback)),
        () = sleep(slice) => None,
    }
}

async fn next(callbacks: &mut Option<Receiver<Callback>>) -> Option<Callback> {
    callbacks.as_mut()?.recv().await
}

/// Does blocking work on a thread that is made for it. When the caller is dropped, the work still comes to its end.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.unwrap_or_else(|error| panicked(error))
}

/// Work is only ever given up together with whoever waits for it, so what is left is a panic, which goes on here.
fn panicked(error: JoinError) -> ! {
    resume_unwind(error.into_panic())
}

/// What all jobs need.
#[derive(Clone)]
struct Worker {
    client: Client,
    folder: Arc<Folder>,
    plan: Arc<Plan>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stop: watch::Sender<bool>,
    received: AtomicU64,
}

impl Worker {
    async fn run(self, job: Job) -> (Job, Result<Got, Error>) {
        let result = match &job.task {
            Task::Ask => self.client.call(call::ask(&self.plan, job.window)).await.map(|answer| Got::Asked(answer.response_id)),
            Task::Fetch(name) => self.fetch(job.window, name).await.map(Got::Stored),
        };
        (job, result)
    }

    async fn fetch(&self, window: Window, name: &IndexFileName) -> Result<Stored, Error> {
        let mut stop = self.shared.stop.subscribe();
        let folder = Arc::clone(&self.folder);
        let mut stored = blocking(move || folder.adopt(window)).await?;
        if stored.is_none() {
            tokio::select! {
                result = self.download(window, name) => stored = Some(result?),
                _ = stop.wait_for(|stop| *stop) => return Err(Error::Stopped),
            }
        }
        let folder = Arc::clone(&self.folder);
        blocking(move || folder.convert(window, || !*stop.borrow())).await?;
        Ok(stored.unwrap_or_default())
    }

    async fn download(&self, window: Window, name: &IndexFileName) -> Result<Stored, Error> {
        let (counted, folder) = (Arc::new(Mutex::new((0, 0))), Arc::clone(&self.folder));
        let count = Arc::clone(&counted);
        let check = move |file| {
            *count.lock().unwrap_or_else(PoisonError::into_inner) = folder.check(file)?;
            Ok(())
        };
        let mut seen = 0;
        let progress = |progress: Progress| {
            let more = progress.received.checked_sub(seen).unwrap_or(progress.received);
            seen = progress.received;
            self.shared.received.fetch_add(more, Ordering::Relaxed);
            ControlFlow::Continue(())
        };
        let download = self.client.download(call::fetch(&self.plan, name.clone())).overwrite(Overwrite::Replace);
        let receipt = download.check(check).progress(progress).to_file(self.folder.zip(window)).await?;
        let (rows, bad_rows) = *counted.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Stored::new(receipt.bytes, rows, bad_rows))
    }
}
