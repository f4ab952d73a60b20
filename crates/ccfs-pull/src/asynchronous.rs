//! The async driver: a task for each job, and a loop that runs the scheduler.

use std::panic::resume_unwind;
use std::time::Duration;

use ccfs_driver::{Clock, Error, Overwrite};
use ccfs_proto::IndexFileName;
use ccfs_reqwest::Client;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::sleep;

use crate::call;
use crate::error::PullError;
use crate::pull::{Pull, SLICE};
use crate::run::{Next, Run};
use crate::scheduler::Task;
use crate::summary::PullSummary;
use crate::work::{Duty, Fetched, JobOutput, Work};

impl Pull<'_> {
    /// Does the same as [`run`](Self::run) in a tokio runtime with I/O and time enabled.
    ///
    /// Dropping the future cancels all jobs; the next pull into the folder continues from there.
    /// Stopping with the [progress](Self::progress) function also waits for the responses to sent
    /// requests, so that no job ID is lost.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// ```no_run
    /// # async fn example(client: ccfs_reqwest::Client, plan: ccfs_pull::Plan) -> Result<(), ccfs_pull::PullError> {
    /// let summary = ccfs_pull::Pull::new(plan, "skills").run_async(&client).await?;
    /// println!("{} rows in {} windows", summary.rows(), summary.windows.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run_async(self, client: &Client) -> Result<PullSummary, PullError> {
        run(self, client).await
    }
}

/// Pulls until every window is complete or has failed.
async fn run(pull: Pull<'_>, client: &Client) -> Result<PullSummary, PullError> {
    let pace = pull.paced();
    let Pull { plan, folder, store, clock, mut caller, .. } = pull;
    let session = client.session();
    let (endpoint, access_key, now) =
        (session.endpoint().clone(), session.access_key().clone(), clock.now());
    let begin = move || Run::begin(plan, pace, &folder, store, &endpoint, &access_key, now);
    let mut run = blocking(begin).await?;
    let (mut jobs, stop) = (JoinSet::new(), watch::Sender::new(false));
    loop {
        caller.look(&mut run, clock.now());
        if run.is_stopping() {
            stop.send_replace(true);
        }
        // Writing the journal blocks.
        let now = clock.now();
        let next;
        (run, next) = with(run, move |run| run.step(now)).await;
        match next {
            Next::Start(work) => {
                #[cfg(feature = "tracing")]
                let span = work.span();
                let doing = do_work(client.clone(), work, stop.subscribe());
                #[cfg(feature = "tracing")]
                let doing = tracing::Instrument::instrument(doing, span);
                jobs.spawn(doing);
            }
            Next::Wait(within) => {
                let report = wait(&mut jobs, within, caller.waits_for_callbacks(), &*clock).await;
                run.observe(session.clock_skew());
                if let Some((work, result)) = report {
                    let now = clock.now();
                    (run, ()) = with(run, move |run| run.report(now, work, result)).await;
                }
            }
            Next::Done => break,
        }
    }
    caller.look(&mut run, clock.now());
    run.end()
}

/// Work and its result.
type Report = (Work, Result<JobOutput, Error>);

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

/// Runs a step of the pull that may block.
async fn with<T: Send + 'static>(
    mut run: Run,
    step: impl FnOnce(&mut Run) -> T + Send + 'static,
) -> (Run, T) {
    blocking(move || {
        let result = step(&mut run);
        (run, result)
    })
    .await
}

async fn do_work(client: Client, work: Work, stop: watch::Receiver<bool>) -> Report {
    let result = match work.duty.clone() {
        Duty::Job(Task::Ask) => client
            .call(call::ask(&work.plan, work.window))
            .await
            .map(|asked| JobOutput::Asked(asked.response_id)),
        Duty::Job(Task::Fetch(name)) => {
            fetch(&client, work.clone(), stop, name).await.map(JobOutput::Stored)
        }
        Duty::Convert(formats) => {
            let work = work.clone();
            blocking(move || work.convert(&formats)).await.map(JobOutput::Converted)
        }
    };
    (work, result)
}

async fn fetch(
    client: &Client,
    work: Work,
    mut stop: watch::Receiver<bool>,
    name: IndexFileName,
) -> Result<Fetched, Error> {
    let (resuming, resumed) = (work.clone(), name.clone());
    if let Some(fetched) = blocking(move || resuming.resume(&resumed)).await? {
        return Ok(fetched);
    }
    let download = client
        .download(call::fetch(&work.plan, name.clone()))
        .overwrite(Overwrite::Replace)
        .check(work.check())
        .progress(work.progress())
        .to_file(work.zip());
    // A download that no bytes arrive for does not call its progress function.
    let result = tokio::select! {
        result = download => result,
        _ = stop.wait_for(|stop| *stop) => return Err(Error::Stopped),
    };
    let contents = work.downloaded(result)?;
    blocking(move || work.store(contents, &name)).await
}
