//! Where data goes: stdout, and folders.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ccfs::{Overwrite, WholeFile};
use serde::Serialize;

use crate::escape::escaped;
use crate::failure::Failure;
use crate::interrupt;

/// Prints a line, with characters escaped that change what a terminal shows.
pub(crate) fn line(text: impl Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let text = text.to_string();
    writeln!(out, "{}", escaped(&text))
        .and_then(|()| out.flush())
        .map_err(|error| Failure::stdout(&error))
}

/// Prints one JSON object as a line.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    line(serde_json::to_string(value).map_err(Failure::data)?)
}

/// What `--force` means.
pub(crate) fn overwrite(force: bool) -> Overwrite {
    if force { Overwrite::Replace } else { Overwrite::Refuse }
}

/// The path of a file to write. What cannot be a file is an error before anything else is done.
pub(crate) fn file(path: &Path) -> Result<PathBuf, Failure> {
    let text = path.to_string_lossy();
    if path == Path::new("-") {
        return Err(Failure::usage(
            "-o needs a file here, which is written atomically; /dev/stdout writes to stdout",
        ));
    }
    if text.starts_with('-') {
        return Err(Failure::usage(format_args!(
            "{text} looks like an option; write ./{text} for a file of that name"
        )));
    }
    if path.is_dir() {
        return Err(Failure::usage(format_args!("{text} is a folder; name a file in it")));
    }
    if text.ends_with(std::path::is_separator) {
        return Err(Failure::usage(format_args!(
            "the folder {text} does not exist; create it first"
        )));
    }
    Ok(path.to_owned())
}

/// Whether a path is written through: a device, a pipe or a socket, or one of this process's own
/// streams, which may be a file.
pub(crate) fn is_special(path: &Path) -> bool {
    let own = ["/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/"];
    let text = path.to_string_lossy();
    own.iter().any(|own| text.starts_with(own))
        || path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// A file that is written atomically, or a device or pipe that is written through.
pub(crate) enum Target {
    Whole(WholeFile),
    Through(PathBuf, File),
}

impl Target {
    /// Opens the target. `overwrite` is about files.
    pub(crate) fn open(path: &Path, overwrite: Overwrite) -> Result<Self, Failure> {
        if !is_special(path) {
            interrupt::temporary_of(path);
            return Ok(Self::Whole(WholeFile::create(path, overwrite)?));
        }
        let file = OpenOptions::new().append(true).open(path);
        Ok(Self::Through(path.to_owned(), file.map_err(Failure::cannot("write", path))?))
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Whole(file) => file.target(),
            Self::Through(path, _) => path,
        }
    }

    /// Puts a file in place, with all that was written.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        if let Self::Whole(file) = self {
            let length = file.written();
            file.commit(length)?;
        }
        Ok(())
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Whole(file) => file.write(bytes),
            Self::Through(_, file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Whole(file) => file.flush(),
            Self::Through(_, file) => file.flush(),
        }
    }
}

/// Creates a folder if it is missing.
pub(crate) fn folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(Failure::cannot("create the folder", path))
}
