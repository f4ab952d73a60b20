//! An archive that does not seek: pulled from a reader.

use std::fmt;
use std::io::Read;

use crate::ahead::Ahead;
use crate::error::Error;
use crate::kind::IndexKind;
use crate::options::ReadOptions;
use crate::record::Record;
use crate::records::Records;
use crate::source::{CHUNK, Event, Source, read_some, swap};
use crate::zip::{Next, Unzip};

/// An index archive that is still arriving: read from anything, in constant memory, without seeking.
///
/// The records are those that [`Archive`](crate::Archive) gives. What differs is when a fault shows: the directory, which
/// tells of every member, comes last, so that some records may have been given before an archive is refused. Whoever
/// must not act on such records waits until [`next_record`](Records::next_record) has given `None`.
///
/// ```
/// use ccfs_archive::{AgentSkillChange, ArchiveStream};
///
/// # fn rows(body: &mut (dyn std::io::Read + Send)) -> Result<u64, ccfs_archive::Error> {
/// let mut stream = ArchiveStream::new(body);
/// let mut changes = stream.records::<AgentSkillChange>();
/// while let Some(change) = changes.next_record()? {
///     println!("{:?}", change.agent_id());
/// }
/// # Ok(changes.rows())
/// # }
/// ```
pub struct ArchiveStream<R> {
    reader: R,
    options: ReadOptions,
}

impl<R: Read + Send> ArchiveStream<R> {
    /// A stream with the default [`ReadOptions`]. A buffered reader gains nothing here.
    pub fn new(reader: R) -> Self {
        Self::with_options(reader, &ReadOptions::new())
    }

    /// A stream.
    pub fn with_options(reader: R, options: &ReadOptions) -> Self {
        Self { reader, options: options.clone() }
    }

    /// The records of all members that hold this kind of record, one member after another. The others are inflated and
    /// checked, and not read as rows.
    ///
    /// The bytes are there once: only the first call gives records.
    pub fn records<T: Record>(&mut self) -> Records<'_, T> {
        Records::new(
            Box::new(StreamSource::new::<T>(&mut self.reader, &self.options)),
            &self.options,
        )
    }

    /// The same records, received and inflated ahead on a second thread, which takes the reader.
    ///
    /// Dropping the records ends the thread once its reader has answered: give a reader that can't wait for ever.
    pub fn into_records_ahead<T: Record>(self) -> Records<'static, T>
    where
        R: Send + 'static,
    {
        Records::new(
            Box::new(Ahead::new(StreamSource::new::<T>(self.reader, &self.options))),
            &self.options,
        )
    }
}

impl<R> fmt::Debug for ArchiveStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveStream").finish_non_exhaustive()
    }
}

struct StreamSource<R> {
    reader: R,
    unzip: Unzip,
    wanted: fn(IndexKind) -> bool,
    /// The member at hand is wanted.
    reading: bool,
    input: Vec<u8>,
    /// The part of `input` that was read and not yet taken.
    at: usize,
    filled: usize,
    /// The reader has no more.
    ended: bool,
    output: Vec<u8>,
    given: usize,
}

impl<R: Read> StreamSource<R> {
    fn new<T: Record>(reader: R, options: &ReadOptions) -> Self {
        Self {
            reader,
            unzip: Unzip::new(*options.get_limits()),
            wanted: T::reads,
            reading: false,
            input: vec![0; CHUNK / 4],
            at: 0,
            filled: 0,
            ended: false,
            output: vec![0; CHUNK],
            given: 0,
        }
    }
}

impl<R: Read> Source for StreamSource<R> {
    fn next(&mut self) -> Result<Event, Error> {
        self.given = 0;
        loop {
            match self.unzip.next(
                &self.input[..self.filled],
                &mut self.at,
                &mut self.output,
                self.ended,
            )? {
                Next::NeedInput => {
                    (self.at, self.filled) = (0, 0);
                    self.filled = read_some(&mut self.reader, &mut self.input)?;
                    self.ended = self.filled == 0;
                }
                Next::Begin(name) => {
                    let kind = IndexKind::of_name(&name).filter(|&kind| (self.wanted)(kind));
                    self.reading = kind.is_some();
                    if let Some(kind) = kind {
                        return Ok(Event::Begin { name: Some(name), kind });
                    }
                }
                Next::Data(length) if self.reading => {
                    self.given = length;
                    return Ok(Event::Data);
                }
                Next::Finish if self.reading => return Ok(Event::Finish),
                Next::Data(_) | Next::Finish => {}
                Next::End => return Ok(Event::End),
            }
        }
    }

    fn data(&self) -> &[u8] {
        &self.output[..self.given]
    }

    fn swap_data(&mut self, buffer: &mut Vec<u8>) -> usize {
        swap(&mut self.output, buffer);
        std::mem::take(&mut self.given)
    }
}
