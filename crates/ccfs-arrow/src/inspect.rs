//! Reads Parquet files for a report.

use std::fmt;
use std::fs::File;
use std::io;
use std::panic::{self, AssertUnwindSafe};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_schema::{ArrowError, Schema};
use ccfs_archive::{Column, IndexKind, LocalTime, OperateType, Tally, Timestamp};
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

/// What the footer of a Parquet file says.
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

/// Reads a Parquet file for a report: what its footer says, and counts over its rows.
///
/// Accepts every file with the columns of an index file, whether or not a [`ParquetWriter`](crate::ParquetWriter) wrote
/// it. It reads only the columns that it counts, a batch at a time.
///
/// The file may be damaged or hostile. Memory is bounded by the largest page, which the format limits to 2 GiB. The
/// parquet crate panics on some damaged pages: the panic is caught and returned as an error, but the panic hook is
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
}

impl ParquetInspector {
    /// Reads the footer of a file.
    ///
    /// # Errors
    ///
    /// [`ArrowError::SchemaError`] if the columns are not those of an index file; [`ArrowError::NotYetImplemented`] if
    /// another compression than Snappy is used; [`ArrowError::ParquetError`] if the file is damaged or not a Parquet
    /// file; [`ArrowError::ExternalError`] with the [`io::Error`](std::io::Error) of the file.
    pub fn open(file: File) -> Result<Self, ArrowError> {
        let bytes = file.metadata().map_err(|error| read_error(error.into()))?.len();
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
        let (time, operation) = counted_columns(kind);
        let used = [Some(time), operation].into_iter().flatten();
        let roots = used.filter_map(|name| builder.schema().index_of(name).ok());
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let builder = builder.with_projection(mask).with_batch_size(BATCH_ROWS);
        let batches = catch(|| builder.build())?.map_err(read_error)?;
        Ok(Self { info, batches, counted: 0 })
    }

    /// What the footer says.
    pub const fn info(&self) -> &ParquetInfo {
        &self.info
    }

    /// Adds the next rows to `tally`, at most 8,192. Returns `false` when all rows are counted.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn count_batch(&mut self, tally: &mut Tally) -> Result<bool, ArrowError> {
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

/// Returns the kind that has the columns of a schema. Further columns are allowed.
fn kind_of(schema: &Schema) -> Result<IndexKind, ArrowError> {
    let missing = |kind: IndexKind| {
        let names = kind.columns().iter().map(Column::name);
        names.filter(|name| schema.column_with_name(name).is_none()).collect::<Vec<_>>()
    };
    let fewest = IndexKind::ALL.into_iter().min_by_key(|kind| missing(*kind).len());
    let kind = fewest.unwrap_or(IndexKind::AgentSkillInfo);
    let (missing, columns) = (missing(kind), kind.columns());
    if missing.len() * 2 > columns.len() {
        return Err(ArrowError::SchemaError(
            "its columns are not those of an index file".to_owned(),
        ));
    }
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(ArrowError::SchemaError(format!("columns of {kind} are missing: {missing}")));
    }
    for column in columns {
        let expected = data_type(column.column_type());
        let (name, found) = (column.name(), schema.field_with_name(column.name())?.data_type());
        if !found.equals_datatype(&expected) {
            return Err(ArrowError::SchemaError(format!(
                "column {name} of {kind} is {found}, expected {expected}"
            )));
        }
    }
    Ok(kind)
}

/// The column with the time of the event, and the one with the type of the operation.
const fn counted_columns(kind: IndexKind) -> (&'static str, Option<&'static str>) {
    match kind {
        IndexKind::AgentSkillInfo => ("operate_time", Some("operate_type")),
        IndexKind::AgentOprInfo => ("begin_time", Some("op_type")),
        IndexKind::Record => ("call_begin", None),
        _ => ("wait_begin", None),
    }
}

/// Counts rows as the reports on archives do.
fn count(kind: IndexKind, batch: &RecordBatch, tally: &mut Tally) -> Result<(), ArrowError> {
    let (time, operation) = counted_columns(kind);
    let column = |name: &str| {
        let missing = || ArrowError::SchemaError(format!("column {name} is missing"));
        batch.column_by_name(name).ok_or_else(missing)
    };
    tally.rows += batch.num_rows() as u64;
    for micros in column(time)?.as_primitive::<TimestampMicrosecondType>().iter().flatten() {
        // Local times are stored as if they were in UTC.
        let time = Timestamp::from_unix_millis(micros.div_euclid(1000)).utc();
        tally.earliest = Some(tally.earliest.map_or(time, |earliest| earliest.min(time)));
        tally.latest = tally.latest.max(Some(time));
        tally.by_hour[usize::from(time.hour())] += 1;
    }
    let Some(operation) = operation else { return Ok(()) };
    let operations = column(operation)?;
    let add = |code| *tally.by_operation.entry(OperateType::from(code)).or_default() += 1;
    if let Some(codes) = operations.as_primitive_opt::<Int64Type>() {
        codes.iter().flatten().for_each(add);
    } else {
        let texts = operations.as_string::<i32>().iter().flatten();
        texts.filter_map(|text| text.parse::<i64>().ok()).for_each(add);
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
