//! How a generated file is written, where the reference leaves it open.

/// How a generated file is written, where the reference leaves it open.
///
/// See [Index file formats](ccfs_proto::protocol#index-file-formats) and [What is not published](ccfs_proto::protocol#what-is-not-published).
///
/// ```
/// use ccfs_emulator::{Shape, SkillSeparator};
///
/// let shape = Shape::default().header_row(true).byte_order_mark(true).skill_separator(SkillSeparator::Comma);
/// assert_ne!(shape, Shape::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    pub(crate) byte_order_mark: bool,
    pub(crate) header_row: bool,
    pub(crate) crlf: bool,
    pub(crate) skill_separator: SkillSeparator,
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
    /// Begins each member with the UTF-8 byte order mark. Default: no.
    #[must_use]
    pub fn byte_order_mark(mut self, on: bool) -> Self {
        self.byte_order_mark = on;
        self
    }

    /// Begins each member with a row of the columns' names. Default: no.
    #[must_use]
    pub fn header_row(mut self, on: bool) -> Self {
        self.header_row = on;
        self
    }

    /// Ends each line with `\r\n` instead of `\n`. Default: no.
    #[must_use]
    pub fn crlf(mut self, on: bool) -> Self {
        self.crlf = on;
        self
    }

    /// Sets the separator between skill IDs. Default: [`SkillSeparator::Semicolon`].
    #[must_use]
    pub fn skill_separator(mut self, separator: SkillSeparator) -> Self {
        self.skill_separator = separator;
        self
    }

    pub(crate) fn line_end(self) -> &'static [u8] {
        if self.crlf { b"\r\n" } else { b"\n" }
    }
}
