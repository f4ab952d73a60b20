//! The types of the interface between scheduler and driver.

use std::time::Duration;

use ccfs_proto::{IndexFileName, ResponseId, Timestamp};
use serde::{Deserialize, Serialize};

use super::stored::Stored;
use crate::journal::{ConvertedFile, Entry};
use crate::window::Window;

/// The next step for the driver. Exhaustive, so a driver that misses a step does not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must handle every step")]
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
#[expect(clippy::exhaustive_enums, reason = "a driver must handle every task")]
pub enum Task {
    /// Request that the server generates the window's file.
    Ask,
    /// Download the file with this name, check it and convert it.
    Fetch(IndexFileName),
}

/// Classes of failures of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trouble {
    /// The server reports that there is no data.
    NoData,
    /// The file does not exist yet, or no longer.
    NotThere,
    /// The server is busy: a result code for flow control, 429 or 503.
    Busy,
    /// There was no connection, or it broke. If the job was a request, it certainly did not arrive.
    Offline,
    /// A request was not answered. It may have arrived.
    Unanswered,
    /// The server rejects the window's end as a future time: its clock is slow.
    TooEarly,
    /// The downloaded file is incomplete or damaged.
    Damaged,
    /// The server failed, or an intermediary responded. Another attempt may succeed.
    Faulty,
    /// The server rejects this request permanently, or the data is unusable.
    Refused,
    /// The driver cancelled the job. Its effect is unknown.
    BrokenOff,
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
    /// To be requested: not requested yet, lost by the server, or requested with an unknown result.
    Fresh,
    /// The server accepted a request.
    Asked(Asked),
    /// The window is complete.
    Complete(Outcome),
}

/// What earlier runs recorded about a window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// Its state.
    pub known: Known,
    /// Its file on disk. A window that is requested again keeps it until the new file is stored.
    pub stored: Option<Stored>,
    /// The formats that the file was converted to, with the converted files.
    pub converted: Vec<ConvertedFile>,
    /// Whether its ZIP was removed after the conversion.
    pub zip_removed: bool,
    /// Its last job at the server, which may be over.
    pub job: Option<ResponseId>,
    /// When the server last sent its file or answered that there is no data.
    pub fetched: Option<Timestamp>,
    /// Why the window was given up; `None` unless its last request or file failed.
    pub failed: Option<String>,
}

impl From<Known> for History {
    fn from(known: Known) -> Self {
        let (mut job, mut stored) = (None, None);
        match &known {
            Known::Asked(asked) => job = Some(asked.id),
            Known::Complete(Outcome::Stored(file)) => stored = Some(*file),
            _ => {}
        }
        Self {
            known,
            stored,
            converted: Vec::new(),
            zip_removed: false,
            job,
            fetched: None,
            failed: None,
        }
    }
}

/// A job at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asked {
    /// The job's id.
    pub id: ResponseId,
    /// When the request was sent, by the server's clock as far as it is known.
    pub sent: Timestamp,
    /// When the response arrived, by the same clock.
    pub at: Timestamp,
}

impl Asked {
    /// Creates a job whose request was sent at `sent` and answered at `at`.
    #[must_use]
    pub const fn new(id: ResponseId, sent: Timestamp, at: Timestamp) -> Self {
        Self { id, sent, at }
    }
}
