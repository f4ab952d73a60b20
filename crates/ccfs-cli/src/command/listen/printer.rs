//! Printing callbacks to a stdout that may fail or block.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use crate::failure::{Failure, Kind};
use crate::{interrupt, output};

/// Bytes that a pipe holds. Lines of that length may be printed and not read yet; they are lost
/// when the reader ends.
const PIPE: usize = 64 * 1024;
/// How often a blocked stdout looks for a signal, and how many times after one.
const SLICE: Duration = Duration::from_millis(50);
const SLICES_AFTER_SIGNAL: u32 = 10;

/// Prints lines on a separate thread, so that a blocked stdout does not keep a signal from ending
/// the command.
pub(super) struct Printer {
    lines: SyncSender<String>,
    printed: Receiver<Result<(), Failure>>,
    recent: VecDeque<String>,
    recent_bytes: usize,
    /// How often a blocked stdout was waited for since the signal.
    slices: u32,
}

impl Printer {
    pub(super) fn start() -> Result<Self, Failure> {
        let (lines, to_print) = mpsc::sync_channel::<String>(1);
        let (results, printed) = mpsc::channel();
        let print = move || {
            for line in to_print {
                if results.send(output::line(line)).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().name("stdout".into()).spawn(print).map_err(|error| {
            Failure::file(format_args!("cannot start a thread for stdout: {error}"))
        })?;
        Ok(Self { lines, printed, recent: VecDeque::new(), recent_bytes: 0, slices: 0 })
    }

    /// Prints a line. Fails if stdout does, or if it has blocked for half a second since a signal.
    pub(super) fn print(&mut self, line: String) -> Result<(), Failure> {
        self.recent_bytes += line.len() + 1;
        self.recent.push_back(line.clone());
        while self.recent_bytes > PIPE && self.recent.len() > 1 {
            self.recent_bytes -= self.recent.pop_front().map_or(0, |line| line.len() + 1);
        }
        let failed = |why| Failure::file(format_args!("stdout cannot be written: {why}"));
        let ended = "its thread ended";
        self.lines.send(line).map_err(|_| failed(ended))?;
        loop {
            match self.printed.recv_timeout(SLICE) {
                Ok(Err(failure)) if failure.kind == Kind::PipeClosed => {
                    return Err(failed("the reading process has closed it"));
                }
                Ok(result) => return result,
                Err(RecvTimeoutError::Disconnected) => return Err(failed(ended)),
                Err(RecvTimeoutError::Timeout) if self.slices == SLICES_AFTER_SIGNAL => {
                    return Err(failed("the reading process has stopped reading"));
                }
                Err(RecvTimeoutError::Timeout) => self.slices += u32::from(interrupt::came()),
            }
        }
    }

    /// Forgets the latest lines: they are stored elsewhere.
    pub(super) fn forget(&mut self) {
        self.recent.clear();
        self.recent_bytes = 0;
    }

    /// Returns the latest lines: those that a pipe can hold, and the one that failed. Whether they
    /// were read is unknown.
    pub(super) fn into_recent(self) -> Vec<String> {
        self.recent.into()
    }
}
