//! The files of complete windows: conversions, and the removal of ZIPs.

use std::path::Path;

use ccfs_driver::{Error, FileError};
use ccfs_proto::Now;

use super::{JobOutput, Run};
use crate::error::PullError;
use crate::format::Format;
use crate::journal::{ConvertedFile, Entry};
use crate::scheduler::{Outcome, Stored};
use crate::summary::PullEvent;
use crate::window::Window;

impl Run {
    /// Finishes what an earlier run left to do for a complete window, and plans its conversion.
    pub(super) fn tend(
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
        let has_size = |path: &Path, bytes| self.folder.store.len(path) == Some(bytes);
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
        let exists = self.folder.store.exists(&zip);
        let is_ours = exists && (!zip_removed || self.folder.has(&zip, stored.zip)?);
        if is_ours && zip_removed && self.plan.removes_zips() && missing.is_empty() && fits {
            return self.remove_zip(window, stored);
        }
        if missing.is_empty() {
            return self.tidy(window, stored, zip_removed, now);
        }
        if !self.earlier.contains(&window) {
            return Ok(());
        }
        if is_ours {
            // The existing files differ from those in the journal.
            for format in missing.iter().filter(|format| is_known(format)) {
                self.folder.remove(&self.folder.converted(window, *format))?;
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
            .find(|path| self.folder.store.exists(path))
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
    pub(super) fn note_several_days(&mut self, window: Window) {
        if self.plan.formats_of(window).len() < self.plan.formats.len() {
            self.events.push(PullEvent::SeveralDays(window));
        }
    }

    /// Removes the ZIP of a complete window if the plan keeps only records and the converted files
    /// have all of them.
    pub(super) fn tidy(
        &mut self,
        window: Window,
        stored: Stored,
        zip_removed: bool,
        now: Now,
    ) -> Result<(), PullError> {
        let is_there = self.folder.store.exists(&self.folder.zip(window));
        if self.plan.removes_zips() && stored.is_complete() && (is_there || !zip_removed) {
            let converted = self.converted.get(&window).map_or(&[][..], Vec::as_slice);
            for format in &self.plan.formats {
                let path = self.folder.converted(window, *format);
                let file = converted.iter().find(|file| file.format == *format);
                match file {
                    Some(file) if self.folder.has(&path, file.fingerprint)? => {}
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
        if self.folder.has(&zip, stored.zip)? { self.folder.remove(&zip) } else { Ok(()) }
    }

    /// Sets the converted files of a new ZIP. Files that were converted from the previous ZIP and not
    /// replaced are removed.
    pub(super) fn replace_converted(
        &mut self,
        window: Window,
        converted: &[ConvertedFile],
    ) -> Result<(), PullError> {
        let is_new = |format| converted.iter().any(|file| file.format == format);
        let former: Vec<Format> =
            self.converted.get(&window).into_iter().flatten().map(|file| file.format).collect();
        for format in Format::ALL.into_iter().filter(|format| !is_new(*format)) {
            let path = self.folder.converted(window, format);
            // A run that was killed may have left a file of the dataset without recording it, and
            // other pulls convert the files in a bucket to further formats.
            let is_stale = former.contains(&format)
                || format == Format::Parquet
                || (!self.folder.is_store() && !self.folder.is_foreign(&path)?);
            if is_stale && self.folder.store.exists(&path) {
                self.folder.remove(&path)?;
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
            Some(&Outcome::Stored(stored)) => self.tidy(window, stored, true, now),
            _ => Ok(()),
        }
    }
}
