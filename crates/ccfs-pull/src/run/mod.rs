//! The part that both drivers share: everything except making calls and waiting.

mod files;
mod start;
mod summary;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ccfs_driver::Error;
use ccfs_proto::callback::Callback;
use ccfs_proto::exchange::ClockSkew;
use ccfs_proto::{Day, Now};

use crate::error::PullError;
use crate::folder::Folder;
use crate::format::Format;
use crate::journal::{ConvertedFile, Entry, Journal};
use crate::plan::Plan;
use crate::receipt::Receipt;
use crate::scheduler::{Job, Outcome, Scheduler, Step, Stored, Task, Trouble};
use crate::summary::{JobFailure, PullEvent, PullProgress};
use crate::trouble::is_rejected;
use crate::window::Window;
use crate::work::{Duty, Fetched, JobOutput, Shared, Work};

/// The clock skew from which the server's time is used for the names of files, in milliseconds. A
/// smaller one may be the error of its measurement.
const SKEW: i64 = 60_000;

/// A running pull in a locked folder.
pub(crate) struct Run {
    pub(crate) folder: Arc<Folder>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) shared: Arc<Shared>,
    scheduler: Scheduler,
    journal: Journal,
    /// The journal may end with an incomplete line and must not be written any more.
    torn: bool,
    windows: BTreeMap<Window, Files>,
    /// Complete windows that are to be converted to further formats.
    to_convert: VecDeque<(Window, Vec<Format>)>,
    converting: bool,
    /// Number of windows that earlier runs completed.
    resumed: usize,
    events: Vec<PullEvent>,
    left_from: Option<Day>,
    progress: PullProgress,
    /// Milliseconds that the server's clock is ahead of the local one, beyond [`SKEW`]; or 0.
    skew: i64,
    /// The error that stops the pull.
    fatal: Option<PullError>,
    /// The last error of a call.
    last: Option<Error>,
}

/// The files of a window, and what is reported of them.
#[derive(Default)]
struct Files {
    /// Whether they were complete before this run, which has not changed them.
    is_earlier: bool,
    /// Its file, if it is requested again.
    previous: Option<Stored>,
    /// Whether an earlier run requested it, and its file was not looked for yet.
    asked_before: bool,
    /// The converted files that the journal has or will have with the next line.
    converted: Vec<ConvertedFile>,
    /// Whether the journal says that the ZIP was removed.
    zip_removed: bool,
    /// Why it could not be converted.
    not_converted: Option<String>,
    /// Notes on the file that this run stored.
    notes: Vec<String>,
    /// The file that this run rejected.
    rejected: Option<PathBuf>,
}

/// A step for the driver. Entries of the journal are already recorded.
pub(crate) enum Next {
    /// Do this work concurrently with other work, and report its result.
    Start(Work),
    Wait(Option<Duration>),
    Done,
}

impl Run {
    /// Records the clock skew that the responses so far show.
    pub(crate) fn observe(&mut self, skew: Option<ClockSkew>) {
        let Some(skew) = skew else { return };
        let before = self.skew;
        self.skew =
            if skew.millis.abs() > SKEW + skew.uncertainty_millis { skew.millis } else { 0 };
        if before == 0 && self.skew != 0 {
            self.events.push(PullEvent::ClockSkew(self.skew));
        }
    }

    /// Returns the estimated time of the server's clock.
    fn by_server(&self, now: Now) -> Now {
        Now { wall: now.wall.plus_millis(self.skew), ..now }
    }

    /// Records the scheduler's entries, and returns the next step.
    pub(crate) fn step(&mut self, now: Now) -> Next {
        let now = self.by_server(now);
        loop {
            if !self.converting
                && let Some((window, formats)) = self.to_convert.pop_front()
            {
                self.converting = true;
                let former = match self.scheduler.outcome(window) {
                    Some(&Outcome::Stored(stored)) => Some(stored),
                    _ => None,
                };
                return Next::Start(self.work(window, Duty::Convert(formats), former, now));
            }
            match self.scheduler.poll(now) {
                Step::Record(entry) => self.record(&entry, now),
                Step::Start(job) => {
                    self.events.push(PullEvent::Started(job.clone()));
                    let files = self.windows.entry(job.window).or_default();
                    let (former, asked_before) = (files.previous, files.asked_before);
                    let is_fetch = matches!(job.task, Task::Fetch(_));
                    files.asked_before &= !is_fetch;
                    let mut work = self.work(job.window, Duty::Job(job.task), former, now);
                    work.may_have_zip = is_fetch && asked_before;
                    return Next::Start(work);
                }
                Step::Wait(within) => return Next::Wait(within),
                Step::Done if self.converting => return Next::Wait(None),
                Step::Done => return Next::Done,
            }
        }
    }

    fn work(&self, window: Window, duty: Duty, former: Option<Stored>, now: Now) -> Work {
        Work {
            folder: Arc::clone(&self.folder),
            plan: Arc::clone(&self.plan),
            shared: Arc::clone(&self.shared),
            window,
            duty,
            now: now.wall,
            former,
            may_have_zip: false,
            found: Arc::default(),
        }
    }

    fn files(&mut self, window: Window) -> &mut Files {
        self.windows.entry(window).or_default()
    }

    fn record(&mut self, entry: &Entry, now: Now) {
        if let Err(error) = self.try_record(entry, now) {
            self.stop_for(error);
        }
    }

    fn try_record(&mut self, entry: &Entry, now: Now) -> Result<(), PullError> {
        if let Entry::NoData { window, .. } = entry
            && self.files(*window).previous.is_none()
        {
            let folder = &self.folder;
            let receipt = Receipt::new(&self.plan, &self.shared.server, None, entry.clone());
            let published = folder.store.publish(&receipt, &[], false);
            published.map_err(|it| folder.store_failed(&folder.store.receipt_path(*window), it))?;
        }
        self.write(entry)?;
        let (Entry::Stored { window, .. }
        | Entry::NoData { window, .. }
        | Entry::Failed { window, .. }) = entry
        else {
            return Ok(());
        };
        let Some(outcome) = self.scheduler.outcome(*window).cloned() else { return Ok(()) };
        if matches!((entry, &outcome), (Entry::NoData { .. }, Outcome::Stored(_))) {
            let note = "the server has no data for it now; the former file is kept";
            self.files(*window).notes = vec![note.to_owned()];
        }
        if let Entry::Stored { window, stored, .. } = entry {
            self.folder.clear_rejected(*window)?;
            self.note_several_days(*window);
            self.tidy(*window, *stored, now)?;
        }
        self.progress.count(&outcome);
        let report = self.report_of(*window, outcome);
        self.events.push(PullEvent::Settled(report));
        Ok(())
    }

    fn write(&mut self, entry: &Entry) -> Result<(), PullError> {
        if self.torn {
            return Ok(());
        }
        #[cfg(feature = "tracing")]
        tracing::debug!(?entry, "journal");
        self.journal.record(entry).inspect_err(|_| self.torn = true)?;
        Ok(())
    }

    /// Reports the end of work.
    pub(crate) fn report(&mut self, now: Now, work: Work, result: Result<JobOutput, Error>) {
        let (now, window) = (self.by_server(now), work.window);
        let before = self.scheduler.outage(now);
        match result {
            Ok(JobOutput::Asked(id)) => self.scheduler.on_asked(now, window, id),
            Ok(JobOutput::Stored(Fetched { stored, notes, converted })) => {
                if let Err(error) = self.replace_converted(window, &converted) {
                    self.stop_for(error);
                }
                self.files(window).notes = notes;
                self.scheduler.on_stored(now, window, stored, converted);
            }
            Ok(JobOutput::Converted(files)) => self.report_converted(now, window, Ok(files)),
            Err(error) => match work.duty {
                Duty::Job(task) => self.report_failure(now, Job { window, task }, error),
                Duty::Convert(_) => self.report_converted(now, window, Err(error)),
            },
        }
        if let Some(outage) = before
            && self.scheduler.outage(now).is_none()
        {
            self.events.push(PullEvent::Recovered(outage.lasts));
        }
    }

    fn report_failure(&mut self, now: Now, job: Job, error: Error) {
        let window = job.window;
        let trouble =
            if job.task == Task::Ask { Trouble::of_ask(&error) } else { Trouble::of_fetch(&error) };
        #[cfg(feature = "tracing")]
        tracing::warn!(%window, ?trouble, %error, "a job failed");
        let Some(trouble) = trouble else {
            self.scheduler.on_trouble(now, window, Trouble::BrokenOff, "");
            return self.stop_for(fatal_error(window, error));
        };
        let why = self.reason(window, &error);
        self.scheduler.on_trouble(now, window, trouble, &why);
        if let Some(pause) = retry_after(&error) {
            self.scheduler.wait_at_least(now, pause);
        }
        if trouble != Trouble::BrokenOff {
            self.last = Some(error);
            let outage = self.scheduler.outage(now);
            self.events.push(PullEvent::Failed(JobFailure { job, trouble, why, outage }));
        }
    }

    /// Returns why a job failed and, for an unusable file, its name on disk.
    fn reason(&mut self, window: Window, error: &Error) -> String {
        let Error::Rejected(cause) = error else { return error.to_string() };
        if cause.downcast_ref::<ccfs_archive::Error>().is_some_and(|cause| !is_rejected(cause)) {
            return error.to_string();
        }
        #[cfg(feature = "blocking")]
        if let Some(failure) = crate::TaskFailure::of(error).filter(|failure| !failure.is_kept) {
            return failure.to_string();
        }
        let path = self.folder.rejected(window);
        let name = path.file_name().unwrap_or(path.as_os_str()).display();
        let why = format!("{cause}; the file is kept as {name}");
        self.files(window).rejected = Some(path);
        why
    }

    pub(crate) fn on_callback(&mut self, now: Now, callback: &Callback) {
        self.scheduler.on_callback(self.by_server(now), callback);
    }

    /// Number of running jobs and conversions.
    #[cfg(feature = "blocking")]
    pub(crate) fn running(&self) -> usize {
        self.scheduler.running() + usize::from(self.converting)
    }

    /// Returns what happened since the last call.
    pub(crate) fn events(&mut self) -> Vec<PullEvent> {
        std::mem::take(&mut self.events)
    }

    /// Starts no more jobs. The first reason is the error that the pull ends with.
    pub(crate) fn stop_for(&mut self, why: PullError) {
        self.scheduler.stop();
        self.shared.stop();
        self.folder.store.stop();
        self.to_convert.clear();
        if self.fatal.is_none() {
            self.fatal = Some(why);
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.fatal.is_some()
    }

    pub(crate) fn progress(&self, now: Now) -> PullProgress {
        let (in_flight, outage) = (self.scheduler.in_flight(), self.scheduler.outage(now));
        let received = self.shared.received();
        PullProgress { in_flight, received, outage, ..self.progress }
    }
}

/// Returns the error of a pull that a job's error ends.
#[cfg(feature = "blocking")]
fn fatal_error(window: Window, error: Error) -> PullError {
    let cause = match error {
        Error::Rejected(cause) => cause,
        source => return PullError::Call { window, source: source.into() },
    };
    let cause = match cause.downcast() {
        Ok(source) => return PullError::Task { window, source },
        Err(cause) => cause,
    };
    match cause.downcast::<crate::task_failure::NoReport>() {
        Ok(cause) => PullError::NoReport { window, source: cause.0 },
        Err(cause) => PullError::Call { window, source: Error::Rejected(cause).into() },
    }
}

#[cfg(not(feature = "blocking"))]
fn fatal_error(window: Window, error: Error) -> PullError {
    PullError::Call { window, source: error.into() }
}

/// Returns how long the server wants clients to wait.
fn retry_after(error: &Error) -> Option<Duration> {
    #[cfg(feature = "blocking")]
    if let Some(failure) = crate::TaskFailure::of(error) {
        return failure.retry_after;
    }
    error.exchange().and_then(|error| error.retry_after)
}

impl PullProgress {
    fn count(&mut self, outcome: &Outcome) {
        self.settled += 1;
        if let Outcome::Stored(stored) = outcome {
            self.rows += stored.rows;
        }
    }
}
