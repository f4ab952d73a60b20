//! Feeds a [`Machine`] the bytes that it requests.

use std::io::{self, Read, Seek, SeekFrom};

use super::machine::{Machine, Next};
use super::member::Member;
use crate::error::Error;
use crate::limits::Limits;

/// Number of compressed bytes read at a time.
const COMPRESSED: usize = 64 << 10;

/// Number of bytes read at a time to find and check the directory and the headers.
const HEADERS: usize = 8 << 10;

/// The bytes of an archive.
pub(crate) trait Bytes: Send {
    /// Reads bytes at `offset`. Returns 0 at the end of the archive, `None` if the next bytes have not arrived yet.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<Option<usize>>;
}

/// Bytes of a reader that seeks.
pub(crate) struct Seeking<R>(pub(crate) R);

impl<R: Read + Seek + Send> Bytes for Seeking<R> {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        self.0.seek(SeekFrom::Start(offset))?;
        read_some(&mut self.0, buffer).map(Some)
    }
}

/// Bytes of a reader that does not seek. A machine that reads forward requests them in order.
pub(crate) struct Forward<R>(pub(crate) R);

impl<R: Read + Send> Bytes for Forward<R> {
    fn read_at(&mut self, _: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        read_some(&mut self.0, buffer).map(Some)
    }
}

/// A machine, and the bytes that it reads.
pub(crate) struct Reader<B> {
    machine: Machine,
    bytes: B,
    buffer: Vec<u8>,
    filled: usize,
    /// Offset of the first byte in `buffer`.
    start: u64,
    /// The length of the archive, if its end was reached.
    end: Option<u64>,
}

impl<B: Bytes> Reader<B> {
    /// Reads an archive for its data.
    pub(crate) fn new(bytes: B, machine: Machine) -> Self {
        Self::with_buffer(bytes, machine, COMPRESSED)
    }

    /// Reads up to `buffer` bytes at a time.
    fn with_buffer(bytes: B, machine: Machine, buffer: usize) -> Self {
        Self { machine, bytes, buffer: vec![0; buffer], filled: 0, start: 0, end: None }
    }

    /// Finds and checks the directory and the headers of an archive of `length` bytes.
    pub(crate) fn open(bytes: B, limits: &Limits, length: u64) -> Result<Vec<Member>, Error> {
        let mut reader = Self::with_buffer(bytes, Machine::open(limits, length), HEADERS);
        let mut output = vec![0; HEADERS];
        while !matches!(reader.step(&mut output)?, Next::End) {}
        Ok(reader.machine.into_members()?)
    }

    /// Continues reading. Returns [`Next::NeedInput`] only if the next bytes have not arrived yet.
    pub(crate) fn step(&mut self, output: &mut [u8]) -> Result<Next, Error> {
        loop {
            let position = self.machine.position();
            let input = available(&self.buffer[..self.filled], self.start, position);
            let last = input.is_empty() && self.end == Some(position);
            match self.machine.next(input, output, last)? {
                Next::NeedInput => {}
                next => return Ok(next),
            }
            // The machine used all input, or jumped to a place that may be in the buffer.
            let position = self.machine.position();
            if available(&self.buffer[..self.filled], self.start, position).is_empty() {
                let Some(length) = self.bytes.read_at(position, &mut self.buffer)? else {
                    return Ok(Next::NeedInput);
                };
                (self.start, self.filled) = (position, length);
                self.end = (length == 0).then_some(position);
            }
        }
    }
}

/// The part of `buffer` from `position` on, if `buffer` begins at `start`.
fn available(buffer: &[u8], start: u64, position: u64) -> &[u8] {
    let skipped = position.checked_sub(start).and_then(|skipped| usize::try_from(skipped).ok());
    skipped.and_then(|skipped| buffer.get(skipped..)).unwrap_or_default()
}

/// Reads available bytes; retries if a signal interrupts the call.
pub(crate) fn read_some(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
