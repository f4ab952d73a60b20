//! Where data goes: stdout, and folders.

use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::failure::Failure;

/// Prints a line.
pub(crate) fn line(text: impl Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| Failure::stdout(&error))
}

/// Prints one JSON object as a line.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    line(serde_json::to_string(value).map_err(Failure::data)?)
}

/// A file to write, by its path. What can be no file is told before anything is asked for.
pub(crate) fn file(path: &Path) -> Result<PathBuf, Failure> {
    let text = path.to_string_lossy();
    if path == Path::new("-") {
        return Err(Failure::usage(
            "-o wants a file, which is there whole or not at all: stdout is none",
        ));
    }
    if path.is_dir() {
        return Err(Failure::usage(format_args!("{text} is a folder: name a file in it")));
    }
    if text.ends_with(std::path::is_separator) {
        return Err(Failure::usage(format_args!("the folder {text} is not there: make it first")));
    }
    Ok(path.to_owned())
}

/// Makes a folder where it is not there.
pub(crate) fn folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| {
        Failure::file(format_args!("the folder {} cannot be made: {error}", path.display()))
    })
}
