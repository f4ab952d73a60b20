//! The named reasons to refuse an archive.

use std::sync::Arc;

/// An archive that is damaged, or made to mislead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", self.place())]
#[non_exhaustive]
pub struct ZipError {
    /// The member concerned, if one is. Names that are refused themselves have their odd characters escaped.
    pub member: Option<Arc<str>>,
    /// The reason.
    pub fault: ZipFault,
}

/// Why an archive is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZipFault {
    /// No bytes at all.
    #[error("the archive has no bytes; the download did not happen")]
    NoBytes,
    /// The bytes are no ZIP archive.
    #[error(
        "this is not a ZIP archive; look at its first bytes, an error message may have been saved as the file"
    )]
    NotZip,
    /// The archive ends too early.
    #[error("the archive is cut short; download it again")]
    Truncated,
    /// Bytes behind the end of the archive.
    #[error(
        "bytes follow the end of the archive; download it again, and do not use it if they are still there"
    )]
    TrailingJunk,
    /// Bytes in front of the first member.
    #[error(
        "bytes stand in front of the archive; download it again, and do not use it if they are still there"
    )]
    LeadingJunk,
    /// Bytes between two members, or between the members and the directory.
    #[error("bytes that belong to no member stand between members; do not use this archive")]
    Gap,
    /// Two members share bytes.
    #[error("two members share the same bytes, as in a bomb; do not use this archive")]
    Overlap,
    /// Two members have one name.
    #[error(
        "two members have this name; do not use this archive, since readers differ in which one they take"
    )]
    Duplicate,
    /// The comment holds an end-of-directory mark, so that the archive can be read in two ways.
    #[error("the archive's comment holds a second directory end; do not use this archive")]
    TwoEnds,
    /// The archive is part of a set.
    #[error("the archive is split over several disks, which CC-FS never does; do not use it")]
    SeveralDisks,
    /// A header that says of a member what its directory entry does not.
    #[error("the member's header and the directory differ in its {what}; do not use this archive")]
    Differs {
        /// What differs.
        what: &'static str,
    },
    /// The central directory is damaged.
    #[error("the archive's directory is damaged ({what}); download it again")]
    BadDirectory {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The checksum of what came out is not the one given.
    #[error("the member's checksum (CRC-32) does not match its data; download the archive again")]
    Crc,
    /// More or less came out than the archive says.
    #[error("the member's data has another size than the archive says; download it again")]
    Size,
    /// The compressed data is damaged.
    #[error("the member's compressed data is damaged; download the archive again")]
    BadDeflate,
    /// The member is encrypted.
    #[error(
        "the member is encrypted, which CC-FS never does; decrypt the archive first if you know where it is from"
    )]
    Encrypted,
    /// The member is compressed in a way that this reader does not know.
    #[error(
        "the member uses compression method {method}; only 0 (stored) and 8 (deflated) are read"
    )]
    Method {
        /// The number of the method.
        method: u16,
    },
    /// The member is a link.
    #[error("the member is a symbolic link; links are never followed or made")]
    Link,
    /// The member's name is not safe to use.
    #[error("the member's name {0}; do not use this archive")]
    Name(NameFault),
    /// The member's size stands behind its data, which is not compressed, so that its end can't be told.
    #[error(
        "the member is stored and its size stands behind it; this can be read from a file only, not as a stream"
    )]
    StoredStream,
}

/// What is wrong with a member's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NameFault {
    /// No name at all.
    #[error("is empty")]
    Empty,
    /// Longer than 255 bytes.
    #[error("is longer than 255 bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
    /// A NUL.
    #[error("holds a NUL")]
    Nul,
    /// Another control character.
    #[error("holds a control character")]
    Control,
    /// Begins at the root.
    #[error("is absolute")]
    Absolute,
    /// Has `..`, or another part that stands for a folder.
    #[error("leads out of its folder")]
    Parent,
    /// Has a colon: a drive, or a stream of a file.
    #[error("names a drive")]
    Drive,
    /// Has a backslash.
    #[error("holds a backslash")]
    Backslash,
    /// A name that Windows keeps for a device, such as `CON`.
    #[error("is that of a device on Windows")]
    Device,
}

impl ZipFault {
    /// The fault as an error of the whole archive.
    pub(crate) fn of_archive(self) -> ZipError {
        ZipError { member: None, fault: self }
    }

    /// The fault as an error of one member.
    pub(crate) fn of(self, member: &Arc<str>) -> ZipError {
        ZipError { member: Some(Arc::clone(member)), fault: self }
    }
}

impl ZipError {
    fn place(&self) -> String {
        self.member.as_deref().map(|name| format!("{name}: ")).unwrap_or_default()
    }
}
