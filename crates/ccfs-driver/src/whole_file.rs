//! Files that are written atomically.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Characters of the target's name in the temporary name: at most 4 bytes each, of the 255 that
/// file systems allow.
const PREFIX_CHARS: usize = 56;

/// What to do if the file exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overwrite {
    /// Keep the existing file and fail with [`FileError::Exists`].
    #[default]
    Refuse,
    /// Replace the existing file atomically.
    Replace,
}

/// A file that is written atomically: under a temporary name in the target's directory, until
/// [`commit`](Self::commit) renames it.
///
/// It is removed if it is dropped before that. If the process is killed, a temporary file named
/// `.NAME.….part` may be left, but no incomplete target.
#[derive(Debug)]
pub struct WholeFile {
    temp: NamedTempFile,
    target: PathBuf,
    overwrite: Overwrite,
    written: u64,
}

impl WholeFile {
    /// Creates the temporary file for `target`, whose directory must exist. If `target` is a
    /// symbolic link, the file that it leads to is written, and the link stays.
    ///
    /// # Errors
    ///
    /// [`FileError`] if `target` has no file name, if it exists and `overwrite` is
    /// [`Overwrite::Refuse`], if it is a folder or a device such as `/dev/null`, which a rename
    /// would replace, or if the temporary file cannot be created.
    pub fn create(target: impl Into<PathBuf>, overwrite: Overwrite) -> Result<Self, FileError> {
        let target = resolved(target.into(), overwrite)?;
        let name = target.file_name().unwrap_or_default();
        // With the whole name, the temporary name could be longer than file systems allow.
        let beginning: String = name.to_string_lossy().chars().take(PREFIX_CHARS).collect();
        let prefix = format!(".{beginning}.");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".part");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temp = builder
            .tempfile_in(directory(&target))
            .map_err(|source| FileError::Io { path: target.clone(), source })?;
        Ok(Self { temp, target, overwrite, written: 0 })
    }

    /// Sets another target, in any folder on the same file system. The folder must exist when the
    /// file is committed.
    ///
    /// # Errors
    ///
    /// [`FileError`] if `target` cannot be replaced, as for [`create`](Self::create).
    pub fn rename_to(self, target: impl Into<PathBuf>) -> Result<Self, FileError> {
        let target = resolved(target.into(), self.overwrite)?;
        Ok(Self { target, ..self })
    }

    /// Returns the path that [`commit`](Self::commit) will rename the file to.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Returns the path of the temporary file.
    pub fn temp_path(&self) -> &Path {
        self.temp.path()
    }

    /// Returns the number of bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Opens the temporary file again, to read it from the start before it is committed.
    ///
    /// # Errors
    ///
    /// An I/O error if the temporary file cannot be opened.
    pub fn reopen(&self) -> io::Result<File> {
        self.temp.reopen()
    }

    /// Truncates the file to zero bytes, to write it again from the start.
    ///
    /// # Errors
    ///
    /// An I/O error if the temporary file cannot be truncated.
    pub fn truncate(&mut self) -> io::Result<()> {
        let file = self.temp.as_file_mut();
        file.set_len(0)?;
        file.rewind()?;
        self.written = 0;
        Ok(())
    }

    /// Checks that the file has `len` bytes, syncs it to disk and renames it to the target, whose
    /// path it returns.
    ///
    /// # Errors
    ///
    /// [`FileError::Length`] if the file has another length, [`FileError::Exists`] if a file
    /// appeared at the target that must not be replaced, [`FileError::Io`] if the file system
    /// fails. The target is then unchanged, with one exception: if only syncing the directory
    /// failed, the target is complete.
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
        sync_directory(directory(&target))
            .map_err(|source| FileError::Io { path: target.clone(), source })?;
        Ok(target)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.temp.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temp.flush()
    }
}

/// Returns the file to replace: that which a link leads to, not the link.
fn resolved(target: PathBuf, overwrite: Overwrite) -> Result<PathBuf, FileError> {
    let target = if target.is_symlink() {
        match target.canonicalize() {
            Ok(target) => target,
            Err(_) if overwrite == Overwrite::Refuse => {
                return Err(FileError::Exists { path: target });
            }
            Err(source) => return Err(FileError::Io { path: target, source }),
        }
    } else {
        target
    };
    if target.file_name().is_none() {
        return Err(FileError::NoName { path: target });
    }
    if target.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(FileError::NotRegular { path: target });
    }
    if overwrite == Overwrite::Refuse && target.symlink_metadata().is_ok() {
        return Err(FileError::Exists { path: target });
    }
    Ok(target)
}

fn directory(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Syncs the directory entry to disk, on systems that can sync directories.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The path does not end in a file name.
    #[error("{} does not end in a file name; give the path of a file", path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// The file exists and must not be replaced.
    #[error("{} already exists; remove it, or allow replacing it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The path is a folder, a device, a pipe or a socket.
    #[error("{} is not a regular file; give the path of a file", path.display())]
    NotRegular {
        /// The path.
        path: PathBuf,
    },
    /// The temporary file does not have the expected length.
    #[error("{} was not written: its temporary file is {found} bytes long, expected {expected}; check the disk, and whether another process wrote to the file", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Expected length in bytes.
        expected: u64,
        /// Actual length in bytes.
        found: u64,
    },
    /// The file system failed.
    #[error("could not write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
}
