//! Splits chunks of a member's bytes into rows. All readers use it.

use super::charset::{Piece, Transcoder};
use super::row::{self, Cell, Row};
use super::scan::{RecordEnd, Scanner};
use super::{Charset, is_padding};
use crate::error::RowFault;
use crate::limits::{LimitKind, Limits};

/// Splits bytes into rows, wherever the bytes are cut.
///
/// A row that is whole in the caller's bytes is used in place. Rows that are cut, rows that are transcoded and the first
/// rows of a member are copied to the carry.
#[derive(Debug)]
pub(crate) struct Splitter {
    transcoder: Transcoder,
    /// Number of the next bytes that the transcoder left in place.
    direct: usize,
    /// They, and the carry, are ASCII.
    ascii: bool,
    /// Text of which no row was made yet, from `carry_at` on; `scanned` bytes of it hold no record end.
    carry: Vec<u8>,
    carry_at: usize,
    scanned: usize,
    scanner: Scanner,
    /// First records of the member, in the carry.
    start: Start,
    /// Cells of a row with quotes, unquoted.
    unquoted: Vec<u8>,
    cells: Vec<Cell>,
    /// The record found last, as it is in the file.
    record: Located,
    /// The line of the next byte, and that of the row found last.
    line: u64,
    row_line: u64,
    /// The byte before is a CR that ended a line: an LF now belongs to it.
    after_cr: bool,
    /// Padding (see [`is_padding`]) skipped so far, in bytes, and whether some is on the current line.
    padding: u64,
    padded: bool,
    finished: bool,
    record_limit: usize,
    field_limit: usize,
}

/// First records of a member, found before any is used.
#[derive(Debug, Default)]
struct Start {
    scanner: Scanner,
    /// Ranges in the carry.
    records: Vec<(usize, usize)>,
    /// The first byte that follows them, and the first one not scanned.
    from: usize,
    scanned: usize,
}

/// Records that are examined before a member is read.
const FIRST_RECORDS: usize = 4;
/// Bytes within which they begin: a member may start with any number of empty lines.
const FIRST_BYTES: usize = 1 << 20;
/// Bytes that are copied at a time while the first records are collected.
const FIRST_STEP: usize = 1024;

/// Where the text of a row is.
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
    Bad { line: u64, cell: Option<usize>, fault: RowFault },
    Limit { line: u64, cell: Option<usize>, kind: LimitKind },
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
            scanner: Scanner::default(),
            start: Start::default(),
            unquoted: Vec::new(),
            cells: Vec::with_capacity(64),
            record: Located::Unquoted,
            line: 1,
            row_line: 1,
            after_cr: false,
            padding: 0,
            padded: false,
            finished: false,
            record_limit: usize::try_from(limits.get(LimitKind::RecordBytes)).unwrap_or(usize::MAX),
            field_limit: usize::try_from(limits.get(LimitKind::FieldBytes)).unwrap_or(usize::MAX),
        }
    }

    pub(crate) fn charset(&self) -> Charset {
        self.transcoder.charset()
    }

    /// Whether too few characters decided the charset to be sure.
    pub(crate) fn guessed_charset(&self) -> bool {
        self.transcoder.guessed()
    }

    /// Number of byte order marks at the start.
    pub(crate) fn marks(&self) -> u64 {
        self.transcoder.marks()
    }

    /// Padding skipped so far, in bytes.
    pub(crate) fn padding(&self) -> u64 {
        self.padding
    }

    /// Collects the first records before the first call of [`next_row`](Self::next_row). False: more input is needed.
    pub(crate) fn collect_first(&mut self, input: &[u8], at: &mut usize, last: bool) -> bool {
        loop {
            if self.start.scan(&self.carry, self.record_limit, self.finished) {
                return true;
            }
            if *at == input.len() {
                if !last || self.finished {
                    return last;
                }
                self.finish();
            } else if self.direct > 0 || self.take_piece(input, at) {
                let length = self.direct.min(FIRST_STEP);
                self.carry.extend_from_slice(&input[*at..*at + length]);
                self.advance(at, length);
            }
        }
    }

    /// The first records of the member.
    pub(crate) fn first_records(&self) -> impl Iterator<Item = &[u8]> {
        self.start.records.iter().map(|&(start, end)| &self.carry[start..end])
    }

    /// The line of a first record, by its index.
    pub(crate) fn line_of_first(&self, index: usize) -> u64 {
        let start = self.start.records.get(index).map_or(0, |&(start, _)| start);
        1 + count_line_ends(&self.carry[..start])
    }

    /// The first bytes of the member as they are in the file (at most 4), and the text of its first records.
    pub(crate) fn first_bytes(&self) -> (&[u8], &[u8]) {
        let length = match self.start.from {
            0 => self.carry.len().min(self.record_limit).min(FIRST_STEP),
            from => from,
        };
        (self.transcoder.first_bytes(), &self.carry[..length])
    }

    /// The record found last, as it is in the file but in UTF-8.
    pub(crate) fn record<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        self.bytes(self.record, input)
    }

    /// The line of the row found last.
    pub(crate) fn row_line(&self) -> u64 {
        self.row_line
    }

    /// The cells of the row found last.
    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
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
    pub(crate) fn parts<'a>(
        &'a mut self,
        located: Located,
        input: &'a [u8],
    ) -> (&'a [u8], &'a mut Vec<Cell>) {
        let bytes = match located {
            Located::Input { start, end } => &input[start..end],
            Located::Carry { start, end } => &self.carry[start..end],
            Located::Unquoted => &self.unquoted,
        };
        (bytes, &mut self.cells)
    }

    /// The row found last.
    #[inline]
    pub(crate) fn row<'a>(
        &'a self,
        located: Located,
        input: &'a [u8],
        member: Option<&'a str>,
    ) -> Row<'a> {
        // `found` returns valid UTF-8 only.
        let text = std::str::from_utf8(self.bytes(located, input)).unwrap_or_default();
        Row::new(text, &self.cells, member, self.row_line)
    }

    /// Returns the next row of `input` from `at` on, and moves `at` past it.
    ///
    /// `None`: all of `input` is consumed, and if it was the last, there are no more rows. The next call skips a bad row.
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
            let blank = self.skip_blank(piece);
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

    /// Passes the next bytes to the transcoder. True if they can be used in place.
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

    /// Finds a row that begins in the carry and may continue in `input`.
    fn next_in_carry(
        &mut self,
        input: &[u8],
        at: &mut usize,
        last: bool,
    ) -> Result<Step, SplitError> {
        if self.scanned == 0 {
            let carry = std::mem::take(&mut self.carry);
            self.carry_at += self.skip_blank(&carry[self.carry_at..]);
            self.carry = carry;
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
            // Only the cut row is left. It moves to the front, so that the carry never exceeds it and one chunk.
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

    /// Finds the last row: all bytes are in, and the carry has no line end.
    fn last_in_carry(&mut self) -> Result<Step, SplitError> {
        if !self.finished {
            self.finish();
            return Ok(Step::Again);
        }
        let whole = self.carry.len();
        let content = self.carry.iter().rposition(|&byte| !is_padding(byte)).map_or(0, |at| at + 1);
        self.padding += (whole - content) as u64;
        self.carry_at = whole;
        if self.scanner.is_open() {
            self.row_line = self.line;
            self.record = Located::Carry { start: 0, end: content };
            self.scanner = Scanner::default();
            self.scanned = 0;
            return Err(SplitError::Bad {
                line: self.row_line,
                cell: None,
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

    /// Counts the lines of a record, checks it, and splits it.
    #[inline]
    fn found(&mut self, record: &[u8], end: RecordEnd, at: Located) -> Result<Located, SplitError> {
        let (quotes, bare_quote) = (self.scanner.saw_quotes(), self.scanner.saw_bare_quote());
        self.scanner = Scanner::default();
        self.scanned = 0;
        self.record = at;
        self.row_line = self.line;
        self.line += 1;
        self.after_cr = end.bare_cr;
        let padded = std::mem::take(&mut self.padded);
        if record.len() > self.record_limit {
            return Err(too_long(self.row_line));
        }
        let (located, blank_before_quote) = if quotes {
            self.line += count_line_ends(record);
            (Located::Unquoted, row::split_quoted(record, &mut self.unquoted, &mut self.cells))
        } else {
            row::split_plain(record, &mut self.cells);
            (at, bare_quote.then(|| row::blank_before_quote(record, &self.cells)).flatten())
        };
        let text = if quotes { &self.unquoted } else { record };
        if !self.ascii && std::str::from_utf8(record).is_err() {
            let bad = |cell: &Cell| std::str::from_utf8(cell.of(text)).is_err();
            return Err(self.bad(self.cells.iter().position(bad), RowFault::NotText));
        }
        if padded || row::has_control(record, quotes) {
            let bad = |cell: &Cell| row::has_control(cell.of(text), quotes);
            let column = if padded { Some(0) } else { self.cells.iter().position(bad) };
            return Err(self.bad(column, RowFault::ControlCharacter));
        }
        if blank_before_quote.is_some() {
            return Err(self.bad(blank_before_quote, RowFault::BlankBeforeQuote));
        }
        if record.len() > self.field_limit {
            self.check_fields()?;
        }
        row::trim(text, &mut self.cells);
        Ok(located)
    }

    #[cold]
    fn bad(&self, cell: Option<usize>, fault: RowFault) -> SplitError {
        SplitError::Bad { line: self.row_line, cell, fault }
    }

    /// Skips empty lines and padding where a row would begin. Returns how many bytes they are.
    fn skip_blank(&mut self, bytes: &[u8]) -> usize {
        let blank = |&&byte: &&u8| matches!(byte, b'\n' | b'\r') || is_padding(byte);
        let length = bytes.iter().take_while(blank).count();
        for &byte in &bytes[..length] {
            if is_padding(byte) {
                self.padding += 1;
            } else {
                self.line += u64::from(byte == b'\r' || !self.after_cr);
            }
            self.padded = is_padding(byte);
            self.after_cr = byte == b'\r';
        }
        if length < bytes.len() {
            self.after_cr = false;
            if self.padded {
                self.scanner.leave_cell_start();
            }
        }
        length
    }

    fn check_fields(&self) -> Result<(), SplitError> {
        let too_long = |cell: &Cell| (cell.end - cell.start) as usize > self.field_limit;
        match self.cells.iter().position(too_long) {
            None => Ok(()),
            Some(index) => Err(SplitError::Limit {
                line: self.row_line,
                cell: Some(index),
                kind: LimitKind::FieldBytes,
            }),
        }
    }
}

impl Start {
    /// Looks for records in the carry, all of which is there if `finished`. True: no more are needed.
    ///
    /// What is found depends on the bytes only, not on where they were cut.
    fn scan(&mut self, carry: &[u8], record_limit: usize, finished: bool) -> bool {
        while self.records.len() < FIRST_RECORDS {
            if self.scanned == self.from {
                let is_blank = |byte: u8| matches!(byte, b'\n' | b'\r');
                self.from += carry[self.from..].iter().take_while(|&&byte| is_blank(byte)).count();
                self.scanned = self.from;
            }
            let end = match self.scanner.find_end(&carry[self.scanned..]) {
                Some(end) => self.scanned + end.content,
                None => carry.len(),
            };
            if end - self.from > record_limit || self.from > FIRST_BYTES {
                return true;
            }
            if end == carry.len() && !finished {
                self.scanned = end;
                return false;
            }
            if end == self.from {
                return true;
            }
            self.records.push((self.from, end));
            (self.from, self.scanned) = (end, end);
            self.scanner = Scanner::default();
        }
        true
    }
}

fn too_long(line: u64) -> SplitError {
    SplitError::Limit { line, cell: None, kind: LimitKind::RecordBytes }
}

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
