//! Finds the end of a record, wherever the bytes were split.
//!
//! The rules are those of RFC 4180 as the `csv` crate and Python's `csv` read it: a quote opens a quoted cell only at
//! the cell's start; text between a closing quote and the next comma belongs to the cell; LF, CR or CRLF end a record.

use memchr::{memchr, memchr3};

/// State of the scan within a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Outside of quotes. Almost every record has no others.
    Plain,
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

pub(crate) struct Scanner {
    state: State,
    /// In `Plain`: the last byte was a comma, or there was no byte yet.
    at_cell_start: bool,
    quotes: bool,
    bare_quote: bool,
}

impl Default for Scanner {
    fn default() -> Self {
        Self { state: State::Plain, at_cell_start: true, quotes: false, bare_quote: false }
    }
}

impl Scanner {
    /// Declares that other bytes precede the record on its line, so that a quote does not open a cell.
    pub(crate) fn leave_cell_start(&mut self) {
        self.at_cell_start = false;
    }

    /// Whether the record has a quote that opened a cell.
    pub(crate) fn saw_quotes(&self) -> bool {
        self.quotes
    }

    /// Whether the record has a quote inside an unquoted cell.
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
        let mut at = 0;
        loop {
            match self.state {
                State::Plain => {
                    let Some(found) = memchr3(b'\n', b'\r', b'"', &bytes[at..]) else {
                        self.at_cell_start =
                            bytes.last().map_or(self.at_cell_start, |&b| b == b',');
                        return None;
                    };
                    at += found;
                    if bytes[at] != b'"' {
                        return Some(end_at(bytes, at));
                    }
                    if at == 0 && self.at_cell_start || at > 0 && bytes[at - 1] == b',' {
                        self.state = State::Quoted;
                        self.quotes = true;
                    } else {
                        self.bare_quote = true;
                    }
                    at += 1;
                }
                State::Quoted => {
                    at += memchr(b'"', &bytes[at..])? + 1;
                    self.state = State::QuoteInQuoted;
                }
                State::QuoteInQuoted if *bytes.get(at)? == b'"' => {
                    self.state = State::Quoted;
                    at += 1;
                }
                State::QuoteInQuoted => {
                    self.state = State::Plain;
                    self.at_cell_start = false;
                }
            }
        }
    }
}

fn end_at(bytes: &[u8], at: usize) -> RecordEnd {
    let crlf = bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
    let next = at + 1 + usize::from(crlf);
    RecordEnd { content: at, next, bare_cr: bytes[at] == b'\r' && !crlf }
}
