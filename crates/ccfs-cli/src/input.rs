//! Inputs of `convert` and `inspect`: archives, CSV files, folders, stdin.

use std::fs::{self, File};
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ccfs::archive::{
    AnyRecord, Archive, BadRows, Charset, Error, IndexKind, Member, Note, ReadOptions, Records,
};
use clap::ValueEnum;

use crate::failure::Failure;
use crate::message;
use crate::progress::{Bar, Counting};

/// Number of bytes that distinguish an archive from a CSV file.
const START: u64 = 4;

/// Bad rows whose positions are shown; all are counted.
const BAD_ROWS_SHOWN: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CharsetArg {
    #[value(name = "utf-8")]
    Utf8,
    /// Includes GBK and GB2312
    Gb18030,
    #[value(name = "utf-16le")]
    Utf16Le,
    #[value(name = "utf-16be")]
    Utf16Be,
}

impl From<CharsetArg> for Charset {
    fn from(charset: CharsetArg) -> Self {
        match charset {
            CharsetArg::Utf8 => Self::Utf8,
            CharsetArg::Gb18030 => Self::Gb18030,
            CharsetArg::Utf16Le => Self::Utf16Le,
            CharsetArg::Utf16Be => Self::Utf16Be,
        }
    }
}

/// Kinds of index files, by the words in their names.
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

/// Replaces folders by their archives, sorted by name.
///
/// Skips files that a pull rejected (`*.rejected.zip`).
pub(crate) fn expand(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            paths.push(input.clone());
            continue;
        }
        let cannot =
            |error| Failure::file(format_args!("cannot read {}: {error}", input.display()));
        let entries = fs::read_dir(input).map_err(cannot)?;
        let mut found = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(cannot)?;
        let is_archive = |path: &PathBuf| {
            let is_zip =
                path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            is_zip && !stem.ends_with(".rejected") && !stem.starts_with('.')
        };
        found.retain(is_archive);
        if found.is_empty() {
            return Err(Failure::data(format_args!("{} has no *.zip files", input.display())));
        }
        found.sort_unstable();
        paths.append(&mut found);
    }
    Ok(paths)
}

/// An open input.
pub(crate) enum Input {
    Archive(Archive<Counting<File>>),
    /// An archive from stdin: its directory comes last.
    Stream(Box<dyn Read + Send>),
    Csv {
        reader: Box<dyn Read + Send>,
        name: String,
        kind: IndexKind,
    },
}

impl Input {
    /// Opens a file, or stdin for `-`. An archive is recognized by its first bytes or by the name `*.zip`.
    ///
    /// `kind` applies to CSV files and to members whose names do not contain one.
    pub(crate) fn open(
        path: &Path,
        kind: Option<IndexKind>,
        options: &ReadOptions,
        bar: &Bar,
    ) -> Result<Self, Failure> {
        if path == Path::new("-") {
            let (start, reader) = stdin()?;
            return Ok(if is_archive(&start) {
                Self::Stream(reader)
            } else {
                let kind = kind.unwrap_or(IndexKind::AgentSkillInfo);
                Self::Csv { reader, name: "stdin".into(), kind }
            });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (file, is_archive) = open(path, bar)?;
        if is_archive {
            let archive = Archive::open_with(file, options).map_err(|error| of(&name, &error))?;
            return Ok(Self::Archive(archive));
        }
        let kind = csv_kind(kind, &name)?;
        Ok(Self::Csv { reader: Box::new(file), name, kind })
    }

    /// The kinds of its members; empty for a stream, whose members are not known yet.
    pub(crate) fn kinds(&self, default: Option<IndexKind>) -> Vec<IndexKind> {
        match self {
            Self::Stream(_) => Vec::new(),
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

    /// Returns its records. Large archives and streams are inflated on a second thread.
    pub(crate) fn into_records(self, options: &ReadOptions) -> Records<'static, AnyRecord> {
        match self {
            Self::Archive(archive) => archive.into_records_ahead(),
            Self::Stream(reader) => Records::from_stream_ahead(reader, options),
            Self::Csv { reader, name, kind } => {
                Records::from_csv_with(reader, kind, options).named(&name)
            }
        }
    }
}

/// The name of an input in messages.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

/// Opens a file and returns whether it is an archive.
pub(crate) fn open(path: &Path, bar: &Bar) -> Result<(Counting<File>, bool), Failure> {
    let cannot = |error| Failure::file(format_args!("cannot read {}: {error}", path.display()));
    let mut file = File::open(path).map_err(cannot)?;
    let mut start = Vec::new();
    file.by_ref().take(START).read_to_end(&mut start).map_err(cannot)?;
    let is_zip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    file.seek(SeekFrom::Start(0)).map_err(cannot)?;
    let length = file.metadata().map_err(cannot)?.len();
    Ok((bar.counting(file, length), is_archive(&start) || is_zip))
}

/// Returns the first bytes of stdin and a reader of all of stdin.
pub(crate) fn stdin() -> Result<(Vec<u8>, Box<dyn Read + Send>), Failure> {
    let mut start = Vec::new();
    let mut stdin = std::io::stdin();
    let read = stdin.by_ref().take(START).read_to_end(&mut start);
    read.map_err(|error| Failure::file(format_args!("cannot read stdin: {error}")))?;
    if start.is_empty() {
        return Err(Failure::data("stdin is empty; check the command before the pipe"));
    }
    Ok((start.clone(), Box::new(Cursor::new(start).chain(stdin))))
}

pub(crate) fn is_archive(start: &[u8]) -> bool {
    matches!(start, [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6])
}

/// Returns the kind of a CSV file: the one in its name, or else the given one.
pub(crate) fn csv_kind(kind: Option<IndexKind>, name: &str) -> Result<IndexKind, Failure> {
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
