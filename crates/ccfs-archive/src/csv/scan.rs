//! Finds the end of a record, wherever the bytes were split.
//!
//! The rules are those of RFC 4180 as the `csv` crate and Python's `csv` read it: a quote opens a quoted cell only at
//! the cell's start; text between a closing quote and the next comma belongs to the cell; LF, CR or CRLF end a record.

use memchr::{memchr, memchr3};

/// State of the scan within a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No quote so far. Almost every record ends in this state.
    Plain,
    /// After a comma, in a record that has quotes.
    CellStart,
    /// In a cell that is not, or no longer, quoted.
    Bare,
    /// Between quotes.
    Quoted,
    /// After a quote that closes the cell or is the first of `""`.
    QuoteInQuoted,
}

/// The end of a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordEnd {
    /// Length without the line end.
    pub(crate) content: usize,
    /// Length with it.
    pub(crate) next: usize,
    /// The line end is a CR; if the next byte is an LF, it belongs to the line end.
    pub(crate) bare_cr: bool,
}

#[derive(Debug)]
pub(crate) struct Scanner {
    state: State,
    /// In `Plain`: the last byte was a comma, or there was no byte yet.
    at_cell_start: bool,
    bare_quote: bool,
}

impl Default for Scanner {
    fn default() -> Self {
        Self { state: State::Plain, at_cell_start: true, bare_quote: false }
    }
}

impl Scanner {
    /// Declares that other bytes precede the record on its line, so that a quote does not open a cell.
    pub(crate) fn leave_cell_start(&mut self) {
        self.at_cell_start = false;
    }

    /// Whether the record has a quote that opened a cell.
    pub(crate) fn saw_quotes(&self) -> bool {
        self.state != State::Plain
    }

    /// Whether the record has a quote inside an unquoted cell, before any quote that opened one.
    pub(crate) fn saw_bare_quote(&self) -> bool {
        self.bare_quote
    }

    /// Whether the record is inside quotes, so that it cannot end here.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Quoted
    }

    /// Searches for the end of the record in the next bytes.
    #[inline]
    pub(crate) fn find_end(&mut self, bytes: &[u8]) -> Option<RecordEnd> {
        if self.state == State::Plain {
            self.find_end_plain(bytes)
        } else {
            self.find_end_quoted(bytes, 0)
        }
    }

    #[inline]
    fn find_end_plain(&mut self, bytes: &[u8]) -> Option<RecordEnd> {
        let mut from = 0;
        while let Some(found) = memchr3(b'\n', b'\r', b'"', &bytes[from..]) {
            let at = from + found;
            if bytes[at] != b'"' {
                return Some(end_at(bytes, at));
            }
            let opens = if at == 0 { self.at_cell_start } else { bytes[at - 1] == b',' };
            if opens {
                self.state = State::Quoted;
                return self.find_end_quoted(bytes, at + 1);
            }
            self.bare_quote = true;
            from = at + 1;
        }
        if let Some(&last) = bytes.last() {
            self.at_cell_start = last == b',';
        }
        None
    }

    fn find_end_quoted(&mut self, bytes: &[u8], mut at: usize) -> Option<RecordEnd> {
        while let Some(&byte) = bytes.get(at) {
            match self.state {
                State::Plain | State::Bare => match memchr3(b'\n', b'\r', b',', &bytes[at..]) {
                    Some(found) if bytes[at + found] == b',' => {
                        self.state = State::CellStart;
                        at += found + 1;
                    }
                    Some(found) => return Some(end_at(bytes, at + found)),
                    None => return None,
                },
                State::CellStart | State::QuoteInQuoted if byte == b'"' => {
                    self.state = State::Quoted;
                    at += 1;
                }
                State::CellStart | State::QuoteInQuoted => self.state = State::Bare,
                State::Quoted => match memchr(b'"', &bytes[at..]) {
                    Some(found) => {
                        self.state = State::QuoteInQuoted;
                        at += found + 1;
                    }
                    None => return None,
                },
            }
        }
        None
    }
}

fn end_at(bytes: &[u8], at: usize) -> RecordEnd {
    let crlf = bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
    let next = at + 1 + usize::from(crlf);
    RecordEnd { content: at, next, bare_cr: bytes[at] == b'\r' && !crlf }
}
