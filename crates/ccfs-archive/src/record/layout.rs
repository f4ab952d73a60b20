//! Detects the layout of a member from its first records: header, order and number of fields.

use super::column::Column;
use crate::csv::{Cell, is_padding, trim};
use crate::error::FileFault;
use crate::kind::IndexKind;
use crate::notes::NoteKind;

/// How the rows of a member are read.
pub(crate) struct Layout {
    /// Number of first rows to skip: a `sep=,` line, a header.
    pub(crate) skip: usize,
    pub(crate) header: Header,
    /// Number of fields of each row.
    pub(crate) width: usize,
    /// Whether a column of numbers or dates is among the fields.
    pub(crate) is_typed: bool,
    /// What a person should know about the first rows.
    pub(crate) notes: Vec<NoteKind>,
}

/// The header row of a member.
#[derive(PartialEq, Eq)]
pub(crate) enum Header {
    /// No header.
    None,
    /// The documented columns in their order; more may follow.
    Documented,
    /// Another order, or missing columns: the index of each column's cell, if it has one.
    Mapped(Vec<Option<usize>>),
    /// Unknown names: the columns are read in the documented order.
    Unknown,
}

/// The first data row is not a row of the index file.
pub(crate) struct Refused {
    /// Line on which the row begins.
    pub(crate) line: u64,
    /// Number of its fields.
    pub(crate) found: usize,
    pub(crate) fault: FileFault,
}

/// Number of rows that are examined.
pub(crate) const SAMPLE: usize = 4;

/// A record split into cells.
pub(crate) struct Split {
    line: u64,
    text: Vec<u8>,
    cells: Vec<Cell>,
    /// Number of typed cells that hold a value of their type, and of those that do not.
    good: usize,
    bad: usize,
}

impl Layout {
    /// Examines the first rows. `other_type` is set if the member begins like another type of file.
    pub(crate) fn of(
        kind: IndexKind,
        other_type: Option<FileFault>,
        mut rows: Vec<Split>,
    ) -> Result<Self, Refused> {
        let mut layout =
            Self { skip: 0, header: Header::None, width: 0, is_typed: true, notes: Vec::new() };
        if let Some(separator) = rows.first().and_then(Split::separator_line) {
            if separator != b',' {
                return Err(rows[0].refused(FileFault::Separator(separator.into())));
            }
            rows.remove(0);
            layout.skip = 1;
            layout.notes.push(NoteKind::SeparatorLine);
        }
        let Some(first) = rows.first() else {
            return other_type
                .map_or(Ok(layout), |fault| Err(Refused { line: 1, found: 0, fault }));
        };
        let found = first.cells.len();
        layout.width = found;
        let known = kind.columns().len();
        if let Some(other) = first.header_of_other(kind) {
            return Err(first.refused(FileFault::OtherKind(other)));
        }
        if let Some(header) = first.header(kind.columns())? {
            if let Header::Mapped(map) = &header {
                let names = first.cells.iter().filter(|cell| !cell.is_empty()).count();
                let unknown = names - map.iter().flatten().count();
                let mut columns = kind.columns().iter().zip(map);
                layout.is_typed =
                    columns.any(|(column, cell)| column.value_type.is_typed() && cell.is_some());
                layout.notes.extend((unknown > 0).then_some(NoteKind::UnknownNames(unknown)));
            }
            layout.header = header;
        } else if first.good == 0 && first.bad > 0 && first.heads(rows.get(1), kind, other_type) {
            layout.header = Header::Unknown;
            layout.notes.push(NoteKind::UnknownHeader);
        } else if first.good == 0 && (first.bad == 0 || other_type.is_some()) {
            let separator = || separator(&first.text, found, kind).map(FileFault::Separator);
            let fault = other_type.or_else(separator).unwrap_or(FileFault::NoTypedValue);
            return Err(first.refused(fault));
        } else {
            // A truncated first row must not be mistaken for a row of an older release.
            let good = rows.iter().filter(|row| row.good > 0 && row.bad == 0);
            let widest = good.map(|row| row.cells.len().min(known)).max();
            layout.width = layout.width.max(widest.unwrap_or(0));
        }
        if layout.header == Header::None && layout.width != known {
            layout.notes.push(NoteKind::OtherWidth { found: layout.width, expected: known });
        }
        layout.skip += usize::from(layout.header != Header::None);
        Ok(layout)
    }
}

impl Split {
    pub(crate) fn of(kind: IndexKind, line: u64, text: &[u8], cells: &[Cell]) -> Self {
        // Padding at the end makes the row bad, but says nothing about the layout.
        let end = text.iter().rposition(|&byte| !is_padding(byte)).map_or(0, |at| at + 1);
        let clamped = cells.iter().map(|cell| cell.clamped(end)).collect();
        let mut split = Self { line, text: text[..end].into(), cells: clamped, good: 0, bad: 0 };
        super::agent_skill::repair(kind, &split.text, &mut split.cells, None);
        trim(&split.text, &mut split.cells);
        // Some programs end each line with a comma.
        while split.cells.len() > kind.columns().len()
            && split.cells.last().is_some_and(|cell| cell.is_empty())
        {
            split.cells.pop();
        }
        for (column, &cell) in kind.columns().iter().zip(&split.cells) {
            match column.value_type.check(&split.text, cell) {
                Some(true) => split.good += 1,
                Some(false) => split.bad += 1,
                None => {}
            }
        }
        split
    }

    fn refused(&self, fault: FileFault) -> Refused {
        Refused { line: self.line, found: self.cells.len(), fault }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.is_empty())
    }

    fn cell(&self, index: usize) -> &[u8] {
        self.cells.get(index).map_or(&[], |cell| cell.of(&self.text))
    }

    /// Returns the separator that a line like `sep=,` declares. Spreadsheets write such lines.
    fn separator_line(&self) -> Option<u8> {
        match *self.text {
            [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] => Some(separator),
            _ => None,
        }
    }

    /// The cells that name each column.
    fn named(&self, columns: &[Column]) -> Vec<Vec<usize>> {
        let cells_of = |column: &Column| {
            let is_named = |&index: &usize| is_same_name(self.cell(index), column.name());
            (0..self.cells.len()).filter(is_named).collect()
        };
        columns.iter().map(cells_of).collect()
    }

    /// Number of columns that this row names, or 0 if they are less than half of its names.
    fn known(&self, columns: &[Column]) -> usize {
        let known = self.named(columns).iter().filter(|cells| !cells.is_empty()).count();
        let names = self.cells.iter().filter(|cell| !cell.is_empty()).count();
        if known * 2 < names { 0 } else { known }
    }

    /// Reads this row as a header if at least half of its names are names of columns.
    fn header(&self, columns: &[Column]) -> Result<Option<Header>, Refused> {
        if self.known(columns) == 0 {
            return Ok(None);
        }
        let cells = self.named(columns);
        if cells.iter().any(|cells| cells.len() > 1) {
            return Err(self.refused(FileFault::RepeatedColumn));
        }
        let map: Vec<_> = cells.iter().map(|cells| cells.first().copied()).collect();
        let documented = map.iter().enumerate().all(|(index, &cell)| cell == Some(index));
        Ok(Some(if documented { Header::Documented } else { Header::Mapped(map) }))
    }

    /// A kind of which this row names more columns than of `kind`.
    fn header_of_other(&self, kind: IndexKind) -> Option<IndexKind> {
        let own = self.known(kind.columns());
        IndexKind::ALL.into_iter().find(|other| self.known(other.columns()) > own)
    }

    /// Whether this row, which has no valid typed cell, is a header with unknown names.
    fn heads(&self, next: Option<&Self>, kind: IndexKind, other: Option<FileFault>) -> bool {
        let has_digit = |(column, cell): (&Column, &Cell)| {
            column.value_type.check(&self.text, *cell) == Some(false)
                && cell.of(&self.text).iter().any(u8::is_ascii_digit)
        };
        if kind.columns().iter().zip(&self.cells).any(has_digit) {
            return false;
        }
        match next {
            Some(next) => next.good > 0 && next.bad == 0,
            // The only row: as many names as columns, without digits.
            None => {
                other.is_none()
                    && self.cells.len() >= kind.columns().len()
                    && !self.cells.iter().any(|cell| cell.is_empty())
                    && !self.text.iter().any(u8::is_ascii_digit)
            }
        }
    }
}

/// Guesses the separator of a record with too few fields.
pub(crate) fn separator(record: &[u8], found: usize, kind: IndexKind) -> Option<char> {
    let text = std::str::from_utf8(record).ok()?;
    let count = |&separator: &char| text.chars().filter(|&char| char == separator).count();
    let likely = [';', '\t', '|', '^', '，', '\u{1}'].into_iter().max_by_key(count)?;
    // Skill lists contain semicolons, too, so the separator must explain most of the missing fields.
    let missing = kind.columns().len().saturating_sub(found);
    (count(&likely) >= found && count(&likely) > missing / 2).then_some(likely)
}

/// Whether a header cell names a column: case, blanks and marks are ignored.
fn is_same_name(cell: &[u8], name: &str) -> bool {
    fn letters(name: &[u8]) -> impl Iterator<Item = u8> {
        let is_mark = |byte: &&u8| byte.is_ascii_punctuation() || byte.is_ascii_whitespace();
        name.iter().filter(move |byte| !is_mark(byte)).map(u8::to_ascii_lowercase)
    }
    letters(cell).eq(letters(name.as_bytes()))
}
