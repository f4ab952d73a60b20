//! Batches of an archive that arrives in chunks.

use std::fmt;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use ccfs_archive::{ArchiveParser, IndexKind, ReadOptions, Record, Records};

use crate::builder::Collector;
use crate::error::external;
use crate::options::Options;

/// A push parser: accepts the bytes of an archive in chunks of any size and returns batches. It does no I/O, so it works
/// with any async runtime.
///
/// It returns the same batches as [`Batches`](crate::Batches), wherever the bytes are split, in constant memory.
/// As with [`ArchiveParser`], batches may precede the error that rejects the archive: do not act on the batches before
/// [`next_batch`](Self::next_batch) has returned `None` after [`finish`](Self::finish).
///
/// ```
/// use arrow_schema::ArrowError;
/// use ccfs_archive::{AgentSkillChange, IndexKind, ReadOptions};
/// use ccfs_arrow::{BatchParser, Options};
///
/// fn rows(chunks: impl Iterator<Item = Vec<u8>>) -> Result<usize, ArrowError> {
///     let kind = IndexKind::AgentSkillInfo;
///     let mut parser = BatchParser::<AgentSkillChange>::new(kind, &ReadOptions::new(), &Options::new())?;
///     let mut rows = 0;
///     for chunk in chunks {
///         parser.feed(&chunk)?;
///         while let Some(batch) = parser.next_batch()? {
///             rows += batch.num_rows();
///         }
///     }
///     parser.finish();
///     while let Some(batch) = parser.next_batch()? {
///         rows += batch.num_rows();
///     }
///     Ok(rows)
/// }
/// # assert!(rows([b"PK".to_vec()].into_iter()).is_err());
/// ```
#[must_use = "a parser does nothing until it is fed"]
pub struct BatchParser<T: Record> {
    parser: ArchiveParser<T>,
    collector: Collector,
    finished: bool,
}

impl<T: Record> BatchParser<T> {
    /// Creates a parser. Records of other kinds are skipped.
    ///
    /// # Errors
    ///
    /// As [`Batches::new`](crate::Batches::new).
    pub fn new(kind: IndexKind, read: &ReadOptions, options: &Options) -> Result<Self, ArrowError> {
        let collector = Collector::new::<T>(kind, read, options)?;
        Ok(Self { parser: ArchiveParser::new(read), collector, finished: false })
    }

    /// The schema of all batches.
    pub fn schema(&self) -> SchemaRef {
        self.collector.builder.schema()
    }

    /// Copies the next bytes into the parser. Feed chunks of 16 KiB to 256 KiB rather than a whole file.
    ///
    /// # Errors
    ///
    /// [`Error::NotDrained`](ccfs_archive::Error::NotDrained) if [`next_batch`](Self::next_batch) has not returned
    /// `None` since the last call. No bytes are consumed: take the remaining batches, then feed the same chunk again.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ArrowError> {
        self.parser.feed(bytes).map_err(external)
    }

    /// Declares that no bytes follow. [`next_batch`](Self::next_batch) then fails unless the archive is complete.
    pub fn finish(&mut self) {
        self.finished = true;
        self.parser.finish();
    }

    /// Returns the next batch; `None` if more bytes are needed or, after [`finish`](Self::finish), at the end.
    ///
    /// # Errors
    ///
    /// As the items of [`Batches`](crate::Batches).
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        match self.collector.next(&mut self.parser) {
            Ok(None) if self.finished => self.collector.builder.finish(),
            batch => batch,
        }
    }

    /// The records so far: their number, bad rows, skipped members, and notes.
    pub const fn records(&self) -> &Records<'static, T> {
        self.parser.records()
    }
}

impl<T: Record> fmt::Debug for BatchParser<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchParser").field("kind", &self.collector.kind()).finish_non_exhaustive()
    }
}
