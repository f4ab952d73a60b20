//! The words in which a pull and its driver talk.

use std::time::Duration;

use ccfs_proto::{IndexFileName, ResponseId, Timestamp};

use crate::journal::Entry;
use crate::window::Window;

/// The next thing that the driver of a pull must do. Exhaustive: a driver that misses a step does
/// not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put this into the journal, and onto the disk, before the next step is asked for.
    Record(Entry),
    /// Begin this job, beside the others, and report how it ended.
    Start(Job),
    /// Nothing to do until a job is reported, a callback comes, or so long has passed; `None` is for as long as it takes.
    Wait(Option<Duration>),
    /// It is over, and no job runs any more.
    Done,
}

/// One call to the server, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// The window it is for.
    pub window: Window,
    /// What to do.
    pub task: Task,
}

/// What to do for a window. Exhaustive: a driver that misses a task does not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Ask the server to generate its file.
    Ask,
    /// Download the file of that name, check it, convert it.
    Fetch(IndexFileName),
}

/// How a job failed, as far as it matters to the pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trouble {
    /// The server says that there is no data.
    NoData,
    /// The server has no such file: not yet, or not any more.
    NotThere,
    /// The server says "try later": a result code for flow control, 429 or 503.
    Busy,
    /// No connection came about, or it broke; if something was asked for, it surely did not arrive.
    Offline,
    /// Something was asked for, and no answer came: it may have arrived.
    Unanswered,
    /// The server takes the window's end for the future: its clock is behind.
    TooEarly,
    /// The file came, and is not whole or not sound.
    Damaged,
    /// The server failed, or something in between answered: another try may help.
    Faulty,
    /// The server said no for good, or the data cannot be used.
    Refused,
    /// The job was broken off from here. Nothing is known to have come of it.
    BrokenOff,
}

/// A window's file on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Size of the ZIP in bytes.
    pub bytes: u64,
    /// Records of the wanted kind: as many as the converted file has.
    pub rows: u64,
    /// Rows of the wanted kind that could not be read and were skipped.
    pub bad_rows: u64,
    /// Members with data that were not read, because they are not of the wanted kind. `None` if an older version stored the file and
    /// did not count them.
    pub unread_members: Option<u64>,
}

impl Stored {
    /// A file of `bytes` bytes with `rows` records and `bad_rows` bad rows. Its members are not known to be read: see
    /// [`unread_members`](Self::unread_members).
    #[must_use]
    pub const fn new(bytes: u64, rows: u64, bad_rows: u64) -> Self {
        Self { bytes, rows, bad_rows, unread_members: None }
    }

    /// Sets [`unread_members`](Self#structfield.unread_members).
    #[must_use]
    pub const fn unread_members(self, count: u64) -> Self {
        Self { unread_members: Some(count), ..self }
    }

    /// Whether the records are all that the ZIP has: no bad row was skipped and no member was left unread.
    pub const fn is_complete(&self) -> bool {
        self.bad_rows == 0 && matches!(self.unread_members, Some(0))
    }
}

/// How it ended with a window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Its file is on disk.
    Stored(Stored),
    /// The server has no data for it.
    NoData,
    /// It could not be had. The next run tries again.
    Failed {
        /// Why not.
        why: String,
    },
}

/// What an earlier run left of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Known {
    /// It was never asked for, or the server lost it, or nobody knows what became of the question.
    Fresh,
    /// It was asked for.
    Asked(Asked),
    /// It is complete.
    Complete(Outcome),
}

/// A job at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asked {
    /// The job's id.
    pub id: ResponseId,
    /// When the question went out.
    pub sent: Timestamp,
    /// When the answer was there.
    pub at: Timestamp,
}

impl Asked {
    /// A job that was asked for between `sent` and `at`.
    #[must_use]
    pub const fn new(id: ResponseId, sent: Timestamp, at: Timestamp) -> Self {
        Self { id, sent, at }
    }
}
