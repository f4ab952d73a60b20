//! The blocking driver: a thread for each job, and a loop that runs the scheduler.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use ccfs_driver::{Clock, Error, Overwrite};
use ccfs_proto::IndexFileName;
use ccfs_ureq::Client;

use crate::call;
use crate::error::PullError;
use crate::plan::PlanError;
use crate::pull::Pull;
use crate::run::{JobOutput, Next, Run};
use crate::scheduler::{Job, Task};
use crate::summary::PullSummary;
use crate::task::{FetchFn, Tasks};
use crate::window::Window;
use crate::work::{Shared, Work};

/// The longest wait between two calls of the caller's functions.
const SLICE: Duration = Duration::from_millis(100);

/// Pulls until every window is complete or has failed. Files are fetched by `remote`, if any.
pub(crate) fn run(
    pull: Pull<'_>,
    client: &Client,
    remote: Option<&FetchFn<'_>>,
) -> Result<PullSummary, PullError> {
    let pace = pull.paced();
    let Pull { plan, folder, store, clock, mut caller, .. } = pull;
    let session = client.session();
    let (endpoint, access_key) = (session.endpoint(), session.access_key());
    if store.is_some() && remote.is_some() {
        return Err(PlanError::TasksBucket.into());
    }
    let mut run = Run::begin(plan, pace, &folder, store, endpoint, access_key, clock.now())?;
    let begin = |remote| Tasks::begin(remote, &folder, &run, endpoint, access_key);
    let (tasks, mut marker) = remote.map(begin).transpose()?.unzip();
    let shared = Arc::new(Shared::new(endpoint));
    let (sender, reports) = channel();
    thread::scope(|scope| {
        let _stopping = StopAtEnd(&shared);
        loop {
            caller.look(&mut run, shared.received(), clock.now());
            if run.is_stopping() {
                shared.stop();
                run.folder.store.stop();
                // Stops tasks in other processes.
                marker = None;
            }
            let step = run.step(clock.now());
            match step {
                Next::Start(job, earlier) => {
                    let work = Work::new(&run.folder, &run.plan, &shared, job.window, earlier);
                    let (sender, tasks) = (sender.clone(), tasks.as_ref());
                    scope.spawn(move || {
                        let result =
                            catch_unwind(AssertUnwindSafe(|| do_job(client, tasks, &work, &job)));
                        // Fails only after another job panicked.
                        let _ = sender.send((Done::Job(job), result));
                    });
                }
                Next::Convert(window, formats, earlier) => {
                    let work = Work::new(&run.folder, &run.plan, &shared, window, earlier);
                    let sender = sender.clone();
                    scope.spawn(move || {
                        let result = catch_unwind(AssertUnwindSafe(|| work.convert(&formats)));
                        let _ = sender.send((Done::Conversion(window), result));
                    });
                }
                Next::Wait(within) => {
                    let report =
                        wait(&run, &reports, within, caller.waits_for_callbacks(), &*clock);
                    run.observe(session.clock_skew());
                    match report {
                        Some((Done::Job(job), Ok(result))) => run.report(clock.now(), &job, result),
                        Some((Done::Conversion(window), Ok(result))) => {
                            run.report_converted(clock.now(), window, result);
                        }
                        Some((_, Err(panic))) => resume_unwind(panic),
                        None => {}
                    }
                }
                Next::Done => break,
            }
        }
        caller.look(&mut run, shared.received(), clock.now());
    });
    drop(marker);
    run.end()
}

/// What ended.
enum Done {
    Job(Job),
    Conversion(Window),
}

/// A job and its result, or its panic.
type Report = (Done, thread::Result<Result<JobOutput, Error>>);

/// Stops running jobs if the loop panics, since the scope waits for them.
struct StopAtEnd<'a>(&'a Shared);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Waits for a report or for `within`, but at most for one slice.
fn wait(
    run: &Run,
    reports: &Receiver<Report>,
    within: Option<Duration>,
    for_callbacks: bool,
    clock: &dyn Clock,
) -> Option<Report> {
    if run.running() > 0 {
        return reports.recv_timeout(within.map_or(SLICE, |within| within.min(SLICE))).ok();
    }
    let within = within.unwrap_or(SLICE);
    let slice = within.min(SLICE);
    if !clock.wait(if for_callbacks { slice } else { within }) {
        thread::sleep(slice);
    }
    None
}

fn do_job(
    client: &Client,
    tasks: Option<&Tasks<'_>>,
    work: &Work,
    job: &Job,
) -> Result<JobOutput, Error> {
    #[cfg(feature = "tracing")]
    let _span = crate::run::span(job).entered();
    match &job.task {
        Task::Ask => {
            let asked = client.call(call::ask(&work.plan, job.window))?;
            Ok(JobOutput::Asked(asked.response_id))
        }
        Task::Fetch(name) => match tasks {
            Some(tasks) => tasks.fetch(work, name),
            None => fetch(client, work, name),
        },
    }
}

/// Fetches a window's file and stores it.
pub(crate) fn fetch(
    client: &Client,
    work: &Work,
    name: &IndexFileName,
) -> Result<JobOutput, Error> {
    if let Some(output) = work.resume(name)? {
        return Ok(output);
    }
    let result = client
        .download(call::fetch(&work.plan, name.clone()))
        .overwrite(Overwrite::Replace)
        .check(work.check())
        .progress(work.progress())
        .to_file(work.zip());
    work.store(work.downloaded(result)?, name)
}
