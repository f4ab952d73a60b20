//! How to read.

use crate::csv::Charset;
use crate::error::BadRow;
use crate::kind::IndexKind;
use crate::limits::Limits;

/// How to read an archive or a CSV file.
///
/// ```
/// use ccfs_archive::{Limits, OnBadRow, ReadOptions};
///
/// let options = ReadOptions::new().on_bad_row(OnBadRow::Skip).limits(Limits::new().members(8));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    limits: Limits,
    on_bad_row: OnBadRow,
    charset: Option<Charset>,
    default_kind: Option<IndexKind>,
}

/// What to do on a row that does not fit its columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnBadRow {
    /// End with [`Error::Row`](crate::Error::Row), which says where it stands. The default.
    #[default]
    Stop,
    /// Leave it out, and tell of it in [`BadRows`].
    Skip,
}

impl ReadOptions {
    /// The defaults: default [`Limits`], stop on a bad row, decide the charset for each member.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bounds on what comes out. Default: those of [`Limits::new`].
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What to do on a bad row. Default: [`OnBadRow::Stop`].
    #[must_use]
    pub const fn on_bad_row(mut self, choice: OnBadRow) -> Self {
        self.on_bad_row = choice;
        self
    }

    /// Reads every member in this charset. Default: it is decided for each, as [`Charset`] tells.
    #[must_use]
    pub const fn charset(mut self, charset: Charset) -> Self {
        self.charset = Some(charset);
        self
    }

    /// Reads members whose names stand for no index file as this kind, folders and
    /// [ignorable](crate::Member::is_ignorable) members excepted. Default: they are skipped.
    #[must_use]
    pub const fn default_kind(mut self, kind: IndexKind) -> Self {
        self.default_kind = Some(kind);
        self
    }

    pub(crate) const fn get_default_kind(&self) -> Option<IndexKind> {
        self.default_kind
    }

    pub(crate) const fn get_limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) const fn get_charset(&self) -> Option<Charset> {
        self.charset
    }

    pub(crate) const fn get_on_bad_row(&self) -> OnBadRow {
        self.on_bad_row
    }
}

/// The rows that were skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BadRows {
    count: u64,
    first: Vec<BadRow>,
}

impl BadRows {
    /// How many are kept with their position; the others are only counted, so that a bad file takes no more memory than
    /// a good one.
    pub const KEPT: usize = 100;

    /// How many there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The first of them, at most [`KEPT`](Self::KEPT).
    pub fn first(&self) -> &[BadRow] {
        &self.first
    }

    pub(crate) fn add(&mut self, row: BadRow) {
        self.count += 1;
        if self.first.len() < Self::KEPT {
            self.first.push(row);
        }
    }

    /// Takes over another's.
    pub(crate) fn append(&mut self, other: &Self) {
        self.count += other.count;
        let room = Self::KEPT - self.first.len();
        self.first.extend(other.first.iter().take(room).cloned());
    }
}
