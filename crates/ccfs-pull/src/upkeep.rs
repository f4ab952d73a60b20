//! Checks and corrections of a folder, without a server.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use ccfs_proto::{Day, Timestamp};

use crate::contents::fingerprint;
use crate::error::PullError;
use crate::folder::Folder;
use crate::format::Format;
use crate::journal::Entry;
use crate::scheduler::Fingerprint;
use crate::window::Window;

/// A file that the journal has, and what is wrong with it.
#[derive(Debug)]
#[non_exhaustive]
pub struct CheckedFile {
    /// Its window; `None` for a file that the journal does not have.
    pub window: Option<Window>,
    /// The file.
    pub path: PathBuf,
    /// What is wrong, if anything.
    pub fault: Option<FileFault>,
}

/// How a file differs from what the journal has.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// It does not exist.
    #[error("is missing")]
    Missing,
    /// Its size differs.
    #[error("has {found} bytes, expected {stored}")]
    Size {
        /// The size in the journal, in bytes.
        stored: u64,
        /// The size of the file, in bytes.
        found: u64,
    },
    /// Its content differs.
    #[error("does not match the SHA-256 in the journal")]
    Content,
    /// It is in the table of [`Format::Parquet`](crate::Format::Parquet), but not in the journal.
    /// Engines read its rows.
    #[error("is not in the journal")]
    Unknown,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[source] io::Error),
}

/// Compares the files of all windows with the journal: size and SHA-256. `check` is called for each
/// file, in the order of the windows.
///
/// Files in the table of [`Format::Parquet`](crate::Format::Parquet) that the journal does not have are faults, too.
/// A ZIP that was removed after its conversion is not missing. The folder may be read-only.
///
/// # Errors
///
/// [`PullError`] if another pull has locked the folder, or if it or its journal cannot be read.
pub fn verify(folder: &Path, mut check: impl FnMut(CheckedFile)) -> Result<(), PullError> {
    let (folder, windows) = Folder::look(folder)?;
    let in_table: BTreeSet<PathBuf> = windows
        .iter()
        .filter(|(_, history)| history.converted.iter().any(|file| file.format == Format::Parquet))
        .map(|(window, _)| folder.converted(*window, Format::Parquet))
        .collect();
    let cannot = |source| PullError::Folder { path: folder.table(), source };
    for path in folder.table_files().map_err(cannot)? {
        if !in_table.contains(&path) {
            check(CheckedFile { window: None, path, fault: Some(FileFault::Unknown) });
        }
    }
    for (window, history) in windows {
        let Some(stored) = history.stored else { continue };
        let zip = (!history.zip_removed).then(|| (folder.zip(window), stored.zip));
        let converted = history.converted.into_iter();
        let converted =
            converted.map(|file| (folder.converted(window, file.format), file.fingerprint));
        for (path, stored) in zip.into_iter().chain(converted) {
            let fault = compare(&path, stored).err();
            check(CheckedFile { window: Some(window), path, fault });
        }
    }
    Ok(())
}

fn compare(path: &Path, stored: Fingerprint) -> Result<(), FileFault> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => FileFault::Missing,
        _ => FileFault::Io(error),
    })?;
    let found = file.metadata().map_err(FileFault::Io)?.len();
    if found != stored.bytes {
        return Err(FileFault::Size { stored: stored.bytes, found });
    }
    let found = fingerprint(&file).map_err(FileFault::Io)?;
    if found == stored { Ok(()) } else { Err(FileFault::Content) }
}

/// Removes from the journal what it has about the days from `from` to `to`, inclusive: windows that
/// the server refused, say. Returns the removed windows; each has a part of these days. Files stay.
///
/// # Errors
///
/// [`PullError`] if another pull has locked the folder, or if its journal cannot be read or written.
pub fn forget(folder: &Path, from: Day, to: Day, at: Timestamp) -> Result<Vec<Window>, PullError> {
    let (_folder, mut journal, windows) = Folder::reopen(folder)?;
    let forgotten: Vec<Window> =
        windows.into_keys().filter(|window| window.overlaps(from, to)).collect();
    if !forgotten.is_empty() {
        journal.record(&Entry::Forgotten { at, from, to })?;
    }
    Ok(forgotten)
}
