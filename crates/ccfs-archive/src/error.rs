//! Errors, and positions in the data.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::kind::IndexKind;
use crate::limits::LimitKind;
use crate::skipped::{Counted, SkippedMembers};
use crate::zip::ZipError;

/// Why reading ended.
///
/// No error holds a cell's text: the position says where to look.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The underlying reader failed.
    #[error("reading failed: {0}")]
    Io(#[from] io::Error),

    /// The archive is damaged or malicious. Download it again; if the error persists, do not use it.
    #[error(transparent)]
    Zip(#[from] ZipError),

    /// The data exceeds one of the [`Limits`](crate::Limits).
    #[error("{at}: more than {limit} {kind}; raise that limit if you trust this file")]
    Limit {
        /// Which limit.
        kind: LimitKind,
        /// Its value.
        limit: u64,
        /// Where it was exceeded.
        at: Position,
    },

    /// A member, or a bare CSV file, is not an index file of the expected kind.
    #[error(transparent)]
    NotIndexFile(#[from] NotIndexFile),

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

    /// A row does not fit its columns. Reading goes on after it with
    /// [`OnBadRow::Return`](crate::OnBadRow::Return) only.
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

/// A member, or a bare CSV file, whose first rows are not those of an index file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: not read as {kind}: fields found: {found}, expected: {expected}; {fault}")]
#[non_exhaustive]
pub struct NotIndexFile {
    /// The member.
    pub at: Position,
    /// The kind of file that it was read as.
    pub kind: IndexKind,
    /// Number of fields in the first row.
    pub found: usize,
    /// Number of columns of the kind.
    pub expected: usize,
    /// The likely reason.
    pub fault: FileFault,
}

/// As the message.
#[cfg(feature = "serde")]
impl serde::Serialize for NotIndexFile {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why a file is not read as an index file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum FileFault {
    /// The fields seem to be separated by another character than the comma.
    #[error("the fields seem to be separated by {0:?}; convert the file to commas")]
    Separator(char),
    /// An HTML page.
    #[error(
        "this is an HTML page, perhaps the error page of a proxy or a login; download the file again"
    )]
    Html,
    /// XML.
    #[error("this is XML; download the file again")]
    Xml,
    /// JSON.
    #[error(
        "this is JSON, perhaps an error message of a server; read it, then download the file again"
    )]
    Json,
    /// Data compressed with gzip.
    #[error("this is gzip data; decompress it first")]
    Gzip,
    /// A ZIP archive.
    #[error("this is a ZIP archive; read it as an archive")]
    Zip,
    /// A PDF document.
    #[error("this is a PDF document; download the file again")]
    Pdf,
    /// UTF-16 without a byte order mark.
    #[error(
        "this seems to be UTF-16 without a byte order mark; set the charset to UTF-16LE or UTF-16BE"
    )]
    Utf16,
    /// Other binary data.
    #[error("this is binary data, not text; download the file again")]
    Binary,
    /// The header of another kind of index file.
    #[error("this is the header of {0} files; read it as that kind")]
    OtherKind(IndexKind),
    /// The header names a column twice.
    #[error("the header names a column twice; remove one of the two columns")]
    RepeatedColumn,
    /// No column of numbers or dates holds a number or a date.
    #[error(
        "no number or date in the columns that must hold one; check that this is an index file, and its kind"
    )]
    NoTypedValue,
}

impl FileFault {
    /// Recognizes other types of files by their first bytes and by the text decoded from their first bytes.
    pub(crate) fn of(bytes: &[u8], text: &[u8]) -> Option<Self> {
        let is_ascii_unit =
            |high: u8, low: u8| high == 0 && (low.is_ascii_graphic() || low == b' ');
        let known = match *bytes {
            [0x1F, 0x8B, ..] => Some(Self::Gzip),
            [b'P', b'K', 3 | 5, 4 | 6] => Some(Self::Zip),
            [b'%', b'P', b'D', b'F'] => Some(Self::Pdf),
            [a, b, c, d]
                if (is_ascii_unit(a, b) && is_ascii_unit(c, d))
                    || (is_ascii_unit(b, a) && is_ascii_unit(d, c)) =>
            {
                Some(Self::Utf16)
            }
            _ => None,
        };
        let text = text.trim_ascii_start();
        let starts_with = |word: &str| {
            text.get(..word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word.as_bytes()))
        };
        let is_binary = |&byte: &u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
        known.or_else(|| match text.first()? {
            b'<' if starts_with("<?xml") => Some(Self::Xml),
            b'<' => Some(Self::Html),
            b'{' | b'[' => Some(Self::Json),
            _ if text.iter().take(512).any(is_binary) => Some(Self::Binary),
            _ => None,
        })
    }
}

/// Bad rows, with the positions of the first 100.
pub type BadRows = Counted<BadRow, 100>;

/// A row that does not fit its columns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[error("{at}: {fault}; correct the row, or skip bad rows")]
#[non_exhaustive]
pub struct BadRow {
    /// Where the row begins, and its first bad column.
    pub at: Position,
    /// What is wrong.
    pub fault: RowFault,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) raw: Option<RawRow>,
}

impl BadRow {
    /// The text of the row in UTF-8, with its quotes and without its line end, cut to the number of bytes that
    /// [`ReadOptions::keep_bad_rows`](crate::ReadOptions::keep_bad_rows) sets; `None` without that option.
    ///
    /// A byte 0xFF replaces each sequence that could not be decoded from another charset.
    pub fn raw(&self) -> Option<&[u8]> {
        self.raw.as_ref().map(|raw| &*raw.0)
    }
}

/// Bytes of a bad row; `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RawRow(pub(crate) Box<[u8]>);

impl fmt::Debug for RawRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum RowFault {
    /// A numeric column holds something else.
    #[error("the cell is not a whole number")]
    NotANumber,
    /// A number does not fit 64 bits.
    #[error("the number does not fit 64 bits")]
    NumberTooBig,
    /// A DATE column holds something that is not `YYYY-MM-DD hh:mm:ss`.
    #[error("the cell is not a date of the form YYYY-MM-DD hh:mm:ss")]
    NotADate,
    /// A DATE column holds a month or a day that does not exist, such as 30 February.
    #[error("the date does not exist in the calendar")]
    NoSuchDate,
    /// A DATE column holds a time past 23:59:59.
    #[error("the time of day does not exist (00:00:00 to 23:59:59)")]
    NoSuchTime,
    /// Bytes that are not valid in the member's charset.
    #[error("the row is not valid in the member's charset (set the charset if it is wrong)")]
    NotText,
    /// A control character such as NUL or 0x1A.
    #[error("the cell has a control character")]
    ControlCharacter,
    /// The row has fewer fields than the header or the first rows.
    #[error(
        "fields found: {found}, expected: {expected}{}",
        separator.map(|char| format!(", the separator seems to be {char:?}")).unwrap_or_default()
    )]
    TooFewFields {
        /// Number of fields in the row.
        found: usize,
        /// Number of fields in the header or the first rows.
        expected: usize,
        /// The separator that the row seems to have instead of the comma.
        separator: Option<char>,
    },
    /// The row has more fields than the header or the first rows.
    #[error("fields found: {found}, expected: {expected}")]
    TooManyFields {
        /// Number of fields in the row.
        found: usize,
        /// Number of fields in the header.
        expected: usize,
    },
    /// Each column of numbers or dates is empty: a title or a line of totals.
    #[error("no number or date in the columns that must hold one")]
    NoTypedValue,
    /// The row is longer than the documented columns, and may be read in two ways.
    #[error(
        "fields may be a skill list split by commas or columns of a newer release; quote the list, or add a header"
    )]
    AmbiguousFields,
    /// A blank is before an opening quote, or text after a closing one, so that it is unclear where the field ends.
    #[error("a quote is misplaced: it must be at the start and at the end of its field")]
    MisplacedQuote,
    /// The file ends inside a quoted cell, which includes all text after its opening quote.
    #[error(
        "the file ends inside a quoted cell of this row: a closing quote is missing, or the file is truncated"
    )]
    UnclosedQuote,
}

/// A position in the data: member, line, column, as far as they are known.
///
/// ```
/// # use ccfs_archive::{AgentSkillChange, Records};
/// let csv = "1,dev,acc,7\n2,dev,acc,x\n";
/// let mut rows = Records::<AgentSkillChange>::from_csv(csv.as_bytes()).named("day.csv");
/// assert!(rows.next_record().is_ok());
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
    /// The field in the row, from 1.
    pub column: Option<usize>,
    /// The name of its column.
    pub column_name: Option<&'static str>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column_name = self.column_name.map(|name| format!(" ({name})")).unwrap_or_default();
        let known = [
            self.member.as_deref().map(str::to_owned),
            self.line.map(|line| format!("line {line}")),
            self.column.map(|column| format!("column {column}{column_name}")),
        ];
        match &known.into_iter().flatten().collect::<Vec<_>>()[..] {
            [] => f.write_str("archive"),
            known => f.write_str(&known.join(", ")),
        }
    }
}
