//! The async driver: a task for each job, and a loop that runs the scheduler.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccfs_driver::{Clock, Error, Overwrite, Progress};
use ccfs_proto::IndexFileName;
use ccfs_reqwest::Client;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::sleep;

use crate::call;
use crate::contents::Checked;
use crate::error::PullError;
use crate::folder::Folder;
use crate::plan::Plan;
use crate::pull::Pull;
use crate::run::{JobOutput, Next, Run};
use crate::scheduler::{Job, Task};
use crate::summary::PullSummary;
use crate::window::Window;

/// The longest wait between two calls of the caller's functions.
const SLICE: Duration = Duration::from_millis(100);

/// Pulls until every window is complete or has failed.
pub(crate) async fn run(pull: Pull<'_>, client: &Client) -> Result<PullSummary, PullError> {
    let pace = pull.paced();
    let Pull { plan, folder, clock, mut caller, .. } = pull;
    let (endpoint, access_key, now) =
        (client.session().endpoint().clone(), client.session().access_key().clone(), clock.now());
    let mut run =
        blocking(move || Run::begin(plan, pace, &folder, &endpoint, &access_key, now)).await?;
    let worker = Worker {
        client: client.clone(),
        folder: Arc::clone(&run.folder),
        plan: Arc::clone(&run.plan),
        shared: Arc::default(),
    };
    let mut jobs: JoinSet<Report> = JoinSet::new();
    loop {
        caller.look(&mut run, worker.shared.received.load(Ordering::Relaxed), clock.now());
        if run.is_stopping() {
            worker.shared.stop.send_replace(true);
        }
        // Writing the journal blocks.
        let (back, step, settled) = blocking({
            let now = clock.now();
            move || {
                let (step, settled) = run.step(now);
                (run, step, settled)
            }
        })
        .await;
        run = back;
        caller.settled(&settled);
        match step {
            Next::Start(job) => {
                #[cfg(feature = "tracing")]
                let span = crate::run::span(&job);
                let work = worker.clone().run(job);
                #[cfg(feature = "tracing")]
                let work = tracing::Instrument::instrument(work, span);
                jobs.spawn(work);
            }
            Next::Wait(within) => {
                if let Some((job, result)) =
                    wait(&mut jobs, within, caller.waits_for_callbacks(), &*clock).await
                {
                    run.report(clock.now(), &job, result);
                }
            }
            Next::Done => return run.end(),
        }
    }
}

/// A job and its result.
type Report = (Job, Result<JobOutput, Error>);

/// Waits for a report or for `within`, but at most for one slice.
async fn wait(
    jobs: &mut JoinSet<Report>,
    within: Option<Duration>,
    for_callbacks: bool,
    clock: &dyn Clock,
) -> Option<Report> {
    let slice = within.map_or(SLICE, |within| within.min(SLICE));
    if jobs.is_empty() && clock.wait(if for_callbacks { slice } else { within.unwrap_or(SLICE) }) {
        return None;
    }
    tokio::select! {
        Some(joined) = jobs.join_next() => Some(joined.unwrap_or_else(|error| panicked(error))),
        () = sleep(slice) => None,
    }
}

/// Runs blocking work on a thread for such work. It is completed even if the caller is dropped.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.unwrap_or_else(|error| panicked(error))
}

/// Resumes the panic of a task. Tasks are cancelled only together with their caller, so the error
/// is a panic.
fn panicked(error: JoinError) -> ! {
    resume_unwind(error.into_panic())
}

/// Shared state of all jobs.
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
    async fn run(self, job: Job) -> Report {
        let result = match &job.task {
            Task::Ask => self
                .client
                .call(call::ask(&self.plan, job.window))
                .await
                .map(|answer| JobOutput::Asked(answer.response_id)),
            Task::Fetch(name) => self.fetch(job.window, name).await.map(JobOutput::Stored),
        };
        (job, result)
    }

    async fn fetch(&self, window: Window, name: &IndexFileName) -> Result<Checked, Error> {
        let mut stop = self.shared.stop.subscribe();
        let folder = Arc::clone(&self.folder);
        let mut checked = blocking(move || folder.adopt(window)).await?;
        if checked.is_none() {
            tokio::select! {
                result = self.download(window, name) => checked = Some(result?),
                _ = stop.wait_for(|stop| *stop) => return Err(Error::Stopped),
            }
        }
        let checked = checked.unwrap_or_default();
        let folder = Arc::clone(&self.folder);
        blocking(move || {
            folder.convert(window, checked, || {
                if *stop.borrow() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        })
        .await
    }

    async fn download(&self, window: Window, name: &IndexFileName) -> Result<Checked, Error> {
        let (checked, folder) = (Arc::new(Mutex::default()), Arc::clone(&self.folder));
        let result = Arc::clone(&checked);
        let check = move |file| {
            *result.lock().unwrap_or_else(PoisonError::into_inner) = folder.check(window, &file)?;
            Ok(())
        };
        let mut seen = 0;
        let progress = |progress: Progress| {
            let more = progress.received.checked_sub(seen).unwrap_or(progress.received);
            seen = progress.received;
            self.shared.received.fetch_add(more, Ordering::Relaxed);
            ControlFlow::Continue(())
        };
        let download = self
            .client
            .download(call::fetch(&self.plan, name.clone()))
            .overwrite(Overwrite::Replace);
        let receipt =
            download.check(check).progress(progress).to_file(self.folder.zip(window)).await?;
        let checked: Checked =
            std::mem::take(&mut *checked.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(checked.of_size(receipt.bytes))
    }
}
