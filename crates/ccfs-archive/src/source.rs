//! Sources of CSV files: a bare file, or the members of an archive.

use std::io::{self, Read};
use std::sync::Arc;

use crate::error::Error;
use crate::kind::IndexKind;
use crate::options::ReadOptions;
use crate::record::Record;
use crate::zip::{Bytes, Machine, Next, Reader, is_junk, kind_of_name};

/// How many bytes are read or inflated at a time. With 8 KiB, the calls cost as much as half of the work.
pub(crate) const CHUNK: usize = 256 << 10;

/// Compressed bytes are read in smaller pieces than they are inflated in.
const COMPRESSED: usize = 64 << 10;

/// What a source found.
#[derive(Debug)]
pub(crate) enum Event {
    /// A file begins.
    Begin { name: Option<Arc<str>>, kind: IndexKind },
    /// The next bytes of the file are in [`Source::data`].
    Data,
    /// The file is complete.
    Finish,
    /// A member is not read.
    Skipped(Arc<str>),
    /// The next bytes have not arrived yet.
    NeedInput,
    /// There are no more files.
    End,
}

/// Files one after another, each as chunks of bytes.
pub(crate) trait Source: Send {
    fn next(&mut self) -> Result<Event, Error>;

    /// The bytes of the last [`Event::Data`]; empty after other events.
    fn data(&self) -> &[u8];

    /// Exchanges the buffer that holds these bytes, and returns how many they are.
    fn swap_data(&mut self, buffer: &mut Vec<u8>) -> usize;
}

/// A bare CSV file.
pub(crate) struct CsvSource<R> {
    reader: R,
    /// The kind, until the file has begun.
    kind: Option<IndexKind>,
    done: bool,
    buffer: Vec<u8>,
    filled: usize,
}

impl<R: Read> CsvSource<R> {
    pub(crate) fn new(reader: R, kind: IndexKind) -> Self {
        Self { reader, kind: Some(kind), done: false, buffer: vec![0; CHUNK], filled: 0 }
    }
}

impl<R: Read + Send> Source for CsvSource<R> {
    fn next(&mut self) -> Result<Event, Error> {
        self.filled = 0;
        if let Some(kind) = self.kind.take() {
            return Ok(Event::Begin { name: None, kind });
        }
        if self.done {
            return Ok(Event::End);
        }
        self.filled = read_some(&mut self.reader, &mut self.buffer)?;
        self.done = self.filled == 0;
        Ok(if self.done { Event::Finish } else { Event::Data })
    }

    fn data(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    fn swap_data(&mut self, buffer: &mut Vec<u8>) -> usize {
        swap(&mut self.buffer, buffer);
        std::mem::take(&mut self.filled)
    }
}

/// The members of an archive that are read as one kind of record.
pub(crate) struct ZipSource<B> {
    reader: Reader<B>,
    kind: fn(&str, &ReadOptions) -> Option<IndexKind>,
    options: ReadOptions,
    /// Whether the current member is read.
    reading: bool,
    output: Vec<u8>,
    filled: usize,
}

impl<B: Bytes> ZipSource<B> {
    pub(crate) fn new<T: Record>(bytes: B, machine: Machine, options: &ReadOptions) -> Self {
        Self {
            reader: Reader::new(bytes, machine, COMPRESSED),
            kind: member_kind::<T>,
            options: options.clone(),
            reading: false,
            output: vec![0; CHUNK],
            filled: 0,
        }
    }
}

impl<B: Bytes> Source for ZipSource<B> {
    fn next(&mut self) -> Result<Event, Error> {
        self.filled = 0;
        loop {
            match self.reader.next(&mut self.output)? {
                Next::NeedInput => return Ok(Event::NeedInput),
                Next::Begin(name) => {
                    let kind = (self.kind)(&name, &self.options);
                    self.reading = kind.is_some();
                    let Some(kind) = kind else {
                        self.reader.machine.skip_member();
                        return Ok(Event::Skipped(name));
                    };
                    return Ok(Event::Begin { name: Some(name), kind });
                }
                Next::Data(length) if self.reading => {
                    self.filled = length;
                    return Ok(Event::Data);
                }
                Next::Finish if self.reading => return Ok(Event::Finish),
                Next::Data(_) | Next::Finish => {}
                Next::End => return Ok(Event::End),
            }
        }
    }

    fn data(&self) -> &[u8] {
        &self.output[..self.filled]
    }

    fn swap_data(&mut self, buffer: &mut Vec<u8>) -> usize {
        swap(&mut self.output, buffer);
        std::mem::take(&mut self.filled)
    }
}

/// The kind as which a member is read, if it is read as a `T`.
pub(crate) fn member_kind<T: Record>(name: &str, options: &ReadOptions) -> Option<IndexKind> {
    let unnamed = || options.get_default_kind().filter(|_| !is_junk(name) && !name.ends_with('/'));
    kind_of_name(name).or_else(unnamed).filter(|&kind| T::reads(kind))
}

/// Reads what is available; retries when a signal interrupts it.
pub(crate) fn read_some(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Exchanges a source's buffer for one of the same length.
fn swap(own: &mut Vec<u8>, other: &mut Vec<u8>) {
    other.resize(own.len(), 0);
    std::mem::swap(own, other);
}
