//! Read options.

use crate::csv::Charset;
use crate::kind::IndexKind;
use crate::limits::Limits;

/// Options of reading an archive or a CSV file.
///
/// ```
/// use ccfs_archive::{LimitKind, Limits, OnBadRow, ReadOptions};
///
/// let limits = Limits::new().with(LimitKind::Members, 8);
/// let options = ReadOptions::new().on_bad_row(OnBadRow::Skip).limits(limits);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct ReadOptions {
    pub(crate) limits: Limits,
    pub(crate) on_bad_row: OnBadRow,
    pub(crate) charset: Option<Charset>,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) keep_bad_rows: usize,
    pub(crate) default_kind: Option<IndexKind>,
}

/// Action on a row that does not fit its columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum OnBadRow {
    /// Reading ends with [`Error::Row`](crate::Error::Row). The default.
    #[default]
    Stop,
    /// The row is skipped and counted in [`BadRows`](crate::BadRows).
    Skip,
    /// The row is returned as [`Error::Row`](crate::Error::Row) and counted; the next call continues after it.
    Return,
}

/// No index file has a column of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no index file has a column {0:?}")]
pub struct UnknownColumn(String);

impl ReadOptions {
    /// Default options: default [`Limits`], all columns, stop on a bad row, detect the charset of each member.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the limits on sizes and counts. Default: [`Limits::new`].
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the action on a bad row. Default: [`OnBadRow::Stop`].
    #[must_use]
    pub const fn on_bad_row(mut self, choice: OnBadRow) -> Self {
        self.on_bad_row = choice;
        self
    }

    /// Returns the action on a bad row.
    pub const fn bad_row_action(&self) -> OnBadRow {
        self.on_bad_row
    }

    /// Sets the charset of every member. Default: detected for each member, see [`Charset`].
    #[must_use]
    pub const fn charset(mut self, charset: Charset) -> Self {
        self.charset = Some(charset);
        self
    }

    /// Reads only the columns with these names. Values of other columns are empty and not checked. Default: all.
    ///
    /// The charset and the number of fields of each row are still checked.
    ///
    /// # Errors
    ///
    /// [`UnknownColumn`] if no index file has a column of one of the names.
    pub fn columns<'n>(
        mut self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, UnknownColumn> {
        let exists = |name: &&str| IndexKind::ALL.iter().any(|kind| kind.column(name).is_some());
        let names = names.into_iter().map(|name| {
            Some(name).filter(exists).map(str::to_owned).ok_or_else(|| UnknownColumn(name.into()))
        });
        self.columns = Some(names.collect::<Result<_, _>>()?);
        Ok(self)
    }

    /// Whether all columns are read, as without [`columns`](Self::columns).
    pub const fn reads_all_columns(&self) -> bool {
        self.columns.is_none()
    }

    /// Whether the column of this kind with this index is read.
    pub fn reads_column(&self, kind: IndexKind, index: usize) -> bool {
        index < kind.columns().len() && self.column_bits(kind) & (1 << index) != 0
    }

    /// Keeps at most this many bytes of each bad row in [`BadRow::raw`](crate::BadRow::raw). Default: 0, which keeps no rows.
    #[must_use]
    pub const fn keep_bad_rows(mut self, bytes: usize) -> Self {
        self.keep_bad_rows = bytes;
        self
    }

    /// One bit for each column of a kind that is read.
    pub(crate) fn column_bits(&self, kind: IndexKind) -> u64 {
        self.columns.as_ref().map_or(u64::MAX, |names| {
            names.iter().filter_map(|name| kind.column(name)).fold(0, |bits, at| bits | 1 << at)
        })
    }

    /// Sets the kind of members whose names do not contain one, except folders and
    /// [ignorable](crate::Member::is_ignorable) members. Default: such members are skipped.
    #[must_use]
    pub const fn default_kind(mut self, kind: IndexKind) -> Self {
        self.default_kind = Some(kind);
        self
    }
}
