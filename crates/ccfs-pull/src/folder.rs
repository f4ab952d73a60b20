//! The folder that is pulled into: one pull at a time, a journal, and files that are written
//! atomically.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::{Display, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ccfs_archive::IndexKind;
use ccfs_driver::{FileError, Overwrite, WholeFile};
use ccfs_proto::Day;

use crate::contents::{self, Contents, ReadError};
use crate::error::PullError;
use crate::format::Format;
use crate::journal::{Facts, Histories, Journal};
use crate::plan::Plan;
use crate::scheduler::{History, Known, Stored};
use crate::trouble::is_rejected;
use crate::window::Window;

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
    pub(crate) fn lock(path: &Path, plan: &Plan) -> Result<Self, PullError> {
        let (kind, account) = (plan.kind, plan.account_id.clone());
        create(path).map_err(|source| PullError::Folder { path: path.to_owned(), source })?;
        let lock = lock(path, OpenOptions::new().write(true).create(true).truncate(false))?;
        let folder = Self { path: path.to_owned(), kind, account, _lock: Some(lock) };
        folder.clear_unfinished().map_err(|source| folder.failed(source))?;
        Ok(folder)
    }

    /// Locks an existing folder, to change its journal.
    pub(crate) fn reopen(path: &Path) -> Result<(Self, Journal, Histories), PullError> {
        let lock = lock(path, OpenOptions::new().write(true).create(true).truncate(false))?;
        let (journal, facts) = Journal::reopen(&path.join(JOURNAL))?;
        let Facts { kind, account, windows } = facts;
        Ok((Self { path: path.to_owned(), kind, account, _lock: Some(lock) }, journal, windows))
    }

    /// Locks an existing folder, to read its files. It may be read-only, or a copy without a lock.
    pub(crate) fn look(path: &Path) -> Result<(Self, Histories), PullError> {
        let lock = match lock(path, OpenOptions::new().read(true)) {
            Err(PullError::Folder { source, .. })
                if source.kind() == io::ErrorKind::NotFound && path.is_dir() =>
            {
                None
            }
            lock => Some(lock?),
        };
        let Facts { kind, account, windows } = Journal::read(&path.join(JOURNAL))?;
        Ok((Self { path: path.to_owned(), kind, account, _lock: lock }, windows))
    }

    /// A folder that another process has locked, and for which this one fetches a window.
    #[cfg(feature = "blocking")]
    pub(crate) fn of_task(path: PathBuf, kind: IndexKind, account: Option<String>) -> Self {
        Self { path, kind, account, _lock: None }
    }

    fn failed(&self, source: io::Error) -> PullError {
        PullError::Folder { path: self.path.clone(), source }
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
        sync(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?;
    }
    Ok(())
}

/// Syncs the names in a folder to disk, on systems that can sync folders.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The files of a window.
impl Folder {
    fn file(&self, window: Window, extension: impl Display) -> PathBuf {
        self.path.join(format!("{}_{window}.{extension}", self.kind.as_str()))
    }

    /// Path of its ZIP.
    pub(crate) fn zip(&self, window: Window) -> PathBuf {
        self.file(window, "zip")
    }

    /// Path of a downloaded file that cannot be used.
    pub(crate) fn rejected(&self, window: Window) -> PathBuf {
        self.file(window, "rejected.zip")
    }

    /// Path of its converted records.
    pub(crate) fn converted(&self, window: Window, format: Format) -> PathBuf {
        if format.text().is_some() {
            return self.file(window, format);
        }
        let mut path = self.table();
        if let Some(account) = &self.account {
            path.push(format!("account={}", percent_encoded(account)));
        }
        path.push(format!("day={}", window.begin().day()));
        path.join(format!("{window}.{format}"))
    }

    /// Path of the table's folder.
    pub(crate) fn table(&self) -> PathBuf {
        self.path.join(table(self.kind))
    }

    /// Whether the table is on another file system, so that files cannot be renamed into it.
    pub(crate) fn check_table(&self) -> Result<(), PullError> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let path = self.table();
            let device = |path: &Path| path.metadata().map(|metadata| metadata.dev()).ok();
            if device(&path).is_some_and(|table| Some(table) != device(&self.path)) {
                let text =
                    "it is on another file system than the folder of the pull; use one file system";
                return Err(PullError::Folder { path, source: io::Error::other(text) });
            }
        }
        Ok(())
    }

    /// Returns the files of the table, in no order.
    pub(crate) fn table_files(&self) -> io::Result<Vec<PathBuf>> {
        let (mut files, mut folders) = (Vec::new(), vec![self.table()]);
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                let is_hidden = entry.file_name().to_string_lossy().starts_with(['.', '_']);
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else if !is_hidden && entry.path().extension().is_some_and(|it| it == "parquet") {
                    files.push(entry.path());
                }
            }
        }
        Ok(files)
    }

    /// The files of the table that the journal has, and those that unfinished windows may have.
    pub(crate) fn known_in_table(&self, windows: &Histories) -> BTreeSet<PathBuf> {
        let may_have = |history: &History| {
            matches!(history.known, Known::Asked(_))
                || history.stored.is_some()
                || history.converted.iter().any(|file| file.format == Format::Parquet)
        };
        let known = windows.iter().filter(|(_, history)| may_have(history));
        known.map(|(window, _)| self.converted(*window, Format::Parquet)).collect()
    }

    /// Returns a file in the table's folders of these days that is not known: its rows would be in
    /// the table twice.
    pub(crate) fn strange_in_table(
        &self,
        days: &BTreeSet<Day>,
        known: &BTreeSet<PathBuf>,
    ) -> Result<Option<PathBuf>, PullError> {
        let names: BTreeSet<String> = days.iter().map(|day| format!("day={day}")).collect();
        let is_of_days = |path: &PathBuf| {
            let folder = path.parent().and_then(Path::file_name).and_then(OsStr::to_str);
            folder.is_some_and(|folder| names.contains(folder))
        };
        let files = self.table_files().map_err(|source| self.failed(source))?;
        Ok(files.into_iter().find(|path| is_of_days(path) && !known.contains(path)))
    }

    /// Makes the folders of a converted file, and syncs their names to disk. Another job may have
    /// made one of them a moment before.
    pub(crate) fn make_partition(&self, file: &Path) -> io::Result<()> {
        let Some(parent) = file.parent().filter(|parent| *parent != self.path) else {
            return Ok(());
        };
        fs::create_dir_all(parent)?;
        let above = parent.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.path));
        above.into_iter().try_for_each(sync)
    }

    /// Returns a file that exists although its window was not requested.
    pub(crate) fn foreign(&self, window: Window, formats: &[Format]) -> Option<PathBuf> {
        let converted = formats.iter().map(|format| self.converted(window, *format));
        [self.zip(window)].into_iter().chain(converted).find(|path| path.symlink_metadata().is_ok())
    }

    /// Returns a file that would be overwritten although the journal does not have it.
    pub(crate) fn unknown(
        &self,
        window: Window,
        history: &History,
        formats: &[Format],
    ) -> Option<PathBuf> {
        if !matches!(history.known, Known::Complete(_)) {
            return None;
        }
        let has = |format: &&Format| history.converted.iter().any(|file| file.format == **format);
        let converted = formats.iter().filter(|format| !has(format));
        let zip = history.stored.is_none().then(|| self.zip(window));
        zip.into_iter()
            .chain(converted.map(|format| self.converted(window, *format)))
            .find(|path| path.symlink_metadata().is_ok())
    }

    /// Reads a ZIP that an earlier run stored but did not record. `None` if there is no usable ZIP,
    /// or only the `previous` one.
    pub(crate) fn adopt(
        &self,
        plan: &Plan,
        window: Window,
        previous: Option<Stored>,
        go_on: impl FnMut() -> ControlFlow<()>,
    ) -> Result<Option<Contents>, ReadError> {
        let file = match File::open(self.zip(window)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ccfs_archive::Error::Io(error).into()),
        };
        if let Some(previous) = previous
            && contents::fingerprint(&file).map_err(ccfs_archive::Error::Io)? == previous.zip
        {
            return Ok(None);
        }
        match self.read(plan, window, &file, &plan.formats_of(window), go_on) {
            Ok(contents) => Ok(Some(contents)),
            Err(error @ ReadError::Archive(ccfs_archive::Error::Io(_))) => Err(error),
            // A file that cannot be used is replaced by the download.
            Err(ReadError::Archive(_) | ReadError::OtherPeriod { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a ZIP and converts it.
    pub(crate) fn read(
        &self,
        plan: &Plan,
        window: Window,
        file: &File,
        formats: &[Format],
        go_on: impl FnMut() -> ControlFlow<()>,
    ) -> Result<Contents, ReadError> {
        // The temporary files are in this folder, so that engines do not read them.
        let create = |format: &Format| {
            let file = WholeFile::create(self.file(window, format), Overwrite::Replace)?;
            Ok((*format, file.rename_to(self.converted(window, *format))?))
        };
        let outputs: Result<_, FileError> = formats.iter().map(create).collect();
        contents::read(file, plan, window, outputs?, go_on)
    }

    /// Reads a ZIP before it is put in place. Copies it to [`rejected`](Self::rejected) if it is
    /// unusable and another download would not change that.
    pub(crate) fn check(
        &self,
        plan: &Plan,
        window: Window,
        file: &File,
        go_on: impl FnMut() -> ControlFlow<()>,
    ) -> Result<Contents, ReadError> {
        let contents = self.read(plan, window, file, &plan.formats_of(window), go_on);
        let is_rejected = match &contents {
            Err(ReadError::Archive(error)) => is_rejected(error),
            Err(ReadError::OtherPeriod { .. }) => true,
            _ => false,
        };
        if is_rejected {
            self.keep_rejected(window, file)?;
        }
        contents
    }

    fn keep_rejected(&self, window: Window, mut file: &File) -> Result<(), FileError> {
        let path = self.rejected(window);
        let io = |source| FileError::Io { path: path.clone(), source };
        let mut copy = WholeFile::create(&path, Overwrite::Replace)?;
        file.rewind().map_err(io)?;
        let len = io::copy(&mut file, &mut copy).map_err(io)?;
        copy.commit(len).map(drop)
    }
}

/// The name of a kind's table.
fn table(kind: IndexKind) -> &'static str {
    match kind {
        IndexKind::AgentSkillInfo => "agent_skill_info",
        IndexKind::AgentOprInfo => "agent_opr_info",
        other => other.as_str(),
    }
}

/// Encodes a value for the name of a folder, as engines decode it.
fn percent_encoded(value: &str) -> String {
    value.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                encoded.push(byte.into());
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        encoded
    })
}

/// Removes a file, if it exists.
pub(crate) fn remove(path: PathBuf) -> Result<(), PullError> {
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(PullError::Folder { path, source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    /// As Spark, `DuckDB` and pyarrow decode it.
    #[test]
    fn partition_values_are_encoded() {
        for (value, encoded) in
            [("a-_.9", "a-_.9"), ("a b/c", "a%20b%2Fc"), ("技=", "%E6%8A%80%3D")]
        {
            assert_eq!(percent_encoded(value), encoded);
        }
    }
}
