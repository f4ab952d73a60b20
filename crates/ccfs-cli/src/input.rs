//! What a command reads records from: an archive, a CSV file, stdin.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use ccfs::archive::{
    AnyRecord, Archive, ArchiveStream, Error, IndexKind, Member, ReadOptions, Records,
};

use crate::failure::Failure;
use crate::progress::{Bar, Counting};

/// Bytes that are looked at to tell what an input is.
const START: u64 = 16;

/// Members that are named when they are passed over.
const TOLD: usize = 3;

/// Where records come from.
pub(crate) enum Input {
    Archive(Archive<Counting<File>>),
    /// An archive that is still arriving; what is in it is known when it has been read.
    Stream(ArchiveStream<Box<dyn Read + Send>>),
    Csv {
        reader: Box<dyn Read + Send>,
        name: String,
        kind: IndexKind,
    },
}

impl Input {
    /// Opens a file, or stdin for `-`. Tells an archive by its first bytes, not by its name.
    ///
    /// `kind` says which of the four files a CSV is, where its name does not.
    pub(crate) fn open(
        path: &Path,
        kind: Option<IndexKind>,
        options: &ReadOptions,
        bar: &Bar,
    ) -> Result<Self, Failure> {
        let default = kind.unwrap_or(IndexKind::AgentSkillInfo);
        if path == Path::new("-") {
            let mut start = Vec::new();
            let mut stdin = std::io::stdin();
            let taken = stdin.by_ref().take(START).read_to_end(&mut start);
            taken.map_err(|error| Failure::file(format_args!("stdin cannot be read: {error}")))?;
            if start.is_empty() {
                return Err(Failure::data(
                    "stdin is empty: what should have come through the pipe did not",
                ));
            }
            check(&start, "stdin")?;
            let is_archive = start.starts_with(b"PK");
            let reader: Box<dyn Read + Send> = Box::new(Cursor::new(start).chain(stdin));
            return Ok(if is_archive {
                Self::Stream(ArchiveStream::with_options(reader, options))
            } else {
                Self::Csv { reader, name: "stdin".into(), kind: default }
            });
        }
        let cannot = |error: std::io::Error| {
            Failure::file(format_args!("{} cannot be read: {error}", path.display()))
        };
        let mut file = File::open(path).map_err(cannot)?;
        let mut start = Vec::new();
        file.by_ref().take(START).read_to_end(&mut start).map_err(cannot)?;
        file.seek(SeekFrom::Start(0)).map_err(cannot)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let named_zip =
            path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
        let len = file.metadata().map_err(cannot)?.len();
        let file = bar.counting(file, len);
        if start.starts_with(b"PK") || named_zip {
            return Ok(Self::Archive(
                Archive::open_with(file, options).map_err(|error| of(&name, &error))?,
            ));
        }
        check(&start, &name)?;
        let kind = kind.or_else(|| IndexKind::of_name(&name)).unwrap_or(default);
        Ok(Self::Csv { reader: Box::new(file), name, kind })
    }

    /// The kinds of file that are in it, as far as that is known before it is read.
    pub(crate) fn kinds(&self) -> Vec<IndexKind> {
        match self {
            Self::Stream(_) => Vec::new(),
            Self::Csv { kind, .. } => vec![*kind],
            Self::Archive(archive) => {
                let mut kinds: Vec<IndexKind> =
                    archive.members().iter().filter_map(Member::kind).collect();
                kinds.sort_unstable();
                kinds.dedup();
                kinds
            }
        }
    }

    /// Says what of an archive is passed over, because its name is none of an index file's. When that is all of it, it is the wrong archive.
    pub(crate) fn tell_what_is_none(&self) -> Result<(), Failure> {
        let Self::Archive(archive) = self else { return Ok(()) };
        let none: Vec<String> =
            archive.members().iter().filter(|member| member.kind().is_none()).map(shown).collect();
        if none.is_empty() {
            return Ok(());
        }
        let more = if none.len() > TOLD {
            format!(" and {} more", none.len() - TOLD)
        } else {
            String::new()
        };
        let names = format!("{}{more}", none[..none.len().min(TOLD)].join(", "));
        if none.len() == archive.members().len() {
            return Err(Failure::data(format_args!(
                "no file in the archive is an index file by its name, such as 1_agentSkillInfo.csv: it has {names} (unpack it, and convert one with --kind)"
            )));
        }
        eprintln!("passed over, because its name is no index file's: {names}");
        Ok(())
    }

    /// Its records; an archive's are inflated on a second thread where that pays.
    pub(crate) fn into_records(self, options: &ReadOptions) -> Records<'static, AnyRecord> {
        match self {
            Self::Archive(archive) => archive.into_records_ahead(),
            Self::Stream(archive) => archive.into_records_ahead(),
            Self::Csv { reader, name, kind } => {
                Records::from_csv_with(reader, kind, options).named(&name)
            }
        }
    }
}

fn shown(member: &Member) -> String {
    member.name().chars().filter(|character| !character.is_control()).take(80).collect()
}

/// Refuses what is surely no CSV: as one, every line of it would be a record of nulls.
fn check(start: &[u8], name: &str) -> Result<(), Failure> {
    let text = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
    let what = match text.first() {
        Some(b'{' | b'[') => "JSON",
        Some(b'<') => "a web page or XML",
        _ if text.starts_with(b"-----BEGIN") => "PEM",
        _ => return Ok(()),
    };
    Err(Failure::data(format_args!(
        "{name} is {what}, and no archive or CSV: the answer to a failed download may have been saved as the file"
    )))
}

/// An archive's error with the file's name before it.
pub(crate) fn of(name: &str, error: &Error) -> Failure {
    match error {
        Error::Row(_) => Failure::data(error),
        error => Failure::data(format_args!("{name}: {error}")),
    }
}
