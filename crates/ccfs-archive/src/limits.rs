//! Bounds on what an archive may make of a few bytes.

use std::fmt;

/// Bounds on what comes out of an archive, each with a default that a real day of a large call centre stays far below.
///
/// They count the bytes that **really come out**, never the sizes that the archive declares, and they are checked while
/// reading: a bomb stops at the bound, not behind it. What goes over ends in [`Error::Limit`](crate::Error::Limit),
/// which names the bound and its value.
///
/// ```
/// use ccfs_archive::{LimitKind, Limits};
///
/// let limits = Limits::new().member_bytes(64 << 20).members(10);
/// assert_eq!(limits.get(LimitKind::MemberBytes), 64 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    members: u64,
    member_bytes: u64,
    total_bytes: u64,
    ratio: u64,
    record_bytes: u64,
    field_bytes: u64,
    directory_bytes: u64,
}

/// Which of the [`Limits`] is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LimitKind {
    /// Members in an archive.
    Members,
    /// Bytes that come out of one member.
    MemberBytes,
    /// Bytes that come out of an archive.
    TotalBytes,
    /// Bytes that come out of a member for each byte that went in.
    Ratio,
    /// Bytes of one CSV record, as it stands in the file.
    RecordBytes,
    /// Bytes of one CSV cell, without its quotes.
    FieldBytes,
    /// Bytes of the archive's central directory.
    DirectoryBytes,
}

/// A member may grow to this size, whatever its ratio: a tiny CSV of equal rows is no bomb.
pub(crate) const RATIO_FREE_BYTES: u64 = 16 << 20;

impl Limits {
    /// The defaults: 1000 members, 4 GiB a member, 16 GiB in all, 200 bytes out for each byte in (once a member is past
    /// 16 MiB), 256 KiB a record, 64 KiB a cell, 1 MiB of central directory.
    pub const fn new() -> Self {
        Self {
            members: 1000,
            member_bytes: 4 << 30,
            total_bytes: 16 << 30,
            ratio: 200,
            record_bytes: 256 << 10,
            field_bytes: 64 << 10,
            directory_bytes: 1 << 20,
        }
    }

    /// At most so many members. Default: 1000.
    #[must_use]
    pub const fn members(mut self, members: u64) -> Self {
        self.members = members;
        self
    }

    /// At most so many bytes out of one member. Default: 4 GiB.
    #[must_use]
    pub const fn member_bytes(mut self, bytes: u64) -> Self {
        self.member_bytes = bytes;
        self
    }

    /// At most so many bytes out of an archive, over all its members. Default: 16 GiB.
    #[must_use]
    pub const fn total_bytes(mut self, bytes: u64) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// At most so many bytes out for each byte in, checked once a member is past 16 MiB. Default: 200.
    ///
    /// Index files come at 5 to 30. Deflate itself ends at 1032.
    #[must_use]
    pub const fn ratio(mut self, ratio: u64) -> Self {
        self.ratio = ratio;
        self
    }

    /// At most so many bytes of one CSV record, quotes included. Default: 256 KiB. Values past 1 GiB count as 1 GiB.
    ///
    /// A quote that is never closed makes the rest of a file one record: this is what stops it.
    #[must_use]
    pub const fn record_bytes(mut self, bytes: u64) -> Self {
        self.record_bytes = if bytes > 1 << 30 { 1 << 30 } else { bytes };
        self
    }

    /// At most so many bytes of one CSV cell. Default: 64 KiB.
    #[must_use]
    pub const fn field_bytes(mut self, bytes: u64) -> Self {
        self.field_bytes = bytes;
        self
    }

    /// At most so many bytes of central directory, which is held in memory. Default: 1 MiB.
    #[must_use]
    pub const fn directory_bytes(mut self, bytes: u64) -> Self {
        self.directory_bytes = bytes;
        self
    }

    /// The value of one bound.
    pub const fn get(&self, kind: LimitKind) -> u64 {
        match kind {
            LimitKind::Members => self.members,
            LimitKind::MemberBytes => self.member_bytes,
            LimitKind::TotalBytes => self.total_bytes,
            LimitKind::Ratio => self.ratio,
            LimitKind::RecordBytes => self.record_bytes,
            LimitKind::FieldBytes => self.field_bytes,
            LimitKind::DirectoryBytes => self.directory_bytes,
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
            Self::Members => "members in an archive",
            Self::MemberBytes => "bytes out of one member",
            Self::TotalBytes => "bytes out of an archive",
            Self::Ratio => "bytes out of a member for each byte in",
            Self::RecordBytes => "bytes of one CSV record",
            Self::FieldBytes => "bytes of one CSV cell",
            Self::DirectoryBytes => "bytes of central directory",
        })
    }
}
