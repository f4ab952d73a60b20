//! How a generated file is written, where the reference leaves it open.

/// Format of generated files, as far as the reference does not specify it.
///
/// See [Index file formats](ccfs_proto::protocol#index-file-formats) and [What is not published](ccfs_proto::protocol#what-is-not-published).
///
/// ```
/// use ccfs_emulator::{Shape, SkillSeparator};
///
/// let shape = Shape { header_row: true, skill_separator: SkillSeparator::Comma, ..Shape::default() };
/// assert_ne!(shape, Shape::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Whether each member begins with the UTF-8 byte order mark. Default: no.
    pub byte_order_mark: bool,
    /// Whether each member begins with a row of the columns' names. Default: no.
    pub header_row: bool,
    /// Whether lines end with `\r\n` instead of `\n`. Default: no.
    pub crlf: bool,
    /// The separator between skill IDs. Default: [`SkillSeparator::Semicolon`].
    pub skill_separator: SkillSeparator,
}

/// Separator between the IDs of a `skill_list`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SkillSeparator {
    /// `1;2`: the Chinese edition of the reference.
    #[default]
    Semicolon,
    /// `"1,2"`: the English edition, quoted as RFC 4180 requires.
    Comma,
    /// `1,2` without quotes, which makes the row longer than its 16 columns.
    BareComma,
}

impl Shape {
    pub(crate) fn line_end(self) -> &'static [u8] {
        if self.crlf { b"\r\n" } else { b"\n" }
    }
}
