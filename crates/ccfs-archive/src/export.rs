//! Records on their way out: as JSON lines, or as CSV in one shape.

use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;

use crate::csv::{CsvRow, Line, other_columns};
use crate::error::Error;
use crate::kind::IndexKind;
use crate::record::{AnyRecord, AnyRecordRef, Export, JsonLine, OffsetText, RecordRef};
use crate::records::Records;
use crate::time::TenantTime;

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
type OffsetOf<'a> = Box<dyn Fn(TenantTime) -> Option<i32> + Send + Sync + 'a>;

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
    out: W,
    format: ExportFormat,
    offset: Option<OffsetOf<'a>>,
    names: bool,
    /// The file whose columns the CSV has.
    kind: Option<IndexKind>,
    line: Vec<u8>,
}

impl<'a, W: Write> RecordWriter<'a, W> {
    /// Creates a writer that makes one call to `out` for each record: pass a buffered one.
    pub const fn new(format: ExportFormat, out: W) -> Self {
        Self { out, format, offset: None, names: false, kind: None, line: Vec::new() }
    }

    /// Writes local times of the call center with their offset: `2015-02-08T20:23:30+08:00` in JSON,
    /// `2015-02-08 20:23:30+08:00` in CSV.
    ///
    /// `offset` returns the seconds east of UTC at a local time, or `None` to write the time without an offset.
    /// By default, no time has an offset.
    #[must_use]
    pub fn offset(mut self, offset: impl Fn(TenantTime) -> Option<i32> + Send + Sync + 'a) -> Self {
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

    /// Writes the header row if the format has one and it is not yet written. Without this call, the first
    /// record writes it, so that a file without records would have no header.
    ///
    /// # Errors
    ///
    /// Returns the error of the output, and as CSV an error of kind [`InvalidInput`](io::ErrorKind::InvalidInput)
    /// if the header of another index file is written.
    pub fn write_header(&mut self, kind: IndexKind) -> io::Result<()> {
        match self.kind {
            _ if self.format == ExportFormat::Jsonl => return Ok(()),
            Some(written) if written == kind => return Ok(()),
            Some(_) => return Err(other_columns()),
            None => self.kind = Some(kind),
        }
        let mut line = Line::on(&mut self.line);
        let names = if self.names { kind.name_columns() } else { &[] };
        for column in kind.columns().iter().chain(names) {
            line.cell(column);
        }
        line.end();
        self.out.write_all(&self.line)
    }

    /// Writes a record; in CSV, the first one after the [header](Self::write_header).
    ///
    /// # Errors
    ///
    /// Returns the error of the output, and as CSV an error of kind [`InvalidInput`](io::ErrorKind::InvalidInput)
    /// for a record of another index file than the header's.
    pub fn write(&mut self, record: AnyRecordRef<'_>) -> io::Result<()> {
        match self.format {
            ExportFormat::Jsonl => {
                self.line.clear();
                let offset = self.offset.as_deref().map(|offset| offset as _);
                JsonLine::write(&record, &mut self.line, offset, self.names);
            }
            ExportFormat::Csv => {
                self.write_header(record.kind())?;
                self.csv_line(record);
            }
        }
        self.out.write_all(&self.line)
    }

    fn csv_line(&mut self, record: AnyRecordRef<'_>) {
        let mut line = Line::on(&mut self.line);
        let mut column = 0;
        let columns = record.columns().len();
        record.cells(&mut |cell| {
            line.cell(cell);
            if let Some(offset) = &self.offset
                && let Some(seconds) = record.local_time(column).and_then(offset)
            {
                line.append(OffsetText(seconds));
            }
            column += 1;
            if column == columns && self.names {
                record.code_names(&mut |name| line.cell(name));
            }
        });
        line.end();
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

    /// Flushes the output and returns it.
    ///
    /// # Errors
    ///
    /// Returns the error of the output.
    pub fn into_inner(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
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
