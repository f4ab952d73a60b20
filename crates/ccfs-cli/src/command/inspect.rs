//! `ccfs inspect`: what is in an archive.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use ccfs::archive::{Archive, MemberReport, Method, Report, Tally};
use clap::Args;

use crate::failure::Failure;
use crate::progress::Bar;
use crate::settings::Settings;
use crate::{input, output, table};

/// Characters of the longest bar.
const BAR: usize = 40;

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// Archive; a file, because what an archive has is written at its end
    pub(crate) input: PathBuf,
}

pub(crate) fn run(settings: &Settings, args: &InspectArgs) -> Result<(), Failure> {
    if args.input == Path::new("-") {
        return Err(Failure::usage(
            "inspect wants a file, because what an archive has is written at its end; ccfs convert - takes a stream",
        ));
    }
    let name = args.input.display().to_string();
    let file = File::open(&args.input)
        .map_err(|error| Failure::file(format_args!("{name} cannot be read: {error}")))?;
    let bar = Bar::reading();
    let len = file.metadata().map_or(0, |metadata| metadata.len());
    let report =
        Archive::open(bar.counting(file, len)).and_then(|mut archive| archive.inspect_ahead());
    bar.finish();
    let report = report.map_err(|error| input::of(&name, &error))?;
    if settings.json {
        return output::json(&report);
    }
    output::line(render(&report).trim_end())
}

fn render(report: &Report) -> String {
    let mut text = members(report);
    let totals = &report.totals;
    let _ = write!(text, "\nrows   {}", table::thousands(totals.rows));
    if totals.bad_rows.count() > 0 {
        let _ =
            write!(text, ", and {} that cannot be read", table::thousands(totals.bad_rows.count()));
    }
    text.push('\n');
    for row in totals.bad_rows.first().iter().take(3) {
        let _ = writeln!(text, "       {row}");
    }
    if let (Some(earliest), Some(latest)) = (totals.earliest, totals.latest) {
        let _ = writeln!(text, "times  {earliest} to {latest}, on the tenant's clock");
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
            let name = operation.name().unwrap_or("not a known type").to_owned();
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
    format!("\nby hour of the tenant's day\n{}", table::aligned(&rows, &[true, true, false]))
}
