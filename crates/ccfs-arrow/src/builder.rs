//! Builds batches from records.

use std::fmt;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, FieldRef, SchemaRef};
use ccfs_archive::{
    AnyRecordRef, ArchiveParser, Error, IndexKind, ReadOptions, Record, Records, Value,
};

use crate::error::external;
use crate::layout::{Layout, Origin};
use crate::options::{Options, Zone};

/// A batch ends when its texts have this many bytes, so that memory is bounded and offsets fit 32 bits.
const TEXT_BYTES: usize = 8 << 20;

/// Something that returns records.
pub(crate) trait Source<T: Record> {
    fn next_record(&mut self) -> Result<Option<T::Ref<'_>>, Error>;
}

impl<T: Record> Source<T> for Records<'_, T> {
    #[inline]
    fn next_record(&mut self) -> Result<Option<T::Ref<'_>>, Error> {
        self.next_record()
    }
}

impl<T: Record> Source<T> for ArchiveParser<T> {
    #[inline]
    fn next_record(&mut self) -> Result<Option<T::Ref<'_>>, Error> {
        self.next_record()
    }
}

/// Collects records that the caller provides into batches, for example if an archive is read once for several purposes.
/// [`Batches`](crate::Batches) reads the records itself.
///
/// ```
/// use ccfs_archive::{AgentSkillChange, IndexKind, Records};
/// use ccfs_arrow::{BatchBuilder, Options};
///
/// let mut records = Records::<AgentSkillChange>::from_csv("r1,dev,acc,7\nr2,dev,acc,8\nr3,dev,acc,9\n".as_bytes());
/// let mut builder = BatchBuilder::new(IndexKind::AgentSkillInfo, &Options::new().batch_rows(2))?;
/// let mut batches = Vec::new();
/// while let Some(record) = records.next_record()? {
///     batches.extend(builder.append(record)?);
/// }
/// batches.extend(builder.finish()?);
/// assert_eq!(batches.iter().map(|batch| batch.num_rows()).collect::<Vec<_>>(), [2, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BatchBuilder {
    layout: Layout,
    columns: Vec<ColumnBuilder>,
    zone: Option<Zone>,
    batch_rows: usize,
    rows: usize,
    text_bytes: usize,
}

impl BatchBuilder {
    /// Creates a builder of batches of one kind.
    ///
    /// # Errors
    ///
    /// As [`schema`](crate::schema).
    pub fn new(kind: IndexKind, options: &Options) -> Result<Self, ArrowError> {
        let layout = Layout::new(kind, options)?;
        let fields = layout.schema.fields().iter();
        let columns = fields.map(|field| ColumnBuilder::new(field.data_type())).collect();
        let (batch_rows, zone) = (options.batch_rows, options.zone.clone());
        Ok(Self { layout, columns, zone, batch_rows, rows: 0, text_bytes: 0 })
    }

    /// The schema of all batches.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.layout.schema)
    }

    /// Appends a record, and returns a batch if it is full: see [`Options::batch_rows`].
    ///
    /// # Errors
    ///
    /// [`ArrowError::InvalidArgumentError`] if the record is of another kind.
    #[inline]
    pub fn append<'r>(
        &mut self,
        record: impl Into<AnyRecordRef<'r>>,
    ) -> Result<Option<RecordBatch>, ArrowError> {
        let record = record.into();
        if record.kind() != self.layout.kind {
            return Err(self.other_kind(record.kind()));
        }
        self.rows += 1;
        for (origin, column) in self.layout.origins.iter().zip(&mut self.columns) {
            self.text_bytes += match *origin {
                Origin::Value(index) => column.value(record.value(index)),
                Origin::Utc(index) => column.utc(record.value(index), self.zone.as_ref()),
                Origin::Name(names) => {
                    column.text(record.code(names.column()).and_then(|code| names.name(code)))
                }
                Origin::Extra => column.list(record.extra().iter()),
            };
        }
        let is_full = self.rows >= self.batch_rows || self.text_bytes >= TEXT_BYTES;
        if is_full { self.finish() } else { Ok(None) }
    }

    /// Returns the rows since the last batch, if any.
    ///
    /// # Errors
    ///
    /// [`ArrowError`] if the columns are not valid, which would be a bug in this crate.
    pub fn finish(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        if self.rows == 0 {
            return Ok(None);
        }
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        (self.rows, self.text_bytes) = (0, 0);
        RecordBatch::try_new_with_options(self.schema(), arrays, &options).map(Some)
    }

    #[cold]
    fn other_kind(&self, kind: IndexKind) -> ArrowError {
        let message = format!("a record of {kind} does not fit batches of {}", self.layout.kind);
        ArrowError::InvalidArgumentError(message)
    }
}

impl fmt::Debug for BatchBuilder {
    /// Without the rows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchBuilder")
            .field("kind", &self.layout.kind)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// Takes records from a source into batches.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) builder: BatchBuilder,
    /// The error after the rows that were returned last.
    error: Option<Error>,
}

impl Collector {
    /// Creates a collector of records that are read as a `T` with `read`.
    pub(crate) fn new<T: Record>(
        kind: IndexKind,
        read: &ReadOptions,
        options: &Options,
    ) -> Result<Self, ArrowError> {
        let builder = BatchBuilder::new(kind, options)?;
        if !T::KINDS.contains(&kind) {
            let message = format!("the reader does not read {kind}; read it as AnyRecord");
            return Err(ArrowError::InvalidArgumentError(message));
        }
        let mut needed = builder.layout.file_columns();
        if let Some(unread) = needed.find(|index| !read.reads_column(kind, *index)) {
            let name = kind.columns()[unread].name();
            return Err(ArrowError::InvalidArgumentError(format!(
                "column {name:?} is needed but not read; pass Options::file_columns to ReadOptions::columns"
            )));
        }
        drop(needed);
        Ok(Self { builder, error: None })
    }

    pub(crate) const fn kind(&self) -> IndexKind {
        self.builder.layout.kind
    }

    /// Returns the next full batch, or the rows before an error; `None` when the source has no more records.
    pub(crate) fn next<T: Record>(
        &mut self,
        source: &mut impl Source<T>,
    ) -> Result<Option<RecordBatch>, ArrowError> {
        if let Some(error) = self.error.take() {
            return Err(external(error));
        }
        loop {
            match source.next_record() {
                Ok(Some(record)) => {
                    let record: AnyRecordRef<'_> = record.into();
                    if record.kind() != self.kind() {
                        continue;
                    }
                    if let Some(batch) = self.builder.append(record)? {
                        return Ok(Some(batch));
                    }
                }
                Ok(None) => return Ok(None),
                Err(error) => {
                    let Some(batch) = self.builder.finish()? else { return Err(external(error)) };
                    self.error = Some(error);
                    return Ok(Some(batch));
                }
            }
        }
    }
}

/// Builder of one column. Its methods return the number of bytes of text.
#[derive(Debug)]
enum ColumnBuilder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Time(TimestampMicrosecondBuilder),
    List(ListBuilder<StringBuilder>),
}

impl ColumnBuilder {
    fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::Int64 => Self::Integer(Int64Builder::new()),
            DataType::Timestamp(..) => {
                let builder = TimestampMicrosecondBuilder::new();
                Self::Time(builder.with_data_type(data_type.clone()))
            }
            DataType::List(item) => {
                let builder = ListBuilder::new(StringBuilder::new());
                Self::List(builder.with_field(FieldRef::clone(item)))
            }
            _ => Self::Text(StringBuilder::new()),
        }
    }

    #[inline]
    fn value(&mut self, value: Value<'_>) -> usize {
        match (value, self) {
            (Value::Text(text), column @ Self::Text(_)) => return column.text(Some(text)),
            (Value::List(list), column @ Self::List(_)) => return column.list(list.iter()),
            (Value::Integer(number) | Value::Code(number), Self::Integer(builder)) => {
                builder.append_value(number);
            }
            (Value::LocalTime(time), Self::Time(builder)) => {
                builder.append_value(micros(time.naive_epoch_seconds()));
            }
            (Value::UtcTime(time), Self::Time(builder)) => {
                builder.append_value(time.unix_millis() * 1000);
            }
            (_, column) => column.null(),
        }
        0
    }

    /// Appends a local time as UTC.
    #[inline]
    fn utc(&mut self, value: Value<'_>, zone: Option<&Zone>) -> usize {
        let utc = match (value, zone) {
            (Value::LocalTime(time), Some(zone)) => (zone.offset)(time)
                .map(|offset| micros(time.naive_epoch_seconds() - i64::from(offset))),
            _ => None,
        };
        if let Self::Time(builder) = self {
            builder.append_option(utc);
        }
        0
    }

    #[inline]
    fn text(&mut self, text: Option<&str>) -> usize {
        if let Self::Text(builder) = self {
            builder.append_option(text);
        }
        text.map_or(0, str::len)
    }

    #[inline]
    fn list<'t>(&mut self, texts: impl Iterator<Item = &'t str>) -> usize {
        let mut bytes = 0;
        if let Self::List(builder) = self {
            for text in texts {
                builder.values().append_value(text);
                // With the offset of the item: a list of empty texts takes memory, too.
                bytes += text.len() + size_of::<i32>();
            }
            builder.append(true);
        }
        bytes
    }

    fn null(&mut self) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Integer(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::List(builder) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::List(builder) => Arc::new(builder.finish()),
        }
    }
}

const fn micros(seconds: i64) -> i64 {
    seconds * 1_000_000
}
