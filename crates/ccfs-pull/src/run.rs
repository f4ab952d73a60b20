//! The part that both drivers share: everything except making calls and waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ccfs_driver::Error;
use ccfs_proto::auth::AccessKey;
use ccfs_proto::{Day, Endpoint, Now, ResponseId};

use crate::contents::Checked;
use crate::error::PullError;
use crate::folder::Folder;
use crate::journal::{Entry, Journal};
use crate::plan::{Pace, Plan};
use crate::scheduler::{Job, Known, Outcome, Scheduler, Step, Task, Trouble};
use crate::summary::{PullProgress, PullSummary, WindowReport};
use crate::trouble::is_permanent;
use crate::window::{Window, windows};

/// A pull under way in a locked folder.
pub(crate) struct Run {
    pub(crate) folder: Arc<Folder>,
    pub(crate) plan: Arc<Plan>,
    scheduler: Scheduler,
    journal: Journal,
    /// The journal may end with an incomplete line and must not be written any more.
    torn: bool,
    /// Windows that were complete before this run.
    earlier: BTreeSet<Window>,
    /// Windows of this run whose files have notes, and windows whose files were rejected.
    notes: BTreeMap<Window, Vec<String>>,
    rejected: BTreeSet<Window>,
    left_from: Option<Day>,
    progress: PullProgress,
    /// The error that stops the pull.
    fatal: Option<PullError>,
    /// The last error of a call.
    last: Option<Error>,
}

/// A step for the driver. Entries of the journal are already recorded.
pub(crate) enum Next {
    Start(Job),
    Wait(Option<Duration>),
    Done,
}

/// Result of a job.
pub(crate) enum JobOutput {
    Asked(ResponseId),
    Stored(Checked),
}

impl Run {
    /// Locks the folder, reads its journal, and starts a pull of the remaining windows.
    pub(crate) fn begin(
        plan: Plan,
        pace: Pace,
        path: &Path,
        endpoint: &Endpoint,
        access_key: &AccessKey,
        now: Now,
    ) -> Result<Self, PullError> {
        plan.check()?;
        let folder = Folder::lock(path, &plan)?;
        let (journal, mut known) = Journal::open(&folder.journal(), &plan, endpoint, access_key)?;
        folder.sync()?;

        // Only days that are over: a complete window is not requested again, so its data must be
        // final.
        let today = plan.zone.local(now.wall).day();
        let over = today
            .previous()
            .map(|yesterday| plan.to.min(yesterday))
            .filter(|last| *last >= plan.from);
        let left_from = if plan.to >= today { Some(today.max(plan.from)) } else { None };
        let taken: Vec<Window> = known.keys().copied().collect();
        for window in over
            .into_iter()
            .flat_map(|last| windows(&plan.zone, plan.from, last, plan.window_days, &taken))
        {
            if let Some(path) = folder.foreign(window) {
                return Err(PullError::Foreign { path });
            }
            known.insert(window, Known::Fresh);
        }
        let mut earlier = BTreeSet::new();
        let mut progress = PullProgress::default();
        for (window, known) in &known {
            if let Known::Complete(Outcome::Stored(stored)) = known {
                folder.tidy(*window, *stored)?;
            }
        }
        // Windows that an earlier run began are finished even outside the range; complete ones are
        // reported only within it.
        let wanted =
            |window: &Window| window.begin().day() <= plan.to && window.end().day() >= plan.from;
        known.retain(|window, known| !matches!(known, Known::Complete(_)) || wanted(window));
        for (window, known) in &known {
            progress.windows += 1;
            if let Known::Complete(outcome) = known {
                earlier.insert(*window);
                progress.count(outcome);
            }
        }
        let scheduler = Scheduler::new(plan.zone.clone(), pace, known, now);
        let (folder, plan) = (Arc::new(folder), Arc::new(plan));
        Ok(Self {
            folder,
            plan,
            scheduler,
            journal,
            torn: false,
            earlier,
            notes: BTreeMap::new(),
            rejected: BTreeSet::new(),
            left_from,
            progress,
            fatal: None,
            last: None,
        })
    }

    /// Records the scheduler's entries, and returns the next step and the windows that were
    /// completed.
    pub(crate) fn step(&mut self, now: Now) -> (Next, Vec<WindowReport>) {
        let mut settled = Vec::new();
        loop {
            match self.scheduler.poll(now) {
                Step::Record(entry) => settled.extend(self.record(&entry)),
                Step::Start(job) => return (Next::Start(job), settled),
                Step::Wait(within) => return (Next::Wait(within), settled),
                Step::Done => return (Next::Done, settled),
            }
        }
    }

    fn record(&mut self, entry: &Entry) -> Option<WindowReport> {
        if self.torn {
            return None;
        }
        #[cfg(feature = "tracing")]
        tracing::debug!(?entry, "journal");
        if let Err(error) = self.journal.record(entry) {
            self.torn = true;
            self.stop_for(error.into());
            return None;
        }
        let (Entry::Stored { window, .. }
        | Entry::NoData { window, .. }
        | Entry::Failed { window, .. }) = entry
        else {
            return None;
        };
        let outcome = self.scheduler.outcome(*window)?.clone();
        self.progress.count(&outcome);
        if let Outcome::Stored(stored) = &outcome
            && let Err(error) = self.folder.tidy(*window, *stored)
        {
            self.stop_for(error);
        }
        Some(self.report_of(*window, outcome))
    }

    /// Reports the end of a job to the scheduler.
    pub(crate) fn report(&mut self, now: Now, job: &Job, result: Result<JobOutput, Error>) {
        let error = match result {
            Ok(JobOutput::Asked(id)) => return self.scheduler.on_asked(now, job.window, id),
            Ok(JobOutput::Stored(Checked { stored, notes })) => {
                if !notes.is_empty() {
                    self.notes.insert(job.window, notes);
                }
                return self.scheduler.on_stored(now, job.window, stored);
            }
            Err(error) => error,
        };
        let verdict =
            if job.task == Task::Ask { Trouble::of_ask(&error) } else { Trouble::of_fetch(&error) };
        #[cfg(feature = "tracing")]
        tracing::warn!(window = %job.window, ?verdict, %error, "a job failed");
        if let Some(trouble) = verdict {
            let why = self.reason(job.window, &error);
            self.scheduler.on_trouble(now, job.window, trouble, &why);
            if trouble != Trouble::BrokenOff {
                self.last = Some(error);
            }
        } else {
            self.scheduler.on_trouble(now, job.window, Trouble::BrokenOff, "");
            self.stop_for(PullError::Call { window: job.window, source: error.into() });
        }
    }

    /// Returns why a job failed and, for an unusable file, its name on disk.
    fn reason(&mut self, window: Window, error: &Error) -> String {
        let Error::Rejected(cause) = error else { return error.to_string() };
        let path = match cause.downcast_ref::<ccfs_archive::Error>() {
            Some(cause) if is_permanent(cause) => {
                self.rejected.insert(window);
                self.folder.rejected(window)
            }
            Some(ccfs_archive::Error::Row(_)) => self.folder.zip(window),
            _ => return error.to_string(),
        };
        let name = path.file_name().unwrap_or(path.as_os_str());
        format!("{cause}; the file is kept as {}", name.display())
    }

    pub(crate) fn scheduler(&mut self) -> &mut Scheduler {
        &mut self.scheduler
    }

    /// Starts no more jobs. The first reason is the error that the pull ends with.
    pub(crate) fn stop_for(&mut self, why: PullError) {
        self.scheduler.stop();
        if self.fatal.is_none() {
            self.fatal = Some(why);
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.fatal.is_some()
    }

    pub(crate) fn progress(&self, received: u64) -> PullProgress {
        PullProgress { in_flight: self.scheduler.in_flight(), received, ..self.progress }
    }

    /// Returns the result of the pull.
    pub(crate) fn end(self) -> Result<PullSummary, PullError> {
        if let Some(error) = self.fatal {
            return Err(error);
        }
        if let Some(last) = self.scheduler.gave_up() {
            return Err(PullError::GaveUp {
                last: last.to_owned(),
                source: self.last.map(Box::new),
            });
        }
        let settled = self
            .scheduler
            .outcomes()
            .filter_map(|(window, outcome)| outcome.map(|outcome| (window, outcome.clone())));
        Ok(PullSummary {
            windows: settled.map(|(window, outcome)| self.report_of(window, outcome)).collect(),
            asked: self.scheduler.asked(),
            resumed: self.earlier.len(),
            left_from: self.left_from,
        })
    }

    fn report_of(&self, window: Window, outcome: Outcome) -> WindowReport {
        let mut report = WindowReport::new(window, outcome);
        report.earlier = self.earlier.contains(&window);
        match &report.outcome {
            Outcome::Stored(stored) => {
                // A file of an earlier run may have been removed since.
                report.file = Some(self.folder.result(window)).filter(|file| file.exists());
                report.kept_zip = self.folder.kept_zip(window, *stored);
                report.notes = self.notes.get(&window).cloned().unwrap_or_default();
            }
            Outcome::Failed { .. } if self.rejected.contains(&window) => {
                report.rejected = Some(self.folder.rejected(window));
            }
            _ => {}
        }
        report
    }
}

/// The span of a job: its window and the name of the file, which are not secret.
#[cfg(feature = "tracing")]
pub(crate) fn span(job: &Job) -> tracing::Span {
    let file = if let Task::Fetch(name) = &job.task { name.as_str() } else { "" };
    tracing::info_span!("pull", window = %job.window, task = if file.is_empty() { "ask" } else { "fetch" }, file)
}

impl PullProgress {
    fn count(&mut self, outcome: &Outcome) {
        self.settled += 1;
        if let Outcome::Stored(stored) = outcome {
            self.rows += stored.rows;
        }
    }
}
