//! Writes batches as Parquet.

use std::fmt;
use std::io::{self, Write};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use ccfs_archive::LocalTime;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::layout::TIME_ZONE;

/// Keys of the metadata, with [`TIME_ZONE`].
pub(crate) const VERSION: &str = "ccfs.version";
pub(crate) const PERIOD: &str = "ccfs.period";
pub(crate) const SOURCE_SHA256: &str = "ccfs.source_sha256";

/// Options of Parquet files.
///
/// ```
/// use ccfs_arrow::ParquetOptions;
///
/// let (begin, end) = ("2026-11-01 00:00:00".parse()?, "2026-11-01 23:59:59".parse()?);
/// let options = ParquetOptions::new().period(begin, end).row_group_rows(64 << 10);
/// # Ok::<(), ccfs_archive::CalendarError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParquetOptions {
    row_group_rows: usize,
    row_group_bytes: usize,
    period: Option<(LocalTime, LocalTime)>,
    source_sha256: Option<[u8; 32]>,
}

impl ParquetOptions {
    /// Default options: row groups of at most 131,072 rows and about 16 MiB, no period, no hash.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            row_group_rows: 128 << 10,
            row_group_bytes: 16 << 20,
            period: None,
            source_sha256: None,
        }
    }

    /// Sets the largest number of rows of a row group. Default: 131,072. 0 counts as 1.
    #[must_use]
    pub const fn row_group_rows(mut self, rows: usize) -> Self {
        self.row_group_rows = if rows == 0 { 1 } else { rows };
        self
    }

    /// Sets the size in bytes at which a row group ends, estimated while it is encoded. Default: 16 MiB. 0 counts as 1.
    ///
    /// The writer keeps one row group in memory. The first batch of a row group is not split, so that a row group may be
    /// as large as a batch.
    #[must_use]
    pub const fn row_group_bytes(mut self, bytes: usize) -> Self {
        self.row_group_bytes = if bytes == 0 { 1 } else { bytes };
        self
    }

    /// Sets the period that the file covers, for the metadata: both ends in local time of the call center.
    #[must_use]
    pub const fn period(mut self, begin: LocalTime, end: LocalTime) -> Self {
        self.period = Some((begin, end));
        self
    }

    /// Sets the SHA-256 of the archive that the records come from, for the metadata.
    #[must_use]
    pub const fn source_sha256(mut self, hash: [u8; 32]) -> Self {
        self.source_sha256 = Some(hash);
        self
    }

    fn properties(&self, schema: &Schema) -> WriterProperties {
        let builder = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_max_row_group_row_count(Some(self.row_group_rows))
            .set_max_row_group_bytes(Some(self.row_group_bytes))
            .set_key_value_metadata(Some(self.metadata(schema)));
        schema
            .fields()
            .iter()
            .fold(builder, |builder, field| {
                let Some((encoding, compression)) = without_dictionary(field) else {
                    return builder;
                };
                let column = ColumnPath::from(field.name().as_str());
                builder
                    .set_column_dictionary_enabled(column.clone(), false)
                    .set_column_encoding(column.clone(), encoding)
                    .set_column_compression(column, compression)
            })
            .build()
    }

    fn metadata(&self, schema: &Schema) -> Vec<KeyValue> {
        let zone = schema.metadata().get(TIME_ZONE).cloned();
        let period = self.period.map(|(begin, end)| format!("{}/{}", begin.iso(), end.iso()));
        let hash = self.source_sha256.map(|hash| hash.map(|byte| format!("{byte:02x}")).concat());
        [
            (VERSION, Some(env!("CARGO_PKG_VERSION").to_owned())),
            (TIME_ZONE, zone),
            (PERIOD, period),
            (SOURCE_SHA256, hash),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some(KeyValue::new(key.to_owned(), value?)))
        .collect()
    }
}

impl Default for ParquetOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the encoding and compression of a column for which a dictionary would only take time and memory.
///
/// `logon_sn` keeps its dictionary: the rows of a sign-in share it, and files are 17 % larger without.
fn without_dictionary(field: &Field) -> Option<(Encoding, Compression)> {
    match (field.name().as_str(), field.data_type()) {
        // Random digits do not compress. In this encoding they take as much as compressed by Snappy, and writing takes
        // 9 % less time.
        ("id", _) => Some((Encoding::DELTA_LENGTH_BYTE_ARRAY, Compression::UNCOMPRESSED)),
        ("call_id", _) => Some((Encoding::PLAIN, Compression::SNAPPY)),
        // Writing takes 6 % less time and 15 % less memory than with dictionaries.
        (_, DataType::Int64 | DataType::Timestamp(..)) => {
            Some((Encoding::DELTA_BINARY_PACKED, Compression::SNAPPY))
        }
        _ => None,
    }
}

/// Writes batches as a Parquet file.
///
/// The file is compressed with Snappy, except the random values of `id`, and has statistics. Numbers and times are
/// encoded as differences (`DELTA_BINARY_PACKED`), which duckdb, pyarrow, polars, Spark and `DataFusion` read. Its
/// key-value metadata has `ccfs.version`, the version of this crate; `ccfs.time_zone`, if the schema has it;
/// `ccfs.period`, such as `2026-11-01T00:00:00/2026-11-01T23:59:59`, and `ccfs.source_sha256` in hexadecimal digits, if
/// the options have them.
/// The same batches, options and version of this crate make the same bytes.
///
/// Only [`finish`](Self::finish) writes the footer: without it, or after an error, what was written is not a Parquet
/// file. Write to a temporary file and rename it at the end.
///
/// ```
/// use ccfs_archive::{AgentSkillChange, IndexKind, Records};
/// use ccfs_arrow::arrow_array::RecordBatchReader;
/// use ccfs_arrow::{Batches, Options, ParquetOptions, ParquetWriter};
///
/// let records = Records::<AgentSkillChange>::from_csv("r1,dev,acc,7\n".as_bytes());
/// let batches = Batches::new(records, IndexKind::AgentSkillInfo, &Options::new())?;
/// let mut file = Vec::new();
/// let mut writer = ParquetWriter::new(&mut file, &batches.schema(), &ParquetOptions::new())?;
/// for batch in batches {
///     writer.write(&batch?)?;
/// }
/// assert_eq!(writer.finish()?, 1);
/// assert!(file.ends_with(b"PAR1"));
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
pub struct ParquetWriter<W: Write + Send> {
    writer: ArrowWriter<Output<W>>,
    rows: u64,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Creates a writer of batches of one schema. `out` need not be buffered.
    ///
    /// # Errors
    ///
    /// [`ArrowError::ExternalError`] with the [`io::Error`] of `out`; [`ArrowError::ParquetError`] if Parquet cannot
    /// represent the schema.
    pub fn new(out: W, schema: &SchemaRef, options: &ParquetOptions) -> Result<Self, ArrowError> {
        let properties = options.properties(schema);
        let writer =
            ArrowWriter::try_new(Output(Some(out)), SchemaRef::clone(schema), Some(properties));
        Ok(Self { writer: writer.map_err(arrow_error)?, rows: 0 })
    }

    /// Encodes a batch, and writes the current row group if it is full.
    ///
    /// # Errors
    ///
    /// [`ArrowError::ExternalError`] with the [`io::Error`] of `out`; [`ArrowError::ParquetError`] if the batch has
    /// another schema. Drop the writer then.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        self.writer.write(batch).map_err(arrow_error)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Number of rows so far.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes the rest and the footer, flushes `out` and returns the number of rows.
    ///
    /// # Errors
    ///
    /// [`ArrowError::ExternalError`] with the [`io::Error`] of `out`.
    pub fn finish(self) -> Result<u64, ArrowError> {
        let rows = self.rows;
        self.into_inner()?;
        Ok(rows)
    }

    /// Writes the rest and the footer, flushes `out` and returns it.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn into_inner(mut self) -> Result<W, ArrowError> {
        self.writer.finish().map_err(arrow_error)?;
        let out = self.writer.inner_mut().0.take();
        out.ok_or_else(|| ArrowError::ExternalError(Box::new(taken())))
    }
}

/// The output, until it is returned. [`ArrowWriter::into_inner`] would return it, too, but loses the error of writing
/// the footer.
struct Output<W>(Option<W>);

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_mut().ok_or_else(taken)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_mut().ok_or_else(taken)?.flush()
    }
}

fn taken() -> io::Error {
    io::Error::other("the output was returned before")
}

impl<W: Write + Send> fmt::Debug for ParquetWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetWriter").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// Writes all batches as a Parquet file with a [`ParquetWriter`] and returns the number of rows. `out` need not be
/// buffered.
///
/// ```
/// use ccfs_archive::{AgentSkillChange, IndexKind, Records};
/// use ccfs_arrow::{Batches, Options, ParquetOptions, write_parquet};
///
/// let records = Records::<AgentSkillChange>::from_csv("r1,dev,acc,7\n".as_bytes());
/// let batches = Batches::new(records, IndexKind::AgentSkillInfo, &Options::new())?;
/// let mut file = Vec::new();
/// assert_eq!(write_parquet(batches, &mut file, &ParquetOptions::new())?, 1);
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
///
/// # Errors
///
/// The error of the batches unchanged; otherwise as [`ParquetWriter::write`]. What was written is then not a Parquet
/// file.
pub fn write_parquet(
    batches: impl RecordBatchReader,
    out: impl Write + Send,
    options: &ParquetOptions,
) -> Result<u64, ArrowError> {
    let mut writer = ParquetWriter::new(out, &batches.schema(), options)?;
    for batch in batches {
        writer.write(&batch?)?;
    }
    writer.finish()
}

/// Keeps the source of an error, so that callers can downcast it.
fn arrow_error(error: ParquetError) -> ArrowError {
    match error {
        ParquetError::External(source) => ArrowError::ExternalError(source),
        error => ArrowError::from(error),
    }
}
