//! Limits on the size of archives and their contents.

use std::fmt;

/// Limits on sizes and counts. The defaults are far above a day of a large call center.
///
/// They are checked while reading, against the bytes actually read and inflated instead of the sizes that the archive
/// declares. Exceeding one is an [`Error::Limit`](crate::Error::Limit), which names it and its value.
///
/// ```
/// use ccfs_archive::{LimitKind, Limits};
///
/// let limits = Limits::new().with(LimitKind::MemberBytes, 64 << 20).with(LimitKind::Members, 10);
/// assert_eq!(limits.get(LimitKind::MemberBytes), 64 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Limits {
    /// In the order of [`LimitKind`].
    values: [u64; 7],
}

/// One of the [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LimitKind {
    /// Members of an archive. Default: 1000.
    Members,
    /// Bytes of a member after inflating. Default: 4 GiB.
    MemberBytes,
    /// Bytes of all members after inflating. Default: 16 GiB.
    TotalBytes,
    /// Ratio of a member's inflated size to its compressed size, checked once the inflated size exceeds 16 MiB.
    /// Default: 200.
    ///
    /// Index files have ratios of 5 to 30. The maximum of deflate is 1032.
    Ratio,
    /// Bytes of a CSV record, with its quotes. Default: 256 KiB. Values above 1 GiB count as 1 GiB.
    ///
    /// A missing closing quote makes the rest of a file one record; this limit bounds it.
    RecordBytes,
    /// Bytes of a CSV cell, without its quotes. Default: 64 KiB.
    FieldBytes,
    /// Bytes of an archive's central directory, which is held in memory. Default: 1 MiB.
    DirectoryBytes,
}

/// The ratio is not checked up to this size: a small CSV of equal rows is not a ZIP bomb.
const RATIO_FREE_BYTES: u64 = 16 << 20;

/// The highest limit of a record: positions in it have 32 bits.
const LONGEST_RECORD: u64 = 1 << 30;

impl Limits {
    /// The default limits, which are those of [`LimitKind`].
    pub const fn new() -> Self {
        Self { values: [1000, 4 << 30, 16 << 30, 200, 256 << 10, 64 << 10, 1 << 20] }
    }

    /// Sets the value of a limit.
    #[must_use]
    pub const fn with(mut self, kind: LimitKind, value: u64) -> Self {
        let is_too_long = matches!(kind, LimitKind::RecordBytes) && value > LONGEST_RECORD;
        self.values[kind as usize] = if is_too_long { LONGEST_RECORD } else { value };
        self
    }

    /// Returns the value of a limit.
    pub const fn get(&self, kind: LimitKind) -> u64 {
        self.values[kind as usize]
    }

    /// The limit that a member exceeds after `taken` compressed and `given` decompressed bytes.
    pub(crate) fn exceeded(&self, taken: u64, given: u64, total: u64) -> Option<LimitKind> {
        let most = taken.saturating_mul(self.get(LimitKind::Ratio)).max(RATIO_FREE_BYTES);
        if given > self.get(LimitKind::MemberBytes) {
            Some(LimitKind::MemberBytes)
        } else if total > self.get(LimitKind::TotalBytes) {
            Some(LimitKind::TotalBytes)
        } else {
            (given > most).then_some(LimitKind::Ratio)
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Members => "members",
            Self::MemberBytes => "bytes of a member",
            Self::TotalBytes => "bytes of all members",
            Self::Ratio => "bytes of a member for each compressed byte",
            Self::RecordBytes => "bytes of a record",
            Self::FieldBytes => "bytes of a cell",
            Self::DirectoryBytes => "bytes of central directory",
        })
    }
}
