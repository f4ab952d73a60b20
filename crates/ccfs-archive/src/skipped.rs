//! Rows and members that are skipped.

use std::fmt;
use std::sync::Arc;

/// Members that were skipped because their names are not names of index files, or their kind was not requested.
/// Contains the names of the first 5. Folders and [ignorable](crate::Member::is_ignorable) members are not included.
pub type SkippedMembers = Counted<Arc<str>, 5>;

/// The number of items, and the first of them. The others are only counted, so that memory is bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Counted<T, const KEPT: usize> {
    count: u64,
    first: Vec<T>,
}

impl<T: Clone, const KEPT: usize> Counted<T, KEPT> {
    /// Number of items.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The first items, at most `KEPT`.
    pub fn first(&self) -> &[T] {
        &self.first
    }

    /// Adds the items of `other`.
    pub(crate) fn append(&mut self, other: &Self) {
        self.count += other.count;
        let room = KEPT - self.first.len();
        self.first.extend(other.first.iter().take(room).cloned());
    }
}

impl<T: Clone, const KEPT: usize> Extend<T> for Counted<T, KEPT> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        items.into_iter().for_each(|item| self.append(&Self { count: 1, first: vec![item] }));
    }
}

impl<T, const KEPT: usize> Default for Counted<T, KEPT> {
    fn default() -> Self {
        Self { count: 0, first: Vec::new() }
    }
}

/// `a.csv, b.csv and 3 more`.
impl<const KEPT: usize> fmt::Display for Counted<Arc<str>, KEPT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.join(", "))?;
        match self.count - self.first.len() as u64 {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
