//! Notes: skipped or guessed data that is not an error.

use std::fmt;
use std::sync::Arc;

use crate::csv::Charset;

/// A note on skipped or guessed data of a member.
///
/// Each kind is reported at most once per member.
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
    /// The charset was detected from a few characters only.
    GuessedCharset(Charset),
    /// Number of byte order marks after the first one.
    RepeatedMarks(u64),
    /// A first line `sep=,`, which spreadsheets write.
    SeparatorLine,
    /// The first row is a header with unknown names; the columns were read in the documented order.
    UnknownHeader,
    /// Number of names in the header that are unknown; their cells are in `extra`.
    UnknownNames(usize),
    /// Without a header, the rows have another number of fields than there are columns, as in files of older and newer
    /// releases.
    OtherWidth {
        /// Number of fields.
        found: usize,
        /// Number of columns.
        expected: usize,
    },
    /// Number of rows that have only empty cells.
    EmptyRows(u64),
    /// Number of NUL and 0x1A bytes between rows or after the last one.
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
            Self::UnknownNames(count) => {
                write!(f, "unknown names in the header: {count}; their cells are in `extra`")
            }
            Self::OtherWidth { found, expected } => {
                write!(f, "the rows have {found} fields, the kind has {expected} columns")
            }
            Self::EmptyRows(1) => f.write_str("skipped an empty row"),
            Self::EmptyRows(count) => write!(f, "skipped {count} empty rows"),
            Self::Padding(1) => f.write_str("skipped a byte of padding (NUL or 0x1A)"),
            Self::Padding(count) => write!(f, "skipped {count} bytes of padding (NUL or 0x1A)"),
        }
    }
}
