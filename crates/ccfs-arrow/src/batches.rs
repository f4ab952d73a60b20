//! Batches of records that are read.

use std::fmt;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use ccfs_archive::{IndexKind, Record, Records};

use crate::builder::Collector;
use crate::options::Options;

/// Converts records to batches, in order.
///
/// It is an iterator and a [`RecordBatchReader`], and can be sent to another thread. A batch has
/// [`Options::batch_rows`] rows; the last one may have fewer.
///
/// An item is an error if reading a record fails: an [`ArrowError::ExternalError`] with an [`Error`](ccfs_archive::Error).
/// The rows before it are returned first, in a batch that may have fewer rows. As with
/// [`Records::next_record`], the iterator continues after a bad row with
/// [`OnBadRow::Return`](ccfs_archive::OnBadRow::Return), and ends after other errors. The checksum of a member is
/// verified after its last record: read all batches before you act on them.
///
/// ```
/// use arrow_array::cast::AsArray;
/// use arrow_array::types::Int64Type;
/// use ccfs_archive::{AgentSkillChange, IndexKind, Records};
/// use ccfs_arrow::{Batches, Options};
///
/// let records = Records::<AgentSkillChange>::from_csv("r1,dev,acc,7\nr2,dev,acc,8\n".as_bytes());
/// for batch in Batches::new(records, IndexKind::AgentSkillInfo, &Options::new())? {
///     let batch = batch?;
///     let call_centers = batch.column_by_name("sub_cc_no").unwrap().as_primitive::<Int64Type>();
///     assert_eq!(call_centers.values(), &[7, 8]);
/// }
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
pub struct Batches<'a, T: Record> {
    records: Records<'a, T>,
    collector: Collector,
}

impl<'a, T: Record> Batches<'a, T> {
    /// Converts the remaining records of one kind. Records of other kinds are skipped.
    ///
    /// # Errors
    ///
    /// As [`schema`](crate::schema); [`ArrowError::InvalidArgumentError`] if a `T` cannot be of this kind, or if the
    /// [`ReadOptions`](ccfs_archive::ReadOptions) of the records exclude a column that is needed.
    pub fn new(
        records: Records<'a, T>,
        kind: IndexKind,
        options: &Options,
    ) -> Result<Self, ArrowError> {
        let collector = Collector::new::<T>(kind, records.options(), options)?;
        Ok(Self { records, collector })
    }

    /// The reader of the records, with the number of rows, bad rows, notes and skipped members so far.
    pub const fn records(&self) -> &Records<'a, T> {
        &self.records
    }
}

impl<T: Record> Iterator for Batches<'_, T> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.collector.next(&mut self.records) {
            Ok(None) => self.collector.builder.finish().transpose(),
            batch => batch.transpose(),
        }
    }
}

impl<T: Record> RecordBatchReader for Batches<'_, T> {
    fn schema(&self) -> SchemaRef {
        self.collector.builder.schema()
    }
}

impl<T: Record> fmt::Debug for Batches<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches")
            .field("kind", &self.collector.kind())
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}
