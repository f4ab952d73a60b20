//! `ccfs convert`: records as JSON lines, CSV or Parquet.

mod behind;
mod conversion;

use std::path::{Path, PathBuf};

use ccfs::archive::{Charset, IndexKind, LimitKind, Limits, OnBadRow, ReadOptions};
use ccfs::pull::{Format, Zone};
use clap::Args;

use self::conversion::Conversion;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::{choice, input, output};

#[derive(Args, Debug)]
#[expect(clippy::doc_markdown, reason = "this is the text of --help")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct ConvertArgs {
    /// Archives, CSV files, folders (their *.zip, sorted by name), or - for stdin
    #[arg(required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// Format to write
    #[arg(long, value_parser = choice::format(), value_name = "FORMAT", default_value_t = Format::Jsonl)]
    pub(crate) to: Format,
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
    #[arg(long, value_parser = choice::kind())]
    pub(crate) kind: Option<IndexKind>,
    /// What to do with a bad row
    #[arg(long, value_parser = choice::on_bad_row(), value_name = "ACTION", default_value = "stop")]
    pub(crate) on_bad_row: OnBadRow,
    /// Skip bad rows and write them to this file, unchanged except that the charset is UTF-8
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Charset of the data [default: detected for each file]
    #[arg(long, value_parser = choice::charset())]
    pub(crate) charset: Option<Charset>,
    /// Disable the limits on size, compression ratio and member count; limit records to 1 GiB
    #[arg(long)]
    pub(crate) trusted: bool,
}

impl ConvertArgs {
    fn options(&self) -> ReadOptions {
        let mut options = input::read_options(self.charset, self.kind).on_bad_row(self.on_bad_row);
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

pub(crate) fn run(settings: &Settings, args: &ConvertArgs) -> Result<(), Failure> {
    let inputs = input::expand(&args.inputs)?;
    let file = |path: &Option<PathBuf>| {
        path.as_deref().filter(|path| *path != Path::new("-")).map(output::file).transpose()
    };
    if args.to == Format::Parquet && (args.names || args.escape_formulas) {
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
    if output.is_none() && args.to == Format::Parquet {
        return Err(Failure::usage("Parquet is written to a file; give --output FILE"));
    }
    let overwrite = output::overwrite(args.force);
    let zone = settings.time_zone()?;
    let mut conversion = Conversion {
        names: args.names,
        escape_formulas: args.escape_formulas,
        overwrite,
        kind: args.kind,
        options: args.options(),
        rejects: rejects.map(|path| output::Target::open(&path, overwrite)).transpose()?,
        ..Conversion::new(args.to, zone, output)
    };
    conversion.run(&inputs)?;
    conversion.rejects.map_or(Ok(()), output::Target::commit)
}

/// Converts an archive, for the demo.
pub(crate) fn archive(
    archive: &Path,
    to: Format,
    zone: Option<Zone>,
    path: &Path,
) -> Result<(), Failure> {
    Conversion::new(to, zone, Some(path.to_owned())).run(&[archive.to_owned()])
}
