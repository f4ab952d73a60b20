//! The files of complete windows: conversions, and the removal of ZIPs.

use ccfs_driver::{Error, FileError};
use ccfs_proto::Now;

use super::Run;
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
        now: Now,
    ) -> Result<(), PullError> {
        if window.overlaps(self.plan.from, self.plan.to) {
            self.note_several_days(window);
        }
        let Some(files) = self.windows.get_mut(&window) else { return Ok(()) };
        let (plan, folder) = (&self.plan, &self.folder);
        let path = |format: &Format| folder.converted(window, *format);
        let known = |format: &Format| files.converted.iter().find(|file| file.format == *format);
        // A file that was removed or changed since is converted again if its ZIP exists, and
        // otherwise reported.
        let mut missing = plan.formats_of(window);
        missing.retain(|format| {
            let size = known(format).map(|file| file.fingerprint.bytes);
            size.is_none() || folder.store.len(&path(format)) != size
        });
        // A user may have copied another file to the name of the ZIP.
        let zip = folder.zip(window);
        let is_ours =
            folder.store.exists(&zip) && (!files.zip_removed || folder.has(&zip, stored.zip)?);
        if missing.is_empty() {
            let fits = plan.formats_of(window).len() == plan.formats.len();
            if is_ours && files.zip_removed && plan.removes_zips() && fits {
                return self.remove_zip(window, stored);
            }
            return self.tidy(window, stored, now);
        }
        if !files.is_earlier {
            return Ok(());
        }
        if is_ours {
            // The existing files differ from those in the journal.
            for format in missing.iter().filter(|format| known(format).is_some()) {
                folder.remove(&path(format))?;
            }
            files.converted.retain(|file| !missing.contains(&file.format));
            self.to_convert.push_back((window, missing));
        } else if !missing.iter().all(|format| known(format).is_some()) {
            self.events.push(PullEvent::ZipMissing(window));
        } else if let Some(path) = missing.iter().map(path).find(|path| folder.store.exists(path)) {
            let name = path.file_name().unwrap_or(path.as_os_str()).display();
            let why = format!(
                "{name} is not the file that was stored, and its ZIP was removed; request the window again"
            );
            files.not_converted = Some(why);
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
        now: Now,
    ) -> Result<(), PullError> {
        let Some(files) = self.windows.get_mut(&window) else { return Ok(()) };
        let is_there = self.folder.store.exists(&self.folder.zip(window));
        if self.plan.removes_zips() && stored.is_complete() && (is_there || !files.zip_removed) {
            for format in &self.plan.formats {
                let path = self.folder.converted(window, *format);
                match files.converted.iter().find(|file| file.format == *format) {
                    Some(file) if self.folder.has(&path, file.fingerprint)? => {}
                    _ => return Ok(()),
                }
            }
            self.journal.record(&Entry::ZipRemoved { window, at: now.wall })?;
            files.zip_removed = true;
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
        let former = std::mem::take(&mut self.files(window).converted);
        for format in Format::ALL.into_iter().filter(|format| !is_new(*format)) {
            let path = self.folder.converted(window, format);
            // A run that was killed may have left a file of the dataset without recording it, and
            // other pulls convert the files in a bucket to further formats.
            let is_stale = former.iter().any(|file| file.format == format)
                || format == Format::Parquet
                || (!self.folder.is_store() && !self.folder.is_foreign(&path)?);
            if is_stale && self.folder.store.exists(&path) {
                self.folder.remove(&path)?;
            }
        }
        let files = self.files(window);
        (files.converted, files.zip_removed) = (converted.to_vec(), false);
        Ok(())
    }

    /// Reports the end of a conversion.
    pub(super) fn report_converted(
        &mut self,
        now: Now,
        window: Window,
        result: Result<Vec<ConvertedFile>, Error>,
    ) {
        self.converting = false;
        match result {
            Ok(files) => {
                if let Err(error) = self.record_converted(window, files, now) {
                    return self.stop_for(error);
                }
                self.files(window).is_earlier = false;
            }
            Err(Error::Stopped) => return,
            Err(Error::Rejected(cause)) => {
                let zip = self.folder.zip(window);
                let zip = zip.file_name().unwrap_or(zip.as_os_str()).display();
                let why = format!("{zip} cannot be converted: {cause}");
                self.files(window).not_converted = Some(why);
            }
            Err(Error::File(FileError::Exists { path })) => {
                let path = path.display();
                let why = format!(
                    "not converted: {path} already exists and is not from this pull; move it away"
                );
                self.files(window).not_converted = Some(why);
            }
            Err(error) => {
                return self.stop_for(PullError::Call { window, source: error.into() });
            }
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
            self.files(window).converted.push(file);
        }
        match self.scheduler.outcome(window) {
            Some(&Outcome::Stored(stored)) => self.tidy(window, stored, now),
            _ => Ok(()),
        }
    }
}
