//! The folder that is pulled into: one pull at a time, a journal, and files that are written
//! atomically.

use std::error::Error as StdError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ccfs_archive::{CopyError, ExportFormat};
use ccfs_driver::{Error, FileError, Overwrite, WholeFile};

use crate::contents::{self, Checked};
use crate::error::PullError;
use crate::plan::Plan;
use crate::scheduler::Stored;
use crate::summary::KeptZip;
use crate::trouble::is_permanent;
use crate::window::Window;

/// The journal's name in the folder.
const JOURNAL: &str = "ccfs-pull.journal";
/// The lock's name in the folder.
const LOCK: &str = ".ccfs-pull.lock";
/// End of the names of files that a killed process left incomplete: see [`WholeFile`].
const UNFINISHED: &str = ".part";
const BUFFER: usize = 256 * 1024;

/// A folder that this pull has locked.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    plan: Plan,
    /// The operating system releases the lock when the process ends.
    _lock: File,
}

impl Folder {
    /// Creates the folder if it is missing, locks it, and removes incomplete files of a killed
    /// pull.
    pub(crate) fn lock(path: &Path, plan: &Plan) -> Result<Self, PullError> {
        let cannot = |source| PullError::Folder { path: path.to_owned(), source };
        create(path).map_err(cannot)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(LOCK))
            .map_err(cannot)?;
        match fs4::FileExt::try_lock(&lock) {
            Ok(()) => {}
            Err(fs4::TryLockError::WouldBlock) => {
                return Err(PullError::Busy { path: path.to_owned() });
            }
            Err(fs4::TryLockError::Error(source)) => return Err(cannot(source)),
        }
        let folder = Self { path: path.to_owned(), plan: plan.clone(), _lock: lock };
        folder.clear_unfinished().map_err(cannot)?;
        Ok(folder)
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.path.join(JOURNAL)
    }

    /// Syncs the names of new files to disk, on systems that can sync folders.
    pub(crate) fn sync(&self) -> Result<(), PullError> {
        sync(&self.path).map_err(|source| PullError::Folder { path: self.path.clone(), source })
    }

    fn clear_unfinished(&self) -> io::Result<()> {
        let start = format!(".{}_", self.plan.stem());
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

/// Creates a folder if it is missing, and syncs its name to disk: without its journal, all files
/// would be requested again.
fn create(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    fs::create_dir_all(path)?;
    for parent in missing.iter().filter_map(|folder| folder.parent()) {
        sync(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?;
    }
    Ok(())
}

/// Syncs the names in a folder to disk, on systems that can sync folders.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The files of a window.
impl Folder {
    /// Path of its ZIP.
    pub(crate) fn zip(&self, window: Window) -> PathBuf {
        self.path.join(format!("{}_{window}.zip", self.plan.stem()))
    }

    /// Path of a downloaded file that cannot be used.
    pub(crate) fn rejected(&self, window: Window) -> PathBuf {
        self.path.join(format!("{}_{window}.rejected.zip", self.plan.stem()))
    }

    /// Path and format of its converted records.
    fn converted(&self, window: Window) -> Option<(PathBuf, ExportFormat)> {
        self.plan.convert.map(|format| {
            (self.path.join(format!("{}_{window}.{format}", self.plan.stem())), format)
        })
    }

    /// Path of the file in reports: the converted one, or else the ZIP.
    pub(crate) fn result(&self, window: Window) -> PathBuf {
        self.converted(window).map_or_else(|| self.zip(window), |(path, _)| path)
    }

    /// Returns a file that exists although its window was not requested.
    pub(crate) fn foreign(&self, window: Window) -> Option<PathBuf> {
        [Some(self.zip(window)), self.converted(window).map(|(path, _)| path)]
            .into_iter()
            .flatten()
            .find(|path| path.symlink_metadata().is_ok())
    }

    /// Removes files that a stored window no longer needs: an earlier rejected file, and its ZIP if
    /// the plan keeps only records and the converted file has all of them. Called again at the next
    /// start, in case the process is killed before.
    pub(crate) fn tidy(&self, window: Window, stored: Stored) -> Result<(), PullError> {
        remove(self.rejected(window))?;
        if self.removes_zips() && stored.is_complete() {
            remove(self.zip(window))?;
        }
        Ok(())
    }

    fn removes_zips(&self) -> bool {
        self.plan.convert.is_some() && !self.plan.keep_zip
    }

    /// The ZIP of a stored window that is kept because not all of its data is in the converted
    /// file.
    pub(crate) fn kept_zip(&self, window: Window, stored: Stored) -> Option<KeptZip> {
        let path = self.zip(window);
        let is_kept = self.removes_zips() && !stored.is_complete() && path.exists();
        is_kept.then(|| KeptZip::new(path, stored))
    }

    /// Reads a ZIP that an earlier run stored but did not record. `None` if there is no usable ZIP.
    pub(crate) fn adopt(&self, window: Window) -> Result<Option<Checked>, Error> {
        let path = self.zip(window);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::Write(error)),
        };
        let bytes = file.metadata().map_err(Error::Write)?.len();
        // A file that cannot be used is replaced by the download.
        Ok(contents::check(&file, &self.plan).ok().map(|checked| checked.of_size(bytes)))
    }

    /// Checks a ZIP before it is stored. Copies it to [`rejected`](Self::rejected) if it is
    /// unusable and another download would not change that.
    ///
    /// # Errors
    ///
    /// The error of `ccfs-archive`, or a [`FileError`] if the copy fails.
    pub(crate) fn check(
        &self,
        window: Window,
        file: &File,
    ) -> Result<Checked, Box<dyn StdError + Send + Sync>> {
        let checked = contents::check(file, &self.plan);
        if let Err(error) = &checked
            && is_permanent(error)
        {
            self.keep_rejected(window, file)?;
        }
        Ok(checked?)
    }

    fn keep_rejected(&self, window: Window, mut file: &File) -> Result<(), FileError> {
        let path = self.rejected(window);
        let io = |source| FileError::Io { path: path.clone(), source };
        let mut copy = WholeFile::create(&path, Overwrite::Replace)?;
        file.rewind().map_err(io)?;
        let len = io::copy(&mut file, &mut copy).map_err(io)?;
        copy.commit(len).map(drop)
    }

    /// Converts the ZIP of a window if the plan has a format. Returns the counts of the converted
    /// file.
    ///
    /// If a bad row stops the conversion, the ZIP is kept.
    pub(crate) fn convert(
        &self,
        window: Window,
        mut checked: Checked,
        go_on: impl FnMut() -> ControlFlow<()>,
    ) -> Result<Checked, Error> {
        let Some((target, format)) = self.converted(window) else { return Ok(checked) };
        let file = File::open(self.zip(window)).map_err(Error::Write)?;
        let out = BufWriter::with_capacity(BUFFER, WholeFile::create(target, Overwrite::Replace)?);
        let (out, rows, bad_rows) =
            contents::copy(&file, &self.plan, format, out, go_on).map_err(|error| match error {
                CopyError::Read(ccfs_archive::Error::Io(error)) | CopyError::Write(error) => {
                    Error::Write(error)
                }
                CopyError::Read(error) => Error::Rejected(error.into()),
                _ => Error::Stopped,
            })?;
        let out = out.into_inner().map_err(|error| Error::Write(error.into_error()))?;
        let len = out.written();
        out.commit(len)?;
        (checked.stored.rows, checked.stored.bad_rows) = (rows, bad_rows);
        Ok(checked)
    }
}

fn remove(path: PathBuf) -> Result<(), PullError> {
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(PullError::Folder { path, source })
        }
        _ => Ok(()),
    }
}
