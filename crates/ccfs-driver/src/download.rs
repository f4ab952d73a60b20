//! Functions of the caller that take part in a download.

use std::error::Error as StdError;
use std::fs::File;
use std::ops::ControlFlow;

use crate::error::{Error, Progress};
use crate::whole_file::WholeFile;

/// A caller's progress function. If it returns `ControlFlow::Break(())`, the download fails with
/// [`Error::Stopped`].
pub type ProgressFn<'a> = Box<dyn FnMut(Progress) -> ControlFlow<()> + Send + 'a>;
/// A caller's check of a complete file before it is put in place.
pub type CheckFn<'a> =
    Box<dyn FnOnce(File) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + 'a>;

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
