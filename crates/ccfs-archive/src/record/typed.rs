//! Reads the rows of one member as typed records.

use std::sync::Arc;

use super::AnyRecordRef;
use super::column::{Column, Value};
use super::layout::{Header, Layout, SAMPLE, Split, separator};
use crate::csv::{Cell, Charset, SplitError, Splitter};
use crate::error::{BadRow, Error, FileFault, NotIndexFile, Position, RawRow, RowFault};
use crate::kind::IndexKind;
use crate::notes::{Note, NoteKind};
use crate::options::ReadOptions;

/// Converts the bytes of one member to typed records.
pub(crate) struct Typed {
    splitter: Splitter,
    /// The values of the last record's columns.
    values: Vec<Value<'static>>,
    kind: IndexKind,
    pub(crate) member: Option<Arc<str>>,
    options: ReadOptions,
    /// One bit for each column that is read.
    columns: u64,
    /// The first rows that are not empty, and the layout detected from them.
    sample: Vec<Split>,
    layout: Option<Layout>,
    /// Number of first rows left to skip.
    skip: usize,
    empty_rows: u64,
    /// Cells in the order of the columns.
    mapped: Vec<Cell>,
}

impl Typed {
    pub(crate) fn new(kind: IndexKind, member: Option<Arc<str>>, options: &ReadOptions) -> Self {
        Self {
            splitter: Splitter::new(&options.limits, options.charset),
            values: vec![Value::Null; kind.columns().len()],
            kind,
            member,
            options: options.clone(),
            columns: options.column_bits(kind),
            sample: Vec::new(),
            layout: None,
            skip: 0,
            empty_rows: 0,
            mapped: Vec::new(),
        }
    }

    pub(crate) fn charset(&self) -> Charset {
        self.splitter.transcoder.charset()
    }

    pub(crate) fn has_mark(&self) -> bool {
        self.splitter.transcoder.marks > 0
    }

    /// Whether there is a header row; `None` if that is not known yet or there are no rows.
    pub(crate) fn has_header(&self) -> Option<bool> {
        let layout = self.layout.as_ref().filter(|layout| layout.width > 0)?;
        Some(layout.header != Header::None)
    }

    /// Returns notes on skipped or guessed data so far.
    pub(crate) fn notes(&self) -> impl Iterator<Item = Note> + '_ {
        let (transcoder, padding) = (&self.splitter.transcoder, self.splitter.padding);
        let before = [
            transcoder.guessed.then(|| NoteKind::GuessedCharset(self.charset())),
            (transcoder.marks > 1).then(|| NoteKind::RepeatedMarks(transcoder.marks - 1)),
        ];
        let after = [
            (self.empty_rows > 0).then_some(NoteKind::EmptyRows(self.empty_rows)),
            (padding > 0).then_some(NoteKind::Padding(padding)),
        ];
        let first_rows = self.layout.iter().flat_map(|layout| layout.notes.iter().copied());
        let kinds =
            before.into_iter().flatten().chain(first_rows).chain(after.into_iter().flatten());
        kinds.map(|kind| Note { member: self.member.clone(), kind })
    }

    /// Adds the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.splitter.feed(bytes);
    }

    /// Declares that no more bytes follow.
    pub(crate) fn finish(&mut self) {
        self.splitter.finish();
    }

    /// Finds and checks the next record. Returns false if more bytes are needed or no records are left. Only a bad row
    /// is an error after which reading can go on.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<bool, Error> {
        if self.layout.is_none() && !self.begin()? {
            return Ok(false);
        }
        loop {
            match self.splitter.next_row() {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(SplitError::Bad { .. }) if self.skip > 0 => {
                    self.skip -= 1;
                    continue;
                }
                Err(error) => return Err(self.split_error(error)),
            }
            if self.splitter.parts().1.iter().all(|cell| cell.is_empty()) {
                self.empty_rows += 1;
            } else if self.skip > 0 {
                self.skip -= 1;
            } else {
                return self.check().map(|()| true);
            }
        }
    }

    /// The last record.
    #[inline]
    pub(crate) fn record(&self) -> AnyRecordRef<'_> {
        let row = self.splitter.row(self.member.as_deref());
        AnyRecordRef { schema: self.kind.schema(), row, values: &self.values }
    }

    /// Detects the layout. Returns false if more bytes are needed.
    #[cold]
    fn begin(&mut self) -> Result<bool, Error> {
        let (kind, sample) = (self.kind, &mut self.sample);
        let is_complete = self.splitter.sample(|text, cells, line| {
            sample.push(Split::of(kind, line, text, cells));
            sample.pop_if(|row| row.is_empty());
            sample.len() < SAMPLE
        });
        if !is_complete {
            return Ok(false);
        }
        let sample = std::mem::take(&mut self.sample);
        let (bytes, text) = (&self.splitter.transcoder.first, self.splitter.first_text());
        match Layout::of(self.kind, FileFault::of(bytes, text), sample) {
            Ok(layout) => {
                self.skip = layout.skip;
                self.layout = Some(layout);
                Ok(true)
            }
            Err(refused) => Err(Error::NotIndexFile(NotIndexFile {
                at: self.position(refused.line, None),
                kind: self.kind,
                found: refused.found,
                expected: self.kind.columns().len(),
                fault: refused.fault,
            })),
        }
    }

    #[inline]
    fn check(&mut self) -> Result<(), Error> {
        let Some(layout) = &self.layout else { return Ok(()) };
        let (text, cells) = self.splitter.parts();
        if cells.len() > layout.width && cells[layout.width..].iter().all(|cell| cell.is_empty()) {
            cells.truncate(layout.width);
        }
        let mapped = matches!(layout.header, Header::Mapped(_));
        let header = (layout.header != Header::None).then_some(layout.width);
        if !mapped && !super::agent_skill::repair(self.kind, text, cells, header) {
            return Err(self.bad_row(None, RowFault::AmbiguousFields));
        }
        let (found, expected) = (cells.len(), layout.width);
        if found < expected {
            let separator = separator(text, found, self.kind);
            let fault = RowFault::TooFewFields { found, expected, separator };
            return Err(self.bad_row(None, fault));
        }
        if found > expected {
            return Err(self.bad_row(None, RowFault::TooManyFields { found, expected }));
        }
        if let Header::Mapped(map) = &layout.header {
            self.mapped.clear();
            self.mapped.extend(map.iter().map(|index| index.map_or(Cell::EMPTY, |at| cells[at])));
            let unknown = (0..layout.width).filter(|index| !map.contains(&Some(*index)));
            self.mapped.extend(unknown.map(|index| cells[index]));
            std::mem::swap(cells, &mut self.mapped);
        }
        // A title or a line of totals that a spreadsheet filled up with commas.
        let columns = self.kind.columns();
        let mut filled = columns.iter().zip(&*cells).filter(|(_, cell)| !cell.is_empty());
        if layout.is_typed && !filled.any(|(column, _)| column.value_type.is_typed()) {
            return Err(self.bad_row(None, RowFault::NoTypedValue));
        }
        // Each row has the same number of cells; the values of missing ones stay `Null`.
        let values = self.values.iter_mut().zip(cells.iter_mut());
        for (index, (column, (value, cell))) in columns.iter().zip(values).enumerate() {
            if self.columns & (1 << index) == 0 {
                *cell = Cell::EMPTY;
            }
            if let Err(fault) = column.value_type.parse(text, *cell, value) {
                let cell = self.map().map_or(Some(index), |map| map[index]);
                return Err(self.bad_row(cell, fault));
            }
        }
        Ok(())
    }

    /// Describes a bad row; `cell` is an index in the file's row.
    #[cold]
    fn bad_row(&self, cell: Option<usize>, fault: RowFault) -> Error {
        let kept = self.options.keep_bad_rows;
        let record = self.splitter.record();
        let raw = (kept > 0).then(|| RawRow(record[..record.len().min(kept)].into()));
        Error::Row(BadRow { at: self.position(self.splitter.row_line, cell), fault, raw })
    }

    #[cold]
    fn split_error(&mut self, error: SplitError) -> Error {
        match error {
            SplitError::Bad { cell, fault } => self.bad_row(cell, fault),
            SplitError::Limit { cell, kind } => {
                let limit = self.options.limits.get(kind);
                Error::Limit { kind, limit, at: self.position(self.splitter.row_line, cell) }
            }
        }
    }

    fn position(&self, line: u64, cell: Option<usize>) -> Position {
        let column = cell.and_then(|cell| match self.map() {
            Some(map) => map.iter().position(|&mapped| mapped == Some(cell)),
            None => Some(cell),
        });
        Position {
            member: self.member.clone(),
            line: Some(line),
            column: cell.map(|cell| cell + 1),
            column_name: column
                .and_then(|column| self.kind.columns().get(column))
                .map(Column::name),
        }
    }

    /// The cell of each column, if the header has another order.
    fn map(&self) -> Option<&[Option<usize>]> {
        match self.layout.as_ref().map(|layout| &layout.header) {
            Some(Header::Mapped(map)) => Some(map),
            _ => None,
        }
    }
}
