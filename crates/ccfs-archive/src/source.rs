//! Where the pull readers get their bytes.

use std::io::{self, Read};
use std::sync::Arc;

use crate::error::Error;
use crate::kind::IndexKind;

/// How many bytes are read, or inflated, at a time. With 8 KiB the calls themselves cost as much as half of the work.
pub(crate) const CHUNK: usize = 256 << 10;

/// What comes next.
#[derive(Debug)]
pub(crate) enum Event {
    /// A file begins.
    Begin { name: Option<Arc<str>>, kind: IndexKind },
    /// Its next bytes are in [`Source::data`].
    Data,
    /// It ends, and is whole.
    Finish,
    /// There are no more files.
    End,
}

/// Files one after another, each as chunks of bytes.
pub(crate) trait Source {
    fn next(&mut self) -> Result<Event, Error>;

    /// The bytes that came with the last [`Event::Data`].
    fn data(&self) -> &[u8];

    /// The same bytes as a buffer of their own, in exchange for another buffer; returns how many they are.
    fn swap_data(&mut self, buffer: &mut Vec<u8>) -> usize;
}

/// A bare CSV file.
pub(crate) struct CsvSource<R> {
    reader: R,
    kind: IndexKind,
    buffer: Vec<u8>,
    filled: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Reading,
    Done,
}

impl<R: Read> CsvSource<R> {
    pub(crate) fn new(reader: R, kind: IndexKind) -> Self {
        Self { reader, kind, buffer: vec![0; CHUNK], filled: 0, state: State::Fresh }
    }
}

impl<R: Read> Source for CsvSource<R> {
    fn next(&mut self) -> Result<Event, Error> {
        match self.state {
            State::Fresh => {
                self.state = State::Reading;
                Ok(Event::Begin { name: None, kind: self.kind })
            }
            State::Reading => {
                self.filled = 0;
                self.filled = read_some(&mut self.reader, &mut self.buffer)?;
                if self.filled > 0 {
                    return Ok(Event::Data);
                }
                self.state = State::Done;
                Ok(Event::Finish)
            }
            State::Done => Ok(Event::End),
        }
    }

    fn data(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    fn swap_data(&mut self, buffer: &mut Vec<u8>) -> usize {
        swap(&mut self.buffer, buffer);
        std::mem::take(&mut self.filled)
    }
}

/// Reads what there is, and does not let a signal end it.
pub(crate) fn read_some(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Exchanges a source's buffer; the new one is as long.
pub(crate) fn swap(own: &mut Vec<u8>, other: &mut Vec<u8>) {
    other.resize(own.len(), 0);
    std::mem::swap(own, other);
}
