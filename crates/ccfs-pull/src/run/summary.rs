//! The reports of a pull.

use std::path::PathBuf;

use super::{Files, Run};
use crate::error::PullError;
use crate::journal::ConvertedFile;
use crate::scheduler::Outcome;
use crate::summary::{KeptZip, PullSummary, ReportedFile, WindowReport};
use crate::window::Window;

impl Run {
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
            resumed: self.resumed,
            left_from: self.left_from,
        })
    }

    pub(super) fn report_of(&self, window: Window, outcome: Outcome) -> WindowReport {
        let mut report = WindowReport::new(window, outcome);
        let Some(files) = self.windows.get(&window) else { return report };
        if let Some(why) = files.not_converted.clone() {
            report.outcome = Outcome::Failed { why };
        }
        (report.earlier, report.previous) = (files.is_earlier, files.previous);
        match &report.outcome {
            Outcome::Stored(stored) => {
                report.files = self.reported_files(window, files);
                report.notes.clone_from(&files.notes);
                let zip = self.folder.zip(window);
                let is_kept = self.plan.removes_zips()
                    && !stored.is_complete()
                    && self.folder.store.exists(&zip);
                report.kept_zip = is_kept.then(|| KeptZip::new(zip, *stored));
            }
            Outcome::Failed { .. } => report.rejected.clone_from(&files.rejected),
            _ => {}
        }
        report
    }

    /// Returns the window's files in the journal: the converted ones, or the ZIP if there are none.
    /// Files of an earlier run may have been removed since.
    fn reported_files(&self, window: Window, files: &Files) -> Vec<ReportedFile> {
        let is_wanted = |file: &&ConvertedFile| self.plan.formats.contains(&file.format);
        let converted = files.converted.iter().filter(is_wanted);
        let mut paths: Vec<_> =
            converted.map(|file| self.folder.converted(window, file.format)).collect();
        if self.plan.formats_of(window).is_empty() {
            paths.push(self.folder.zip(window));
        }
        let reported = |path: PathBuf| {
            let bytes = self.folder.store.len(&path)?;
            Some(ReportedFile { path, bytes })
        };
        paths.into_iter().filter_map(reported).collect()
    }
}
