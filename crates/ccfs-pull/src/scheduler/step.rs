//! The types of the interface between scheduler and driver.

use std::time::Duration;

use ccfs_proto::{IndexFileName, ResponseId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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
    /// The server rejects this request permanently, or the data is unusable.
    Refused,
    /// The driver cancelled the job. Its effect is unknown.
    BrokenOff,
}

/// The size and the hash of a file, by which [`verify`](crate::verify) finds changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fingerprint {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256.
    #[serde(with = "hex")]
    pub sha256: [u8; 32],
}

impl Fingerprint {
    /// Creates a fingerprint from its parts.
    #[must_use]
    pub const fn new(bytes: u64, sha256: [u8; 32]) -> Self {
        Self { bytes, sha256 }
    }

    /// Returns the SHA-256 in hexadecimal.
    pub fn sha256_hex(&self) -> String {
        hex::of(&self.sha256)
    }

    /// Returns the fingerprint of a file with this content.
    pub fn of(content: &[u8]) -> Self {
        Self::new(content.len() as u64, Sha256::digest(content).into())
    }
}

/// A window's file on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stored {
    /// The ZIP.
    #[serde(flatten)]
    pub zip: Fingerprint,
    /// Good records of the wanted kind.
    pub rows: u64,
    /// Rows of the wanted kind that could not be read and were skipped.
    pub bad_rows: u64,
    /// Members with data that were not read, because they are not of the wanted kind.
    pub unread_members: u64,
    /// Records whose event is not in the window.
    pub outside_rows: u64,
}

impl Stored {
    /// Creates the report of a ZIP with `rows` records, all in the window, and nothing else.
    #[must_use]
    pub const fn new(zip: Fingerprint, rows: u64) -> Self {
        Self { zip, rows, bad_rows: 0, unread_members: 0, outside_rows: 0 }
    }

    /// Whether the records are all data of the ZIP: no bad row was skipped and no member is unread.
    pub const fn is_complete(&self) -> bool {
        self.bad_rows == 0 && self.unread_members == 0
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
    /// To be requested: not requested yet, lost by the server, or requested with an unknown result.
    Fresh,
    /// The server accepted a request.
    Asked(Asked),
    /// The window is complete.
    Complete(Outcome),
}

/// What earlier runs left of a window.
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
    /// Why it was given up, if its last request or file was.
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
    /// When the request was sent, by the server's clock as well as it is known.
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

/// Serializes a hash as hexadecimal digits.
mod hex {
    use std::fmt::Write as _;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn of(hash: &[u8; 32]) -> String {
        hash.iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    }

    pub(super) fn serialize<S: Serializer>(
        hash: &[u8; 32],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&of(hash))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; 32], D::Error> {
        let digits = String::deserialize(deserializer)?;
        let mut hash = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(D::Error::custom("not a SHA-256"));
        }
        for (at, byte) in hash.iter_mut().enumerate() {
            *byte =
                u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).map_err(D::Error::custom)?;
        }
        Ok(hash)
    }
}
