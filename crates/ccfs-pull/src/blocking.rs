//! The blocking driver: a thread for each job, and a loop that runs the scheduler.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use ccfs_driver::{Clock, Error};
use ccfs_ureq::Client;

use crate::call;
use crate::error::PullError;
use crate::folder::Folder;
use crate::plan::PlanError;
use crate::pull::{Pull, SLICE};
use crate::run::{Next, Run};
use crate::scheduler::Task;
use crate::summary::PullSummary;
use crate::task::{FetchFn, FetchReport, FetchTask, Tasks, fetch};
use crate::work::{Duty, JobOutput, Shared, Work};

impl Pull<'_> {
    /// Pulls every window, and blocks until all are complete or have failed. Each job runs on a
    /// separate thread, at most [`Pace::in_flight`](crate::Pace::in_flight) at once.
    ///
    /// # Errors
    ///
    /// [`PullError`] if the pull ends early. Files and journal are kept, and the next pull
    /// continues from them. A window that failed is not an error; see [`PullSummary::failed`].
    pub fn run(self, client: &Client) -> Result<PullSummary, PullError> {
        run(self, client, None)
    }

    /// Does the same as [`run`](Self::run), but `fetch` downloads, checks, converts and stores the
    /// files: usually, it serializes the task and has another process
    /// [run](crate::FetchTask::run) it. This process makes the requests and writes the journal.
    ///
    /// `fetch` is called on a separate thread for each file, and blocks until the task has ended.
    /// Its second argument is a function that returns whether the pull is stopping; `fetch` should
    /// then soon return any error, and tasks that still run end by themselves. Conversions of files
    /// that earlier pulls stored run in this process.
    ///
    /// ```no_run
    /// # fn example(client: ccfs_ureq::Client, plan: ccfs_pull::Plan) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::process::{Command, Stdio};
    ///
    /// // A program that calls `FetchTask::run` with a task from its stdin, and prints the report.
    /// let summary = ccfs_pull::Pull::new(plan, "/mnt/shared/skills").run_with(&client, |task, _| {
    ///     let mut worker = Command::new("ssh");
    ///     let mut worker = worker.args(["worker", "fetch-skills"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    ///     serde_json::to_writer(worker.stdin.take().ok_or("no stdin")?, task)?;
    ///     Ok(serde_json::from_slice(&worker.wait_with_output()?.stdout)?)
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run). An error of `fetch` ends the pull with
    /// [`PullError::NoReport`]. A failure in a report is retried, or counts as a failure of the
    /// window.
    pub fn run_with(
        self,
        client: &Client,
        fetch: impl Fn(
            &FetchTask,
            &dyn Fn() -> bool,
        ) -> Result<FetchReport, Box<dyn std::error::Error + Send + Sync>>
        + Sync,
    ) -> Result<PullSummary, PullError> {
        run(self, client, Some(&fetch))
    }
}

/// Pulls until every window is complete or has failed. Files are fetched by `remote`, if any.
fn run(
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
    let stopping = StopAtEnd(Arc::clone(&run.shared), Arc::clone(&run.folder));
    let (sender, reports) = channel();
    thread::scope(|scope| {
        let _stopping = stopping;
        loop {
            caller.look(&mut run, clock.now());
            if run.is_stopping() {
                // Stops tasks in other processes.
                marker = None;
            }
            match run.step(clock.now()) {
                Next::Start(work) => {
                    let (sender, tasks) = (sender.clone(), tasks.as_ref());
                    scope.spawn(move || {
                        let result =
                            catch_unwind(AssertUnwindSafe(|| do_work(client, tasks, &work)));
                        // Fails only after another job panicked.
                        let _ = sender.send((work, result));
                    });
                }
                Next::Wait(within) => {
                    let report =
                        wait(&run, &reports, within, caller.waits_for_callbacks(), &*clock);
                    run.observe(session.clock_skew());
                    match report {
                        Some((work, Ok(result))) => run.report(clock.now(), work, result),
                        Some((_, Err(panic))) => resume_unwind(panic),
                        None => {}
                    }
                }
                Next::Done => break,
            }
        }
        caller.look(&mut run, clock.now());
    });
    drop(marker);
    run.end()
}

/// Work and its result, or its panic.
type Report = (Work, thread::Result<Result<JobOutput, Error>>);

/// Stops running jobs if the loop panics, since the scope waits for them.
struct StopAtEnd(Arc<Shared>, Arc<Folder>);

impl Drop for StopAtEnd {
    fn drop(&mut self) {
        self.0.stop();
        self.1.store.stop();
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

fn do_work(client: &Client, tasks: Option<&Tasks<'_>>, work: &Work) -> Result<JobOutput, Error> {
    #[cfg(feature = "tracing")]
    let _span = work.span().entered();
    match (&work.duty, tasks) {
        (Duty::Job(Task::Ask), _) => {
            let asked = client.call(call::ask(&work.plan, work.window))?;
            Ok(JobOutput::Asked(asked.response_id))
        }
        (Duty::Job(Task::Fetch(name)), Some(tasks)) => {
            tasks.fetch(work, name).map(JobOutput::Stored)
        }
        (Duty::Job(Task::Fetch(name)), None) => fetch(client, work, name).map(JobOutput::Stored),
        (Duty::Convert(formats), _) => work.convert(formats).map(JobOutput::Converted),
    }
}
