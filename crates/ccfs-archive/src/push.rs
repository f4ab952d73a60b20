//! Archives that arrive in chunks.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::options::ReadOptions;
use crate::record::Record;
use crate::records::Records;
use crate::zip::{Bytes, Machine, Reader};

/// A push parser for archives: accepts chunks of any size and returns records. It does no I/O, so it works with any
/// async runtime.
///
/// It returns the same records as [`Archive`](crate::Archive), wherever the bytes are split, in constant memory.
/// As with [`Records::from_stream`], records may precede the error that rejects the archive, because its directory is
/// at the end: do not act on the records before [`next_record`](Self::next_record) has returned `None` after
/// [`finish`](Self::finish).
///
/// ```
/// use ccfs_archive::{AgentSkillChange, ArchiveParser, Error, ReadOptions};
///
/// fn agents(chunks: impl Iterator<Item = Vec<u8>>) -> Result<Vec<Option<i64>>, Error> {
///     let mut agents = Vec::new();
///     let mut parser = ArchiveParser::<AgentSkillChange>::new(&ReadOptions::new());
///     for chunk in chunks {
///         parser.feed(&chunk)?;
///         while let Some(change) = parser.next_record()? {
///             agents.push(change.agent_id());
///         }
///     }
///     parser.finish();
///     while let Some(change) = parser.next_record()? {
///         agents.push(change.agent_id());
///     }
///     Ok(agents)
/// }
/// # assert!(agents([b"PK".to_vec()].into_iter()).is_err());
/// ```
#[must_use = "a parser does nothing until it is fed"]
pub struct ArchiveParser<T: Record> {
    records: Records<'static, T>,
    /// Shared with the records' source.
    chunk: Arc<Mutex<Chunk>>,
    /// Whether `next_record` has returned `None` since the bytes were fed.
    drained: bool,
}

/// The bytes that were fed.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    read: usize,
    finished: bool,
}

impl<T: Record> ArchiveParser<T> {
    /// Creates a parser.
    pub fn new(options: &ReadOptions) -> Self {
        let chunk = Arc::<Mutex<Chunk>>::default();
        let machine = Machine::forward(&options.limits);
        let source = Reader::new(Pushed(Arc::clone(&chunk)), machine);
        Self { records: Records::new(Box::new(source), options), chunk, drained: true }
    }

    /// Copies the next bytes into the parser. Feed chunks of 16 KiB to 256 KiB rather than a whole file.
    ///
    /// # Errors
    ///
    /// [`Error::NotDrained`] if [`next_record`](Self::next_record) has not returned `None` since the last call. No
    /// bytes are consumed: read the remaining records, then feed the same chunk again.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if !std::mem::take(&mut self.drained) {
            return Err(Error::NotDrained);
        }
        let mut chunk = lock(&self.chunk);
        chunk.bytes.clear();
        chunk.bytes.extend_from_slice(bytes);
        chunk.read = 0;
        Ok(())
    }

    /// Declares that no bytes follow. [`next_record`](Self::next_record) then fails unless the archive is complete.
    pub fn finish(&mut self) {
        lock(&self.chunk).finished = true;
    }

    /// Returns the next record; `None` if more bytes are needed or, after [`finish`](Self::finish), at the end.
    ///
    /// # Errors
    ///
    /// As [`Records::next_record`].
    pub fn next_record(&mut self) -> Result<Option<T::Ref<'_>>, Error> {
        let record = self.records.next_record()?;
        self.drained = record.is_none();
        Ok(record)
    }

    /// The records so far: their number, bad rows, skipped members, and notes.
    pub const fn records(&self) -> &Records<'static, T> {
        &self.records
    }
}

fn lock(chunk: &Mutex<Chunk>) -> MutexGuard<'_, Chunk> {
    chunk.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Pushed(Arc<Mutex<Chunk>>);

impl Bytes for Pushed {
    fn read_at(&mut self, _: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let mut chunk = lock(&self.0);
        let rest = &chunk.bytes[chunk.read..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        chunk.read += length;
        Ok((length > 0 || chunk.finished).then_some(length))
    }
}

impl<T: Record> fmt::Debug for ArchiveParser<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveParser").finish_non_exhaustive()
    }
}
