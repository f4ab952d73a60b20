//! The part that both drivers share: everything except making calls and waiting.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ccfs_driver::{Error, FileError};
use ccfs_proto::auth::AccessKey;
use ccfs_proto::callback::Callback;
use ccfs_proto::exchange::ClockSkew;
use ccfs_proto::{Day, Endpoint, Now, ResponseId};

use crate::error::PullError;
use crate::folder::{Folder, remove, sync};
use crate::format::Format;
use crate::journal::{ConvertedFile, Entry, Histories, Journal};
use crate::plan::{Pace, Plan};
use crate::scheduler::{
    Fingerprint, History, Job, Known, Outcome, Scheduler, Step, Stored, Task, Trouble,
};
use crate::summary::{
    JobFailure, KeptZip, PullEvent, PullProgress, PullSummary, ReportedFile, WindowReport,
};
use crate::trouble::is_rejected;
use crate::window::{Window, windows};
use crate::work::Earlier;

/// The clock skew from which the server's time is used for the names of files, in milliseconds. A
/// smaller one may be the error of its measurement.
const SKEW: i64 = 60_000;

/// A running pull in a locked folder.
pub(crate) struct Run {
    pub(crate) folder: Arc<Folder>,
    pub(crate) plan: Arc<Plan>,
    scheduler: Scheduler,
    journal: Journal,
    /// The journal may end with an incomplete line and must not be written any more.
    torn: bool,
    /// Windows that were complete before this run, and are not requested again.
    earlier: BTreeSet<Window>,
    /// Windows that were complete before this run, and whose ZIP this run converted.
    reconverted: BTreeSet<Window>,
    /// Files of windows that are requested again.
    previous: BTreeMap<Window, Stored>,
    /// Windows that an earlier run requested, until their file is looked for.
    asked_before: BTreeSet<Window>,
    /// The converted files of each window that the journal has or will have with the next line.
    converted: BTreeMap<Window, Vec<ConvertedFile>>,
    /// Complete windows that are to be converted to further formats.
    to_convert: VecDeque<(Window, Vec<Format>)>,
    converting: bool,
    /// Complete windows that could not be converted.
    not_converted: BTreeMap<Window, String>,
    /// Windows of this run whose files have notes, and windows whose files were rejected.
    notes: BTreeMap<Window, Vec<String>>,
    rejected: BTreeSet<Window>,
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

/// A step for the driver. Entries of the journal are already recorded.
pub(crate) enum Next {
    /// Start a job for a window, which may have a file of an earlier request.
    Start(Job, Earlier),
    /// Convert the ZIP of a complete window.
    Convert(Window, Vec<Format>, Earlier),
    Wait(Option<Duration>),
    Done,
}

/// Result of a job.
pub(crate) enum JobOutput {
    Asked(ResponseId),
    Stored { stored: Stored, notes: Vec<String>, converted: Vec<ConvertedFile> },
    Converted(Vec<ConvertedFile>),
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
        let (journal, mut known) =
            Journal::open(&folder.journal(), &plan, endpoint, access_key, now.wall)?;
        folder.sync()?;
        let jobs: Vec<_> =
            known.iter().filter_map(|(window, history)| Some((history.job?, *window))).collect();
        let failed = windows_where(&known, |history| history.failed.is_some());
        let mut events = leave_failed(&plan, &mut known);
        let in_table = folder.known_in_table(&known);
        let left_from = add_new(&plan, &folder, &mut known, now)?;
        if plan
            .again
            .is_some_and(|(from, to)| !known.keys().any(|window| window.overlaps(from, to)))
        {
            events.push(PullEvent::NothingAgain);
        }
        let mut previous = BTreeMap::new();
        for (window, history) in &mut known {
            if plan.is_due(*window, history) {
                if let Some(path) = folder.unknown(*window, history, &plan.formats_of(*window)) {
                    return Err(PullError::Foreign { path });
                }
                history.known = Known::Fresh;
            }
            if let (Some(stored), Known::Fresh | Known::Asked(_)) = (history.stored, &history.known)
            {
                previous.insert(*window, stored);
            }
        }
        if plan.formats.contains(&Format::Parquet) {
            folder.check_table()?;
            let is_open = |history: &History| !matches!(history.known, Known::Complete(_));
            let days = windows_where(&known, is_open).iter().map(|it| it.begin().day()).collect();
            if let Some(path) = folder.strange_in_table(&days, &in_table)? {
                return Err(PullError::Foreign { path });
            }
        }
        // Windows that an earlier run began are finished even outside the range; complete ones are
        // reported only within it.
        let reported = |window: &Window, history: &History| {
            !matches!(history.known, Known::Complete(_)) || window.overlaps(plan.from, plan.to)
        };
        let complete: Vec<(Window, Stored)> = known
            .iter()
            .filter_map(|(window, history)| match history.known {
                Known::Complete(Outcome::Stored(stored)) => Some((*window, stored)),
                _ => None,
            })
            .collect();
        let zips_removed = windows_where(&known, |history| history.zip_removed);
        let converted: BTreeMap<_, _> = known
            .iter()
            .filter(|(_, history)| !history.converted.is_empty())
            .map(|(window, history)| (*window, history.converted.clone()))
            .collect();
        known.retain(|window, history| reported(window, history));
        let mut progress = PullProgress { windows: known.len(), ..PullProgress::default() };
        let mut earlier = BTreeSet::new();
        for (window, history) in &known {
            if let Known::Complete(outcome) = &history.known {
                earlier.insert(*window);
                progress.count(outcome);
            }
        }
        let asked_before =
            windows_where(&known, |history| matches!(history.known, Known::Asked(_)));
        let mut scheduler = Scheduler::new(plan.zone.clone(), pace, known, now);
        for (id, window) in jobs {
            scheduler.know_job(id, window);
        }
        let mut run = Self {
            scheduler,
            asked_before,
            folder: Arc::new(folder),
            plan: Arc::new(plan),
            journal,
            torn: false,
            earlier,
            reconverted: BTreeSet::new(),
            previous,
            converted,
            to_convert: VecDeque::new(),
            converting: false,
            not_converted: BTreeMap::new(),
            notes: BTreeMap::new(),
            rejected: BTreeSet::new(),
            events,
            left_from,
            progress,
            skew: 0,
            fatal: None,
            last: None,
        };
        for (window, stored) in complete {
            // The rejected file of a request that failed since is kept.
            if !failed.contains(&window) {
                remove(run.folder.rejected(window))?;
            }
            run.tend(window, stored, zips_removed.contains(&window), now)?;
        }
        Ok(run)
    }

    /// Finishes what an earlier run left to do for a complete window, and plans its conversion.
    fn tend(
        &mut self,
        window: Window,
        stored: Stored,
        zip_removed: bool,
        now: Now,
    ) -> Result<(), PullError> {
        if window.overlaps(self.plan.from, self.plan.to) {
            self.note_several_days(window);
        }
        let zip = self.folder.zip(window);
        let has_size = |path: &Path, bytes| path.metadata().is_ok_and(|file| file.len() == bytes);
        let is_there = |format: &Format| {
            let converted = self.converted.get(&window).into_iter().flatten();
            let mut found = converted.filter(|file| file.format == *format);
            let path = self.folder.converted(window, *format);
            found.any(|file| has_size(&path, file.fingerprint.bytes))
        };
        // A file that was removed or changed since is converted again if its ZIP exists, and
        // otherwise reported.
        let mut missing = self.plan.formats_of(window);
        missing.retain(|format| !is_there(format));
        let is_known = |format: &Format| {
            self.converted.get(&window).into_iter().flatten().any(|file| file.format == *format)
        };
        let fits = self.plan.formats_of(window).len() == self.plan.formats.len();
        // A user may have copied another file to this name.
        let is_ours = zip.exists() && (!zip_removed || is_intact(&zip, stored.zip)?);
        if is_ours && zip_removed && self.plan.removes_zips() && missing.is_empty() && fits {
            return self.remove_zip(window, stored);
        }
        if missing.is_empty() {
            return self.tidy(window, stored, now);
        }
        if !self.earlier.contains(&window) {
            return Ok(());
        }
        if is_ours {
            // The existing files differ from those in the journal.
            for format in missing.iter().filter(|format| is_known(format)) {
                remove(self.folder.converted(window, *format))?;
            }
            if let Some(converted) = self.converted.get_mut(&window) {
                converted.retain(|file| !missing.contains(&file.format));
            }
            self.to_convert.push_back((window, missing));
        } else if !missing.iter().all(is_known) {
            self.events.push(PullEvent::ZipMissing(window));
        } else if let Some(path) = missing
            .iter()
            .map(|format| self.folder.converted(window, *format))
            .find(|path| path.symlink_metadata().is_ok())
        {
            let name = path.file_name().unwrap_or(path.as_os_str()).display();
            let why = format!(
                "{name} is not the file that was stored, and its ZIP was removed; request the window again"
            );
            self.not_converted.insert(window, why);
            let report = self.report_of(window, Outcome::Stored(stored));
            self.events.push(PullEvent::Settled(report));
        }
        Ok(())
    }

    /// Reports a window that cannot be converted to all formats.
    fn note_several_days(&mut self, window: Window) {
        if self.plan.formats_of(window).len() < self.plan.formats.len() {
            self.events.push(PullEvent::SeveralDays(window));
        }
    }

    /// Removes the ZIP of a complete window if the plan keeps only records and the converted files
    /// have all of them.
    fn tidy(&mut self, window: Window, stored: Stored, now: Now) -> Result<(), PullError> {
        let zip = self.folder.zip(window);
        if self.plan.removes_zips() && stored.is_complete() && zip.exists() {
            let converted = self.converted.get(&window).map_or(&[][..], Vec::as_slice);
            for format in &self.plan.formats {
                let path = self.folder.converted(window, *format);
                let file = converted.iter().find(|file| file.format == *format);
                match file {
                    Some(file) if is_intact(&path, file.fingerprint)? => {}
                    _ => return Ok(()),
                }
            }
            self.journal.record(&Entry::ZipRemoved { window, at: now.wall })?;
            self.remove_zip(window, stored)?;
        }
        Ok(())
    }

    /// Removes a ZIP, if it is the one that was stored.
    fn remove_zip(&self, window: Window, stored: Stored) -> Result<(), PullError> {
        let zip = self.folder.zip(window);
        if is_intact(&zip, stored.zip)? { remove(zip) } else { Ok(()) }
    }

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
                let stored = match self.scheduler.outcome(window) {
                    Some(&Outcome::Stored(stored)) => Some(stored),
                    _ => None,
                };
                return Next::Convert(window, formats, Earlier { stored, may_have_zip: false });
            }
            match self.scheduler.poll(now) {
                Step::Record(entry) => self.record(&entry, now),
                Step::Start(job) => {
                    self.events.push(PullEvent::Started(job.clone()));
                    let stored = self.previous.get(&job.window).copied();
                    let may_have_zip =
                        matches!(job.task, Task::Fetch(_)) && self.asked_before.remove(&job.window);
                    return Next::Start(job, Earlier { stored, may_have_zip });
                }
                Step::Wait(within) => return Next::Wait(within),
                Step::Done if self.converting => return Next::Wait(None),
                Step::Done => return Next::Done,
            }
        }
    }

    fn record(&mut self, entry: &Entry, now: Now) {
        if let Err(error) = self.try_record(entry, now) {
            self.stop_for(error);
        }
    }

    fn try_record(&mut self, entry: &Entry, now: Now) -> Result<(), PullError> {
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
            self.notes.insert(*window, vec![note.to_owned()]);
        }
        if let Entry::Stored { window, stored, .. } = entry {
            remove(self.folder.rejected(*window))?;
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

    /// Reports the end of a job to the scheduler.
    pub(crate) fn report(&mut self, now: Now, job: &Job, result: Result<JobOutput, Error>) {
        let now = self.by_server(now);
        let before = self.scheduler.outage(now);
        match result {
            Ok(JobOutput::Asked(id)) => self.scheduler.on_asked(now, job.window, id),
            Ok(JobOutput::Stored { stored, notes, converted }) => {
                if let Err(error) = self.replace_converted(job.window, &converted) {
                    self.stop_for(error);
                }
                if !notes.is_empty() {
                    self.notes.insert(job.window, notes);
                }
                self.scheduler.on_stored(now, job.window, stored, converted);
            }
            Ok(JobOutput::Converted(_)) => {}
            Err(error) => self.report_failure(now, job, error),
        }
        if let Some(outage) = before
            && self.scheduler.outage(now).is_none()
        {
            self.events.push(PullEvent::Recovered(outage.lasts));
        }
    }

    fn report_failure(&mut self, now: Now, job: &Job, error: Error) {
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
            let (job, outage) = (job.clone(), self.scheduler.outage(now));
            self.events.push(PullEvent::Failed(JobFailure { job, trouble, why, outage }));
        }
    }

    /// Sets the converted files of a new ZIP. Files that were converted from the previous ZIP and not
    /// replaced are removed.
    fn replace_converted(
        &mut self,
        window: Window,
        converted: &[ConvertedFile],
    ) -> Result<(), PullError> {
        let is_new = |format| converted.iter().any(|file| file.format == format);
        let former = self.converted.get(&window).into_iter().flatten().map(|file| file.format);
        // A run that was killed may have left a file of the dataset without recording it.
        for format in former.chain([Format::Parquet]).filter(|format| !is_new(*format)) {
            let path = self.folder.converted(window, format);
            if path.exists() {
                remove(path.clone())?;
                let folder = path.parent().unwrap_or(&path);
                sync(folder).map_err(|source| PullError::Folder { path: folder.into(), source })?;
            }
        }
        self.converted.insert(window, converted.to_vec());
        Ok(())
    }

    /// Reports the end of a conversion.
    pub(crate) fn report_converted(
        &mut self,
        now: Now,
        window: Window,
        result: Result<JobOutput, Error>,
    ) {
        self.converting = false;
        let now = self.by_server(now);
        match result {
            Ok(JobOutput::Converted(files)) => {
                if let Err(error) = self.record_converted(window, files, now) {
                    return self.stop_for(error);
                }
                self.reconverted.insert(window);
            }
            Err(Error::Stopped) => return,
            Err(Error::Rejected(cause)) => {
                let zip = self.folder.zip(window);
                let zip = zip.file_name().unwrap_or(zip.as_os_str()).display();
                self.not_converted.insert(window, format!("{zip} cannot be converted: {cause}"));
            }
            Err(Error::File(FileError::Exists { path })) => {
                let path = path.display();
                let why = format!(
                    "not converted: {path} already exists and is not from this pull; move it away"
                );
                self.not_converted.insert(window, why);
            }
            Err(error) => {
                return self.stop_for(PullError::Call { window, source: error.into() });
            }
            Ok(_) => {}
        }
        if let Some(outcome) = self.scheduler.outcome(window).cloned() {
            let report = self.report_of(window, outcome);
            self.events.push(PullEvent::Settled(report));
        }
    }

    fn record_converted(
        &mut self,
        window: Window,
        files: Vec<ConvertedFile>,
        now: Now,
    ) -> Result<(), PullError> {
        for file in files {
            self.write(&Entry::Converted { window, at: now.wall, file })?;
            self.converted.entry(window).or_default().push(file);
        }
        match self.scheduler.outcome(window) {
            Some(&Outcome::Stored(stored)) => self.tidy(window, stored, now),
            _ => Ok(()),
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
        self.rejected.insert(window);
        let path = self.folder.rejected(window);
        let name = path.file_name().unwrap_or(path.as_os_str());
        format!("{cause}; the file is kept as {}", name.display())
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
        self.to_convert.clear();
        if self.fatal.is_none() {
            self.fatal = Some(why);
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.fatal.is_some()
    }

    pub(crate) fn progress(&self, received: u64, now: Now) -> PullProgress {
        let (in_flight, outage) = (self.scheduler.in_flight(), self.scheduler.outage(now));
        PullProgress { in_flight, received, outage, ..self.progress }
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
        let outcome = match self.not_converted.get(&window) {
            Some(why) => Outcome::Failed { why: why.clone() },
            None => outcome,
        };
        let mut report = WindowReport::new(window, outcome);
        report.earlier = self.earlier.contains(&window) && !self.reconverted.contains(&window);
        report.previous = self.previous.get(&window).copied();
        match &report.outcome {
            Outcome::Stored(stored) => {
                report.files = self.files(window);
                report.notes = self.notes.get(&window).cloned().unwrap_or_default();
                let zip = self.folder.zip(window);
                let is_kept = self.plan.removes_zips() && !stored.is_complete() && zip.exists();
                report.kept_zip = is_kept.then(|| KeptZip::new(zip, *stored));
            }
            Outcome::Failed { .. } if self.rejected.contains(&window) => {
                report.rejected = Some(self.folder.rejected(window));
            }
            _ => {}
        }
        report
    }

    /// Returns the window's files in the journal: the converted ones, or the ZIP if there are none.
    /// Files of an earlier run may have been removed since.
    fn files(&self, window: Window) -> Vec<ReportedFile> {
        let is_wanted = |file: &&ConvertedFile| self.plan.formats.contains(&file.format);
        let converted = self.converted.get(&window).into_iter().flatten().filter(is_wanted);
        let mut paths: Vec<_> =
            converted.map(|file| self.folder.converted(window, file.format)).collect();
        if self.plan.formats_of(window).is_empty() {
            paths.push(self.folder.zip(window));
        }
        let reported = |path: PathBuf| {
            let bytes = path.metadata().ok()?.len();
            Some(ReportedFile { path, bytes })
        };
        paths.into_iter().filter_map(reported).collect()
    }
}

/// Returns the error of a pull that a job's error ends.
fn fatal_error(window: Window, error: Error) -> PullError {
    #[cfg(feature = "blocking")]
    return crate::task::pull_error(window, error);
    #[cfg(not(feature = "blocking"))]
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

/// Returns whether a file exists and has the recorded content.
fn is_intact(path: &Path, file: Fingerprint) -> Result<bool, PullError> {
    let cannot = |source| PullError::Folder { path: path.to_owned(), source };
    file.is_of(path).map_err(cannot)
}

fn windows_where(known: &Histories, is_it: impl Fn(&History) -> bool) -> BTreeSet<Window> {
    known.iter().filter(|(_, history)| is_it(history)).map(|(window, _)| *window).collect()
}

/// Removes failed windows without a job. In the range, their days are split into windows again, so
/// another window length can help; outside it, they are only reported.
fn leave_failed(plan: &Plan, known: &mut Histories) -> Vec<PullEvent> {
    let (mut failed, mut again) = (Vec::new(), Vec::new());
    known.retain(|window, history| {
        let Some(why) = history.failed.take() else { return true };
        let in_range = window.overlaps(plan.from, plan.to);
        match (&history.known, history.stored) {
            (Known::Complete(_), _) => return true,
            (Known::Asked(_), _) | (Known::Fresh, Some(_)) if in_range => return true,
            // The file of an earlier request is kept.
            (_, Some(stored)) => {
                history.known = Known::Complete(Outcome::Stored(stored));
                again.push(PullEvent::FailedBefore { window: *window, why });
                return true;
            }
            _ => {}
        }
        if !in_range {
            failed.push((*window, why));
        }
        false
    });
    let taken: Vec<Window> = known.keys().copied().collect();
    let is_missing = |window: Window| {
        let (from, to) = (window.begin().day(), window.end().day());
        windows(&plan.zone, from, to, plan.days_per_window(), &taken).next().is_some()
    };
    let missing = failed.into_iter().filter(|(window, _)| is_missing(*window));
    again.extend(missing.map(|(window, why)| PullEvent::FailedBefore { window, why }));
    again
}

/// Adds the windows of the range that the journal does not have. Returns the first day that has not
/// ended yet.
///
/// Only days that have ended are pulled: a complete window is not requested again, so its data must
/// be final.
fn add_new(
    plan: &Plan,
    folder: &Folder,
    known: &mut Histories,
    now: Now,
) -> Result<Option<Day>, PullError> {
    let today = plan.zone.local(now.wall).day();
    let over =
        today.previous().map(|yesterday| plan.to.min(yesterday)).filter(|last| *last >= plan.from);
    let taken: Vec<Window> = known.keys().copied().collect();
    for window in over
        .into_iter()
        .flat_map(|last| windows(&plan.zone, plan.from, last, plan.days_per_window(), &taken))
    {
        if let Some(path) = folder.foreign(window, &plan.formats_of(window)) {
            return Err(PullError::Foreign { path });
        }
        known.insert(window, Known::Fresh.into());
    }
    Ok(if plan.to >= today { Some(today.max(plan.from)) } else { None })
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
