//! What a pull tells of itself.

use std::path::PathBuf;

use ccfs_proto::Day;

use crate::scheduler::Outcome;
use crate::window::Window;

/// How it ended with one window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowReport {
    /// The window.
    pub window: Window,
    /// How it ended.
    pub outcome: Outcome,
    /// Its file: the ZIP, or what it was converted into. None without data, after a failure, and when it was taken away since.
    pub file: Option<PathBuf>,
    /// Whether an earlier run had it complete.
    pub earlier: bool,
}

impl WindowReport {
    /// A report of this run, without a file: for tests of one's own.
    #[must_use]
    pub fn new(window: Window, outcome: Outcome) -> Self {
        Self { window, outcome, file: None, earlier: false }
    }
}

/// How far a pull is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullProgress {
    /// Windows in all.
    pub windows: usize,
    /// Windows that are settled, those of earlier runs included.
    pub settled: usize,
    /// Windows under way.
    pub in_flight: usize,
    /// Records of all settled windows.
    pub rows: u64,
    /// Bytes that this run has received of files, also of those that did not come to their end.
    pub received: u64,
}

/// What a pull has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullSummary {
    /// Every window that is settled, the earliest first.
    pub windows: Vec<WindowReport>,
    /// How often this run asked the server to generate a file.
    pub asked: u64,
    /// Windows that earlier runs had complete.
    pub resumed: usize,
    /// The first day of the range that is not over yet: it was left for a later run, with all behind it.
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

    /// Rows that could not be read and were left out.
    pub fn bad_rows(&self) -> u64 {
        self.stored().map(|stored| stored.bad_rows).sum()
    }

    /// The windows that could not be had, and why.
    pub fn failed(&self) -> impl Iterator<Item = (Window, &str)> {
        self.windows.iter().filter_map(|report| match &report.outcome {
            Outcome::Failed { why } => Some((report.window, why.as_str())),
            _ => None,
        })
    }

    fn stored(&self) -> impl Iterator<Item = crate::scheduler::Stored> {
        self.windows.iter().filter_map(|report| match report.outcome {
            Outcome::Stored(stored) => Some(stored),
            _ => None,
        })
    }
}
