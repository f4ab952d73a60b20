//! The list of skills in one cell.

use std::fmt;
use std::iter::FusedIterator;

/// The skill IDs of an agent, borrowed from their cell.
///
/// They are separated by `;` (the Chinese edition of the documentation) or `,` (the English one); both are taken.
/// Spaces around an ID and empty IDs are dropped. See [Index file formats](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#index-file-formats).
///
/// ```
/// use ccfs_archive::SkillList;
///
/// let skills = SkillList::new("12;34; 56;");
/// assert_eq!(skills.iter().collect::<Vec<_>>(), ["12", "34", "56"]);
/// for id in skills {
///     assert_eq!(id.len(), 2);
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SkillList<'a>(&'a str);

impl<'a> SkillList<'a> {
    /// A list from the text of a cell.
    pub const fn new(cell: &'a str) -> Self {
        Self(cell)
    }

    /// The IDs, in the order of the cell.
    #[inline]
    pub fn iter(&self) -> SkillIds<'a> {
        SkillIds(self.0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The text of the cell.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// With one separator, as the CSV writer puts it.
    pub(crate) fn joined(&self) -> std::borrow::Cow<'a, str> {
        let canonical = !self.0.bytes().any(|byte| byte == b',' || byte == b' ')
            && !self.0.starts_with(';')
            && !self.0.ends_with(';')
            && !self.0.contains(";;");
        if canonical { self.0.into() } else { self.iter().collect::<Vec<_>>().join(";").into() }
    }
}

impl<'a> IntoIterator for SkillList<'a> {
    type Item = &'a str;
    type IntoIter = SkillIds<'a>;

    fn into_iter(self) -> SkillIds<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &SkillList<'a> {
    type Item = &'a str;
    type IntoIter = SkillIds<'a>;

    fn into_iter(self) -> SkillIds<'a> {
        self.iter()
    }
}

/// The IDs of a [`SkillList`], one by one.
#[derive(Clone)]
pub struct SkillIds<'a>(&'a str);

impl<'a> Iterator for SkillIds<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        while !self.0.is_empty() {
            let end = memchr::memchr2(b';', b',', self.0.as_bytes());
            let (id, rest) = match end {
                Some(end) => (&self.0[..end], &self.0[end + 1..]),
                None => (self.0, ""),
            };
            self.0 = rest;
            let id =
                if id.starts_with(' ') || id.ends_with(' ') { id.trim_matches(' ') } else { id };
            if !id.is_empty() {
                return Some(id);
            }
        }
        None
    }
}

impl FusedIterator for SkillIds<'_> {}

impl fmt::Debug for SkillIds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl fmt::Debug for SkillList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
