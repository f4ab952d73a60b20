//! Why a pull ends early.

use std::io;
use std::path::PathBuf;

use crate::journal::JournalError;
use crate::plan::PlanError;
use crate::window::Window;

/// Why a pull ended before every window was settled. What is on disk stays; the next run goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// The plan cannot be pulled. Nothing was done.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Another pull has the folder.
    #[error("another pull is at work in {}: wait for it, or pull into another folder", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The folder, or a file in it, cannot be used.
    #[error("{} cannot be used: {source}. Give a folder that this user may write into, with room for the files", path.display())]
    Folder {
        /// The folder, or the file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file stands where a window's file would, and this folder's journal knows nothing of it.
    #[error("{} is there already, and no pull into this folder put it there: move it away, or pull into another folder", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The journal cannot be used or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A call failed in a way that others would, too: a key that is not accepted, a certificate, a full disk.
    #[error("window {window}: {source}")]
    Call {
        /// The window it was for.
        window: Window,
        /// What went wrong.
        source: Box<ccfs_driver::Error>,
    },
    /// The trouble with the server or the way there lasted longer than the pull's patience.
    #[error(
        "gave up after too long without a good answer of the server; the next pull goes on from here. Last: {last}"
    )]
    GaveUp {
        /// What went wrong last.
        last: String,
        /// The error, where it was one call's.
        source: Option<Box<ccfs_driver::Error>>,
    },
    /// The caller's progress function stopped it.
    #[error("the pull was stopped; the next one goes on from here")]
    Stopped,
}
