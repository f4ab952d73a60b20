//! Members that are skipped.

use std::fmt;
use std::sync::Arc;

/// Members that were skipped because their names are not those of index files, or of a kind that was not requested.
/// Folders and [ignorable](crate::Member::is_ignorable) members are not included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SkippedMembers {
    count: u64,
    first: Vec<Arc<str>>,
}

impl SkippedMembers {
    /// Number of names kept. The other members are only counted.
    pub const KEPT: usize = 5;

    /// Number of members.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Names of the first members, at most [`KEPT`](Self::KEPT).
    pub fn first(&self) -> &[Arc<str>] {
        &self.first
    }

    pub(crate) fn add(&mut self, name: Arc<str>) {
        self.extend([name]);
    }
}

impl Extend<Arc<str>> for SkippedMembers {
    fn extend<I: IntoIterator<Item = Arc<str>>>(&mut self, names: I) {
        for name in names {
            self.count += 1;
            if self.first.len() < Self::KEPT {
                self.first.push(name);
            }
        }
    }
}

/// `a.csv, b.csv and 3 more`.
impl fmt::Display for SkippedMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.join(", "))?;
        match self.count - self.first.len() as u64 {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
