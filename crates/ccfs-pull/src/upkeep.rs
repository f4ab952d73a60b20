//! Checks and corrections of a folder, without a server.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use ccfs_proto::{Day, Timestamp};

use crate::error::PullError;
use crate::folder::Folder;
use crate::format::Format;
use crate::journal::{Entry, Histories};
use crate::scheduler::{Fingerprint, History, Known};
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
    /// It is in the table of [`Format::Parquet`], but not in the journal.
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
/// Files in the table of [`Format::Parquet`] that the journal does not have are faults, too. A ZIP
/// that was removed after its conversion is not missing. The folder may be read-only.
///
/// # Errors
///
/// [`PullError`] if another pull has locked the folder, or if it or its journal cannot be read.
pub fn verify(folder: &Path, check: impl FnMut(CheckedFile)) -> Result<(), PullError> {
    let (folder, windows) = Folder::look(folder, None)?;
    check_files(&folder, windows, check)
}

/// Reads the objects of all windows and compares them with their receipts. `folder` contains the
/// journal, which lists the windows that must have a receipt. Changes nothing.
///
/// # Errors
///
/// As [`verify`], and [`PullError::Bucket`] if the bucket cannot be read.
#[cfg(feature = "object-store")]
pub fn verify_bucket(
    folder: &Path,
    bucket: crate::Bucket,
    check: impl FnMut(CheckedFile),
) -> Result<(), PullError> {
    let (folder, windows) = Folder::look(folder, Some(Box::new(bucket)))?;
    folder.open_store(false)?;
    check_files(&folder, windows, check)
}

fn check_files(
    folder: &Folder,
    mut windows: Histories,
    mut check: impl FnMut(CheckedFile),
) -> Result<(), PullError> {
    if !folder.is_store() {
        check_receipts(folder, &mut windows, &mut check)?;
    }
    let in_table: BTreeSet<PathBuf> = windows
        .iter()
        .filter(|(_, history)| history.converted.iter().any(|file| file.format == Format::Parquet))
        .map(|(window, _)| folder.converted(*window, Format::Parquet))
        .collect();
    for path in folder.table_files()? {
        if !in_table.contains(&path) {
            check(CheckedFile { window: None, path, fault: Some(FileFault::Unknown) });
        }
    }
    for (window, history) in windows {
        let Some(stored) = history.stored else { continue };
        let zip = (!history.zip_removed).then_some(stored.zip);
        for file in folder.outgoing(window, zip, &history.converted) {
            let fault = compare(folder, &file.path, file.fingerprint).err();
            check(CheckedFile { window: Some(window), path: file.path, fault });
        }
    }
    Ok(())
}

/// Reads the receipts of all windows. What they say counts more than the journal: another pull may
/// have stored a window again.
fn check_receipts(
    folder: &Folder,
    windows: &mut Histories,
    check: &mut impl FnMut(CheckedFile),
) -> Result<(), PullError> {
    let is_complete = |history: &History| matches!(history.known, Known::Complete(_));
    let known = windows.iter().filter(|(_, history)| is_complete(history));
    let all: BTreeSet<_> =
        known.map(|(window, _)| *window).chain(folder.store.receipts()).collect();
    for window in all {
        let path = folder.store.receipt_path(window);
        let fault = match folder.store.receipt(window) {
            Ok(Some(receipt)) => {
                let history = windows.entry(window).or_insert_with(|| Known::Fresh.into());
                if !receipt.is_about(history) {
                    history.zip_removed =
                        receipt.may_lack_zip() && !folder.store.exists(&folder.zip(window));
                }
                history.stored = None;
                if let Entry::Stored { stored, converted, .. } = receipt.entry {
                    (history.stored, history.converted) = (Some(stored), converted);
                }
                continue;
            }
            Ok(None) => FileFault::Missing,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => FileFault::Io(error),
            Err(source) => return Err(PullError::Bucket { path, source }),
        };
        check(CheckedFile { window: Some(window), path, fault: Some(fault) });
    }
    Ok(())
}

fn compare(folder: &Folder, path: &Path, stored: Fingerprint) -> Result<(), FileFault> {
    match folder.store.len(path) {
        Some(found) if found != stored.bytes => {
            return Err(FileFault::Size { stored: stored.bytes, found });
        }
        _ => {}
    }
    match folder.store.read(path).map_err(FileFault::Io)? {
        None => Err(FileFault::Missing),
        Some(found) if found == stored => Ok(()),
        Some(_) => Err(FileFault::Content),
    }
}

/// Removes from the journal the windows that overlap the days from `from` to `to`, inclusive, for
/// example windows that the server refused. Returns the removed windows. Files stay.
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
