//! Inputs of `convert` and `inspect`: archives, CSV files, folders, stdin.

use std::fs::{self, DirEntry, File};
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ccfs::archive::{
    AnyRecord, Archive, BadRows, Charset, Error, IndexKind, Member, Note, ReadOptions, Records,
};
use indicatif::ProgressBarIter;

use crate::failure::Failure;
use crate::message;
use crate::progress::Bar;

/// Number of bytes that distinguish archives, Parquet files and CSV files.
const START: u64 = 4;

/// What to do with a Parquet file, which `convert` does not read.
const READ_PARQUET: &str =
    "convert reads archives and CSV; read Parquet with DuckDB, polars, pandas or Spark";

/// Bad rows whose positions are shown; all are counted.
const BAD_ROWS_SHOWN: usize = 10;

/// Options with a charset and the kind of members whose names do not contain one.
pub(crate) fn read_options(charset: Option<Charset>, kind: Option<IndexKind>) -> ReadOptions {
    let mut options = ReadOptions::new();
    if let Some(charset) = charset {
        options = options.charset(charset);
    }
    if let Some(kind) = kind {
        options = options.default_kind(kind);
    }
    options
}

/// Replaces folders by their archives, sorted by name.
pub(crate) fn expand(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            paths.push(input.clone());
            continue;
        }
        let mut found = archives(input)?;
        if found.is_empty() {
            let folder = input.display();
            return Err(Failure::data(if parquet_files(input)?.is_empty() {
                format!("{folder} has no *.zip files")
            } else {
                format!("{folder} has no *.zip files, but Parquet files; {READ_PARQUET}")
            }));
        }
        paths.append(&mut found);
    }
    Ok(paths)
}

/// Returns the archives in a folder, sorted by name.
///
/// Skips files that a pull rejected (`*.rejected.zip`).
pub(crate) fn archives(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found: Vec<_> = entries(folder)?.into_iter().map(|entry| entry.path()).collect();
    found.retain(|path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        has_extension(path, "zip") && !stem.ends_with(".rejected") && !stem.starts_with('.')
    });
    found.sort_unstable();
    Ok(found)
}

/// Returns the Parquet files in a folder and in the folders below it, sorted by path.
///
/// Like the engines that read such folders, it skips names that begin with a dot or an underscore. It does not follow
/// links to folders, which may form a loop.
pub(crate) fn parquet_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in entries(&folder)? {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with(['.', '_']) {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if has_extension(&path, "parquet") && path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<DirEntry>, Failure> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect);
    entries.map_err(Failure::cannot("read", folder))
}

fn has_extension(path: &Path, expected: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(expected))
}

/// Format of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Zip,
    Parquet,
    Csv,
}

impl Format {
    /// Returns the format that the first bytes have.
    pub(crate) fn of(start: &[u8]) -> Self {
        match start {
            [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => Self::Zip,
            b"PAR1" => Self::Parquet,
            _ => Self::Csv,
        }
    }

    /// Returns the format of a file. A name such as `*.zip` applies if the first bytes do not say it.
    fn of_file(path: &Path, start: &[u8]) -> Self {
        match Self::of(start) {
            Self::Csv if has_extension(path, "zip") => Self::Zip,
            Self::Csv if has_extension(path, "parquet") => Self::Parquet,
            format => format,
        }
    }
}

/// An open input.
pub(crate) enum Input {
    Archive(Archive<ProgressBarIter<File>>),
    Parquet(File),
    /// An archive or a Parquet file from stdin: its directory comes last.
    Stream(Format, Box<dyn Read + Send>),
    Csv {
        reader: Box<dyn Read + Send>,
        name: String,
        kind: IndexKind,
    },
}

impl Input {
    /// Opens a file, or stdin for `-`. Its format is recognized by its first bytes or by names such as `*.zip`.
    ///
    /// `kind` applies to CSV files and to members whose names do not contain one.
    pub(crate) fn open(
        path: &Path,
        kind: Option<IndexKind>,
        options: &ReadOptions,
        bar: &Bar,
    ) -> Result<Self, Failure> {
        if path == Path::new("-") {
            let (format, reader) = stdin()?;
            if format != Format::Csv {
                return Ok(Self::Stream(format, reader));
            }
            let kind = kind.unwrap_or(IndexKind::AgentSkillInfo);
            return Ok(Self::Csv { reader, name: "stdin".into(), kind });
        }
        let (file, format) = open(path)?;
        match format {
            Format::Zip => {
                let archive = Archive::open_with(counting(file, bar), options);
                archive.map(Self::Archive).map_err(|error| of(&name(path), &error))
            }
            Format::Parquet => Ok(Self::Parquet(file)),
            Format::Csv => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let kind = csv_kind(kind, &name)?;
                Ok(Self::Csv { reader: Box::new(counting(file, bar)), name, kind })
            }
        }
    }

    /// The kinds of its members; empty for a stream, whose members are not known yet.
    pub(crate) fn kinds(&self, default: Option<IndexKind>) -> Vec<IndexKind> {
        match self {
            Self::Stream(..) | Self::Parquet(_) => Vec::new(),
            Self::Csv { kind, .. } => vec![*kind],
            Self::Archive(archive) => {
                let is_data = |member: &&Member| !member.is_ignorable() && !member.is_folder();
                let members = archive.members().iter().filter(is_data);
                let mut kinds: Vec<IndexKind> =
                    members.filter_map(|member| member.kind().or(default)).collect();
                kinds.sort_unstable();
                kinds.dedup();
                kinds
            }
        }
    }

    /// Returns its records; a Parquet file is an error. Large archives and streams are inflated on a second thread.
    pub(crate) fn into_records(
        self,
        path: &Path,
        options: &ReadOptions,
    ) -> Result<Records<'static, AnyRecord>, Failure> {
        match self {
            Self::Archive(archive) => Ok(archive.into_records_ahead()),
            Self::Parquet(_) | Self::Stream(Format::Parquet, _) => Err(is_parquet(path)),
            Self::Stream(_, reader) => Ok(Records::from_stream_ahead(reader, options)),
            Self::Csv { reader, name, kind } => {
                Ok(Records::from_csv_with(reader, kind, options).named(&name))
            }
        }
    }
}

pub(crate) fn is_parquet(path: &Path) -> Failure {
    Failure::data(format_args!("{} is a Parquet file; {READ_PARQUET}", name(path)))
}

/// The name of an input in messages.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

/// Opens a file and returns its format.
fn open(path: &Path) -> Result<(File, Format), Failure> {
    let cannot = Failure::cannot("read", path);
    let mut file = File::open(path).map_err(cannot)?;
    let mut start = Vec::new();
    file.by_ref().take(START).read_to_end(&mut start).map_err(cannot)?;
    file.seek(SeekFrom::Start(0)).map_err(cannot)?;
    Ok((file, Format::of_file(path, &start)))
}

/// Shows on a bar what is read from a file.
pub(crate) fn counting(file: File, bar: &Bar) -> ProgressBarIter<File> {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    bar.counting(file, length)
}

/// Returns the format of stdin and a reader of all of it.
fn stdin() -> Result<(Format, Box<dyn Read + Send>), Failure> {
    let mut start = Vec::new();
    let mut stdin = std::io::stdin();
    let read = stdin.by_ref().take(START).read_to_end(&mut start);
    read.map_err(Failure::cannot("read", Path::new("stdin")))?;
    if start.is_empty() {
        return Err(Failure::data("stdin is empty; check the command before the pipe"));
    }
    Ok((Format::of(&start), Box::new(Cursor::new(start).chain(stdin))))
}

/// Returns the kind of a CSV file: the one in its name, or else the given one.
fn csv_kind(kind: Option<IndexKind>, name: &str) -> Result<IndexKind, Failure> {
    match (IndexKind::of_name(name), kind) {
        (Some(named), Some(kind)) if named != kind => Err(Failure::usage(format_args!(
            "{name} is a {named} file by its name, not {kind}; rename it or change --kind"
        ))),
        (named, kind) => Ok(named.or(kind).unwrap_or(IndexKind::AgentSkillInfo)),
    }
}

/// Converts an error of reading the named input.
pub(crate) fn of(name: &str, error: &Error) -> Failure {
    match error {
        Error::NoMember { .. } => Failure::data(format_args!("{name}: {error} (--kind)")),
        // These messages already begin with the name of the member or the CSV file.
        Error::Row(_) | Error::NotIndexFile(_) => Failure::data(error),
        error => Failure::data(format_args!("{name}: {error}")),
    }
}

/// Prints notes on stderr.
pub(crate) fn print_notes(notes: &[Note]) {
    for note in notes {
        let option = match note.kind {
            ccfs::archive::NoteKind::GuessedCharset(_) => " (--charset)",
            _ => "",
        };
        message::note(format_args!("note: {note}{option}"));
    }
}

/// Prints the names of skipped members on stderr.
pub(crate) fn print_skipped(skipped: &str) {
    message::note(format_args!(
        "note: skipped, not an index file by name: {skipped} (--kind reads it as one)"
    ));
}

/// Prints bad rows on stderr. `done` is what was done with them.
pub(crate) fn print_bad_rows(bad_rows: &BadRows, done: &str) {
    let count = bad_rows.count();
    if count == 0 {
        return;
    }
    message::note(format_args!(
        "{count} bad {} {done}:",
        if count == 1 { "row was" } else { "rows were" }
    ));
    for row in bad_rows.first().iter().take(BAD_ROWS_SHOWN) {
        message::note(format_args!("  {}: {}", row.at, row.fault));
    }
    if count > BAD_ROWS_SHOWN as u64 {
        message::note(format_args!("  and {} more", count - BAD_ROWS_SHOWN as u64));
    }
}
