//! `ccfs convert`: records as JSON lines or as CSV in one shape.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ccfs::archive::{
    AnyRecord, BadRows, Charset, CopyError, Error, ExportFormat, IndexKind, Limits, OnBadRow,
    ReadOptions, RecordWriter, Records,
};
use ccfs::pull::Zone;
use ccfs::{Overwrite, WholeFile};
use clap::{Args, ValueEnum};

use crate::failure::{Failure, Kind};
use crate::input::{self, Input};
use crate::progress::Bar;
use crate::settings::Settings;
use crate::{interrupt, output};

/// Bad rows whose positions are told; all are counted.
const BAD_ROWS_TOLD: usize = 10;

#[derive(Args, Debug)]
pub(crate) struct ConvertArgs {
    /// Archive, CSV file, or - for either on stdin
    pub(crate) input: PathBuf,
    /// What to make of it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Target::Jsonl)]
    pub(crate) to: Target,
    /// Add the names of codes, such as operate_type_name, after the known columns
    #[arg(long)]
    pub(crate) names: bool,
    /// File to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the file where it is there already
    #[arg(long)]
    pub(crate) force: bool,
    /// Which of the four files it is, where its name does not tell; or which one of an archive's is wanted
    #[arg(long, value_enum)]
    pub(crate) kind: Option<KindArg>,
    /// What to do about a row that cannot be read
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = BadRow::Stop)]
    pub(crate) on_bad_row: BadRow,
    /// The charset of its files [default: told by the bytes of each]
    #[arg(long, value_enum)]
    pub(crate) charset: Option<CharsetArg>,
    /// Take any size, ratio and number of files, and records of up to 1 GiB: for a file whose origin is known
    #[arg(long)]
    pub(crate) trusted: bool,
}

impl ConvertArgs {
    fn options(&self) -> ReadOptions {
        let options = ReadOptions::new().on_bad_row(self.on_bad_row.into());
        let options =
            self.charset.map_or(options.clone(), |charset| options.charset(charset.into()));
        if !self.trusted {
            return options;
        }
        let any_size = Limits::new()
            .directory_bytes(u64::MAX)
            .members(u64::MAX)
            .member_bytes(u64::MAX)
            .total_bytes(u64::MAX)
            .ratio(u64::MAX);
        options.limits(any_size.record_bytes(TRUSTED_RECORD).field_bytes(TRUSTED_RECORD))
    }
}

/// A record is held in memory, so there is a bound for those of a trusted file, too.
const TRUSTED_RECORD: u64 = 1024 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    Jsonl,
    Csv,
}

impl From<Target> for ExportFormat {
    fn from(target: Target) -> Self {
        match target {
            Target::Jsonl => Self::Jsonl,
            Target::Csv => Self::Csv,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CharsetArg {
    #[value(name = "utf-8")]
    Utf8,
    /// And its subsets GBK and GB2312
    Gb18030,
}

impl From<CharsetArg> for Charset {
    fn from(charset: CharsetArg) -> Self {
        match charset {
            CharsetArg::Utf8 => Self::Utf8,
            CharsetArg::Gb18030 => Self::Gb18030,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BadRow {
    /// Stop with its position
    Stop,
    /// Leave it out, count it, and report it on stderr
    Skip,
}

impl From<BadRow> for OnBadRow {
    fn from(what: BadRow) -> Self {
        match what {
            BadRow::Stop => Self::Stop,
            BadRow::Skip => Self::Skip,
        }
    }
}

/// The four files, by the words in their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArg {
    #[value(name = "agentSkillInfo")]
    AgentSkillInfo,
    #[value(name = "agentOprInfo")]
    AgentOprInfo,
    #[value(name = "record")]
    Record,
    #[value(name = "call")]
    Call,
}

impl From<KindArg> for IndexKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::AgentSkillInfo => Self::AgentSkillInfo,
            KindArg::AgentOprInfo => Self::AgentOprInfo,
            KindArg::Record => Self::Record,
            KindArg::Call => Self::Call,
        }
    }
}

pub(crate) fn run(settings: &Settings, args: &ConvertArgs) -> Result<(), Failure> {
    let options = args.options();
    let output = args
        .output
        .as_deref()
        .filter(|output| *output != Path::new("-"))
        .map(output::file)
        .transpose()?;
    let bar = Bar::reading();
    let input = Input::open(&args.input, args.kind.map(IndexKind::from), &options, &bar)?;
    input.tell_what_is_none()?;
    let kind = only_kind(&input, args)?;
    let (to, names) = (args.to, args.names);
    let conversion = Conversion { to, names, zone: settings.time_zone()?, kind, bar };
    let name = args.input.display().to_string();
    let bad_rows = match &output {
        None => {
            let mut out = BufWriter::with_capacity(256 * 1024, io::stdout().lock());
            let bad_rows =
                conversion.run(input.into_records(&options), &mut out, &name, Failure::stdout)?;
            out.flush().map_err(|error| Failure::stdout(&error))?;
            bad_rows
        }
        Some(path) => to_file(&conversion, input.into_records(&options), path, args.force, &name)?,
    };
    report(&bad_rows);
    Ok(())
}

/// The file is there when all of it is right, and not before.
fn to_file(
    conversion: &Conversion,
    records: Records<'_, AnyRecord>,
    path: &Path,
    force: bool,
    name: &str,
) -> Result<BadRows, Failure> {
    let overwrite = if force { Overwrite::Replace } else { Overwrite::Refuse };
    let file = WholeFile::create(path, overwrite)?;
    let cannot = |error: &io::Error| {
        Failure::file(format_args!("{} cannot be written: {error}", path.display()))
    };
    let mut out = BufWriter::with_capacity(256 * 1024, file);
    let bad_rows = conversion.run(records, &mut out, name, cannot)?;
    let file = out.into_inner().map_err(|error| cannot(error.error()))?;
    let len = file.written();
    file.commit(len)?;
    Ok(bad_rows)
}

/// One CSV has one set of columns: an archive with several kinds of file needs a choice.
fn only_kind(input: &Input, args: &ConvertArgs) -> Result<Option<IndexKind>, Failure> {
    let (kinds, chosen) = (input.kinds(), args.kind.map(IndexKind::from));
    if let Some(chosen) = chosen.filter(|chosen| !kinds.contains(chosen) && !kinds.is_empty()) {
        let found: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        return Err(Failure::usage(format_args!(
            "it has no {chosen} file; what it has is {}",
            found.join(" and ")
        )));
    }
    match (&kinds[..], args.to, chosen) {
        (_, _, Some(chosen)) => Ok(Some(chosen)),
        ([_, _, ..], Target::Csv, None) => {
            let found: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            Err(Failure::usage(format_args!(
                "the archive has {} files, which have other columns: choose one with --kind",
                found.join(" and ")
            )))
        }
        ([one], ..) => Ok(Some(*one)),
        _ => Ok(None),
    }
}

struct Conversion {
    to: Target,
    names: bool,
    zone: Option<Zone>,
    /// The only kind of file whose records are wanted.
    kind: Option<IndexKind>,
    bar: Bar,
}

impl Conversion {
    /// Writes all records of the input of that name; `cannot` says that the output takes no more.
    fn run(
        &self,
        mut records: Records<'_, AnyRecord>,
        out: impl Write,
        name: &str,
        cannot: impl Fn(&io::Error) -> Failure,
    ) -> Result<BadRows, Failure> {
        let mut writer = RecordWriter::new(self.to.into(), out).names(self.names);
        if let Some(zone) = &self.zone {
            writer = writer.offset(|time| zone.offset(time));
        }
        let copied = writer.copy(&mut records, self.kind, |rows| {
            self.bar.rows(rows);
            interrupt::flow()
        });
        self.bar.finish();
        copied.map_err(|error| match error {
            CopyError::Read(error) => bad_row_hint(name, &error),
            // Known before only where the input can be looked at before.
            CopyError::Write(error) if error.kind() == io::ErrorKind::InvalidInput => {
                Failure::usage(format_args!("{error}: choose one with --kind"))
            }
            CopyError::Write(error) => cannot(&error),
            _ => Failure::new(Kind::Interrupted, "interrupted"),
        })?;
        Ok(records.bad_rows().clone())
    }
}

fn bad_row_hint(name: &str, error: &Error) -> Failure {
    let failure = input::of(name, error);
    match error {
        Error::Row(_) => Failure {
            message: format!("{} (--on-bad-row skip goes on without it)", failure.message),
            ..failure
        },
        Error::Limit { .. } => {
            failure.hint("--trusted takes it; do that only when you know where the file comes from")
        }
        _ => failure,
    }
}

/// Whether a file can be created is known at once; whether its rows are good only at the end.
fn report(bad_rows: &BadRows) {
    let count = bad_rows.count();
    if count == 0 {
        return;
    }
    eprintln!("{count} bad {} left out:", if count == 1 { "row was" } else { "rows were" });
    for row in bad_rows.first().iter().take(BAD_ROWS_TOLD) {
        eprintln!("  {row}");
    }
    if count > BAD_ROWS_TOLD as u64 {
        eprintln!("  and {} more", count - BAD_ROWS_TOLD as u64);
    }
}

/// Opened here as well, so that the demo can convert what it downloaded.
pub(crate) fn archive_to_jsonl(archive: &Path, path: &Path) -> Result<u64, Failure> {
    let options = ReadOptions::new();
    let bar = Bar::reading();
    let input = Input::open(archive, None, &options, &bar)?;
    let conversion = Conversion { to: Target::Jsonl, names: false, zone: None, kind: None, bar };
    to_file(&conversion, input.into_records(&options), path, true, &archive.display().to_string())?;
    let lines = File::open(path).and_then(|file| {
        io::BufRead::lines(io::BufReader::new(file)).try_fold(0, |n, line| line.map(|_| n + 1))
    });
    lines.map_err(Failure::file)
}
