//! A file that is there whole or not at all.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Characters of the target's name that stand in the hidden one; at most 4 bytes each, of 255.
const HIDDEN_NAME: usize = 56;

/// What to do when the file is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overwrite {
    /// Leave it and fail with [`FileError::Exists`].
    #[default]
    Refuse,
    /// Replace it, at once and whole.
    Replace,
}

/// A file under construction: it stands under a hidden name in the target's folder until [`commit`](Self::commit) puts it in place.
///
/// Dropped without that, it is removed. A killed process leaves at most the hidden `.NAME.….part`, never half a target.
#[derive(Debug)]
pub struct WholeFile {
    temp: NamedTempFile,
    target: PathBuf,
    overwrite: Overwrite,
    written: u64,
}

impl WholeFile {
    /// Begins a file that will stand at `target`, in a folder that is there. Fails now, not at the end, when it is there already and must not be
    /// replaced ([`FileError::Exists`]).
    pub fn create(target: impl Into<PathBuf>, overwrite: Overwrite) -> Result<Self, FileError> {
        let target = target.into();
        let Some(name) = target.file_name() else { return Err(FileError::NoName { path: target }) };
        if overwrite == Overwrite::Refuse && target.symlink_metadata().is_ok() {
            return Err(FileError::Exists { path: target });
        }
        // Only the name's beginning: with the rest a long name would become one that no folder takes.
        let beginning: String = name.to_string_lossy().chars().take(HIDDEN_NAME).collect();
        let prefix = format!(".{beginning}.");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".part");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temp = builder
            .tempfile_in(folder(&target))
            .map_err(|source| FileError::Io { path: target.clone(), source })?;
        Ok(Self { temp, target, overwrite, written: 0 })
    }

    /// Where it will stand.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The hidden name under which it stands until it is put in place.
    pub fn hidden(&self) -> &Path {
        self.temp.path()
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Opens it for reading from its start, to look at what was written before it is put in place.
    pub fn reopen(&self) -> io::Result<File> {
        self.temp.reopen()
    }

    /// Empties it, to begin anew.
    pub fn start_over(&mut self) -> io::Result<()> {
        let file = self.temp.as_file_mut();
        file.set_len(0)?;
        file.rewind()?;
        self.written = 0;
        Ok(())
    }

    /// Puts it in place: checks that it has `len` bytes ([`FileError::Length`]), brings it to the disk, and renames it. When it fails, the target is as it
    /// was, with one exception: when only the folder's own entry could not be brought to the disk, the file is there and whole.
    pub fn commit(self, len: u64) -> Result<PathBuf, FileError> {
        let Self { target, written, .. } = &self;
        let io = |source| FileError::Io { path: target.clone(), source };
        let on_disk = self.temp.as_file().metadata().map_err(io)?.len();
        if *written != len || on_disk != len {
            return Err(FileError::Length { path: self.target, expected: len, found: on_disk });
        }
        self.temp.as_file().sync_all().map_err(io)?;
        let Self { temp, target, overwrite, .. } = self;
        let placed = match overwrite {
            Overwrite::Replace => temp.persist(&target),
            Overwrite::Refuse => temp.persist_noclobber(&target),
        };
        match placed {
            Ok(_) => {}
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(FileError::Exists { path: target });
            }
            Err(error) => return Err(FileError::Io { path: target, source: error.error }),
        }
        sync_folder(folder(&target))
            .map_err(|source| FileError::Io { path: target.clone(), source })?;
        Ok(target)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.temp.write(bytes)?;
        self.written += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temp.flush()
    }
}

fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Brings the new name to the disk, where folders can be synced.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Why a file could not be put in place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The path names no file.
    #[error("{} names no file: give a path that ends in a file's name", path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// A file is there, and it must not be replaced.
    #[error("{} is there already and is left as it is: take it away, or have it replaced", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file has not the length that it should have.
    #[error("{} would have {found} bytes instead of {expected} and was not written: somebody else wrote to it, or the disk is failing", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// The length it should have.
        expected: u64,
        /// The length it has.
        found: u64,
    },
    /// The file system said no.
    #[error("{} cannot be written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
