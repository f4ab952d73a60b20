//! Lists of skills.

use std::fmt;

/// The skill IDs of an agent, borrowed from their cell.
///
/// The separator is `;` (Chinese edition of the documentation) or `,` (English edition); both are accepted. Blanks and
/// tabs around IDs and empty IDs are dropped. See [Index file formats](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#index-file-formats).
///
/// ```
/// use ccfs_archive::SkillList;
///
/// let skills = SkillList::new("12;34; 56;");
/// assert_eq!(skills.iter().collect::<Vec<_>>(), ["12", "34", "56"]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SkillList<'a>(&'a str);

impl<'a> SkillList<'a> {
    /// Creates a list from the text of a cell.
    pub const fn new(cell: &'a str) -> Self {
        Self(cell)
    }

    /// Returns the IDs, in the order of the cell.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                // `str::split` takes 7 % of the time of reading all columns.
                let end = memchr::memchr2(b';', b',', rest.as_bytes());
                let id;
                (id, rest) = end.map_or((rest, ""), |end| (&rest[..end], &rest[end + 1..]));
                let blank = id.starts_with([' ', '\t']) || id.ends_with([' ', '\t']);
                let id = if blank { id.trim_matches([' ', '\t']) } else { id };
                if !id.is_empty() {
                    return Some(id);
                }
            }
            None
        })
    }

    /// The IDs separated by `;`.
    #[cfg(feature = "json")]
    pub(crate) fn joined(&self) -> std::borrow::Cow<'a, str> {
        let canonical = !self.0.bytes().any(|byte| matches!(byte, b',' | b' ' | b'\t'))
            && !self.0.starts_with(';')
            && !self.0.ends_with(';')
            && !self.0.contains(";;");
        if canonical { self.0.into() } else { self.iter().collect::<Vec<_>>().join(";").into() }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for SkillList<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl fmt::Debug for SkillList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
