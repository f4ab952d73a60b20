//! Splits chunks of a member's bytes into rows. All readers use it.

use std::ops::Range;

use super::charset::Transcoder;
use super::row::{self, Cell, Cells, Row};
use super::scan::Scanner;
use super::{Charset, END_OF_FILE, is_padding};
use crate::error::RowFault;
use crate::limits::{LimitKind, Limits};
use crate::source::CHUNK;

/// Splits bytes into rows, wherever the bytes are split into chunks.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(crate) struct Splitter {
    pub(crate) transcoder: Transcoder,
    /// Text; the unread part starts at `at`, and its first `scanned` bytes contain no record end.
    text: Vec<u8>,
    at: usize,
    scanned: usize,
    scanner: Scanner,
    /// Whether the text has had control characters: one check per chunk is faster than one per record.
    has_control: bool,
    /// Whether no more bytes follow.
    finished: bool,
    /// Whether the first records are examined; they are then read again.
    sampling: bool,
    /// The end of the records that were examined.
    sampled: usize,
    /// The last record, and its cells: ranges in `text`, or in `unquoted` if it has quotes.
    record: Range<usize>,
    quoted: bool,
    unquoted: Vec<u8>,
    cells: Vec<Cell>,
    /// The line of the next byte, and that of the last row, good or bad.
    line: u64,
    pub(crate) row_line: u64,
    /// The previous byte is a CR that ended a line; if the next byte is an LF, it belongs to the line end.
    after_cr: bool,
    /// Padding ([`is_padding`]) skipped so far, in bytes, and whether the current line has some.
    pub(crate) padding: u64,
    padded: bool,
    record_limit: usize,
    field_limit: usize,
}

/// The first records must begin within this many bytes: a member may start with any number of empty lines.
const SAMPLE: usize = 1 << 20;

/// Error of a row. Only a bad row can be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SplitError {
    Bad { cell: Option<usize>, fault: RowFault },
    Limit { cell: Option<usize>, kind: LimitKind },
}

impl Splitter {
    pub(crate) fn new(limits: &Limits, charset: Option<Charset>) -> Self {
        let limit = |kind| usize::try_from(limits.get(kind)).unwrap_or(usize::MAX);
        Self {
            transcoder: Transcoder::new(charset),
            // Space for a chunk and the incomplete row before it.
            text: Vec::with_capacity(CHUNK + (8 << 10)),
            sampling: true,
            cells: Vec::with_capacity(64),
            line: 1,
            row_line: 1,
            record_limit: limit(LimitKind::RecordBytes),
            field_limit: limit(LimitKind::FieldBytes),
            ..Self::default()
        }
    }

    /// Adds the next bytes. Call it when [`next_row`](Self::next_row) has returned false.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if !self.sampling {
            self.text.drain(..self.at);
            self.at = 0;
        }
        if self.transcoder.is_ascii_so_far() && row::is_plain(bytes) {
            self.text.extend_from_slice(bytes);
            return;
        }
        let kept = self.text.len();
        self.transcoder.push(bytes, &mut self.text);
        self.has_control |= row::has_control(&self.text[kept..], true);
    }

    /// Declares that no more bytes follow.
    pub(crate) fn finish(&mut self) {
        let kept = self.text.len();
        self.transcoder.finish(&mut self.text);
        self.has_control |= row::has_control(&self.text[kept..], true);
        self.finished = true;
    }

    /// Passes the texts, cells and lines of the first records to `examine`, until it returns false; called before
    /// [`next_row`](Self::next_row), which then begins with the first of them. Returns false if more bytes are needed.
    ///
    /// The result does not depend on where the bytes were split.
    pub(crate) fn sample(&mut self, mut examine: impl FnMut(&[u8], &[Cell], u64) -> bool) -> bool {
        loop {
            match self.next_row() {
                Ok(false) if !self.finished && self.at <= SAMPLE => return false,
                Ok(false) | Err(SplitError::Limit { kind: LimitKind::RecordBytes, .. }) => break,
                Ok(true) | Err(_) if self.record.start > SAMPLE => break,
                Ok(true) | Err(_) => self.sampled = self.at,
            }
            let line = self.row_line;
            let (text, cells) = self.parts();
            if !examine(text, cells, line) {
                break;
            }
        }
        self.sampling = false;
        self.scanner = Scanner::default();
        (self.at, self.scanned, self.line) = (0, 0, 1);
        (self.after_cr, self.padded, self.padding) = (false, false, 0);
        true
    }

    /// The text of the first records.
    pub(crate) fn first_text(&self) -> &[u8] {
        let length = match self.sampled {
            0 => self.text.len().min(self.record_limit).min(512),
            end => end,
        };
        &self.text[..length]
    }

    /// The last record, converted to UTF-8 but not unquoted.
    pub(crate) fn record(&self) -> &[u8] {
        &self.text[self.record.clone()]
    }

    /// The text and the cells of the last row.
    #[inline]
    pub(crate) fn parts(&mut self) -> (&[u8], &mut Vec<Cell>) {
        let text = if self.quoted { &self.unquoted } else { &self.text[self.record.clone()] };
        (text, &mut self.cells)
    }

    /// The last row.
    #[inline]
    pub(crate) fn row<'a>(&'a self, member: Option<&'a str>) -> Row<'a> {
        let text = if self.quoted { &self.unquoted } else { self.record() };
        // `found` accepts valid UTF-8 only.
        let text = std::str::from_utf8(text).unwrap_or_default();
        Row { cells: Cells { text, cells: &self.cells }, member, line: self.row_line }
    }

    /// Finds the next row. Returns false if more bytes are needed or no rows are left. A bad row is skipped by the next call.
    #[inline]
    pub(crate) fn next_row(&mut self) -> Result<bool, SplitError> {
        if self.scanned == 0 {
            self.skip_blank();
        }
        let fresh = self.at + self.scanned;
        if let Some(end) = self.scanner.find_end(&self.text[fresh..]) {
            let record = self.at..fresh + end.content;
            self.at = fresh + end.next;
            return self.found(record, end.bare_cr);
        }
        self.scanned = self.text.len() - self.at;
        if self.scanned > self.record_limit {
            self.row_line = self.line;
            return Err(TOO_LONG);
        }
        if self.finished && self.scanned > 0 { self.last_row() } else { Ok(false) }
    }

    /// Skips empty lines and padding where a row would begin.
    fn skip_blank(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            if is_padding(byte) {
                self.padding += 1;
            } else if matches!(byte, b'\n' | b'\r') {
                self.line += u64::from(byte == b'\r' || !self.after_cr);
            } else {
                if self.padded {
                    self.scanner.leave_cell_start();
                }
                self.after_cr = false;
                return;
            }
            self.padded = is_padding(byte);
            self.after_cr = byte == b'\r';
            self.at += 1;
        }
    }

    /// Reads the rest of the text, which has no line end, as the last row. An end-of-file mark may follow it. NULs mean
    /// that it was truncated; they remain in it as control characters.
    fn last_row(&mut self) -> Result<bool, SplitError> {
        let text = &self.text[self.at..];
        let length = text.iter().rposition(|&byte| byte != END_OF_FILE).map_or(0, |at| at + 1);
        self.padding += (text.len() - length) as u64;
        let record = self.at..self.at + length;
        self.at = self.text.len();
        let unclosed = SplitError::Bad { cell: None, fault: RowFault::UnclosedQuote };
        let is_open = self.scanner.is_open();
        let found = self.found(record, false);
        if is_open { Err(unclosed) } else { found }
    }

    /// Counts the lines of a record, checks it, and splits it.
    #[inline]
    fn found(&mut self, record: Range<usize>, bare_cr: bool) -> Result<bool, SplitError> {
        let (quotes, bare_quote) = (self.scanner.saw_quotes(), self.scanner.saw_bare_quote());
        self.scanner = Scanner::default();
        self.scanned = 0;
        self.row_line = self.line;
        self.line += 1;
        self.after_cr = bare_cr;
        let padded = std::mem::take(&mut self.padded);
        (self.record, self.quoted) = (record.clone(), quotes);
        let record = &self.text[record];
        if record.len() > self.record_limit {
            return Err(TOO_LONG);
        }
        let misplaced_quote = if quotes {
            self.line += count_line_ends(record);
            row::split_quoted(record, &mut self.unquoted, &mut self.cells)
        } else {
            row::split_plain(record, &mut self.cells);
            bare_quote.then(|| row::blank_before_quote(record, &self.cells)).flatten()
        };
        let text = if quotes { &self.unquoted } else { record };
        if !self.transcoder.is_ascii_so_far() && std::str::from_utf8(record).is_err() {
            let bad = |cell: &Cell| std::str::from_utf8(cell.of(text)).is_err();
            let cell = self.cells.iter().position(bad);
            return Err(SplitError::Bad { cell, fault: RowFault::NotText });
        }
        // A byte order mark here comes from joined files, or blanks precede it.
        let padded = padded || record.trim_ascii_start().starts_with(b"\xEF\xBB\xBF");
        if padded || (self.has_control && row::has_control(record, quotes)) {
            let bad = |cell: &Cell| row::has_control(cell.of(text), quotes);
            let cell = if padded { Some(0) } else { self.cells.iter().position(bad) };
            return Err(SplitError::Bad { cell, fault: RowFault::ControlCharacter });
        }
        if misplaced_quote.is_some() {
            let fault = RowFault::MisplacedQuote;
            return Err(SplitError::Bad { cell: misplaced_quote, fault });
        }
        if record.len() > self.field_limit {
            let too_long = |cell: &Cell| cell.of(text).len() > self.field_limit;
            if let Some(cell) = self.cells.iter().position(too_long) {
                return Err(SplitError::Limit { cell: Some(cell), kind: LimitKind::FieldBytes });
            }
        }
        row::trim(text, &mut self.cells);
        Ok(true)
    }
}

const TOO_LONG: SplitError = SplitError::Limit { cell: None, kind: LimitKind::RecordBytes };

/// Counts line ends: LF, CR, and CRLF as one.
fn count_line_ends(record: &[u8]) -> u64 {
    let mut lines = 0;
    let mut after_cr = false;
    for &byte in record {
        lines += u64::from(byte == b'\r' || (byte == b'\n' && !after_cr));
        after_cr = byte == b'\r';
    }
    lines
}
