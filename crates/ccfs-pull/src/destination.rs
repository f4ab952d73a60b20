//! Where a pull keeps its complete files: the folder of its journal, or a bucket.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use ccfs_archive::IndexKind;

use crate::contents::fingerprint;
use crate::receipt::Receipt;
use crate::scheduler::Fingerprint;
use crate::window::Window;

/// Where a pull keeps its complete files. Paths begin with [`root`](Self::root).
///
/// Every file is downloaded, checked and converted in the folder of the journal first. Where the
/// files stay there, the methods about receipts and copies have nothing to do.
pub(crate) trait Destination: fmt::Debug + Send + Sync {
    /// The path that the paths of all files begin with.
    fn root(&self) -> &Path;

    /// The bucket and its store, for the journal; `None` for the folder of the journal.
    fn bucket(&self) -> Option<String> {
        None
    }

    /// Begins a pull of files of this kind. Returns whether the destination obeys conditions of
    /// requests that write, if that was found out. `folder` is that of the journal.
    fn open(&self, _kind: IndexKind, _folder: &Path, _writes: bool) -> io::Result<Option<bool>> {
        Ok(None)
    }

    /// Whether something has this path.
    fn exists(&self, path: &Path) -> bool;

    /// Size of a file in bytes; `None` if it does not exist.
    fn len(&self, path: &Path) -> Option<u64>;

    /// Whether something has this path that no pull stored, as far as the destination can tell.
    fn is_foreign(&self, path: &Path) -> io::Result<bool>;

    /// Whether a file has this content, by its size and a SHA-256 that the destination keeps or
    /// computes.
    fn has(&self, path: &Path, file: Fingerprint) -> io::Result<bool>;

    /// Reads a file and computes its fingerprint; `None` if it does not exist.
    fn read(&self, path: &Path) -> io::Result<Option<Fingerprint>>;

    /// Returns the Parquet files in a folder and below it, in no order.
    fn parquet_files(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;

    /// Removes a file, if it exists.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Stores the files of a window, and after them the receipt. `replaces` is whether the window
    /// has files of an earlier request.
    fn publish(
        &self,
        receipt: &Receipt,
        files: &[Outgoing],
        replaces: bool,
    ) -> io::Result<Published> {
        let _ = (receipt, files, replaces);
        Ok(Published::Ours)
    }

    /// Ends [`fetch`](Self::fetch), [`receipt`](Self::receipt), and [`publish`](Self::publish) with
    /// files, from now on, also those that are running, with an error of the kind
    /// [`Interrupted`](io::ErrorKind::Interrupted).
    fn stop(&self) {}

    /// Copies a file into the folder of the journal, if it is elsewhere.
    fn fetch(&self, _path: &Path, _local: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Returns the receipt of a window, if the destination keeps receipts and has one.
    fn receipt(&self, _window: Window) -> io::Result<Option<Receipt>> {
        Ok(None)
    }

    /// Returns the windows that have a receipt.
    fn receipts(&self) -> BTreeSet<Window> {
        BTreeSet::new()
    }

    /// Path of a window's receipt, if the destination keeps receipts.
    fn receipt_path(&self, _window: Window) -> PathBuf {
        self.root().to_owned()
    }
}

/// A complete file in the folder of the journal, to be stored.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) local: PathBuf,
    pub(crate) path: PathBuf,
    pub(crate) fingerprint: Fingerprint,
}

/// Whose files of a window the destination has.
#[derive(Debug)]
pub(crate) enum Published {
    Ours,
    /// Another pull stored the window first.
    Others(Box<Receipt>),
}

/// The folder of the journal. Files are in place before they are published, and the journal is the
/// only record of them.
#[derive(Debug)]
pub(crate) struct Disk(pub(crate) PathBuf);

impl Destination for Disk {
    fn root(&self) -> &Path {
        &self.0
    }

    fn exists(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok()
    }

    fn len(&self, path: &Path) -> Option<u64> {
        Some(path.metadata().ok()?.len())
    }

    fn is_foreign(&self, path: &Path) -> io::Result<bool> {
        Ok(self.exists(path))
    }

    fn has(&self, path: &Path, file: Fingerprint) -> io::Result<bool> {
        // The size decides most cases.
        Ok(self.len(path) == Some(file.bytes) && self.read(path)? == Some(file))
    }

    fn read(&self, path: &Path) -> io::Result<Option<Fingerprint>> {
        match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => fingerprint(&file?).map(Some),
        }
    }

    fn parquet_files(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else if is_read_by_engines(&entry.path()) {
                    files.push(entry.path());
                }
            }
        }
        Ok(files)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        remove(path)
    }
}

/// Whether engines that read a folder as a table read a file of this name.
pub(crate) fn is_read_by_engines(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with(['.', '_'])
        && path.extension().is_some_and(|extension| extension == "parquet")
}

/// Syncs the names in a folder to disk, on systems that can sync folders.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Removes a file, if it exists.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => path.parent().map_or(Ok(()), sync),
    }
}
