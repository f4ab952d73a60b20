//! Sources of CSV files: a bare file, or the members of an archive.

use std::io::{self, Read};
use std::sync::Arc;

use crate::error::Error;
use crate::kind::IndexKind;
use crate::options::ReadOptions;
use crate::record::Record;
use crate::zip::{Bytes, Machine, Next, Reader, is_junk, kind_of_name};

/// Number of bytes read or inflated at a time. With 8 KiB, the calls take as long as half of the work.
pub(crate) const CHUNK: usize = 256 << 10;

/// Number of compressed bytes read at a time.
const COMPRESSED: usize = 64 << 10;

/// Result of one step of a source.
#[derive(Debug)]
pub(crate) enum Event {
    /// A file begins.
    Begin { name: Option<Arc<str>>, kind: IndexKind },
    /// Number of the next bytes of the file, which are in the buffer.
    Data(usize),
    /// The file is complete.
    Finish,
    /// A member is not read.
    Skipped(Arc<str>),
    /// The next bytes have not arrived yet.
    NeedInput,
    /// There are no more files.
    End,
}

/// A sequence of files, each as chunks of bytes.
pub(crate) trait Source: Send {
    /// Returns the next event. Writes bytes to `buffer`, whose length does not change between calls.
    fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Event, Error>;
}

/// A bare CSV file.
pub(crate) struct CsvSource<R> {
    reader: R,
    /// The kind, until the file has begun.
    kind: Option<IndexKind>,
    done: bool,
}

impl<R: Read> CsvSource<R> {
    pub(crate) fn new(reader: R, kind: IndexKind) -> Self {
        Self { reader, kind: Some(kind), done: false }
    }
}

impl<R: Read + Send> Source for CsvSource<R> {
    fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Event, Error> {
        if let Some(kind) = self.kind.take() {
            return Ok(Event::Begin { name: None, kind });
        }
        if self.done {
            return Ok(Event::End);
        }
        buffer.resize(CHUNK, 0);
        let length = read_some(&mut self.reader, buffer)?;
        self.done = length == 0;
        Ok(if self.done { Event::Finish } else { Event::Data(length) })
    }
}

/// The members of an archive that are read as one kind of record.
pub(crate) struct ZipSource<B> {
    reader: Reader<B>,
    kind: fn(&str, &ReadOptions) -> Option<IndexKind>,
    options: ReadOptions,
    /// Whether the current member is read.
    reading: bool,
}

impl<B: Bytes> ZipSource<B> {
    pub(crate) fn new<T: Record>(bytes: B, machine: Machine, options: &ReadOptions) -> Self {
        Self {
            reader: Reader::new(bytes, machine, COMPRESSED),
            kind: member_kind::<T>,
            options: options.clone(),
            reading: false,
        }
    }
}

impl<B: Bytes> Source for ZipSource<B> {
    fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Event, Error> {
        buffer.resize(CHUNK, 0);
        loop {
            match self.reader.next(buffer)? {
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
                Next::Data(length) if self.reading => return Ok(Event::Data(length)),
                Next::Finish if self.reading => return Ok(Event::Finish),
                Next::Data(_) | Next::Finish => {}
                Next::End => return Ok(Event::End),
            }
        }
    }
}

/// Returns the kind of a member; `None` if it is not read as a `T`.
pub(crate) fn member_kind<T: Record>(name: &str, options: &ReadOptions) -> Option<IndexKind> {
    let unnamed = || options.default_kind.filter(|_| !is_junk(name) && !name.ends_with('/'));
    kind_of_name(name).or_else(unnamed).filter(|&kind| T::reads(kind))
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
