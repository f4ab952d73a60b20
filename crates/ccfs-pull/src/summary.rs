//! Reports of a pull.

use std::fmt;
use std::path::PathBuf;

use ccfs_proto::Day;

use crate::scheduler::{Outcome, Stored};
use crate::window::Window;

/// Report on one window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowReport {
    /// The window.
    pub window: Window,
    /// How it ended.
    pub outcome: Outcome,
    /// Its file: the ZIP, or the converted file. `None` without data, after a failure, and if it
    /// was removed since.
    pub file: Option<PathBuf>,
    /// Whether an earlier run completed it.
    pub earlier: bool,
    /// Notes on skipped or guessed data of its file, at most 101. Empty if an earlier run read the
    /// file.
    pub notes: Vec<String>,
    /// Its ZIP, if it is kept despite [`keep_zip(false)`](crate::Plan::keep_zip).
    pub kept_zip: Option<KeptZip>,
    /// The downloaded file, if this run rejected it. The outcome says why.
    pub rejected: Option<PathBuf>,
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
    /// Members with data that were not read. `None` if an older version converted the file and did
    /// not count them.
    pub unread_members: Option<u64>,
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
            None => f.write_str("an older version converted it without counting unread members")?,
            Some(0) => {}
            Some(1) => f.write_str("1 member was not read")?,
            Some(count) => write!(f, "{count} members were not read")?,
        }
        let comma = if self.unread_members == Some(0) { "" } else { ", " };
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
            file: None,
            earlier: false,
            notes: Vec::new(),
            kept_zip: None,
            rejected: None,
        }
    }
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

    /// Bytes of all ZIPs, those of earlier runs included, as they were when they were stored.
    pub fn bytes(&self) -> u64 {
        self.stored().map(|stored| stored.bytes).sum()
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
