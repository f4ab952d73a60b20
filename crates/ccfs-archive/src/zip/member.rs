//! A member of an archive.

use std::sync::Arc;

use super::layout::{Facts, STORED};
use super::name;
use crate::kind::IndexKind;

/// A member of an archive.
#[derive(Debug, Clone)]
pub struct Member {
    pub(super) name: Arc<str>,
    pub(super) facts: Facts,
    /// Offset of its local header.
    pub(super) offset: u64,
    pub(super) data_offset: u64,
}

/// How a member is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Method {
    /// Not compressed.
    #[default]
    Stored,
    /// Compressed with deflate.
    Deflated,
}

impl Member {
    /// Path of the member: relative, without `..`, control characters, drives and device names.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Kind of index file by the name of the member; `None` for other names and ignorable members.
    pub fn kind(&self) -> Option<IndexKind> {
        if self.is_ignorable() { None } else { IndexKind::of_name(&self.name) }
    }

    /// Whether the member is a folder.
    pub fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    /// Whether the member is a by-product of an operating system or of Office: a path in `__MACOSX/`, a file whose name
    /// begins with a dot, `Thumbs.db`, `desktop.ini`, or a lock file (`~$…`).
    ///
    /// Ignorable members are checked like others, but not read as records and not reported as skipped.
    pub fn is_ignorable(&self) -> bool {
        name::is_junk(&self.name)
    }

    /// Compression method.
    pub const fn method(&self) -> Method {
        if self.facts.method == STORED { Method::Stored } else { Method::Deflated }
    }

    /// Compressed size in bytes.
    pub const fn compressed_size(&self) -> u64 {
        self.facts.compressed
    }

    /// Declared size in bytes. Reading the member fails if it differs from the size of the data.
    pub const fn size(&self) -> u64 {
        self.facts.size
    }

    pub(crate) fn shared_name(&self) -> &Arc<str> {
        &self.name
    }
}
