//! The folder of a pull: one pull at a time, a journal, and files that are written atomically. They
//! stay in it, or it only has them until they are in a bucket.

mod files;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use ccfs_archive::IndexKind;

#[cfg(feature = "object-store")]
pub(crate) use self::files::table;
use crate::destination::{Destination, Disk, sync};
use crate::error::PullError;
use crate::journal::{Facts, Histories, Journal, JournalError, first_difference};
use crate::plan::Plan;

/// The journal's name in the folder.
const JOURNAL: &str = "ccfs-pull.journal";
/// The lock's name in the folder.
const LOCK: &str = ".ccfs-pull.lock";
/// End of the names of files that a killed process left incomplete: see [`WholeFile`].
const UNFINISHED: &str = ".part";

/// A folder that this pull has locked.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    kind: IndexKind,
    /// The tenant space that the pull is limited to.
    account: Option<String>,
    /// Where complete files are kept.
    pub(crate) store: Box<dyn Destination>,
    _lock: Option<Lock>,
}

/// A lock of a folder. The operating system releases it when the process ends.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that was forked meanwhile has it open, too.
        let _ = fs4::FileExt::unlock(&self.0);
    }
}

impl Folder {
    /// Creates the folder if it is missing, locks it, and removes incomplete files of a killed
    /// pull.
    pub(crate) fn lock(
        path: &Path,
        plan: &Plan,
        store: Option<Box<dyn Destination>>,
    ) -> Result<Self, PullError> {
        create(path).map_err(|source| PullError::Folder { path: path.to_owned(), source })?;
        let lock = lock(path, OpenOptions::new().write(true).create(true).truncate(false))?;
        let account = plan.account_id.clone();
        let folder = Self { _lock: Some(lock), ..Self::new(path, plan.kind, account, store) };
        folder.clear_unfinished().map_err(|source| folder.failed(source))?;
        Ok(folder)
    }

    /// Locks an existing folder, to change its journal.
    pub(crate) fn reopen(path: &Path) -> Result<(Self, Journal, Histories), PullError> {
        let lock = lock(path, OpenOptions::new().write(true).create(true).truncate(false))?;
        let (journal, facts) = Journal::reopen(&path.join(JOURNAL))?;
        let folder = Self::new(path, facts.kind, facts.account, None);
        Ok((Self { _lock: Some(lock), ..folder }, journal, facts.windows))
    }

    /// Locks an existing folder, to read its files. It may be read-only, or a copy without a lock.
    pub(crate) fn look(
        path: &Path,
        store: Option<Box<dyn Destination>>,
    ) -> Result<(Self, Histories), PullError> {
        let lock = match lock(path, OpenOptions::new().read(true)) {
            Err(PullError::Folder { source, .. })
                if source.kind() == io::ErrorKind::NotFound && path.is_dir() =>
            {
                None
            }
            lock => Some(lock?),
        };
        let journal = path.join(JOURNAL);
        let Facts { kind, account, bucket, windows } = Journal::read(&journal)?;
        let now = store.as_ref().and_then(|store| store.bucket());
        if let Some((what, before, now)) =
            first_difference([("bucket", bucket.as_ref(), now.as_ref())])
        {
            let error = JournalError::OtherPlan { path: journal, what, before, now, moves: false };
            return Err(error.into());
        }
        Ok((Self { _lock: lock, ..Self::new(path, kind, account, store) }, windows))
    }

    /// A folder without its lock. For a task, another process has locked it.
    pub(crate) fn new(
        path: &Path,
        kind: IndexKind,
        account: Option<String>,
        store: Option<Box<dyn Destination>>,
    ) -> Self {
        let store = store.unwrap_or_else(|| Box::new(Disk(path.to_owned())));
        Self { path: path.to_owned(), kind, account, store, _lock: None }
    }

    pub(crate) fn failed(&self, source: io::Error) -> PullError {
        PullError::Folder { path: self.path.clone(), source }
    }

    /// Begins to use the destination. Returns whether it obeys conditions of requests that write,
    /// if that was found out.
    pub(crate) fn open_store(&self, writes: bool) -> Result<Option<bool>, PullError> {
        let opened = self.store.open(self.kind, &self.path, writes);
        opened.map_err(|source| self.store_failed(self.store.root(), source))
    }

    /// Returns the error of a file at the destination.
    pub(crate) fn store_failed(&self, path: &Path, source: io::Error) -> PullError {
        let path = path.to_owned();
        if self.is_store() {
            PullError::Folder { path, source }
        } else {
            PullError::Bucket { path, source }
        }
    }

    /// Whether complete files stay in this folder.
    pub(crate) fn is_store(&self) -> bool {
        self.store.root() == self.path
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.path.join(JOURNAL)
    }

    /// Syncs the names of new files to disk, on systems that can sync folders.
    pub(crate) fn sync(&self) -> Result<(), PullError> {
        sync(&self.path).map_err(|source| self.failed(source))
    }

    fn clear_unfinished(&self) -> io::Result<()> {
        let start = format!(".{}_", self.kind.as_str());
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            if name
                .to_str()
                .is_some_and(|name| name.starts_with(&start) && name.ends_with(UNFINISHED))
            {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Locks a folder.
fn lock(path: &Path, access: &OpenOptions) -> Result<Lock, PullError> {
    let cannot = |source| PullError::Folder { path: path.to_owned(), source };
    regular(&path.join(LOCK)).map_err(cannot)?;
    let lock = access.open(path.join(LOCK)).map_err(cannot)?;
    match fs4::FileExt::try_lock(&lock) {
        Ok(()) => Ok(Lock(lock)),
        Err(fs4::TryLockError::WouldBlock) => Err(PullError::Busy { path: path.to_owned() }),
        Err(fs4::TryLockError::Error(source)) => Err(cannot(source)),
    }
}

/// Fails for what exists and is not a regular file: opening a pipe would wait for its other end.
pub(crate) fn regular(path: &Path) -> io::Result<()> {
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => {
            let name = path.file_name().unwrap_or(path.as_os_str());
            Err(io::Error::other(format!("{} is not a regular file", name.display())))
        }
        _ => Ok(()),
    }
}

/// Creates a folder if it is missing, and syncs its name to disk: without its journal, all files
/// would be requested again.
fn create(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    fs::create_dir_all(path)?;
    for parent in missing.iter().filter_map(|folder| folder.parent()) {
        sync(parent)?;
    }
    Ok(())
}
