//! Reads Parquet files for a report.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{self, AssertUnwindSafe};
use std::{fmt, iter};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_schema::{ArrowError, Schema};
use ccfs_archive::{IndexKind, LocalTime, Tally, Timestamp};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetStatisticsPolicy,
};

use crate::layout::{TIME_ZONE, data_type};
use crate::write::{PERIOD, SOURCE_SHA256, VERSION};

/// Number of rows that are counted at a time.
const BATCH_ROWS: usize = 8192;

/// Length of the end of a file: the length of the footer, and `PAR1`.
const FOOTER_END: usize = 8;

/// Contents of the footer of a Parquet file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParquetInfo {
    /// Kind of the records, determined by the columns.
    pub kind: IndexKind,
    /// Number of rows.
    pub rows: u64,
    /// Number of row groups.
    pub row_groups: usize,
    /// Size of the file, in bytes.
    pub bytes: u64,
    /// Name of the call center's time zone, if the writer knew it.
    pub time_zone: Option<String>,
    /// First and last second of the period that the file covers, in local time of the call center.
    pub period: Option<(LocalTime, LocalTime)>,
    /// Version of the crate that wrote the file.
    pub version: Option<String>,
    /// SHA-256 of the archive that the records come from, in hexadecimal digits.
    pub source_sha256: Option<String>,
}

/// Reads a Parquet file for a report: the contents of its footer, and counts over its rows.
///
/// Accepts every file whose columns have the names and types of an index file, whether or not a
/// [`ParquetWriter`](crate::ParquetWriter) wrote it. Only the columns that are counted are required ([`Tally::columns`]):
/// others may be missing, because an older version wrote the file or they were not selected. It reads only the counted
/// columns, a batch at a time.
///
/// The file may be damaged or hostile. Two parts of it are in memory:
///
/// - the footer, which has at most [`MAX_FOOTER_BYTES`](Self::MAX_FOOTER_BYTES) in the file, 6 times as much in memory,
///   and up to 25 times as much if the file is hostile;
/// - a page and a dictionary of each counted column. Only the format limits them: to 2 GiB each, compressed and
///   decompressed. A [`ParquetWriter`](crate::ParquetWriter) writes pages of about 1 MiB.
///
/// The parquet crate panics on some damaged pages: the panic is caught and returned as an error, but the panic hook is
/// called, which prints a message by default. With `panic = "abort"` it cannot be caught.
///
/// ```no_run
/// use std::fs::File;
///
/// use ccfs_archive::Tally;
/// use ccfs_arrow::ParquetInspector;
///
/// let mut inspector = ParquetInspector::open(File::open("skills.parquet")?)?;
/// let mut tally = Tally::default();
/// while inspector.count_batch(&mut tally)? {}
/// println!("{} rows of {}, the latest of {:?}", tally.rows, inspector.info().kind, tally.latest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ParquetInspector {
    info: ParquetInfo,
    batches: ParquetRecordBatchReader,
    /// Rows that were counted.
    counted: u64,
    /// Whether reading has failed.
    failed: bool,
}

impl ParquetInspector {
    /// The longest footer that is read: 16 MiB. A footer has about 90 bytes for each column of a row group, so this is
    /// enough for 10,000 row groups.
    pub const MAX_FOOTER_BYTES: u64 = 16 << 20;

    /// Reads the footer of a file.
    ///
    /// # Errors
    ///
    /// [`ArrowError::SchemaError`] if the columns are not those of an index file; [`ArrowError::NotYetImplemented`] if
    /// another compression than Snappy is used, or the footer is longer than
    /// [`MAX_FOOTER_BYTES`](Self::MAX_FOOTER_BYTES); [`ArrowError::ParquetError`] if the file is damaged or not a
    /// Parquet file; [`ArrowError::ExternalError`] with the [`io::Error`] of the file.
    pub fn open(file: File) -> Result<Self, ArrowError> {
        let bytes = file.metadata().map_err(|error| read_error(error.into()))?.len();
        check_footer(&file, bytes)?;
        // The types come from the Parquet schema, because other programs store other Arrow types.
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
            .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll)
            .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll);
        let open = || ParquetRecordBatchReaderBuilder::try_new_with_options(file, options);
        let builder = catch(open)?.map_err(read_error)?;
        check(builder.metadata(), bytes)?;
        let kind = kind_of(builder.schema())?;
        let info = ParquetInfo::new(kind, bytes, builder.metadata())?;
        let roots = counted(kind).filter_map(|name| builder.schema().index_of(name).ok());
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let builder = builder.with_projection(mask).with_batch_size(BATCH_ROWS);
        let batches = catch(|| builder.build())?.map_err(read_error)?;
        Ok(Self { info, batches, counted: 0, failed: false })
    }

    /// Contents of the footer.
    pub const fn info(&self) -> &ParquetInfo {
        &self.info
    }

    /// Adds the next rows to `tally`, at most 8,192. Returns `false` when all rows are counted.
    ///
    /// # Errors
    ///
    /// [`ArrowError::ParquetError`] if the file is damaged or cannot be read, or has a time outside of the years 0 to
    /// 9999. Every later call fails, too, and `tally` lacks rows.
    pub fn count_batch(&mut self, tally: &mut Tally) -> Result<bool, ArrowError> {
        if self.failed {
            let message = "reading it has failed before".to_owned();
            return Err(ArrowError::ParquetError(message));
        }
        let more = self.count_next(tally);
        self.failed = more.is_err();
        more
    }

    fn count_next(&mut self, tally: &mut Tally) -> Result<bool, ArrowError> {
        let Some(batch) = catch(|| self.batches.next())? else {
            let (counted, declared) = (self.counted, self.info.rows);
            return if counted == declared {
                Ok(false)
            } else {
                Err(ArrowError::ParquetError(format!(
                    "it has {counted} rows, but its footer says {declared}"
                )))
            };
        };
        let batch = batch.map_err(|error| match error {
            ArrowError::ParquetError(text) => {
                ArrowError::ParquetError(text.trim_start_matches("Parquet error: ").to_owned())
            }
            error => ArrowError::ParquetError(error.to_string()),
        })?;
        self.counted += batch.num_rows() as u64;
        count(self.info.kind, &batch, tally)?;
        Ok(true)
    }
}

impl fmt::Debug for ParquetInspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetInspector").field("info", &self.info).finish_non_exhaustive()
    }
}

impl ParquetInfo {
    fn new(kind: IndexKind, bytes: u64, metadata: &ParquetMetaData) -> Result<Self, ArrowError> {
        let file = metadata.file_metadata();
        let rows = u64::try_from(file.num_rows()).map_err(|_| {
            ArrowError::ParquetError(format!("its footer says {} rows", file.num_rows()))
        })?;
        Ok(Self {
            kind,
            rows,
            row_groups: metadata.num_row_groups(),
            bytes,
            time_zone: entry(file, TIME_ZONE),
            period: entry(file, PERIOD).and_then(|text| period(&text)),
            version: entry(file, VERSION),
            source_sha256: entry(file, SOURCE_SHA256),
        })
    }
}

fn entry(file: &FileMetaData, key: &str) -> Option<String> {
    file.key_value_metadata()?.iter().find(|entry| entry.key == key)?.value.clone()
}

fn period(text: &str) -> Option<(LocalTime, LocalTime)> {
    let (begin, end) = text.split_once('/')?;
    Some((begin.parse().ok()?, end.parse().ok()?))
}

/// Returns the kind that has most of the columns of a schema. Further columns are allowed, and others than the counted
/// ones may be missing.
fn kind_of(schema: &Schema) -> Result<IndexKind, ArrowError> {
    let is_present = |name: &&str| schema.column_with_name(name).is_some();
    let present = |kind: IndexKind| {
        let columns = kind.columns().iter();
        columns.filter(|column| is_present(&column.name())).collect::<Vec<_>>()
    };
    // The one with the fewest missing columns, if several have the same number.
    let likeness = |kind: &IndexKind| (present(*kind).len(), usize::MAX - kind.columns().len());
    let kind = IndexKind::ALL.into_iter().max_by_key(likeness);
    let kind = kind.unwrap_or(IndexKind::AgentSkillInfo);
    let present = present(kind);
    let missing: Vec<&str> = counted(kind).filter(|name| !is_present(name)).collect();
    if !missing.is_empty() {
        return Err(ArrowError::SchemaError(if present.len() * 2 < kind.columns().len() {
            "its columns are not those of an index file".to_owned()
        } else {
            format!("it has no column {} of {kind}, which is counted", missing.join(" and "))
        }));
    }
    for column in present {
        let (name, expected) = (column.name(), data_type(column.column_type()));
        let found = schema.field_with_name(name)?.data_type();
        if !found.equals_datatype(&expected) {
            return Err(ArrowError::SchemaError(format!(
                "column {name} of {kind} is {found}, expected {expected}"
            )));
        }
    }
    Ok(kind)
}

/// Names of the columns that are counted.
fn counted(kind: IndexKind) -> impl Iterator<Item = &'static str> {
    let (time, operation) = Tally::columns(kind);
    iter::once(time).chain(operation).map(move |index| kind.columns()[index].name())
}

/// Counts rows as the reports on archives do.
fn count(kind: IndexKind, batch: &RecordBatch, tally: &mut Tally) -> Result<(), ArrowError> {
    let column = |index: usize| {
        let name = kind.columns()[index].name();
        let missing = || ArrowError::SchemaError(format!("column {name} is missing"));
        batch.column_by_name(name).ok_or_else(missing)
    };
    let (time, operation) = Tally::columns(kind);
    let operations = operation.map(column).transpose()?;
    let codes: Box<dyn Iterator<Item = Option<i64>>> = match operations {
        None => Box::new(iter::repeat(None)),
        Some(column) => match column.as_primitive_opt::<Int64Type>() {
            Some(codes) => Box::new(codes.iter()),
            None => Box::new(column.as_string::<i32>().iter().map(|text| text?.parse().ok())),
        },
    };
    let times = column(time)?.as_primitive::<TimestampMicrosecondType>();
    for (micros, code) in times.iter().zip(codes) {
        let local = micros.map(|micros| local_time(micros).ok_or(micros)).transpose();
        let local = local.map_err(|micros| {
            let name = kind.columns()[time].name();
            ArrowError::ParquetError(format!(
                "column {name} has the time {micros}, in microseconds since 1970; the years 0 to 9999 are allowed"
            ))
        })?;
        tally.add_row(local, code);
    }
    Ok(())
}

/// Returns a local time, which is stored as if it were in UTC; `None` outside of the years 0 to 9999.
fn local_time(micros: i64) -> Option<LocalTime> {
    Timestamp::from_unix_millis(0).utc().plus_seconds(micros.div_euclid(1_000_000))
}

/// Checks the length of the footer, which the last 8 bytes of a file contain.
fn check_footer(mut file: &File, bytes: u64) -> Result<(), ArrowError> {
    let Some(end) = bytes.checked_sub(FOOTER_END as u64) else { return Ok(()) };
    let mut tail = [0; FOOTER_END];
    let read = file.seek(SeekFrom::Start(end)).and_then(|_| file.read_exact(&mut tail));
    read.map_err(|error| read_error(error.into()))?;
    let [a, b, c, d, ..] = tail;
    let (length, limit) =
        (u64::from(u32::from_le_bytes([a, b, c, d])), ParquetInspector::MAX_FOOTER_BYTES);
    // A footer longer than the file is damage, which is reported later.
    if length > limit && length <= end {
        return Err(ArrowError::NotYetImplemented(format!(
            "its footer is {length} bytes long, limit {limit}"
        )));
    }
    Ok(())
}

/// Checks the compression, and the ranges of the file for which the reader allocates memory.
fn check(metadata: &ParquetMetaData, bytes: u64) -> Result<(), ArrowError> {
    let is_inside = |column: &ColumnChunkMetaData| {
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let range = [start, column.compressed_size()].map(u64::try_from);
        matches!(range, [Ok(start), Ok(length)] if start.saturating_add(length) <= bytes)
    };
    for group in metadata.row_groups() {
        if group.num_rows() < 0 || !group.columns().iter().all(is_inside) {
            return Err(ArrowError::ParquetError("a row group is outside of the file".to_owned()));
        }
        let compressions = group.columns().iter().map(ColumnChunkMetaData::compression);
        for compression in compressions {
            if !matches!(compression, Compression::UNCOMPRESSED | Compression::SNAPPY) {
                let text = compression.to_string();
                let name = text.split('(').next().unwrap_or_default();
                return Err(ArrowError::NotYetImplemented(format!(
                    "it is compressed with {name}; only Snappy is supported"
                )));
            }
        }
    }
    Ok(())
}

/// Returns a panic as an error: the parquet crate panics on some damaged pages.
fn catch<T>(read: impl FnOnce() -> T) -> Result<T, ArrowError> {
    panic::catch_unwind(AssertUnwindSafe(read))
        .map_err(|_| ArrowError::ParquetError("a page is damaged".to_owned()))
}

/// Keeps the error of a file that cannot be read, and the text of others.
fn read_error(error: ParquetError) -> ArrowError {
    match error {
        ParquetError::External(source) if source.is::<io::Error>() => {
            ArrowError::ExternalError(source)
        }
        ParquetError::General(text) | ParquetError::EOF(text) => ArrowError::ParquetError(text),
        error => ArrowError::from(error),
    }
}
