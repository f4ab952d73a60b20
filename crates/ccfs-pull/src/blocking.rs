//! The blocking driver: a thread for each job, and a loop that runs the scheduler.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use ccfs_driver::{Clock, Error, Overwrite, Progress};
use ccfs_ureq::Client;

use crate::call::{self, Fetch};
use crate::contents::Checked;
use crate::error::PullError;
use crate::folder::Folder;
use crate::plan::Plan;
use crate::pull::Pull;
use crate::run::{JobOutput, Next, Run};
use crate::scheduler::{Job, Task};
use crate::summary::PullSummary;

/// The longest wait between two calls of the caller's functions.
const SLICE: Duration = Duration::from_millis(100);

/// Pulls until every window is complete or has failed.
pub(crate) fn run(pull: Pull<'_>, client: &Client) -> Result<PullSummary, PullError> {
    let pace = pull.paced();
    let Pull { plan, folder, clock, mut caller, .. } = pull;
    let mut run = Run::begin(
        plan,
        pace,
        &folder,
        client.session().endpoint(),
        client.session().access_key(),
        clock.now(),
    )?;
    let shared = Shared::default();
    let (sender, reports) = channel();
    thread::scope(|scope| {
        let _stopping = StopAtEnd(&shared.stop);
        loop {
            caller.look(&mut run, shared.received.load(Ordering::Relaxed), clock.now());
            if run.is_stopping() {
                shared.stop.store(true, Ordering::Relaxed);
            }
            let (step, settled) = run.step(clock.now());
            caller.settled(&settled);
            match step {
                Next::Start(job) => {
                    let work = Work {
                        client,
                        folder: Arc::clone(&run.folder),
                        plan: Arc::clone(&run.plan),
                        shared: &shared,
                        job,
                    };
                    let sender = sender.clone();
                    scope.spawn(move || work.run(&sender));
                }
                Next::Wait(within) => {
                    match wait(&mut run, &reports, within, caller.waits_for_callbacks(), &*clock) {
                        Some((job, Ok(result))) => run.report(clock.now(), &job, result),
                        Some((_, Err(panic))) => resume_unwind(panic),
                        None => {}
                    }
                }
                Next::Done => break,
            }
        }
    });
    run.end()
}

/// A job and its result, or its panic.
type Report = (Job, thread::Result<Result<JobOutput, Error>>);

/// Shared state of all threads.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    received: AtomicU64,
}

/// Stops running jobs if the loop panics, since the scope waits for them.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits for a report or for `within`, but at most for one slice.
fn wait(
    run: &mut Run,
    reports: &Receiver<Report>,
    within: Option<Duration>,
    for_callbacks: bool,
    clock: &dyn Clock,
) -> Option<Report> {
    if run.scheduler().running() > 0 {
        return reports.recv_timeout(within.map_or(SLICE, |within| within.min(SLICE))).ok();
    }
    let within = within.unwrap_or(SLICE);
    let slice = within.min(SLICE);
    if !clock.wait(if for_callbacks { slice } else { within }) {
        thread::sleep(slice);
    }
    None
}

/// A job and its context.
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
            Task::Ask => self
                .client
                .call(call::ask(&self.plan, self.job.window))
                .map(|job| JobOutput::Asked(job.response_id)),
            Task::Fetch(name) => {
                self.fetch(call::fetch(&self.plan, name.clone())).map(JobOutput::Stored)
            }
        }));
        // Fails only after another job panicked.
        let _ = sender.send((self.job, result));
    }

    fn fetch(&self, fetch: Fetch) -> Result<Checked, Error> {
        let window = self.job.window;
        let adopted = self.folder.adopt(window)?;
        let checked = adopted.map_or_else(|| self.download(fetch), Ok)?;
        self.folder.convert(window, checked, || self.flow())
    }

    fn download(&self, fetch: Fetch) -> Result<Checked, Error> {
        let (window, mut checked, mut seen) = (self.job.window, Checked::default(), 0);
        let check = |file| {
            checked = self.folder.check(window, &file)?;
            Ok(())
        };
        let progress = |progress: Progress| {
            let more = progress.received.checked_sub(seen).unwrap_or(progress.received);
            seen = progress.received;
            self.shared.received.fetch_add(more, Ordering::Relaxed);
            self.flow()
        };
        let download = self
            .client
            .download(fetch)
            .overwrite(Overwrite::Replace)
            .check(check)
            .progress(progress);
        let receipt = download.to_file(self.folder.zip(window))?;
        Ok(checked.of_size(receipt.bytes))
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.shared.stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
