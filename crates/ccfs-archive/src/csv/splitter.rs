//! The push parser under everything: chunks of a member's bytes in, rows out.

use super::charset::{Charset, Piece, Transcoder};
use super::row::{self, Cell, Row};
use super::scan::{RecordEnd, Scanner};
use crate::error::RowFault;
use crate::limits::{LimitKind, Limits};

/// Splits bytes, cut anyhow, into rows.
///
/// A row that lies whole in the caller's bytes is used where it lies; only what a cut goes through, and what had to be
/// transcoded, is copied to the carry.
#[derive(Debug)]
pub(crate) struct Splitter {
    transcoder: Transcoder,
    /// So many of the bytes that come next were already found to be UTF-8 in place.
    direct: usize,
    /// They, and the carry, are ASCII for certain.
    ascii: bool,
    /// UTF-8 that no row was made of yet, from `carry_at` on; `scanned` bytes of it hold no record end.
    carry: Vec<u8>,
    carry_at: usize,
    scanned: usize,
    scanner: Scanner,
    /// Cells of a row with quotes, unquoted.
    unquoted: Vec<u8>,
    cells: Vec<Cell>,
    /// The line that the next byte stands on, and that of the row found last.
    line: u64,
    row_line: u64,
    /// The byte before is a CR that ended a line: an LF now belongs to it.
    after_cr: bool,
    finished: bool,
    record_limit: usize,
    field_limit: usize,
}

/// Where the text of a row stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Located {
    Input { start: usize, end: usize },
    Carry { start: usize, end: usize },
    Unquoted,
}

/// How far the carry got.
enum Step {
    Found(Located),
    Again,
    Starved,
}

/// Why there is no row. All but a bad row end the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SplitError {
    Bad { line: u64, column: Option<usize>, fault: RowFault },
    Limit { line: u64, column: Option<usize>, kind: LimitKind },
}

impl Splitter {
    pub(crate) fn new(limits: &Limits, charset: Option<Charset>) -> Self {
        Self {
            transcoder: Transcoder::new(charset),
            direct: 0,
            ascii: false,
            carry: Vec::new(),
            carry_at: 0,
            scanned: 0,
            scanner: Scanner::new(),
            unquoted: Vec::new(),
            cells: Vec::with_capacity(64),
            line: 1,
            row_line: 1,
            after_cr: false,
            finished: false,
            record_limit: usize::try_from(limits.get(LimitKind::RecordBytes)).unwrap_or(usize::MAX),
            field_limit: usize::try_from(limits.get(LimitKind::FieldBytes)).unwrap_or(usize::MAX),
        }
    }

    pub(crate) fn charset(&self) -> Charset {
        self.transcoder.charset()
    }

    pub(crate) fn bom(&self) -> bool {
        self.transcoder.bom()
    }

    /// The line of the row found last.
    pub(crate) fn row_line(&self) -> u64 {
        self.row_line
    }

    /// The cells of the row found last.
    pub(crate) fn cells(&mut self) -> &mut Vec<Cell> {
        &mut self.cells
    }

    /// The bytes of the row found last, which are UTF-8.
    #[inline]
    pub(crate) fn bytes<'a>(&'a self, located: Located, input: &'a [u8]) -> &'a [u8] {
        match located {
            Located::Input { start, end } => &input[start..end],
            Located::Carry { start, end } => &self.carry[start..end],
            Located::Unquoted => &self.unquoted,
        }
    }

    /// The bytes and the cells of the row found last.
    #[inline]
    pub(crate) fn parts<'a>(&'a self, located: Located, input: &'a [u8]) -> (&'a [u8], &'a [Cell]) {
        (self.bytes(located, input), &self.cells)
    }

    /// The row found last.
    #[inline]
    pub(crate) fn row<'a>(&'a self, located: Located, input: &'a [u8]) -> Row<'a> {
        // Checked when it was found; a row that is no text never gets here.
        let text = std::str::from_utf8(self.bytes(located, input)).unwrap_or_default();
        Row::new(text, &self.cells, self.row_line)
    }

    /// The next row of `input` from `at` on, which moves behind it.
    ///
    /// `None`: all of `input` is taken, and if it was the last, there is no more. A bad row is skipped by calling again.
    #[inline]
    pub(crate) fn next_row(
        &mut self,
        input: &[u8],
        at: &mut usize,
        last: bool,
    ) -> Result<Option<Located>, SplitError> {
        loop {
            if self.carry_at < self.carry.len() {
                match self.next_in_carry(input, at, last)? {
                    Step::Found(located) => return Ok(Some(located)),
                    Step::Again => continue,
                    Step::Starved => return Ok(None),
                }
            }
            self.carry.clear();
            self.carry_at = 0;
            if *at == input.len() {
                if !last || self.finished {
                    return Ok(None);
                }
                self.finish();
                continue;
            }
            if self.direct == 0 && !self.take_piece(input, at) {
                continue;
            }
            let piece = &input[*at..*at + self.direct];
            let blank = skip_line_ends(piece, &mut self.line, &mut self.after_cr);
            if blank > 0 {
                self.advance(at, blank);
                continue;
            }
            let (start, length) = (*at, piece.len());
            if let Some(end) = self.scanner.find_end(piece) {
                self.advance(at, end.next);
                let content = start + end.content;
                let located = Located::Input { start, end: content };
                return self.found(&input[start..content], end, located).map(Some);
            }
            if length > self.record_limit {
                return Err(too_long(self.line));
            }
            self.carry.extend_from_slice(piece);
            self.scanned = length;
            self.advance(at, length);
        }
    }

    /// Lets the transcoder look at the next bytes. True if they can be used in place.
    fn take_piece(&mut self, input: &[u8], at: &mut usize) -> bool {
        match self.transcoder.take(&input[*at..], &mut self.carry) {
            Piece::Direct(length) => {
                self.direct = length;
                self.ascii = self.transcoder.is_ascii_so_far();
                true
            }
            Piece::Taken(length) => {
                *at += length;
                self.ascii = false;
                false
            }
        }
    }

    fn advance(&mut self, at: &mut usize, length: usize) {
        *at += length;
        self.direct -= length;
    }

    /// A row that begins in the carry, and may go on in `input`.
    fn next_in_carry(
        &mut self,
        input: &[u8],
        at: &mut usize,
        last: bool,
    ) -> Result<Step, SplitError> {
        if self.scanned == 0 {
            self.carry_at +=
                skip_line_ends(&self.carry[self.carry_at..], &mut self.line, &mut self.after_cr);
            if self.carry_at == self.carry.len() {
                return Ok(Step::Again);
            }
        }
        let start = self.carry_at;
        let fresh = start + self.scanned;
        if let Some(end) = self.scanner.find_end(&self.carry[fresh..]) {
            self.carry_at = fresh + end.next;
            return self.found_in_carry(start, fresh + end.content, end);
        }
        self.scanned = self.carry.len() - start;
        if self.scanned > self.record_limit {
            return Err(too_long(self.line));
        }
        if start > 0 {
            // Only the cut row is left: it moves to the front, so that the carry never grows past it and one chunk.
            self.carry.drain(..start);
            self.carry_at = 0;
        }
        if *at == input.len() {
            return if last { self.last_in_carry() } else { Ok(Step::Starved) };
        }
        if self.direct == 0 && !self.take_piece(input, at) {
            return Ok(Step::Again);
        }
        let piece = &input[*at..*at + self.direct];
        let length = piece.len();
        let end = self.scanner.find_end(piece);
        let content = end.map_or(length, |end| end.content);
        if self.scanned + content > self.record_limit {
            return Err(too_long(self.line));
        }
        self.carry.extend_from_slice(&piece[..content]);
        if let Some(end) = end {
            self.advance(at, end.next);
            self.carry_at = self.carry.len();
            return self.found_in_carry(0, self.carry_at, end);
        }
        self.scanned += length;
        self.advance(at, length);
        Ok(Step::Again)
    }

    /// All bytes are in and the carry has no line end: what it holds is the last row.
    fn last_in_carry(&mut self) -> Result<Step, SplitError> {
        if !self.finished {
            self.finish();
            return Ok(Step::Again);
        }
        let content = self.carry.len();
        self.carry_at = content;
        if self.scanner.is_open() {
            self.row_line = self.line;
            self.scanner = Scanner::new();
            self.scanned = 0;
            return Err(SplitError::Bad {
                line: self.row_line,
                column: None,
                fault: RowFault::UnclosedQuote,
            });
        }
        self.found_in_carry(0, content, RecordEnd { content, next: content, bare_cr: false })
    }

    fn finish(&mut self) {
        self.transcoder.finish(&mut self.carry);
        self.finished = true;
    }

    fn found_in_carry(
        &mut self,
        start: usize,
        end: usize,
        how: RecordEnd,
    ) -> Result<Step, SplitError> {
        let carry = std::mem::take(&mut self.carry);
        let found = self.found(&carry[start..end], how, Located::Carry { start, end });
        self.carry = carry;
        found.map(Step::Found)
    }

    /// A record's bytes are known: counts its lines, checks them, and splits them.
    #[inline]
    fn found(&mut self, record: &[u8], end: RecordEnd, at: Located) -> Result<Located, SplitError> {
        let quotes = self.scanner.saw_quotes();
        self.scanner = Scanner::new();
        self.scanned = 0;
        self.row_line = self.line;
        self.line += 1;
        self.after_cr = end.bare_cr;
        if record.len() > self.record_limit {
            return Err(too_long(self.row_line));
        }
        let located = if quotes {
            self.line += count_line_ends(record);
            row::split_quoted(record, &mut self.unquoted, &mut self.cells);
            Located::Unquoted
        } else {
            row::split_plain(record, &mut self.cells);
            at
        };
        if !self.ascii && std::str::from_utf8(record).is_err() {
            return Err(self.not_text(if quotes { &self.unquoted } else { record }));
        }
        if record.len() > self.field_limit {
            self.check_fields()?;
        }
        Ok(located)
    }

    fn not_text(&self, text: &[u8]) -> SplitError {
        let is_text = |cell: &Cell| {
            std::str::from_utf8(&text[cell.start as usize..cell.end as usize]).is_ok()
        };
        let column = self.cells.iter().position(|cell| !is_text(cell)).map(|index| index + 1);
        SplitError::Bad { line: self.row_line, column, fault: RowFault::NotText }
    }

    fn check_fields(&self) -> Result<(), SplitError> {
        let too_long = |cell: &Cell| (cell.end - cell.start) as usize > self.field_limit;
        match self.cells.iter().position(too_long) {
            None => Ok(()),
            Some(index) => Err(SplitError::Limit {
                line: self.row_line,
                column: Some(index + 1),
                kind: LimitKind::FieldBytes,
            }),
        }
    }
}

fn too_long(line: u64) -> SplitError {
    SplitError::Limit { line, column: None, kind: LimitKind::RecordBytes }
}

/// Passes over line ends where a row would begin: empty lines are no rows. Returns how many bytes they take.
fn skip_line_ends(bytes: &[u8], line: &mut u64, after_cr: &mut bool) -> usize {
    let mut length = 0;
    for &byte in bytes {
        match byte {
            b'\n' if *after_cr => *after_cr = false,
            b'\n' => *line += 1,
            b'\r' => {
                *line += 1;
                *after_cr = true;
            }
            _ => {
                *after_cr = false;
                break;
            }
        }
        length += 1;
    }
    length
}

/// Line ends inside quotes: LF, CR, and CRLF as one.
fn count_line_ends(record: &[u8]) -> u64 {
    let mut lines = 0;
    let mut after_cr = false;
    for &byte in record {
        lines += u64::from(byte == b'\r' || (byte == b'\n' && !after_cr));
        after_cr = byte == b'\r';
    }
    lines
}
