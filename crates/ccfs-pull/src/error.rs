//! Errors of a pull.

#[cfg(feature = "blocking")]
use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use crate::journal::JournalError;
use crate::plan::PlanError;
use crate::window::Window;

/// Why a pull ended early. Files and journal are kept, and the next run continues from them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// The plan cannot be pulled. Nothing was done.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Another pull has locked the folder.
    #[error("another pull is running in {}; wait for it, or pull into another folder", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The folder, or a file in it, cannot be used.
    #[error("cannot use {}: {source}; the folder must be writable and have space for the files", path.display())]
    Folder {
        /// The folder, or the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The bucket, or an object in it, cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    Bucket {
        /// The address of the bucket or of the object.
        path: PathBuf,
        /// What the store answered, or why it could not be reached.
        source: io::Error,
    },
    /// A file of a window already exists, and the journal of the folder does not have it.
    #[error("{} already exists, and the journal of this folder does not have it; move it away, or pull into another folder", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The journal cannot be used or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A call failed, and further calls would fail in the same way: a rejected key, an untrusted
    /// certificate, a full disk.
    #[error("window {window}: {source}")]
    Call {
        /// The window of the call.
        window: Window,
        /// What went wrong.
        source: Box<ccfs_driver::Error>,
    },
    /// A task of [`Pull::run_with`](crate::Pull::run_with) failed, and further tasks would fail in
    /// the same way.
    #[cfg(feature = "blocking")]
    #[error("window {window}: {source}")]
    Task {
        /// The window of the task.
        window: Window,
        /// What went wrong.
        source: Box<crate::TaskFailure>,
    },
    /// The function of [`Pull::run_with`](crate::Pull::run_with) returned an error instead of a report.
    #[cfg(feature = "blocking")]
    #[error("window {window}: its task did not end: {source}; the next pull continues from here")]
    NoReport {
        /// The window of the task.
        window: Window,
        /// The error of the function.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The server could not be reached or failed for longer than
    /// [`Pace::outage_timeout`](crate::Pace::outage_timeout).
    #[error(
        "the server failed for too long, most recently: {last}; the next pull continues from here"
    )]
    GaveUp {
        /// The last failure.
        last: String,
        /// The error of the last failed call, if there was one.
        source: Option<Box<ccfs_driver::Error>>,
    },
    /// The caller's progress function stopped the pull.
    #[error("the pull was stopped; the next one continues from here")]
    Stopped,
}
