//! The files of a window, and their paths.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::{Display, Write as _};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ccfs_archive::IndexKind;
use ccfs_proto::Day;

use super::Folder;
use crate::destination::{Outgoing, remove, sync};
use crate::error::PullError;
use crate::format::Format;
use crate::journal::{ConvertedFile, Histories};
use crate::scheduler::{Fingerprint, History, Known, Outcome};
use crate::window::Window;

/// The files of a window. Paths begin with that of the destination.
impl Folder {
    /// Path in this folder of a temporary file. Engines do not read this folder.
    pub(crate) fn temporary(&self, window: Window, format: Format) -> PathBuf {
        self.path.join(self.name(window, format))
    }

    fn name(&self, window: Window, extension: impl Display) -> String {
        format!("{}_{window}.{extension}", self.kind.as_str())
    }

    fn file(&self, window: Window, extension: impl Display) -> PathBuf {
        self.store.root().join(self.name(window, extension))
    }

    /// Path in this folder that a file has before it is at the destination.
    pub(crate) fn local(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.store.root())
            .map_or_else(|_| path.to_owned(), |it| self.path.join(it))
    }

    /// Path of its ZIP.
    pub(crate) fn zip(&self, window: Window) -> PathBuf {
        self.file(window, "zip")
    }

    /// Path of a downloaded file that cannot be used: in this folder, for every destination.
    pub(crate) fn rejected(&self, window: Window) -> PathBuf {
        self.path.join(self.name(window, "rejected.zip"))
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
        self.store.root().join(table(self.kind))
    }

    /// Whether the table is on another file system, so that files cannot be renamed into it.
    pub(crate) fn check_table(&self) -> Result<(), PullError> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let path = self.local(&self.table());
            let device = |path: &Path| path.metadata().map(|metadata| metadata.dev()).ok();
            if device(&path).is_some_and(|table| Some(table) != device(&self.path)) {
                let text =
                    "it is on another file system than the folder of the pull; use one file system";
                return Err(PullError::Folder { path, source: io::Error::other(text) });
            }
        }
        Ok(())
    }

    /// Returns the Parquet files of the table, in no order.
    pub(crate) fn table_files(&self) -> Result<Vec<PathBuf>, PullError> {
        let table = self.table();
        self.store.parquet_files(&table).map_err(|source| self.store_failed(&table, source))
    }

    /// Whether a file at the destination exists and has the recorded content.
    pub(crate) fn has(&self, path: &Path, file: Fingerprint) -> Result<bool, PullError> {
        self.store.has(path, file).map_err(|source| self.store_failed(path, source))
    }

    /// Removes a file at the destination, if it exists.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), PullError> {
        self.store.remove(path).map_err(|source| self.store_failed(path, source))
    }

    /// Returns the files of a window that this folder has for the destination.
    pub(crate) fn outgoing(
        &self,
        window: Window,
        zip: Option<Fingerprint>,
        converted: &[ConvertedFile],
    ) -> Vec<Outgoing> {
        let zip = zip.map(|zip| (self.zip(window), zip));
        let converted =
            converted.iter().map(|file| (self.converted(window, file.format), file.fingerprint));
        zip.into_iter()
            .chain(converted)
            .map(|(path, fingerprint)| Outgoing { local: self.local(&path), path, fingerprint })
            .collect()
    }

    /// Whether the sizes of a window's files at the destination are those that the journal has.
    pub(crate) fn agrees(&self, window: Window, history: &History) -> bool {
        let Known::Complete(outcome) = &history.known else { return false };
        let Outcome::Stored(stored) = outcome else {
            return !self.store.exists(&self.zip(window))
                && !Format::ALL.iter().any(|it| self.store.exists(&self.converted(window, *it)));
        };
        let zip = (!history.zip_removed).then_some(stored.zip);
        let files = self.outgoing(window, zip, &history.converted);
        files.iter().all(|file| self.store.len(&file.path) == Some(file.fingerprint.bytes))
    }

    /// Removes the downloaded file of a window that could not be used.
    pub(crate) fn clear_rejected(&self, window: Window) -> Result<(), PullError> {
        let path = self.rejected(window);
        remove(&path).map_err(|source| PullError::Folder { path, source })
    }

    /// Removes the files of a window from this folder, after they were stored elsewhere.
    pub(crate) fn clear(&self, window: Window) -> io::Result<()> {
        if self.is_store() {
            return Ok(());
        }
        let converted = Format::ALL.map(|format| self.converted(window, format));
        for path in converted.iter().chain([&self.zip(window)]) {
            remove(&self.local(path))?;
        }
        Ok(())
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
        Ok(self.table_files()?.into_iter().find(|path| is_of_days(path) && !known.contains(path)))
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

    /// Whether something has this path that no pull stored, as far as the destination can tell.
    pub(crate) fn is_foreign(&self, path: &Path) -> Result<bool, PullError> {
        self.store.is_foreign(path).map_err(|source| self.store_failed(path, source))
    }

    /// Fails if a file would be overwritten although the journal does not have it.
    pub(crate) fn check_foreign(
        &self,
        window: Window,
        history: &History,
        formats: &[Format],
    ) -> Result<(), PullError> {
        let has = |format: &&Format| history.converted.iter().any(|file| file.format == **format);
        let converted = formats.iter().filter(|format| !has(format));
        let zip = history.stored.is_none().then(|| self.zip(window));
        let converted = converted.map(|format| self.converted(window, *format));
        for path in zip.into_iter().chain(converted) {
            if self.is_foreign(&path)? {
                return Err(PullError::Foreign { path });
            }
        }
        Ok(())
    }
}

/// The name of a kind's table.
pub(crate) fn table(kind: IndexKind) -> &'static str {
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
