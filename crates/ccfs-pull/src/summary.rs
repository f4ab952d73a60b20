//! Reports of a pull.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ccfs_proto::Day;

use crate::scheduler::{Job, Outage, Outcome, Stored, Trouble};
use crate::window::Window;

/// Report on one window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowReport {
    /// The window.
    pub window: Window,
    /// How it ended.
    pub outcome: Outcome,
    /// Its files: the converted ones, or else the ZIP. Empty without data, after a failure, and for
    /// files that were removed since.
    pub files: Vec<ReportedFile>,
    /// Whether an earlier run completed it, and this one did not request it again.
    pub earlier: bool,
    /// Its file of an earlier request, if this run requested it again.
    pub previous: Option<Stored>,
    /// Notes on skipped or guessed data of its file, at most 101. Empty if an earlier run read the
    /// file.
    pub notes: Vec<String>,
    /// Its ZIP, if it is kept despite [`keep_zip(false)`](crate::Plan::keep_zip).
    pub kept_zip: Option<KeptZip>,
    /// The downloaded file, if this run rejected it. The outcome says why.
    pub rejected: Option<PathBuf>,
}

/// A file of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportedFile {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
}

impl ReportedFile {
    /// Creates a value for callers' tests.
    #[must_use]
    pub fn new(path: PathBuf, bytes: u64) -> Self {
        Self { path, bytes }
    }
}

/// A ZIP that is kept despite [`keep_zip(false)`](crate::Plan::keep_zip): the converted file does
/// not have all of its data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptZip {
    /// The ZIP.
    pub path: PathBuf,
    /// Bad rows that were skipped.
    pub bad_rows: u64,
    /// Members with data that were not read.
    pub unread_members: u64,
}

impl KeptZip {
    /// Creates a value for callers' tests.
    #[must_use]
    pub fn new(path: PathBuf, stored: Stored) -> Self {
        Self { path, bad_rows: stored.bad_rows, unread_members: stored.unread_members }
    }
}

/// `agentSkillInfo_20230401T000000_20230403T235959.zip is kept: 1 member was not read, 2 bad rows
/// were skipped`.
impl fmt::Display for KeptZip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        write!(f, "{} is kept: ", name.display())?;
        match self.unread_members {
            0 => {}
            1 => f.write_str("1 member was not read")?,
            count => write!(f, "{count} members were not read")?,
        }
        let comma = if self.unread_members == 0 { "" } else { ", " };
        match self.bad_rows {
            0 => Ok(()),
            1 => write!(f, "{comma}1 bad row was skipped"),
            count => write!(f, "{comma}{count} bad rows were skipped"),
        }
    }
}

impl WindowReport {
    /// Creates a report of this run without files and notes, for callers' tests.
    #[must_use]
    pub fn new(window: Window, outcome: Outcome) -> Self {
        Self {
            window,
            outcome,
            files: Vec::new(),
            earlier: false,
            previous: None,
            notes: Vec::new(),
            kept_zip: None,
            rejected: None,
        }
    }

    /// Size of the files in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Whether this run changed what is known of the window: it has a new file, another answer than
    /// before, or it failed.
    pub fn is_changed(&self) -> bool {
        match (&self.outcome, self.previous) {
            (Outcome::Stored(stored), Some(previous)) => stored.zip != previous.zip,
            _ => !self.earlier,
        }
    }
}

/// What happens during a pull, for messages and logs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PullEvent {
    /// A job begins.
    Started(Job),
    /// This run completed the window or gave it up; the journal has recorded that.
    Settled(WindowReport),
    /// A job failed. The pull goes on.
    Failed(JobFailure),
    /// After an outage of this length the server answers again.
    Recovered(Duration),
    /// The server's clock is ahead of the local one by this many milliseconds (behind, if
    /// negative). Names of files are computed with the server's clock.
    ClockSkew(i64),
    /// The ZIP of this window, which an earlier run stored, was removed, so it cannot be converted
    /// to another format. [`Plan::again`](crate::Plan::again) requests it again.
    ZipMissing(Window),
    /// This complete window has several days, so it was not converted to
    /// [`Format::Parquet`](crate::Format::Parquet). This run does not remove its ZIP.
    SeveralDays(Window),
    /// Whether the bucket's store supports conditional writes (`If-None-Match`). Without them, only
    /// one pull may use a prefix at a time.
    ConditionalWrites(bool),
    /// No window in the days of [`Plan::again`](crate::Plan::again) was requested before.
    NothingAgain,
    /// An earlier run gave this window up, and it is not in the range of this one.
    /// [`forget`](crate::forget) removes it from the journal.
    FailedBefore {
        /// The window.
        window: Window,
        /// Why.
        why: String,
    },
}

/// A job that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobFailure {
    /// The job.
    pub job: Job,
    /// The class of the failure.
    pub trouble: Trouble,
    /// The error.
    pub why: String,
    /// The outage, if the whole pull pauses.
    pub outage: Option<Outage>,
}

/// Progress of a pull.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullProgress {
    /// Number of windows.
    pub windows: usize,
    /// Windows that are complete or have failed, those of earlier runs included.
    pub settled: usize,
    /// Windows in flight: requested, not yet complete.
    pub in_flight: usize,
    /// Records of all complete windows.
    pub rows: u64,
    /// Bytes of files that this run has received, including those of interrupted downloads.
    pub received: u64,
    /// The outage, while the whole pull pauses.
    pub outage: Option<Outage>,
}

/// Result of a pull.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullSummary {
    /// Every window that is complete or has failed, the earliest first.
    pub windows: Vec<WindowReport>,
    /// Number of jobs that this run requested.
    pub asked: u64,
    /// Windows that earlier runs completed.
    pub resumed: usize,
    /// First day of the range that is not over yet. A later run pulls it and the days after it.
    pub left_from: Option<Day>,
}

impl PullSummary {
    /// Records of all windows.
    pub fn rows(&self) -> u64 {
        self.stored().map(|stored| stored.rows).sum()
    }

    /// Size of the files of all windows, in bytes.
    pub fn bytes(&self) -> u64 {
        self.windows.iter().map(WindowReport::bytes).sum()
    }

    /// Rows that could not be read and were skipped.
    pub fn bad_rows(&self) -> u64 {
        self.stored().map(|stored| stored.bad_rows).sum()
    }

    /// The windows that failed, and why.
    pub fn failed(&self) -> impl Iterator<Item = (Window, &str)> {
        self.windows.iter().filter_map(|report| match &report.outcome {
            Outcome::Failed { why } => Some((report.window, why.as_str())),
            _ => None,
        })
    }

    fn stored(&self) -> impl Iterator<Item = Stored> {
        self.windows.iter().filter_map(|report| match report.outcome {
            Outcome::Stored(stored) => Some(stored),
            _ => None,
        })
    }
}
