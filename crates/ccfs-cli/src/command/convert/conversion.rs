//! Converts the records of inputs.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ccfs::Overwrite;
use ccfs::archive::{
    AnyRecord, BadRow, CopyError, Error, ExportFormat, IndexKind, ReadOptions, RecordWriter,
    Records,
};
use ccfs::arrow::arrow_array::RecordBatchReader as _;
use ccfs::arrow::arrow_schema::ArrowError;
use ccfs::arrow::{self, Batches, Cause, ParquetOptions, ParquetWriter};
use ccfs::pull::{Format, Zone};

use super::behind;
use crate::failure::{Failure, Kind};
use crate::input::{self, Input};
use crate::progress::Bar;
use crate::{interrupt, output};

/// A conversion of several inputs to one output.
pub(super) struct Conversion {
    pub(super) to: Format,
    pub(super) names: bool,
    pub(super) escape_formulas: bool,
    pub(super) zone: Option<Zone>,
    /// The file to write; `None` for stdout.
    pub(super) output: Option<PathBuf>,
    pub(super) overwrite: Overwrite,
    /// The kind to convert; `None` for all.
    pub(super) kind: Option<IndexKind>,
    pub(super) options: ReadOptions,
    /// Where bad rows are written.
    pub(super) rejects: Option<output::Target>,
    pub(super) bar: Bar,
}

impl Conversion {
    /// Creates a conversion of the records of all kinds, which replaces an existing output.
    pub(super) fn new(to: Format, zone: Option<Zone>, output: Option<PathBuf>) -> Self {
        Self {
            to,
            names: false,
            escape_formulas: false,
            zone,
            output,
            overwrite: Overwrite::Replace,
            kind: None,
            options: ReadOptions::new(),
            rejects: None,
            bar: Bar::reading(),
        }
    }

    /// Converts all inputs to the output: stdout, a file that is written atomically, or a device or pipe.
    pub(super) fn run(&mut self, inputs: &[PathBuf]) -> Result<(), Failure> {
        let Some(path) = &self.output else { return self.write(inputs, io::stdout()) };
        let mut file = output::Target::open(path, self.overwrite)?;
        self.write(inputs, &mut file)?;
        file.commit()
    }

    fn write(&mut self, inputs: &[PathBuf], out: impl Write + Send) -> Result<(), Failure> {
        match self.to {
            Format::Jsonl => self.run_text(ExportFormat::Jsonl, inputs, out),
            Format::Csv => self.run_text(ExportFormat::Csv, inputs, out),
            _ => self.run_parquet(inputs, out),
        }
    }

    /// Describes a failure of the output.
    fn cannot(&self, error: &io::Error) -> Failure {
        match &self.output {
            Some(path) => Failure::file(format_args!("cannot write {}: {error}", path.display())),
            None => Failure::stdout(error),
        }
    }

    /// Converts on this thread, and writes on another one.
    fn run_text(
        &mut self,
        format: ExportFormat,
        inputs: &[PathBuf],
        out: impl Write + Send,
    ) -> Result<(), Failure> {
        let (converted, written) =
            behind::write_behind(out, |out| self.convert_text(format, inputs, out));
        // The failure of the output is also the reason why the conversion ended.
        written.map_err(|error| self.cannot(&error))?;
        converted
    }

    fn convert_text(
        &mut self,
        format: ExportFormat,
        inputs: &[PathBuf],
        out: impl Write,
    ) -> Result<(), Failure> {
        let zone = self.zone.clone();
        let mut writer =
            RecordWriter::new(format, out).names(self.names).escape_formulas(self.escape_formulas);
        if let Some(zone) = &zone {
            writer = writer.offset(|time| zone.offset(time));
        }
        for path in inputs {
            let input = Input::open(path, self.kind, &self.options, &self.bar)?;
            let kind = self.only_kind(&input, path)?;
            let mut records = input.into_records(path, &self.options)?;
            let copied = self.copy(&mut writer, &mut records, kind);
            self.conclude(path, kind, copied, Some(&records))?;
        }
        writer.into_inner().map_err(|error| self.cannot(&error))?;
        Ok(())
    }

    /// Writes the records of one kind as one Parquet file.
    fn run_parquet<W: Write + Send>(&mut self, inputs: &[PathBuf], out: W) -> Result<(), Failure> {
        let mut options = arrow::Options::new();
        if let Some(zone) = self.zone.clone() {
            let name = zone.name().to_owned();
            options = options.time_zone(&name, move |time| zone.offset(time));
        }
        let (mut out, mut written) = (Some(out), None::<(IndexKind, ParquetWriter<W>)>);
        for path in inputs {
            let input = Input::open(path, self.kind, &self.options, &self.bar)?;
            let kind = self.only_kind(&input, path)?.ok_or_else(|| match &input {
                Input::Parquet(_) | Input::Stream(input::Format::Parquet, _) => input::is_parquet(path),
                Input::Stream(..) => Failure::usage(
                    "the kind of an archive from stdin cannot be determined before it is read; give --kind",
                ),
                _ => Failure::data(format_args!(
                    "{} has no index file of a known kind; give the kind of its CSV files with --kind",
                    input::name(path)
                )),
            })?;
            let records = input.into_records(path, &self.options)?;
            let batches = Batches::new(records, kind, &options).map_err(Failure::data)?;
            if let Some(out) = out.take() {
                let writer = ParquetWriter::new(out, &batches.schema(), &ParquetOptions::new());
                written = Some((kind, writer.map_err(Failure::data)?));
            }
            let Some((_, writer)) = written.as_mut().filter(|(first, _)| *first == kind) else {
                return Err(Failure::usage(
                    "the inputs have several kinds of files, which have different columns; choose one with --kind",
                ));
            };
            let (copied, batches) = self.copy_batches(writer, batches);
            self.conclude(path, Some(kind), copied, batches.as_ref().map(Batches::records))?;
        }
        if let Some((_, writer)) = written {
            let finished = writer.finish().map_err(copy_error);
            finished.map_err(|error| self.failure(Path::new(""), &error))?;
        }
        Ok(())
    }

    /// Converts batches on another thread, and writes them on this one. Returns the batches, too, if their thread has
    /// nothing more to read: after an error of the output, it may wait for stdin.
    fn copy_batches<W: Write + Send>(
        &mut self,
        writer: &mut ParquetWriter<W>,
        batches: Batches<'static, AnyRecord>,
    ) -> (Result<(), CopyError>, Option<Batches<'static, AnyRecord>>) {
        let mut ahead = match batches.into_ahead() {
            Ok(ahead) => ahead,
            Err(error) => return (Err(CopyError::Write(error)), None),
        };
        let copied = ahead.try_for_each(|batch| {
            if interrupt::came() {
                return Err(CopyError::Stopped);
            }
            match batch {
                Ok(batch) => writer.write(&batch).map_err(copy_error)?,
                Err(error) => match (copy_error(error), &mut self.rejects) {
                    (CopyError::Read(Error::Row(row)), Some(rejects)) => {
                        reject(rejects, &row).map_err(CopyError::Write)?;
                    }
                    (error, _) => return Err(error),
                },
            }
            self.bar.rows(writer.rows());
            Ok(())
        });
        let is_read = matches!(copied, Ok(()) | Err(CopyError::Read(_)));
        (copied, is_read.then(|| ahead.into_batches()))
    }

    /// Prints notes, skipped members and bad rows of an input. Returns an error if it was not converted; without
    /// `records`, it was not.
    fn conclude(
        &self,
        path: &Path,
        kind: Option<IndexKind>,
        copied: Result<(), CopyError>,
        records: Option<&Records<'_, AnyRecord>>,
    ) -> Result<(), Failure> {
        self.bar.finish();
        if let Some(records) = records
            && !matches!(copied, Err(CopyError::Read(Error::NotIndexFile(_))))
        {
            input::print_notes(&records.notes());
        }
        copied.map_err(|error| self.failure(path, &error))?;
        let Some(records) = records else { return Ok(()) };
        let kinds = records.kinds();
        if let Some(chosen) = kind.filter(|kind| !kinds.is_empty() && !kinds.contains(kind)) {
            let path = input::name(path);
            return Err(Failure::data(format_args!("{path} has no {chosen} file")));
        }
        report(records, self.rejects.as_ref());
        Ok(())
    }

    /// Writes the records of an input, and its bad rows to `--rejects`.
    fn copy<W: Write>(
        &mut self,
        writer: &mut RecordWriter<'_, W>,
        records: &mut Records<'_, AnyRecord>,
        kind: Option<IndexKind>,
    ) -> Result<(), CopyError> {
        loop {
            let copied = writer.copy(records, kind, |rows| {
                self.bar.rows(rows);
                interrupt::flow()
            });
            match (copied, &mut self.rejects) {
                (Err(CopyError::Read(Error::Row(row))), Some(rejects)) => {
                    reject(rejects, &row).map_err(CopyError::Write)?;
                }
                (copied, _) => return copied,
            }
        }
    }

    /// Returns the kind to convert. The output CSV has the columns of one kind, so several kinds need `--kind`.
    fn only_kind(&self, input: &Input, path: &Path) -> Result<Option<IndexKind>, Failure> {
        let kinds = input.kinds(self.kind);
        let path = input::name(path);
        let found = || kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" and ");
        match (&kinds[..], self.to, self.kind) {
            ([_, ..], _, Some(chosen)) if !kinds.contains(&chosen) => {
                Err(Failure::data(format_args!("{path} has no {chosen} file, but {}", found())))
            }
            (_, _, Some(chosen)) => Ok(Some(chosen)),
            ([_, _, ..], Format::Csv | Format::Parquet, None) => Err(Failure::usage(format_args!(
                "{path} has {} files, which have different columns; choose one with --kind",
                found()
            ))),
            ([one], ..) => Ok(Some(*one)),
            _ => Ok(None),
        }
    }

    fn failure(&self, path: &Path, error: &CopyError) -> Failure {
        match error {
            CopyError::Read(error) => {
                let failure = input::of(&input::name(path), error);
                match error {
                    Error::Row(_) => {
                        failure.hint("--on-bad-row skip skips bad rows, --rejects FILE keeps them")
                    }
                    Error::Limit { .. } => failure.hint("--trusted disables the limits"),
                    _ => failure,
                }
            }
            // The kinds of several inputs or of a stream are not known before they are read.
            CopyError::Write(error) if error.kind() == io::ErrorKind::InvalidInput => {
                Failure::usage(format_args!("{error} (--kind)"))
            }
            CopyError::Write(error) => self.cannot(error),
            _ => Failure::new(Kind::Interrupted, "interrupted"),
        }
    }
}

fn copy_error(error: ArrowError) -> CopyError {
    match Cause::from(error) {
        Cause::Archive(error) => CopyError::Read(error),
        Cause::Io(error) => CopyError::Write(error),
        Cause::Arrow(error) => CopyError::Write(io::Error::other(error)),
        other => CopyError::Write(io::Error::other(format!("{other:?}"))),
    }
}

fn reject(rejects: &mut output::Target, row: &BadRow) -> io::Result<()> {
    rejects.write_all(row.raw().unwrap_or_default())?;
    rejects.write_all(b"\n")
}

/// Prints skipped members and bad rows on stderr.
fn report(records: &Records<'_, AnyRecord>, rejects: Option<&output::Target>) {
    let skipped = records.skipped_members();
    if skipped.count() > 0 {
        input::print_skipped(&skipped.to_string());
    }
    let done = rejects.map_or_else(
        || "skipped".to_owned(),
        |rejects| format!("written to {}", rejects.path().display()),
    );
    input::print_bad_rows(records.bad_rows(), &done);
}
