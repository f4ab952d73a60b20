//! Errors of journals.

use std::io;
use std::path::PathBuf;

/// Error of a [`Journal`](super::Journal).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The journal cannot be read or written.
    #[error("cannot read or write the journal {}: {source}; fix that, then run the same pull again", path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The journal belongs to another server or plan.
    #[error(
        "{} was created with another {what}: {before}, now {now}; use the former value, {}or pull into another folder",
        path.display(),
        if *moves { "confirm that the data now comes from there, " } else { "" }
    )]
    OtherPlan {
        /// The journal, or a receipt in a bucket.
        path: PathBuf,
        /// The name of the setting that differs.
        what: &'static str,
        /// The value in the journal.
        before: String,
        /// The value now.
        now: String,
        /// Whether only server or access key differ, so that [`Plan::moved`](crate::Plan::moved) allows the pull.
        moves: bool,
    },
    /// A line is malformed.
    #[error(
        "line {line} of the journal {} is malformed; undo manual edits, or check the disk, move the folder away and pull again",
        path.display()
    )]
    Line {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// Another version of this crate wrote it.
    #[error("the journal {} has version {version}, supported is {known}; use the program that created it, or pull into another folder", path.display())]
    Version {
        /// The journal.
        path: PathBuf,
        /// Its version.
        version: u32,
        /// The supported version.
        known: u32,
    },
    /// The journal is too large.
    #[error("the journal {} has {len} bytes, limit {limit}; pull into another folder", path.display())]
    TooLarge {
        /// The journal.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
        /// Its size in bytes.
        len: u64,
    },
}
