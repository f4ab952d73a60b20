//! `--spool`: callbacks that could not be printed, until the next start.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Failure;
use crate::{message, output};

/// Largest line, in bytes: a callback's body is at most 64 KiB, and JSON may need six bytes for one.
const LINE_LIMIT: u64 = 512 * 1024;

/// The beginning of each line.
const BEGINNING: &[u8] = br#"{"response_id":"#;

/// A file of callbacks, one JSON line each, as they are printed.
pub(super) struct Spool {
    path: PathBuf,
    file: File,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only checks a line, which is printed unchanged")]
struct Line {
    response_id: String,
    file_name: String,
    account_id: Option<String>,
}

impl Spool {
    /// Opens a spool, or creates it. A file with other contents is an error: it would be printed
    /// and emptied.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        if output::is_special(path) {
            return Err(Failure::usage(format_args!(
                "the spool {} must be a regular file",
                path.display()
            )));
        }
        let cannot = Failure::cannot("use the spool", path);
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        let file = file.map_err(cannot)?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(fs4::TryLockError::WouldBlock) => {
                return Err(Failure::file(format_args!(
                    "the spool {} is in use by another process; give each its own",
                    path.display()
                )));
            }
            Err(fs4::TryLockError::Error(error)) => return Err(cannot(error)),
        }
        let mut spool = Self { path: path.to_owned(), file };
        // A new file must still exist after a power cut.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        #[cfg(unix)]
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|it| it.sync_all())
            .map_err(cannot)?;
        #[cfg(not(unix))]
        let _ = folder;
        let (mut number, mut complete) = (0_u64, 0_u64);
        spool.each_line(|line| {
            number += 1;
            let is_callback = match line.strip_suffix(b"\n") {
                Some(text) => {
                    complete += line.len() as u64;
                    serde_json::from_slice::<Line>(text).is_ok()
                }
                // A power cut may leave a part of a line.
                None => line.starts_with(BEGINNING) || BEGINNING.starts_with(line),
            };
            if is_callback {
                return Ok(());
            }
            Err(Failure::data(format_args!(
                "line {number} of the spool {} is not a callback; give another file, or move this one away",
                path.display()
            )))
        })?;
        spool.cut(complete)?;
        Ok(spool)
    }

    /// Removes an incomplete last line: the next callback must not be appended to it.
    fn cut(&mut self, complete: u64) -> Result<(), Failure> {
        let length = self.file.metadata().map_err(self.cannot())?.len();
        if length == complete {
            return Ok(());
        }
        message::note(format_args!(
            "warning: the last line of the spool {} is incomplete and was removed ({} bytes)",
            self.path.display(),
            length - complete
        ));
        self.file.set_len(complete).map_err(self.cannot())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Prints all lines, and then empties the file in one step.
    pub(super) fn replay(
        &mut self,
        mut print: impl FnMut(String) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.each_line(|line| {
            print(String::from_utf8_lossy(line).trim_end_matches('\n').to_owned())
        })?;
        self.file.set_len(0).and_then(|()| self.file.sync_all()).map_err(self.cannot())
    }

    /// Appends lines, and returns when they are on the disk. After an error none is in the file.
    pub(super) fn append(&mut self, lines: &[String]) -> io::Result<()> {
        let before = self.file.metadata()?.len();
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all());
        if written.is_err() {
            let _ = self.file.set_len(before);
        }
        written
    }

    /// Calls `f` with each line, including its line end, which the last one may lack.
    fn each_line(&self, mut f: impl FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut file = BufReader::new(&self.file);
        let mut line = Vec::new();
        file.rewind().map_err(self.cannot())?;
        loop {
            let mut limited = file.by_ref().take(LINE_LIMIT);
            let read = limited.read_until(b'\n', &mut line).map_err(self.cannot())?;
            if read == 0 {
                break;
            }
            if read as u64 == LINE_LIMIT {
                return Err(Failure::data(format_args!(
                    "the spool {} has a line of more than {LINE_LIMIT} bytes, which is not a callback",
                    self.path.display()
                )));
            }
            f(&line)?;
            line.clear();
        }
        Ok(())
    }

    fn cannot(&self) -> impl Fn(io::Error) -> Failure + Copy {
        Failure::cannot("use the spool", &self.path)
    }
}
