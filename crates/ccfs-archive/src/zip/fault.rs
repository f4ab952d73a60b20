//! Reasons to reject an archive.

use std::sync::Arc;

/// An archive that is damaged or built to mislead readers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", member.as_deref().map(|name| format!("{name}: ")).unwrap_or_default())]
#[non_exhaustive]
pub struct ZipError {
    /// The member concerned, if any. Control characters of refused names are escaped.
    pub member: Option<Arc<str>>,
    /// The reason.
    pub fault: ZipFault,
}

/// Why an archive is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZipFault {
    /// The input is empty.
    #[error("the archive has no bytes; download it again")]
    NoBytes,
    /// The input does not begin with the signature of a ZIP archive.
    #[error(
        "this is not a ZIP archive; look at its first bytes, an error message may have been saved as the file"
    )]
    NotZip,
    /// The archive ends too early.
    #[error("the archive is cut off; download it again")]
    Truncated,
    /// Bytes follow the end of the archive.
    #[error(
        "{} after the end of the archive; download it again, and do not use it if they are still there",
        trailing(*bytes)
    )]
    TrailingJunk {
        /// Number of bytes; a value above [`TRAILING_COUNTED`](Self::TRAILING_COUNTED) means "more than that".
        bytes: u64,
    },
    /// Bytes precede the first member.
    #[error(
        "bytes precede the first member; download the archive again, and do not use it if they are still there"
    )]
    LeadingJunk,
    /// Bytes between two members, or between the members and the directory.
    #[error("bytes between members belong to no member; do not use this archive")]
    Gap,
    /// Two members share bytes.
    #[error("two members share the same bytes, as in a ZIP bomb; do not use this archive")]
    Overlap,
    /// Two members have the same name, or names that differ only in case.
    #[error(
        "two members have this name; do not use this archive, since readers differ in which one they extract"
    )]
    Duplicate,
    /// The comment contains an end-of-directory signature, so the archive is ambiguous.
    #[error("the archive's comment contains a second end of directory; do not use this archive")]
    TwoEnds,
    /// The archive is split over several files ("disks").
    #[error("the archive is split over several disks, which is not supported; do not use it")]
    SeveralDisks,
    /// A member's header or data descriptor contradicts the directory.
    #[error("the member's header and the directory differ in its {what}; do not use this archive")]
    Differs {
        /// The field that differs.
        what: &'static str,
    },
    /// The central directory is damaged.
    #[error("the archive's directory is damaged ({what}); download it again")]
    BadDirectory {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The checksum of a member's data is wrong.
    #[error("the member's checksum (CRC-32) does not match its data; download the archive again")]
    Crc,
    /// The size of a member's data is wrong.
    #[error(
        "the size of the member's data differs from the declared size; download the archive again"
    )]
    Size,
    /// The compressed data is damaged.
    #[error("the member's compressed data is damaged; download the archive again")]
    BadDeflate,
    /// The member is encrypted.
    #[error("the member is encrypted, which is not supported; decrypt the archive first")]
    Encrypted,
    /// The member's compression method is not supported.
    #[error(
        "the member uses compression method {method}; supported are 0 (stored) and 8 (deflated)"
    )]
    Method {
        /// The number of the method.
        method: u16,
    },
    /// The member is a symbolic link.
    #[error("the member is a symbolic link; links are not followed or created")]
    Link,
    /// The member's name is not safe as a file name.
    #[error("the member's name {what}; do not use this archive")]
    Name {
        /// What is wrong with it, such as "is an absolute path".
        what: &'static str,
    },
    /// The member is stored and its size follows the data, so a stream cannot find its end.
    #[error("the member is stored and its size follows the data; read the archive from a file")]
    StoredStream,
}

impl ZipFault {
    /// Bytes after the end of an archive are counted up to this number: 65,536.
    pub const TRAILING_COUNTED: u64 = 64 << 10;

    /// Returns the fault as an error of the whole archive.
    pub(crate) fn of_archive(self) -> ZipError {
        ZipError { member: None, fault: self }
    }

    /// Returns the fault as an error of one member.
    pub(crate) fn of(self, member: &Arc<str>) -> ZipError {
        ZipError { member: Some(Arc::clone(member)), fault: self }
    }
}

/// Returns a fault of the central directory.
pub(super) fn bad(what: &'static str) -> ZipError {
    ZipFault::BadDirectory { what }.of_archive()
}

fn trailing(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        _ if bytes > ZipFault::TRAILING_COUNTED => {
            format!("more than {} bytes", ZipFault::TRAILING_COUNTED)
        }
        _ => format!("{bytes} bytes"),
    }
}
