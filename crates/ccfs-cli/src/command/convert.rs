//! `ccfs convert`: records as JSON lines, CSV or Parquet.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use ccfs::Overwrite;
use ccfs::archive::{
    AnyRecord, BadRow, CopyError, Error, ExportFormat, IndexKind, LimitKind, Limits, OnBadRow,
    ReadOptions, RecordWriter, Records,
};
use ccfs::arrow::arrow_array::RecordBatchReader as _;
use ccfs::arrow::arrow_schema::ArrowError;
use ccfs::arrow::{self, Batches, ParquetOptions, ParquetWriter};
use ccfs::pull::{Format, Zone};
use clap::{Args, ValueEnum};

use crate::failure::{Failure, Kind};
use crate::input::{self, CharsetArg, Input, KindArg};
use crate::progress::Bar;
use crate::settings::Settings;
use crate::{interrupt, output};

/// Maximum number of batches between the two threads.
const BATCHES_AHEAD: usize = 2;
/// Size of the output buffer, in bytes.
const BUFFER: usize = 256 * 1024;

#[derive(Args, Debug)]
#[expect(clippy::doc_markdown, reason = "this is the text of --help")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct ConvertArgs {
    /// Archives, CSV files, folders (their *.zip, sorted by name), or - for stdin
    #[arg(required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// Format to write
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Target::Jsonl)]
    pub(crate) to: Target,
    /// Add the names of codes, such as operate_type_name, after the known columns
    #[arg(long)]
    pub(crate) names: bool,
    /// Write an apostrophe before CSV cells that spreadsheets would read as formulas, such as =1+1
    #[arg(long)]
    pub(crate) escape_formulas: bool,
    /// File to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace existing files
    #[arg(long)]
    pub(crate) force: bool,
    /// Kind of CSV files and members whose names do not contain one; only this kind is converted
    #[arg(long, value_enum)]
    pub(crate) kind: Option<KindArg>,
    /// What to do with a bad row
    #[arg(long, value_enum, value_name = "ACTION", default_value_t = OnBadRowArg::Stop)]
    pub(crate) on_bad_row: OnBadRowArg,
    /// Skip bad rows and write them to this file, unchanged except that the charset is UTF-8
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Charset of the data [default: detected for each file]
    #[arg(long, value_enum)]
    pub(crate) charset: Option<CharsetArg>,
    /// Disable the limits on size, compression ratio and member count; limit records to 1 GiB
    #[arg(long)]
    pub(crate) trusted: bool,
}

impl ConvertArgs {
    fn options(&self) -> ReadOptions {
        let mut options = ReadOptions::new().on_bad_row(self.on_bad_row.into());
        if let Some(charset) = self.charset {
            options = options.charset(charset.into());
        }
        if let Some(kind) = self.kind {
            options = options.default_kind(kind.into());
        }
        let mut limits = Limits::new();
        if self.trusted {
            limits = limits
                .with(LimitKind::DirectoryBytes, u64::MAX)
                .with(LimitKind::Members, u64::MAX)
                .with(LimitKind::MemberBytes, u64::MAX)
                .with(LimitKind::TotalBytes, u64::MAX)
                .with(LimitKind::Ratio, u64::MAX)
                .with(LimitKind::RecordBytes, TRUSTED_RECORD)
                .with(LimitKind::FieldBytes, TRUSTED_RECORD);
        }
        if self.rejects.is_some() {
            let record = limits.get(LimitKind::RecordBytes);
            options = options
                .on_bad_row(OnBadRow::Return)
                .keep_bad_rows(usize::try_from(record).unwrap_or(usize::MAX));
        }
        options.limits(limits)
    }
}

/// Records are held in memory, so they have a limit even with `--trusted`.
const TRUSTED_RECORD: u64 = 1024 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    Jsonl,
    Csv,
    /// Typed columns, for databases and data frames
    Parquet,
}

impl From<Target> for Format {
    fn from(target: Target) -> Self {
        match target {
            Target::Jsonl => Self::Jsonl,
            Target::Csv => Self::Csv,
            Target::Parquet => Self::Parquet,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnBadRowArg {
    /// Stop and print its position
    Stop,
    /// Skip it, count it, and print its position on stderr
    Skip,
}

impl From<OnBadRowArg> for OnBadRow {
    fn from(action: OnBadRowArg) -> Self {
        match action {
            OnBadRowArg::Stop => Self::Stop,
            OnBadRowArg::Skip => Self::Skip,
        }
    }
}

pub(crate) fn run(settings: &Settings, args: &ConvertArgs) -> Result<(), Failure> {
    let inputs = input::expand(&args.inputs)?;
    let file = |path: &Option<PathBuf>| {
        path.as_deref().filter(|path| *path != Path::new("-")).map(output::file).transpose()
    };
    if args.to == Target::Parquet && (args.names || args.escape_formulas) {
        return Err(Failure::usage(
            "--names and --escape-formulas are not for Parquet, which always has columns for the names of codes",
        ));
    }
    let is_stdout = |path: &PathBuf| path == Path::new("-");
    if args.rejects.as_ref().is_some_and(is_stdout) {
        return Err(Failure::usage("--rejects needs a file"));
    }
    let (output, rejects) = (file(&args.output)?, file(&args.rejects)?);
    let absolute = |path: &Option<PathBuf>| {
        path.as_ref().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()))
    };
    if output.is_some() && absolute(&output) == absolute(&rejects) {
        return Err(Failure::usage("--output and --rejects name the same file; give two files"));
    }
    let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
    let mut conversion = Conversion {
        to: args.to,
        names: args.names,
        escape_formulas: args.escape_formulas,
        zone: settings.time_zone()?,
        kind: args.kind.map(IndexKind::from),
        options: args.options(),
        rejects: rejects.map(|path| output::Target::open(&path, overwrite)).transpose()?,
        bar: Bar::reading(),
    };
    match output {
        None if args.to == Target::Parquet => {
            return Err(Failure::usage("Parquet is written to a file; give --output FILE"));
        }
        None => {
            let mut out = BufWriter::with_capacity(BUFFER, io::stdout());
            conversion.run(&inputs, &mut out, Failure::stdout)?;
            out.flush().map_err(|error| Failure::stdout(&error))?;
        }
        Some(path) => conversion.write_file(&inputs, &path, overwrite)?,
    }
    conversion.rejects.map_or(Ok(()), output::Target::commit)
}

struct Conversion {
    to: Target,
    names: bool,
    escape_formulas: bool,
    zone: Option<Zone>,
    /// The kind to convert; `None` for all.
    kind: Option<IndexKind>,
    options: ReadOptions,
    /// Where bad rows are written.
    rejects: Option<output::Target>,
    bar: Bar,
}

impl Conversion {
    /// Writes a file atomically, or through to a device or pipe.
    fn write_file(
        &mut self,
        inputs: &[PathBuf],
        path: &Path,
        overwrite: Overwrite,
    ) -> Result<(), Failure> {
        let file = output::Target::open(path, overwrite)?;
        let cannot = |error: &io::Error| {
            Failure::file(format_args!("cannot write {}: {error}", path.display()))
        };
        let mut out = BufWriter::with_capacity(BUFFER, file);
        self.run(inputs, &mut out, cannot)?;
        out.into_inner().map_err(|error| cannot(error.error()))?.commit()
    }

    /// Writes the records of all inputs. `cannot` describes a failure of the output.
    fn run(
        &mut self,
        inputs: &[PathBuf],
        out: impl Write + Send,
        cannot: impl Fn(&io::Error) -> Failure,
    ) -> Result<(), Failure> {
        match self.to {
            Target::Jsonl => self.run_text(ExportFormat::Jsonl, inputs, out, cannot),
            Target::Csv => self.run_text(ExportFormat::Csv, inputs, out, cannot),
            Target::Parquet => self.run_parquet(inputs, out, cannot),
        }
    }

    fn run_text(
        &mut self,
        format: ExportFormat,
        inputs: &[PathBuf],
        out: impl Write,
        cannot: impl Fn(&io::Error) -> Failure,
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
            let mut records = input.into_records(&self.options);
            let copied = self.copy(&mut writer, &mut records, kind);
            self.conclude(path, kind, copied, &records, &cannot)?;
        }
        writer.into_inner().map_err(|error| cannot(&error))?;
        Ok(())
    }

    /// Writes the records of one kind as one Parquet file.
    fn run_parquet<W: Write + Send>(
        &mut self,
        inputs: &[PathBuf],
        out: W,
        cannot: impl Fn(&io::Error) -> Failure,
    ) -> Result<(), Failure> {
        let mut options = arrow::Options::new();
        if let Some(zone) = self.zone.clone() {
            let name = zone.name().to_owned();
            options = options.time_zone(&name, move |time| zone.offset(time));
        }
        let (mut out, mut written) = (Some(out), None::<(IndexKind, ParquetWriter<W>)>);
        for path in inputs {
            let input = Input::open(path, self.kind, &self.options, &self.bar)?;
            let kind = self.only_kind(&input, path)?.ok_or_else(|| match &input {
                Input::Stream(..) => Failure::usage(
                    "the kind of an archive from stdin cannot be determined before it is read; give --kind",
                ),
                _ => Failure::data(format_args!(
                    "{} has no index file of a known kind; give the kind of its CSV files with --kind",
                    input::name(path)
                )),
            })?;
            let records = input.into_records(&self.options);
            let mut batches = Batches::new(records, kind, &options).map_err(Failure::data)?;
            if let Some(out) = out.take() {
                let writer = ParquetWriter::new(out, &batches.schema(), &ParquetOptions::new());
                written = Some((kind, writer.map_err(Failure::data)?));
            }
            let Some((_, writer)) = written.as_mut().filter(|(first, _)| *first == kind) else {
                return Err(Failure::usage(
                    "the inputs have several kinds of files, which have different columns; choose one with --kind",
                ));
            };
            let copied = self.copy_batches(writer, &mut batches);
            self.conclude(path, Some(kind), copied, batches.records(), &cannot)?;
        }
        if let Some((_, writer)) = written {
            let finished = writer.finish().map_err(copy_error);
            finished.map_err(|error| failure(Path::new(""), &error, &cannot))?;
        }
        Ok(())
    }

    /// Creates the batches on another thread, and writes them on this one, which takes 16 % less time.
    fn copy_batches<W: Write + Send>(
        &mut self,
        writer: &mut ParquetWriter<W>,
        batches: &mut Batches<'_, AnyRecord>,
    ) -> Result<(), CopyError> {
        let (sender, receiver) = mpsc::sync_channel(BATCHES_AHEAD);
        thread::scope(|scope| {
            // The thread ends when this one stops receiving.
            thread::Builder::new()
                .spawn_scoped(scope, move || batches.try_for_each(|batch| sender.send(batch)))
                .map_err(CopyError::Write)?;
            for batch in receiver {
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
            }
            Ok(())
        })
    }

    /// Prints notes, skipped members and bad rows of an input. Returns an error if it was not converted.
    fn conclude(
        &self,
        path: &Path,
        kind: Option<IndexKind>,
        copied: Result<(), CopyError>,
        records: &Records<'_, AnyRecord>,
        cannot: &impl Fn(&io::Error) -> Failure,
    ) -> Result<(), Failure> {
        self.bar.finish();
        if !matches!(copied, Err(CopyError::Read(Error::NotIndexFile(_)))) {
            input::print_notes(&records.notes());
        }
        copied.map_err(|error| failure(path, &error, cannot))?;
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
            ([_, _, ..], Target::Csv | Target::Parquet, None) => Err(Failure::usage(format_args!(
                "{path} has {} files, which have different columns; choose one with --kind",
                found()
            ))),
            ([one], ..) => Ok(Some(*one)),
            _ => Ok(None),
        }
    }
}

/// Returns the source of an error of batches.
fn copy_error(error: ArrowError) -> CopyError {
    let ArrowError::ExternalError(source) = error else {
        return CopyError::Write(io::Error::other(error));
    };
    match source.downcast::<Error>() {
        Ok(error) => CopyError::Read(*error),
        Err(source) => match source.downcast::<io::Error>() {
            Ok(error) => CopyError::Write(*error),
            Err(source) => CopyError::Write(io::Error::other(source)),
        },
    }
}

fn reject(rejects: &mut output::Target, row: &BadRow) -> io::Result<()> {
    rejects.write_all(row.raw().unwrap_or_default())?;
    rejects.write_all(b"\n")
}

fn failure(path: &Path, error: &CopyError, cannot: &impl Fn(&io::Error) -> Failure) -> Failure {
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
        CopyError::Write(error) => cannot(error),
        _ => Failure::new(Kind::Interrupted, "interrupted"),
    }
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

/// Converts an archive, for the demo.
pub(crate) fn archive(
    archive: &Path,
    to: Target,
    zone: Option<Zone>,
    path: &Path,
) -> Result<(), Failure> {
    let mut conversion = Conversion {
        to,
        names: false,
        escape_formulas: false,
        zone,
        kind: None,
        options: ReadOptions::new(),
        rejects: None,
        bar: Bar::reading(),
    };
    conversion.write_file(&[archive.to_owned()], path, Overwrite::Replace)
}
