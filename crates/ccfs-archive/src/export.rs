//! Exports records as JSON lines or as CSV.

use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;

use ccfs_time::LocalTime;

use crate::csv::{CsvRow, CsvWriter};
use crate::error::Error;
use crate::kind::IndexKind;
use crate::record::{AnyRecord, AnyRecordRef, Export, JsonLine, OffsetText, RecordRef, Value};
use crate::records::Records;

/// Format of exported records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExportFormat {
    /// One JSON object a line.
    Jsonl,
    /// CSV as [`CsvWriter`] writes it.
    Csv,
}

impl ExportFormat {
    /// Returns the name, which is also the extension of its files: `jsonl` or `csv`.
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

/// Rows between two calls of the progress function.
const ROWS_BETWEEN: u64 = 4096;

/// Returns the seconds east of UTC at a local time; `None` leaves the time without an offset.
type OffsetOf<'a> = Box<dyn Fn(LocalTime) -> Option<i32> + Send + Sync + 'a>;

/// Writes records of any index file as JSON lines or as CSV.
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
    names: bool,
}

enum Out<W: Write> {
    /// With a buffer for a line.
    Jsonl(W, Vec<u8>),
    Csv(CsvWriter<W>),
}

impl<'a, W: Write> RecordWriter<'a, W> {
    /// Creates a writer that makes one call to `out` for each record: pass a buffered one.
    pub const fn new(format: ExportFormat, out: W) -> Self {
        let out = match format {
            ExportFormat::Jsonl => Out::Jsonl(out, Vec::new()),
            ExportFormat::Csv => Out::Csv(CsvWriter::new(out)),
        };
        Self { out, offset: None, names: false }
    }

    /// Writes local times of the call center with their offset: `2015-02-08T20:23:30+08:00` in JSON,
    /// `2015-02-08 20:23:30+08:00` in CSV.
    ///
    /// `offset` returns the seconds east of UTC at a local time, or `None` to write the time without an offset.
    /// By default, no time has an offset.
    #[must_use]
    pub fn offset(mut self, offset: impl Fn(LocalTime) -> Option<i32> + Send + Sync + 'a) -> Self {
        self.offset = Some(Box::new(offset));
        self
    }

    /// Adds the names of codes after the known columns: `operate_type_name` after agentSkillInfo,
    /// `op_type_name` after agentOprInfo, `task_status_name` and `call_type_name` after record, and
    /// `device_type_name` after call.
    ///
    /// The name of an unknown code is `null` in JSON, and empty in CSV. By default, there are no names.
    #[must_use]
    pub const fn names(mut self, names: bool) -> Self {
        self.names = names;
        self
    }

    /// Writes the header row where the format has one, so that a file without records has it, too.
    ///
    /// # Errors
    ///
    /// Returns the error of the output.
    pub fn write_header(&mut self, kind: IndexKind) -> io::Result<()> {
        match &mut self.out {
            Out::Csv(csv) if self.names => csv.write_header(kind.extended_column_names()),
            Out::Csv(csv) => csv.write_header(kind.column_names()),
            Out::Jsonl(..) => Ok(()),
        }
    }

    /// Writes a record.
    ///
    /// # Errors
    ///
    /// Returns the error of the output, and as CSV an error of kind [`InvalidInput`](io::ErrorKind::InvalidInput)
    /// for a record of another index file than the first one's.
    pub fn write(&mut self, record: AnyRecordRef<'_>) -> io::Result<()> {
        match &mut self.out {
            Out::Csv(csv) if self.names || self.offset.is_some() => {
                let (offset, names) = (self.offset.as_ref(), self.names);
                csv.write(&Extended { record, offset, names })
            }
            Out::Csv(csv) => csv.write(&record),
            Out::Jsonl(out, bytes) => {
                bytes.clear();
                let offset = self.offset.as_deref().map(|offset| offset as _);
                JsonLine { bytes, offset, names: self.names }.write(&record);
                out.write_all(bytes)
            }
        }
    }

    /// Writes all remaining records: of one kind of file, with the [header](Self::write_header), or of every kind.
    ///
    /// `progress` is called after every 4,096 records with the number of records read.
    ///
    /// # Errors
    ///
    /// [`CopyError::Stopped`] if `progress` breaks; [`CopyError::Read`] and [`CopyError::Write`] if reading or writing
    /// fails. The records before are written.
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

    /// Flushes the output and returns it.
    ///
    /// # Errors
    ///
    /// Returns the error of the output.
    pub fn into_inner(self) -> io::Result<W> {
        match self.out {
            Out::Csv(csv) => csv.into_inner(),
            Out::Jsonl(mut out, _) => out.flush().map(|()| out),
        }
    }
}

/// A row with what [`RecordWriter`] adds to it.
struct Extended<'r, 'a> {
    record: AnyRecordRef<'r>,
    offset: Option<&'r OffsetOf<'a>>,
    names: bool,
}

impl CsvRow for Extended<'_, '_> {
    fn columns(&self) -> &'static [&'static str] {
        if self.names { self.record.kind().extended_column_names() } else { self.record.columns() }
    }

    fn cells(&self, sink: &mut dyn FnMut(&str)) {
        let (mut column, columns) = (0, self.record.columns().len());
        self.record.cells(&mut |cell| {
            let offset = match self.record.value(column) {
                Value::LocalTime(time) => self.offset.and_then(|offset| offset(time)),
                _ => None,
            };
            match offset {
                Some(offset) => sink(&format!("{cell}{}", OffsetText(offset))),
                None => sink(cell),
            }
            column += 1;
            if self.names && column == columns {
                self.record.names(sink);
            }
        });
    }
}

impl<W: Write> fmt::Debug for RecordWriter<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordWriter").finish_non_exhaustive()
    }
}

/// Error of [`RecordWriter::copy`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// Reading the next record failed.
    #[error(transparent)]
    Read(#[from] Error),
    /// Writing failed. The kind is [`InvalidInput`](io::ErrorKind::InvalidInput) if a CSV file would have got records of two
    /// kinds of index file.
    #[error("writing the records failed: {0}")]
    Write(#[source] io::Error),
    /// The progress function stopped the copy.
    #[error("the copy was stopped")]
    Stopped,
}
