//! The results of a pull on stdout.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ccfs::pull::{Outcome, PullSummary, ReportedFile, WindowReport};
use serde::Serialize;
use serde_json::json;

use super::args::PullArgs;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::{message, output, table};

/// A window in `--json`.
#[derive(Serialize)]
pub(super) struct Line {
    window: String,
    begin: String,
    end: String,
    outcome: &'static str,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bad_rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outside_rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread_members: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_zip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[derive(Serialize)]
struct FileLine {
    path: String,
    bytes: u64,
}

impl Line {
    pub(super) fn of(report: &WindowReport) -> Self {
        let (outcome, stored, why) = match &report.outcome {
            Outcome::Stored(stored) => ("stored", Some(*stored), None),
            Outcome::NoData => ("no_data", None, None),
            Outcome::Failed { why } => ("failed", None, Some(why.clone())),
            _ => ("unknown", None, None),
        };
        let path = |path: &PathBuf| path.display().to_string();
        let file = |file: &ReportedFile| FileLine { path: path(&file.path), bytes: file.bytes };
        Self {
            window: report.window.to_string(),
            begin: report.window.begin().to_string(),
            end: report.window.end().to_string(),
            outcome,
            changed: report.is_changed(),
            rows: stored.map(|stored| stored.rows),
            bad_rows: stored.map(|stored| stored.bad_rows),
            outside_rows: stored.map(|stored| stored.outside_rows),
            unread_members: stored.map(|stored| stored.unread_members),
            files: report.files.iter().map(file).collect(),
            kept_zip: report.kept_zip.as_ref().map(|kept| path(&kept.path)),
            why,
            rejected: report.rejected.as_ref().map(path),
            notes: report.notes.clone(),
        }
    }
}

pub(super) fn tell(
    settings: &Settings,
    args: &PullArgs,
    summary: &PullSummary,
) -> Result<(), Failure> {
    let all = args.all;
    let changed = summary.windows.iter().filter(|report| report.is_changed()).count();
    let left_from = summary.left_from.map(|day| day.to_string());
    if settings.json {
        // Changed windows were printed when they were settled.
        for report in summary.windows.iter().filter(|report| all && !report.is_changed()) {
            output::json(&Line::of(report))?;
        }
        return output::json(&json!({"summary": {
            "windows": summary.windows.len(),
            "changed": changed,
            "failed": summary.failed().count(),
            "rows": summary.rows(),
            "bad_rows": summary.bad_rows(),
            "bytes": summary.bytes(),
            "requests": summary.asked,
            "left_from": left_from,
        }}));
    }
    let listed: Vec<&WindowReport> =
        summary.windows.iter().filter(|report| all || report.is_changed()).collect();
    if !listed.is_empty() {
        output::line(render(&listed, &args.out).trim_end())?;
    }
    output::line(summary_line(summary, changed))?;
    if let Some(day) = left_from {
        message::note(format_args!(
            "left for a later run: {day} and later, because these days have not ended yet"
        ));
    }
    Ok(())
}

fn summary_line(summary: &PullSummary, changed: usize) -> String {
    let mut line = format!(
        "{}: {changed} changed, {} failed; {}",
        table::counted(summary.windows.len() as u64, "window"),
        summary.failed().count(),
        table::counted(summary.rows(), "row")
    );
    if summary.bad_rows() > 0 {
        let _ = write!(line, " and {} skipped", table::counted(summary.bad_rows(), "bad row"));
    }
    let _ = write!(
        line,
        ", {} bytes; {}",
        table::thousands(summary.bytes()),
        table::counted(summary.asked, "request")
    );
    line
}

/// A table of windows, with the paths of their files in the folder.
fn render(reports: &[&WindowReport], folder: &Path) -> String {
    let mut rows = vec![["from", "to", "rows", "bytes", "file"].map(String::from)];
    for report in reports {
        let (begin, end) = (report.window.begin().to_string(), report.window.end().to_string());
        let none = || String::from("-");
        let (count, what) = match &report.outcome {
            Outcome::Stored(stored) => (table::thousands(stored.rows), "removed since"),
            Outcome::NoData => ("0".into(), "no data"),
            Outcome::Failed { .. } => (none(), "failed"),
            _ => (none(), ""),
        };
        if report.files.is_empty() {
            rows.push([begin.clone(), end.clone(), count.clone(), none(), what.into()]);
        }
        for file in &report.files {
            let path = file.path.strip_prefix(folder).unwrap_or(&file.path).to_string_lossy();
            let bytes = table::thousands(file.bytes);
            rows.push([begin.clone(), end.clone(), count.clone(), bytes, path.into_owned()]);
        }
    }
    table::aligned(&rows, &[false, false, true, true, false])
}
