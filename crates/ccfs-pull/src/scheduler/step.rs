//! The types of the interface between scheduler and driver.

use std::time::Duration;

use ccfs_proto::{IndexFileName, ResponseId, Timestamp};

use crate::journal::Entry;
use crate::window::Window;

/// The next step for the driver. Exhaustive, so a driver that misses a step does not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write this entry to the journal and sync it to disk before polling again.
    Record(Entry),
    /// Start this job concurrently with others, and report its result.
    Start(Job),
    /// Wait until a job ends, a callback arrives, or this time has passed; `None` has no time
    /// limit.
    Wait(Option<Duration>),
    /// The pull has ended, and no job is running.
    Done,
}

/// A request or a download for a window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// The window.
    pub window: Window,
    /// The task.
    pub task: Task,
}

/// The task of a job. Exhaustive, so a driver that misses a task does not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Request that the server generates the window's file.
    Ask,
    /// Download the file with this name, check it and convert it.
    Fetch(IndexFileName),
}

/// Classes of failures of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trouble {
    /// The server reports that there is no data.
    NoData,
    /// The file does not exist yet, or no longer.
    NotThere,
    /// The server is busy: a result code for flow control, 429 or 503.
    Busy,
    /// There was no connection, or it broke. A request certainly did not arrive.
    Offline,
    /// A request was not answered. It may have arrived.
    Unanswered,
    /// The server rejects the window's end as a future time: its clock is slow.
    TooEarly,
    /// The downloaded file is incomplete or damaged.
    Damaged,
    /// The server failed, or an intermediary responded. Another attempt may succeed.
    Faulty,
    /// The server rejects the request permanently, or the data is unusable.
    Refused,
    /// The driver cancelled the job. Its effect is unknown.
    BrokenOff,
}

/// A window's file on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Size of the ZIP in bytes.
    pub bytes: u64,
    /// Records of the wanted kind: those in the converted file, if there is one.
    pub rows: u64,
    /// Rows of the wanted kind that could not be read and were skipped.
    pub bad_rows: u64,
    /// Members with data that were not read, because they are not of the wanted kind. `None` if an
    /// older version stored the file and did not count them.
    pub unread_members: Option<u64>,
}

impl Stored {
    /// Creates the report of a file of `bytes` bytes with `rows` records and `bad_rows` bad rows,
    /// without a number of [`unread_members`](Self::unread_members).
    #[must_use]
    pub const fn new(bytes: u64, rows: u64, bad_rows: u64) -> Self {
        Self { bytes, rows, bad_rows, unread_members: None }
    }

    /// Sets [`unread_members`](Self#structfield.unread_members).
    #[must_use]
    pub const fn unread_members(self, count: u64) -> Self {
        Self { unread_members: Some(count), ..self }
    }

    /// Whether the records are all data of the ZIP: no bad row was skipped and no member is unread.
    pub const fn is_complete(&self) -> bool {
        self.bad_rows == 0 && matches!(self.unread_members, Some(0))
    }
}

/// Outcome of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Its file is on disk.
    Stored(Stored),
    /// The server has no data for it.
    NoData,
    /// The window failed. The next run tries again.
    Failed {
        /// The reason.
        why: String,
    },
}

/// State of a window after earlier runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Known {
    /// Not requested, or lost by the server, or requested with an unknown result.
    Fresh,
    /// The server accepted a request.
    Asked(Asked),
    /// The window is complete.
    Complete(Outcome),
}

/// A job at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asked {
    /// The job's id.
    pub id: ResponseId,
    /// When the request was sent.
    pub sent: Timestamp,
    /// When the response arrived.
    pub at: Timestamp,
}

impl Asked {
    /// Creates a job whose request was sent at `sent` and answered at `at`.
    #[must_use]
    pub const fn new(id: ResponseId, sent: Timestamp, at: Timestamp) -> Self {
        Self { id, sent, at }
    }
}
