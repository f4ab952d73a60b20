//! Reports on Parquet files.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::Once;

use ccfs::archive::{IndexKind, LocalTime, Tally};
use ccfs::arrow::arrow_schema::ArrowError;
use ccfs::arrow::{ParquetInfo, ParquetInspector};
use serde::Serialize;
use serde_json::json;

use crate::failure::{Failure, Kind};
use crate::input;
use crate::progress::Bar;
use crate::settings::Settings;
use crate::{interrupt, message, output, table};

/// Length of the longest bar, in characters.
const BAR: usize = 40;

/// A report on a file, as JSON.
#[derive(Serialize)]
struct Line<'a> {
    input: &'a str,
    kind: IndexKind,
    row_groups: usize,
    bytes: u64,
    time_zone: Option<&'a str>,
    begin: Option<LocalTime>,
    end: Option<LocalTime>,
    version: Option<&'a str>,
    source_sha256: Option<&'a str>,
    totals: &'a Tally,
}

impl<'a> Line<'a> {
    fn new(input: &'a str, info: &'a ParquetInfo, totals: &'a Tally) -> Self {
        Self {
            input,
            kind: info.kind,
            row_groups: info.row_groups,
            bytes: info.bytes,
            time_zone: info.time_zone.as_deref(),
            begin: info.period.map(|(begin, _)| begin),
            end: info.period.map(|(_, end)| end),
            version: info.version.as_deref(),
            source_sha256: info.source_sha256.as_deref(),
            totals,
        }
    }
}

/// Reports on one file.
pub(super) fn file(
    settings: &Settings,
    name: &str,
    title: &str,
    file: File,
) -> Result<(), Failure> {
    let bar = Bar::reading();
    bar.total(file.metadata().map_or(0, |metadata| metadata.len()));
    let read = read(name, file, &bar, 0);
    bar.finish();
    let (info, tally) = read?;
    if settings.json {
        return output::json(&Line::new(name, &info, &tally));
    }
    output::line(format_args!("{title}{}", render(&[(name.to_owned(), info)], &tally).trim_end()))
}

/// Reports on the files below a folder. Returns the number of files that could not be read.
pub(super) fn folder(
    settings: &Settings,
    folder: &Path,
    title: &str,
    paths: &[PathBuf],
) -> Result<usize, Failure> {
    let (bar, mut files, mut totals) = (Bar::reading(), Vec::new(), Tally::default());
    let sizes = paths.iter().filter_map(|path| path.metadata().ok());
    bar.total(sizes.map(|metadata| metadata.len()).sum());
    for path in paths {
        let name = input::name(path);
        let read = File::open(path)
            .map_err(Failure::cannot("read", path))
            .and_then(|file| read(&name, file, &bar, totals.rows));
        let (info, tally) = match read {
            Ok(read) => read,
            Err(failure) if failure.kind == Kind::Interrupted => return Err(failure),
            Err(failure) => {
                message::note(&failure.message);
                continue;
            }
        };
        if settings.json {
            output::json(&Line::new(&name, &info, &tally))?;
        }
        totals.add(&tally);
        files.push((input::name(path.strip_prefix(folder).unwrap_or(path)), info));
    }
    bar.finish();
    if settings.json {
        let bytes: u64 = files.iter().map(|(_, info)| info.bytes).sum();
        let folder = input::name(folder);
        output::json(&json!({"summary": {
            "input": folder, "files": files.len(), "bytes": bytes, "totals": totals,
        }}))?;
    } else if !files.is_empty() {
        output::line(format_args!("{title}{}", render(&files, &totals).trim_end()))?;
    }
    Ok(paths.len() - files.len())
}

/// Reads a file; `before` is the number of rows that the bar shows already.
fn read(name: &str, file: File, bar: &Bar, before: u64) -> Result<(ParquetInfo, Tally), Failure> {
    let failed = |error: ArrowError| failure(name, error);
    let mut inspector = quietly(|| ParquetInspector::open(file)).map_err(failed)?;
    let (mut tally, mut shown) = (Tally::default(), 0);
    while quietly(|| inspector.count_batch(&mut tally)).map_err(failed)? {
        if interrupt::came() {
            return Err(Failure::new(Kind::Interrupted, "interrupted"));
        }
        let info = inspector.info();
        let position = (info.bytes / info.rows.max(1)).saturating_mul(tally.rows);
        bar.rows(before + tally.rows);
        bar.advance(position.saturating_sub(shown));
        shown = position;
    }
    let info = inspector.info().clone();
    bar.advance(info.bytes.saturating_sub(shown));
    Ok((info, tally))
}

/// Prints nothing if `read` panics: the inspector returns it as an error.
fn quietly<T>(read: impl FnOnce() -> T) -> T {
    thread_local! {
        static IS_QUIET: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            if !IS_QUIET.get() {
                hook(panicked);
            }
        }));
    });
    IS_QUIET.set(true);
    let result = read();
    IS_QUIET.set(false);
    result
}

fn failure(name: &str, error: ArrowError) -> Failure {
    match error {
        ArrowError::SchemaError(why) | ArrowError::NotYetImplemented(why) => {
            Failure::data(format_args!("{name}: not a Parquet file that ccfs wrote: {why}"))
        }
        ArrowError::ParquetError(why) => {
            Failure::data(format_args!("{name}: damaged or incomplete Parquet file: {why}"))
        }
        ArrowError::ExternalError(error) => {
            Failure::file(format_args!("cannot read {name}: {error}"))
        }
        error => Failure::data(format_args!("{name}: {error}")),
    }
}

fn render(files: &[(String, ParquetInfo)], totals: &Tally) -> String {
    let mut rows =
        vec![["file", "kind", "rows", "row groups", "bytes", "period"].map(String::from)];
    rows.extend(files.iter().map(|(name, info)| {
        [
            on_one_line(name),
            info.kind.to_string(),
            table::thousands(info.rows),
            table::thousands(info.row_groups as u64),
            table::thousands(info.bytes),
            info.period.map_or_else(|| String::from("-"), period),
        ]
    }));
    let mut text = table::aligned(&rows, &[false, false, true, true, true, false]);
    text.push('\n');
    if files.len() > 1 {
        let bytes = files.iter().map(|(_, info)| info.bytes).sum();
        let files = table::counted(files.len() as u64, "file");
        let _ = writeln!(text, "files  {files} with {} bytes", table::thousands(bytes));
    }
    for (label, values) in [
        ("zone   ", distinct(files, |info| info.time_zone.clone())),
        ("writer ", distinct(files, |info| Some(format!("ccfs {}", info.version.as_ref()?)))),
    ] {
        if !values.is_empty() {
            let _ = writeln!(text, "{label}{values}");
        }
    }
    text.push_str(&tally(totals));
    text
}

/// The different values of the files.
fn distinct(
    files: &[(String, ParquetInfo)],
    value: impl Fn(&ParquetInfo) -> Option<String>,
) -> String {
    let values: BTreeSet<String> = files.iter().filter_map(|(_, info)| value(info)).collect();
    values.into_iter().map(|value| on_one_line(&value)).collect::<Vec<_>>().join(", ")
}

/// Text from a file, which may have line breaks.
fn on_one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}

/// A period: its days if it consists of whole days.
fn period((begin, end): (LocalTime, LocalTime)) -> String {
    let (first, last) = (begin.day(), end.day());
    match end.plus_seconds(1) {
        Some(next) if begin == first.midnight() && next == next.day().midnight() => {
            if first == last { first.to_string() } else { format!("{first} to {last}") }
        }
        _ => format!("{begin} to {end}"),
    }
}

/// Formats the counts of the rows of one or several files.
pub(super) fn tally(totals: &Tally) -> String {
    let mut text = String::new();
    let _ = write!(text, "rows   {}", table::thousands(totals.rows));
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
#[allow(clippy::unwrap_used)]
mod tests {
    use std::panic;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::{period, quietly};

    #[test]
    fn only_panics_while_a_file_is_read_are_hidden() {
        static SHOWN: AtomicU32 = AtomicU32::new(0);
        let before = panic::take_hook();
        panic::set_hook(Box::new(|_| _ = SHOWN.fetch_add(1, Ordering::Relaxed)));
        let fails = || panic::catch_unwind(|| panic!("a damaged page")).unwrap_err();
        quietly(fails);
        quietly(fails);
        assert_eq!(SHOWN.load(Ordering::Relaxed), 0);
        fails();
        assert_eq!(SHOWN.load(Ordering::Relaxed), 1);
        panic::set_hook(before);
    }

    #[test]
    fn whole_days_are_shown_as_days() {
        let shown = |begin: &str, end: &str| period((begin.parse().unwrap(), end.parse().unwrap()));
        assert_eq!(shown("2026-11-01 00:00:00", "2026-11-01 23:59:59"), "2026-11-01");
        assert_eq!(shown("2026-11-01 00:00:00", "2026-11-03 23:59:59"), "2026-11-01 to 2026-11-03");
        let part = "2026-11-01 00:00:00 to 2026-11-01 23:59:58";
        assert_eq!(shown("2026-11-01 00:00:00", "2026-11-01 23:59:58"), part);
        let last = "9999-12-31 00:00:00 to 9999-12-31 23:59:59";
        assert_eq!(shown("9999-12-31 00:00:00", "9999-12-31 23:59:59"), last);
    }
}
