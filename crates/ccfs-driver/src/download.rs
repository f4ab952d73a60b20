//! Options of downloads.

use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::PathBuf;

use crate::error::{Error, Progress};
use crate::whole_file::{FileError, Overwrite, WholeFile};

/// A caller's progress function. If it returns `ControlFlow::Break(())`, the download fails with
/// [`Error::Stopped`].
pub type ProgressFn<'a> = Box<dyn FnMut(Progress) -> ControlFlow<()> + Send + 'a>;
/// A caller's check of a complete file before it is put in place.
pub type CheckFn<'a> =
    Box<dyn FnOnce(File) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + 'a>;

/// The options of a download into a file, which the clients of all backends share: what to do if the
/// file exists, a progress function, and a check of the complete file.
///
/// `'c` is the lifetime of the check: `'static` where it runs on another thread.
#[derive(Default)]
pub struct DownloadOptions<'a, 'c> {
    overwrite: Overwrite,
    progress: Option<ProgressFn<'a>>,
    check: Option<CheckFn<'c>>,
}

impl<'a, 'c> DownloadOptions<'a, 'c> {
    /// Sets what happens if the file exists. Default: [`Overwrite::Refuse`].
    pub fn overwrite(&mut self, overwrite: Overwrite) {
        self.overwrite = overwrite;
    }

    /// Sets the progress function. Default: none.
    pub fn progress(&mut self, progress: impl FnMut(Progress) -> ControlFlow<()> + Send + 'a) {
        self.progress = Some(Box::new(progress));
    }

    /// Sets the check. Default: none.
    pub fn check(
        &mut self,
        check: impl FnOnce(File) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + 'c,
    ) {
        self.check = Some(Box::new(check));
    }

    /// Returns the progress function, for the loop that receives the file.
    pub fn take_progress(&mut self) -> Option<ProgressFn<'a>> {
        self.progress.take()
    }

    /// Returns the check, for [`WholeFile::commit_checked`].
    pub fn take_check(&mut self) -> Option<CheckFn<'c>> {
        self.check.take()
    }

    /// Creates the temporary file of `path`.
    ///
    /// # Errors
    ///
    /// As [`WholeFile::create`].
    pub fn create(&self, path: impl Into<PathBuf>) -> Result<WholeFile, FileError> {
        WholeFile::create(path, self.overwrite)
    }
}

impl fmt::Debug for DownloadOptions<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadOptions")
            .field("overwrite", &self.overwrite)
            .finish_non_exhaustive()
    }
}

impl WholeFile {
    /// Checks the complete file, and [commits](Self::commit) it if it has `bytes` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if the check fails, and the errors of [`commit`](Self::commit). The target
    /// is then unchanged.
    pub fn commit_checked(self, bytes: u64, check: Option<CheckFn<'_>>) -> Result<(), Error> {
        if let Some(check) = check {
            check(self.reopen().map_err(Error::Write)?).map_err(Error::Rejected)?;
        }
        self.commit(bytes)?;
        Ok(())
    }
}
