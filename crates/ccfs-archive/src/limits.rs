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
/// let limits = Limits::new().member_bytes(64 << 20).members(10);
/// assert_eq!(limits.get(LimitKind::MemberBytes), 64 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    values: [u64; 7],
}

/// One of the [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LimitKind {
    /// Members of an archive.
    Members,
    /// Bytes of a member after inflating.
    MemberBytes,
    /// Bytes of all members after inflating.
    TotalBytes,
    /// Bytes of a member after inflating for each compressed byte.
    Ratio,
    /// Bytes of a CSV record, with its quotes.
    RecordBytes,
    /// Bytes of a CSV cell, without its quotes.
    FieldBytes,
    /// Bytes of an archive's central directory.
    DirectoryBytes,
}

/// The ratio is not checked up to this size: a small CSV of equal rows is not a ZIP bomb.
pub(crate) const RATIO_FREE_BYTES: u64 = 16 << 20;

impl Limits {
    /// Default limits, in the order of [`LimitKind`]: 1000 members, 4 GiB a member, 16 GiB in total, a ratio of 200,
    /// 256 KiB a record, 64 KiB a cell, 1 MiB of central directory.
    pub const fn new() -> Self {
        Self { values: [1000, 4 << 30, 16 << 30, 200, 256 << 10, 64 << 10, 1 << 20] }
    }

    const fn with(mut self, kind: LimitKind, value: u64) -> Self {
        self.values[kind as usize] = value;
        self
    }

    /// Members of an archive. Default: 1000.
    #[must_use]
    pub const fn members(self, members: u64) -> Self {
        self.with(LimitKind::Members, members)
    }

    /// Bytes of a member after inflating. Default: 4 GiB.
    #[must_use]
    pub const fn member_bytes(self, bytes: u64) -> Self {
        self.with(LimitKind::MemberBytes, bytes)
    }

    /// Bytes of all members after inflating. Default: 16 GiB.
    #[must_use]
    pub const fn total_bytes(self, bytes: u64) -> Self {
        self.with(LimitKind::TotalBytes, bytes)
    }

    /// Bytes of a member after inflating for each compressed byte, checked once the member exceeds 16 MiB. Default: 200.
    ///
    /// Index files have ratios of 5 to 30. The maximum of deflate is 1032.
    #[must_use]
    pub const fn ratio(self, ratio: u64) -> Self {
        self.with(LimitKind::Ratio, ratio)
    }

    /// Bytes of a CSV record, with its quotes. Default: 256 KiB. Values above 1 GiB count as 1 GiB.
    ///
    /// A missing closing quote makes the rest of a file one record; this limit bounds it.
    #[must_use]
    pub const fn record_bytes(self, bytes: u64) -> Self {
        self.with(LimitKind::RecordBytes, if bytes > 1 << 30 { 1 << 30 } else { bytes })
    }

    /// Bytes of a CSV cell, without its quotes. Default: 64 KiB.
    #[must_use]
    pub const fn field_bytes(self, bytes: u64) -> Self {
        self.with(LimitKind::FieldBytes, bytes)
    }

    /// Bytes of an archive's central directory, which is held in memory. Default: 1 MiB.
    #[must_use]
    pub const fn directory_bytes(self, bytes: u64) -> Self {
        self.with(LimitKind::DirectoryBytes, bytes)
    }

    /// Returns the value of a limit.
    pub const fn get(&self, kind: LimitKind) -> u64 {
        self.values[kind as usize]
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
