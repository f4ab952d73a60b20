//! `ccfs inspect`: reports on archives, Parquet files and CSV files.

mod tables;

use std::fs::File;
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};

use ccfs::archive::{
    Archive, Charset, IndexKind, LimitKind, Limits, MemberReport, Method, ReadOptions, Report,
};
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::input::{self, Format, Input};
use crate::progress::Bar;
use crate::settings::Settings;
use crate::{choice, message, output, table};

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// Archives, Parquet files, CSV files, folders, or - for stdin
    ///
    /// In a folder: first its archives (*.zip), sorted by name, then the Parquet files (*.parquet) in it and in its subfolders. Names that
    /// begin with a dot or an underscore are skipped, and links to folders are not followed.
    #[arg(required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// Kind of CSV files and members whose names do not contain one
    #[arg(long, value_parser = choice::kind())]
    pub(crate) kind: Option<IndexKind>,
    /// Charset of the data [default: detected for each file]
    #[arg(long, value_parser = choice::charset())]
    pub(crate) charset: Option<Charset>,
}

/// A report and the name of its input, as JSON.
#[derive(Serialize)]
struct Named<'a> {
    input: &'a str,
    #[serde(flatten)]
    report: &'a Report,
}

/// An input to report on.
enum Source {
    File(PathBuf),
    /// A folder and its Parquet files.
    Tables(PathBuf, Vec<PathBuf>),
}

pub(crate) fn run(settings: &Settings, args: &InspectArgs) -> Result<(), Failure> {
    let options = input::read_options(args.charset, args.kind);
    let sources = sources(&args.inputs)?;
    let mut unread = 0;
    for source in &sources {
        let (Source::File(path) | Source::Tables(path, _)) = source;
        let name = input::name(path);
        let title = if sources.len() > 1 { format!("{name}\n") } else { String::new() };
        unread += match source {
            Source::File(_) => inspect(settings, path, &title, args.kind, &options)?,
            Source::Tables(_, files) => tables::folder(settings, path, &title, files)?,
        };
    }
    match unread {
        0 => Ok(()),
        1 => Err(Failure::data("a file was not read")),
        count => Err(Failure::data(format_args!("{count} files were not read"))),
    }
}

/// Replaces folders by their archives, followed by their Parquet files.
fn sources(inputs: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            sources.push(Source::File(input.clone()));
            continue;
        }
        let (archives, files) = (input::archives(input)?, input::parquet_files(input)?);
        if archives.is_empty() && files.is_empty() {
            return Err(Failure::data(format_args!(
                "{} has no *.zip files, and no *.parquet files in it or below it",
                input.display()
            )));
        }
        sources.extend(archives.into_iter().map(Source::File));
        if !files.is_empty() {
            sources.push(Source::Tables(input.clone(), files));
        }
    }
    Ok(sources)
}

/// Reports on a file or stdin. Returns the number of files in it that were not read.
fn inspect(
    settings: &Settings,
    path: &Path,
    title: &str,
    kind: Option<IndexKind>,
    options: &ReadOptions,
) -> Result<usize, Failure> {
    let (name, bar) = (input::name(path), Bar::reading());
    let read = read(path, &name, kind, options, &bar);
    bar.finish();
    let report = match read? {
        Read::Report(report) => report,
        Read::Parquet(file) => {
            tables::file(settings, &name, title, file)?;
            return Ok(0);
        }
    };
    if settings.json {
        output::json(&Named { input: &name, report: &report })?;
    } else {
        output::line(format_args!("{title}{}", render(&report).trim_end()))?;
    }
    Ok(print_unread(&report))
}

/// Prints notes and unread members on stderr. Returns the number of refused members, plus 1 if members were skipped and no member is an index file.
fn print_unread(report: &Report) -> usize {
    let mut refused = 0;
    let mut skipped = Vec::new();
    for member in &report.members {
        match (&member.refused, member.kind) {
            (Some(error), _) => {
                message::note(format_args!("{error}"));
                refused += 1;
            }
            (None, Some(_)) => input::print_notes(&member.notes),
            (None, None) if member.is_ignorable => {}
            (None, None) => skipped.push(&*member.name),
        }
    }
    if !skipped.is_empty() {
        input::print_skipped(&skipped.join(", "));
    }
    let has_kind = report.members.iter().any(|member| member.kind.is_some());
    refused + usize::from(!has_kind && !skipped.is_empty())
}

/// The content of an input.
enum Read {
    Report(Box<Report>),
    Parquet(File),
}

fn read(
    path: &Path,
    name: &str,
    kind: Option<IndexKind>,
    options: &ReadOptions,
    bar: &Bar,
) -> Result<Read, Failure> {
    let report = match Input::open(path, kind, options, bar)? {
        Input::Parquet(file) => return Ok(Read::Parquet(file)),
        Input::Csv { reader, name, kind } => Report::of_csv(reader, &name, kind, options),
        Input::Archive(archive) => archive.inspect_ahead(),
        Input::Stream(format, reader) => {
            let file = temporary_copy(reader, Limits::new().get(LimitKind::TotalBytes))?;
            if format == Format::Parquet {
                return Ok(Read::Parquet(file));
            }
            let archive = Archive::open_with(input::counting(file, bar), options);
            archive.and_then(Archive::inspect_ahead)
        }
    };
    report.map(Box::new).map(Read::Report).map_err(|error| input::of(name, &error))
}

/// Copies an archive or a Parquet file from stdin to a temporary file, because its directory is at its end.
fn temporary_copy(reader: impl io::Read, limit: u64) -> Result<File, Failure> {
    let cannot = |error| Failure::file(format_args!("cannot copy stdin to a file: {error}"));
    let mut file = tempfile::tempfile().map_err(cannot)?;
    let bytes = io::copy(&mut reader.take(limit + 1), &mut file).map_err(cannot)?;
    if bytes > limit {
        return Err(Failure::data(format_args!(
            "stdin has more than {limit} bytes, the limit; check the command before the pipe"
        )));
    }
    file.rewind().map_err(cannot)?;
    Ok(file)
}

fn render(report: &Report) -> String {
    format!("{}\n{}", members(report), tables::tally(&report.totals))
}

fn members(report: &Report) -> String {
    let mut rows = vec![
        ["member", "rows", "bad", "bytes", "packed", "ratio", "method", "charset", "header"]
            .map(String::from),
    ];
    for member in &report.members {
        rows.push(member_row(member));
    }
    if report.members.is_empty() {
        return String::from("no members\n");
    }
    table::aligned(&rows, &[false, true, true, true, true, true, false, false, false])
}

fn member_row(member: &MemberReport) -> [String; 9] {
    let charset = member.charset.map_or_else(|| String::from("-"), |charset| charset.to_string());
    let mark = if member.byte_order_mark { " with mark" } else { "" };
    let header = match member.header {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    };
    [
        member.name.to_string(),
        table::thousands(member.tally.rows),
        table::thousands(member.tally.bad_rows.count()),
        table::thousands(member.size),
        table::thousands(member.compressed_size),
        format!("{:.1}", member.ratio()),
        method(member.method).to_owned(),
        format!("{charset}{mark}"),
        header.to_owned(),
    ]
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Deflated => "deflate",
        Method::Stored => "stored",
        _ => "another",
    }
}

#[cfg(test)]
mod tests {
    use super::temporary_copy;

    #[test]
    fn a_copy_of_stdin_is_limited() {
        assert!(temporary_copy(&b"123"[..], 3).is_ok());
        let error = temporary_copy(&b"1234"[..], 3).expect_err("a byte too many");
        assert!(format!("{error:?}").contains("more than 3 bytes"), "{error:?}");
    }
}
