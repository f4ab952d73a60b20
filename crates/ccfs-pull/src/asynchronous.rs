//! The async driver: a task for each job, and a loop that runs the scheduler.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use ccfs_driver::{Clock, Error, Overwrite};
use ccfs_proto::IndexFileName;
use ccfs_reqwest::Client;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::sleep;

use crate::call;
use crate::error::PullError;
use crate::pull::Pull;
use crate::run::{JobOutput, Next, Run};
use crate::scheduler::{Job, Task};
use crate::summary::PullSummary;
use crate::window::Window;
use crate::work::{Shared, Work};

/// The longest wait between two calls of the caller's functions.
const SLICE: Duration = Duration::from_millis(100);

/// Pulls until every window is complete or has failed.
pub(crate) async fn run(pull: Pull<'_>, client: &Client) -> Result<PullSummary, PullError> {
    let pace = pull.paced();
    let Pull { plan, folder, store, clock, mut caller, .. } = pull;
    let session = client.session();
    let (endpoint, access_key, now) =
        (session.endpoint().clone(), session.access_key().clone(), clock.now());
    let (shared, stop) = (Arc::new(Shared::new(&endpoint)), watch::Sender::new(false));
    let begin = move || Run::begin(plan, pace, &folder, store, &endpoint, &access_key, now);
    let mut run = blocking(begin).await?;
    let mut jobs: JoinSet<Report> = JoinSet::new();
    loop {
        caller.look(&mut run, shared.received(), clock.now());
        if run.is_stopping() {
            shared.stop();
            run.folder.store.stop();
            stop.send_replace(true);
        }
        // Writing the journal blocks.
        let (back, next) = blocking({
            let now = clock.now();
            move || {
                let next = run.step(now);
                (run, next)
            }
        })
        .await;
        run = back;
        match next {
            Next::Start(job, earlier) => {
                let work = Work::new(&run.folder, &run.plan, &shared, job.window, earlier);
                #[cfg(feature = "tracing")]
                let span = crate::run::span(&job);
                let doing = do_job(client.clone(), work, stop.subscribe(), job);
                #[cfg(feature = "tracing")]
                let doing = tracing::Instrument::instrument(doing, span);
                jobs.spawn(doing);
            }
            Next::Convert(window, formats, earlier) => {
                let work = Work::new(&run.folder, &run.plan, &shared, window, earlier);
                jobs.spawn(async move {
                    let result = blocking(move || work.convert(&formats)).await;
                    (Done::Conversion(window), result)
                });
            }
            Next::Wait(within) => {
                let report = wait(&mut jobs, within, caller.waits_for_callbacks(), &*clock).await;
                run.observe(session.clock_skew());
                match report {
                    Some((Done::Job(job), result)) => run.report(clock.now(), &job, result),
                    Some((Done::Conversion(window), result)) => {
                        run = blocking({
                            let now = clock.now();
                            move || {
                                run.report_converted(now, window, result);
                                run
                            }
                        })
                        .await;
                    }
                    None => {}
                }
            }
            Next::Done => break,
        }
    }
    caller.look(&mut run, shared.received(), clock.now());
    run.end()
}

/// What ended.
enum Done {
    Job(Job),
    Conversion(Window),
}

/// A job and its result.
type Report = (Done, Result<JobOutput, Error>);

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

async fn do_job(client: Client, work: Work, stop: watch::Receiver<bool>, job: Job) -> Report {
    let result = match &job.task {
        Task::Ask => client
            .call(call::ask(&work.plan, job.window))
            .await
            .map(|asked| JobOutput::Asked(asked.response_id)),
        Task::Fetch(name) => fetch(&client, work, stop, name).await,
    };
    (Done::Job(job), result)
}

async fn fetch(
    client: &Client,
    work: Work,
    mut stop: watch::Receiver<bool>,
    name: &IndexFileName,
) -> Result<JobOutput, Error> {
    let (resuming, resumed) = (work.clone(), name.clone());
    if let Some(output) = blocking(move || resuming.resume(&resumed)).await? {
        return Ok(output);
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
    let (contents, name) = (work.downloaded(result)?, name.clone());
    blocking(move || work.store(contents, &name)).await
}
