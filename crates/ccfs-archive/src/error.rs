//! What can be wrong, where, and what to do about it.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::kind::IndexKind;
use crate::limits::LimitKind;
use crate::skipped::SkippedMembers;
use crate::zip::ZipError;

/// Why reading ended.
///
/// No error holds a cell's text: the position tells where to look.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The reader under the archive failed. Whether a second try helps is the reader's to say.
    #[error("reading failed: {0}; nothing is known to be wrong with the data itself")]
    Io(#[from] io::Error),

    /// The archive is damaged, or is made to mislead. Download it again; if it stays so, do not use it.
    #[error(transparent)]
    Zip(#[from] ZipError),

    /// More came out than [`Limits`](crate::Limits) allow. Raise the bound if the file is to be trusted.
    #[error("{at}: more than {limit} {kind}; if this file is to be trusted, raise that limit")]
    Limit {
        /// Which bound.
        kind: LimitKind,
        /// Its value.
        limit: u64,
        /// Where it was passed.
        at: Position,
    },

    /// The archive has members, but none that is read as the wanted kind of record.
    #[error("{}", no_member(wanted, present))]
    NoMember {
        /// The wanted kinds.
        wanted: Vec<IndexKind>,
        /// The members, ignorable ones excepted.
        present: SkippedMembers,
    },

    /// [`ArchiveParser::feed`](crate::ArchiveParser::feed) was called before the previous chunk was drained.
    #[error(
        "the previous chunk has more records; call next_record until it returns None, then feed this chunk again"
    )]
    NotDrained,

    /// A row does not fit its columns, and the caller chose [`OnBadRow::Stop`](crate::OnBadRow::Stop).
    #[error(transparent)]
    Row(#[from] BadRow),
}

fn no_member(wanted: &[IndexKind], present: &SkippedMembers) -> String {
    let wanted: Vec<&str> = wanted.iter().map(|kind| kind.as_str()).collect();
    let wanted = wanted.join(", ");
    let present = match present.count() {
        0 => "only folders and system files".to_owned(),
        _ => present.to_string(),
    };
    format!(
        "no member of the archive is an index file ({wanted}), it contains {present}; \
         check that this is the right archive, or state which index file its members are"
    )
}

/// A row that does not fit its columns: where, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[error("{at}: {fault}")]
#[non_exhaustive]
pub struct BadRow {
    /// Where it stands.
    pub at: Position,
    /// What is wrong.
    pub fault: RowFault,
}

/// What can be wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum RowFault {
    /// An Int column holds something else.
    #[error("the cell is not a whole number; correct it, or skip bad rows")]
    NotANumber,
    /// An Int column holds more than 63 bits.
    #[error("the number does not fit 64 bits; correct it, or skip bad rows")]
    NumberTooBig,
    /// A DATE column holds something that is not `YYYY-MM-DD hh:mm:ss`.
    #[error("the cell is not a date of the form YYYY-MM-DD hh:mm:ss; correct it, or skip bad rows")]
    NotADate,
    /// A DATE column holds a month or a day that does not exist, such as 30 February.
    #[error("the date does not exist in the calendar; correct it, or skip bad rows")]
    NoSuchDate,
    /// A DATE column holds a time past 23:59:59.
    #[error("the time of day does not exist (00:00:00 to 23:59:59); correct it, or skip bad rows")]
    NoSuchTime,
    /// Bytes that are no text in the member's charset.
    #[error(
        "the row is not text in this member's charset; say which charset it has, or skip bad rows"
    )]
    NotText,
    /// A quoted cell that the end of the file cuts off.
    #[error(
        "the file ends inside a quoted cell of this row, which took in all that follows; a closing quote is missing, or the file was cut short"
    )]
    UnclosedQuote,
}

/// A place in the data: member, line, column, as far as they are known.
///
/// ```
/// # use ccfs_archive::{AgentSkillChange, Records};
/// let csv = "id,developer_id\n1,2,3,x\n";
/// let mut rows = Records::<AgentSkillChange>::from_csv(csv.as_bytes()).named("day.csv");
/// let error = rows.next_record().unwrap_err().to_string();
/// assert!(error.starts_with("day.csv, line 2, column 4 (sub_cc_no): the cell is not a whole number"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Position {
    /// The member's name, or the name that the caller gave to a bare CSV file.
    pub member: Option<Arc<str>>,
    /// The line on which the row begins, from 1, as an editor counts it.
    pub line: Option<u64>,
    /// The column, from 1.
    pub column: Option<usize>,
    /// The column's name.
    pub column_name: Option<&'static str>,
}

impl Position {
    pub(crate) fn member(name: Option<Arc<str>>) -> Self {
        Self { member: name, ..Self::default() }
    }

    pub(crate) fn row(member: Option<Arc<str>>, line: u64) -> Self {
        Self { member, line: Some(line), ..Self::default() }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        if let Some(member) = &self.member {
            write!(f, "{member}")?;
            comma = ", ";
        }
        if let Some(line) = self.line {
            write!(f, "{comma}line {line}")?;
            comma = ", ";
        }
        if let Some(column) = self.column {
            write!(f, "{comma}column {column}")?;
            comma = ", ";
        }
        if let Some(name) = self.column_name {
            write!(f, " ({name})")?;
        }
        if comma.is_empty() { f.write_str("archive") } else { Ok(()) }
    }
}
