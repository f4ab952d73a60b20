//! `ccfs inspect`: reports on archives and CSV files.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use ccfs::archive::{
    Archive, Error, IndexKind, LimitKind, Limits, MemberReport, Method, ReadOptions, Report, Tally,
};
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::input::{self, CharsetArg, KindArg};
use crate::progress::Bar;
use crate::settings::Settings;
use crate::{message, output, table};

/// Length of the longest bar, in characters.
const BAR: usize = 40;

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// Archives, CSV files, folders (their *.zip, by name), or - for stdin
    #[arg(required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// Kind of CSV files and members whose names do not contain one
    #[arg(long, value_enum)]
    pub(crate) kind: Option<KindArg>,
    /// Charset of the data [default: detected for each file]
    #[arg(long, value_enum)]
    pub(crate) charset: Option<CharsetArg>,
}

/// A report and the name of its input, as JSON.
#[derive(Serialize)]
struct Named<'a> {
    input: &'a str,
    #[serde(flatten)]
    report: &'a Report,
}

pub(crate) fn run(settings: &Settings, args: &InspectArgs) -> Result<(), Failure> {
    let kind = args.kind.map(IndexKind::from);
    let mut options = ReadOptions::new();
    if let Some(charset) = args.charset {
        options = options.charset(charset.into());
    }
    if let Some(kind) = kind {
        options = options.default_kind(kind);
    }
    let inputs = input::expand(&args.inputs)?;
    let mut unread = 0;
    for path in &inputs {
        let name = input::name(path);
        let bar = Bar::reading();
        let report = report(path, &name, kind, &options, &bar);
        bar.finish();
        let report = report?;
        if settings.json {
            output::json(&Named { input: &name, report: &report })?;
        } else {
            let title = if inputs.len() > 1 { format!("{name}\n") } else { String::new() };
            output::line(format_args!("{title}{}", render(&report).trim_end()))?;
        }
        unread += print_unread(&report);
    }
    match unread {
        0 => Ok(()),
        1 => Err(Failure::data("a file was not read")),
        count => Err(Failure::data(format_args!("{count} files were not read"))),
    }
}

/// Prints notes and unread members on stderr. Returns the number of refused members, or 1 without an index file.
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

fn report(
    path: &Path,
    name: &str,
    kind: Option<IndexKind>,
    options: &ReadOptions,
    bar: &Bar,
) -> Result<Report, Failure> {
    let of = |error: Error| input::of(name, &error);
    if path == Path::new("-") {
        let (start, reader) = input::stdin()?;
        if !input::is_archive(&start) {
            let kind = kind.unwrap_or(IndexKind::AgentSkillInfo);
            return Report::of_csv(reader, name, kind, options).map_err(of);
        }
        let file = temporary_copy(reader, Limits::new().get(LimitKind::TotalBytes))?;
        return Archive::open_with(file, options).and_then(Archive::inspect_ahead).map_err(of);
    }
    let (file, is_archive) = input::open(path, bar)?;
    if is_archive {
        return Archive::open_with(file, options).and_then(Archive::inspect_ahead).map_err(of);
    }
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let kind = input::csv_kind(kind, &file_name)?;
    Report::of_csv(file, &file_name, kind, options).map_err(of)
}

/// Copies an archive from stdin to a temporary file, because its directory is at its end.
fn temporary_copy(reader: impl Read, limit: u64) -> Result<File, Failure> {
    let cannot = |error| Failure::file(format_args!("cannot copy stdin to a file: {error}"));
    let mut file = tempfile::tempfile().map_err(cannot)?;
    let bytes = io::copy(&mut reader.take(limit + 1), &mut file).map_err(cannot)?;
    if bytes > limit {
        return Err(Failure::data(format_args!(
            "stdin has more than {limit} bytes, the limit for an archive; check the command before the pipe"
        )));
    }
    file.rewind().map_err(cannot)?;
    Ok(file)
}

fn render(report: &Report) -> String {
    let mut text = members(report);
    let totals = &report.totals;
    let _ = write!(text, "\nrows   {}", table::thousands(totals.rows));
    if totals.bad_rows.count() > 0 {
        let _ = write!(text, ", and {} bad", table::thousands(totals.bad_rows.count()));
    }
    text.push('\n');
    for row in totals.bad_rows.first().iter().take(3) {
        let _ = writeln!(text, "       {row}");
    }
    if let (Some(earliest), Some(latest)) = (totals.earliest, totals.latest) {
        let _ = writeln!(text, "times  {earliest} to {latest}, in local time of the call center");
    }
    text.push_str(&operations(totals));
    text.push_str(&hours(totals));
    text
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

fn operations(totals: &Tally) -> String {
    let mut counts: Vec<_> = totals.by_operation.iter().collect();
    if counts.is_empty() {
        return String::new();
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let most = counts.first().map_or(1, |(_, count)| **count);
    let rows: Vec<[String; 4]> = counts
        .iter()
        .map(|(operation, count)| {
            let name = operation.name().unwrap_or("unknown").to_owned();
            [
                operation.code().to_string(),
                name,
                table::thousands(**count),
                table::bar(**count, most, BAR),
            ]
        })
        .collect();
    format!("\nby operation type\n{}", table::aligned(&rows, &[true, false, true, false]))
}

fn hours(totals: &Tally) -> String {
    let most = totals.by_hour.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let rows: Vec<[String; 3]> = totals
        .by_hour
        .iter()
        .enumerate()
        .map(|(hour, &count)| {
            [format!("{hour:02}"), table::thousands(count), table::bar(count, most, BAR)]
        })
        .collect();
    format!("\nby hour of the day\n{}", table::aligned(&rows, &[true, true, false]))
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
