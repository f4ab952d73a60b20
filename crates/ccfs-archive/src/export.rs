//! Records on their way out: as JSON lines, or as CSV in one shape.

use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;

use ccfs_time::LocalTime;

use crate::csv::CsvWriter;
use crate::error::Error;
use crate::kind::IndexKind;
use crate::record::{AnyRecord, AnyRecordRef, RecordRef, WithOffset};
use crate::records::Records;

/// What records are turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExportFormat {
    /// One JSON object a line.
    Jsonl,
    /// CSV as [`CsvWriter`] writes it.
    Csv,
}

impl ExportFormat {
    /// Its name, which is also how its files end: `jsonl` or `csv`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Rows between two calls of a progress function.
const ROWS_BETWEEN: u64 = 4096;

/// Seconds east of UTC at a tenant's time; `None` leaves the time without an offset.
type OffsetOf<'a> = Box<dyn Fn(LocalTime) -> Option<i32> + Send + Sync + 'a>;

/// Writes the records of any index file in one of the formats.
///
/// ```
/// use ccfs_archive::{AnyRecord, ExportFormat, IndexKind, ReadOptions, RecordWriter, Records};
///
/// let csv = "1a,dev,acc,1,2,3,2015-02-08 20:23:30";
/// let mut rows = Records::<AnyRecord>::from_csv_with(csv.as_bytes(), IndexKind::AgentSkillInfo, &ReadOptions::new());
/// let mut writer = RecordWriter::new(ExportFormat::Jsonl, Vec::new()).offset(|_| Some(8 * 3600));
/// writer.copy(&mut rows, None, |_| std::ops::ControlFlow::Continue(()))?;
/// assert!(String::from_utf8(writer.into_inner()?)?.contains(r#""operate_time":"2015-02-08T20:23:30+08:00""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RecordWriter<'a, W: Write> {
    out: Out<W>,
    offset: Option<OffsetOf<'a>>,
}

enum Out<W: Write> {
    Jsonl(W),
    Csv(CsvWriter<W>),
}

impl<'a, W: Write> RecordWriter<'a, W> {
    /// A writer on `out`, to which it makes small calls: give it a buffered one.
    pub const fn new(format: ExportFormat, out: W) -> Self {
        let out = match format {
            ExportFormat::Jsonl => Out::Jsonl(out),
            ExportFormat::Csv => Out::Csv(CsvWriter::new(out)),
        };
        Self { out, offset: None }
    }

    /// Puts an offset behind each of the tenant's times in JSON: `2015-02-08T20:23:30+08:00`. CSV keeps the source's texts.
    ///
    /// `offset` tells the seconds east of UTC at a tenant's time; for `None` the time stays bare. Default: all stay bare.
    #[must_use]
    pub fn offset(mut self, offset: impl Fn(LocalTime) -> Option<i32> + Send + Sync + 'a) -> Self {
        self.offset = Some(Box::new(offset));
        self
    }

    /// Writes the header row where the format has one, so that a file without records has it, too.
    pub fn write_header(&mut self, kind: IndexKind) -> io::Result<()> {
        match &mut self.out {
            Out::Csv(csv) => csv.write_header(kind.column_names()),
            Out::Jsonl(_) => Ok(()),
        }
    }

    /// Writes a record.
    ///
    /// As CSV, a record of another file than the first one's is an error of kind [`InvalidInput`](io::ErrorKind::InvalidInput).
    pub fn write(&mut self, record: AnyRecordRef<'_>) -> io::Result<()> {
        match (&mut self.out, &self.offset) {
            (Out::Csv(csv), _) => csv.write(&record),
            (Out::Jsonl(out), None) => {
                serde_json::to_writer(&mut *out, &record)?;
                out.write_all(b"\n")
            }
            (Out::Jsonl(out), Some(offset)) => {
                serde_json::to_writer(&mut *out, &WithOffset::new(record, offset))?;
                out.write_all(b"\n")
            }
        }
    }

    /// Writes all records that are left, those of one kind of file or of every kind.
    ///
    /// With a kind the [header](Self::write_header) comes first. `progress` is told after every 4,096 records how many were read; what it breaks ends with
    /// [`CopyError::Stopped`].
    pub fn copy(
        &mut self,
        records: &mut Records<'_, AnyRecord>,
        kind: Option<IndexKind>,
        mut progress: impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), CopyError> {
        if let Some(kind) = kind {
            self.write_header(kind).map_err(CopyError::Write)?;
        }
        while let Some(record) = records.next_record()? {
            if kind.is_none_or(|kind| kind == record.kind()) {
                self.write(record).map_err(CopyError::Write)?;
            }
            if records.rows().is_multiple_of(ROWS_BETWEEN) && progress(records.rows()).is_break() {
                return Err(CopyError::Stopped);
            }
        }
        Ok(())
    }

    /// Flushes, and hands back what was written to.
    pub fn into_inner(self) -> io::Result<W> {
        match self.out {
            Out::Csv(csv) => csv.into_inner(),
            Out::Jsonl(mut out) => {
                out.flush()?;
                Ok(out)
            }
        }
    }
}

impl<W: Write> fmt::Debug for RecordWriter<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordWriter").finish_non_exhaustive()
    }
}

/// Why not all records were copied. Those before are written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The next one cannot be read.
    #[error(transparent)]
    Read(#[from] Error),
    /// It cannot be written: the output failed, or, as an error of kind [`InvalidInput`](io::ErrorKind::InvalidInput), a CSV would get records of
    /// two kinds of file.
    #[error("writing the records failed: {0}")]
    Write(#[source] io::Error),
    /// The progress function stopped it.
    #[error("the copy was stopped")]
    Stopped,
}
