//! The folder that is pulled into: one pull at a time, a journal, and files that are whole or not there.

use std::error::Error as StdError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ccfs_archive::{Archive, CopyError, ExportFormat, RecordWriter};
use ccfs_driver::{Error, Overwrite, WholeFile};

use crate::error::PullError;
use crate::plan::Plan;
use crate::scheduler::Stored;
use crate::window::Window;

/// The journal's name in the folder.
const JOURNAL: &str = "ccfs-pull.journal";
/// The lock's name in the folder.
const LOCK: &str = ".ccfs-pull.lock";
/// How what a killed process left unfinished ends: see [`WholeFile`].
const UNFINISHED: &str = ".part";
const BUFFER: usize = 256 * 1024;

/// A folder that this pull alone has.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    plan: Plan,
    /// The lock is the operating system's: it ends with the process, however that ends.
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is not there, locks it, and clears away what a killed pull left unfinished.
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

    /// Brings new names in the folder to the disk, where folders can be synced.
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

/// Makes a folder where it is not there, and brings its name to the disk: what a lost folder's journal knew would be asked for again.
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

/// Brings new names in a folder to the disk, where folders can be synced.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The files of a window.
impl Folder {
    /// Where its ZIP stands.
    pub(crate) fn zip(&self, window: Window) -> PathBuf {
        self.path.join(format!("{}_{window}.zip", self.plan.stem()))
    }

    /// Where its converted records stand.
    fn converted(&self, window: Window) -> Option<(PathBuf, ExportFormat)> {
        self.plan.convert.map(|format| {
            (self.path.join(format!("{}_{window}.{format}", self.plan.stem())), format)
        })
    }

    /// The file that people are told of.
    pub(crate) fn result(&self, window: Window) -> PathBuf {
        self.converted(window).map_or_else(|| self.zip(window), |(path, _)| path)
    }

    /// A file of somebody else where one of a window that was never asked for will stand.
    pub(crate) fn foreign(&self, window: Window) -> Option<PathBuf> {
        [Some(self.zip(window)), self.converted(window).map(|(path, _)| path)]
            .into_iter()
            .flatten()
            .find(|path| path.symlink_metadata().is_ok())
    }

    /// Removes the ZIP of a window that is complete, where only its records are wanted. Done again at the next start, if need be.
    pub(crate) fn tidy(&self, window: Window) -> Result<(), PullError> {
        if self.plan.keep_zip || self.plan.convert.is_none() {
            return Ok(());
        }
        match fs::remove_file(self.zip(window)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(PullError::Folder { path: self.zip(window), source })
            }
            _ => Ok(()),
        }
    }

    /// A ZIP that a run put in place which did not live to write that down. It was checked before.
    pub(crate) fn adopt(&self, window: Window) -> Result<Option<Stored>, Error> {
        let path = self.zip(window);
        let bytes = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::Write(error)),
        };
        let counted =
            File::open(&path).map_err(Error::Write).map(|file| count(file, &self.plan))?;
        // Whatever it is then, it is not the file; the download will replace it.
        Ok(counted.ok().map(|(rows, bad_rows)| Stored::new(bytes, rows, bad_rows)))
    }

    /// Reads a ZIP that is about to be put in place to its end: every member's CRC, and how many rows there are.
    pub(crate) fn check(&self, file: File) -> Result<(u64, u64), Box<dyn StdError + Send + Sync>> {
        count(file, &self.plan).map_err(Into::into)
    }

    /// Converts a window's ZIP, when that is wanted.
    pub(crate) fn convert(
        &self,
        window: Window,
        mut go_on: impl FnMut() -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let Some((target, format)) = self.converted(window) else { return Ok(()) };
        let data = |error: ccfs_archive::Error| match error {
            ccfs_archive::Error::Io(error) => Error::Write(error),
            error => Error::Rejected(error.into()),
        };
        let file = File::open(self.zip(window)).map_err(Error::Write)?;
        let mut archive = Archive::open_with(file, &self.plan.read).map_err(data)?;
        let out = BufWriter::with_capacity(BUFFER, WholeFile::create(target, Overwrite::Replace)?);
        let zone = &self.plan.zone;
        let mut writer = RecordWriter::new(format, out);
        // The CSV of a pull has the texts of its source.
        if format == ExportFormat::Jsonl {
            writer = writer.offset(|time| zone.offset(time));
        }
        let copied = writer.copy(&mut archive.records(), Some(self.plan.kind), |_| go_on());
        copied.map_err(|error| match error {
            CopyError::Read(error) => data(error),
            CopyError::Write(error) => Error::Write(error),
            _ => Error::Stopped,
        })?;
        let file = writer
            .into_inner()
            .and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error))
            .map_err(Error::Write)?;
        let len = file.written();
        file.commit(len)?;
        Ok(())
    }
}

fn count(file: File, plan: &Plan) -> Result<(u64, u64), ccfs_archive::Error> {
    let report = Archive::open_with(file, &plan.read)?.inspect()?;
    Ok((report.totals.rows, report.totals.bad_rows.count()))
}
