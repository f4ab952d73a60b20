//! Notes about data that was skipped or guessed and is no error.

use std::fmt;
use std::sync::Arc;

use crate::csv::Charset;

/// Something about a member that a person should know although all of its rows were read.
///
/// Each kind is reported once for each member.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Note {
    /// Name of the member, or the name that the caller gave to a bare CSV file.
    pub member: Option<Arc<str>>,
    /// What was skipped or guessed.
    pub kind: NoteKind,
}

/// What was skipped or guessed in a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum NoteKind {
    /// The charset was decided by only a few characters.
    GuessedCharset(Charset),
    /// Number of byte order marks after the first.
    RepeatedMarks(u64),
    /// A first line `sep=,`, as spreadsheets write it.
    SeparatorLine,
    /// The first row is a header with unknown names; the columns were read in the documented order.
    UnknownHeader,
    /// Number of rows that have only empty cells.
    EmptyRows(u64),
    /// Number of NUL and 0x1A bytes on lines of their own or after the last row.
    Padding(u64),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(member) = &self.member {
            write!(f, "{member}: ")?;
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GuessedCharset(charset) => write!(
                f,
                "the charset {charset} is a guess from a few characters; set the charset if text looks wrong"
            ),
            Self::RepeatedMarks(1) => f.write_str("skipped a repeated byte order mark"),
            Self::RepeatedMarks(count) => write!(f, "skipped {count} repeated byte order marks"),
            Self::SeparatorLine => f.write_str("skipped the line \"sep=,\""),
            Self::UnknownHeader => f.write_str(
                "skipped a header row with unknown names; columns were read in the documented order",
            ),
            Self::EmptyRows(1) => f.write_str("skipped an empty row"),
            Self::EmptyRows(count) => write!(f, "skipped {count} empty rows"),
            Self::Padding(1) => f.write_str("skipped a byte of padding (NUL or 0x1A)"),
            Self::Padding(count) => write!(f, "skipped {count} bytes of padding (NUL or 0x1A)"),
        }
    }
}
