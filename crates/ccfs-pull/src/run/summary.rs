//! The reports of a pull.

use std::path::PathBuf;

use super::Run;
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
            resumed: self.earlier.len(),
            left_from: self.left_from,
        })
    }

    pub(super) fn report_of(&self, window: Window, outcome: Outcome) -> WindowReport {
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
                let is_kept = self.plan.removes_zips()
                    && !stored.is_complete()
                    && self.folder.store.exists(&zip);
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
            let bytes = self.folder.store.len(&path)?;
            Some(ReportedFile { path, bytes })
        };
        paths.into_iter().filter_map(reported).collect()
    }
}
