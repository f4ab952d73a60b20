//! `ccfs pull`: downloads the files of a range of days; resumable.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::iter;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use ccfs::archive::{IndexKind, ReadOptions};
use ccfs::proto::ResultCode;
use ccfs::pull::{
    Format, JobFailure, JournalError, Outcome, Pace, Plan, Pull, PullError, PullEvent,
    PullProgress, PullSummary, ReportedFile, Task, Window, WindowReport, Zone,
};
use ccfs::{Day, Timestamp};
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use super::convert::{OnBadRowArg, format_parser};
use super::listen::{self, ReceiverArgs};
use crate::failure::{Failure, Kind};
use crate::input::{CharsetArg, KindArg};
use crate::progress::Bar;
use crate::settings::{Backend, Settings};
use crate::{backend, days, interrupt, message, output, table};

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct PullArgs {
    /// First day: 2023-04-01, today, yesterday, or -7d (7 days before today), in the time zone of the call center
    #[arg(long, value_name = "DAY", allow_hyphen_values = true, required_unless_present_any = ["verify", "forget"])]
    pub(crate) from: Option<String>,
    /// Last day, inclusive
    #[arg(long, value_name = "DAY", allow_hyphen_values = true, default_value = "yesterday")]
    pub(crate) to: String,
    /// Folder for the files and the journal; created if it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How to detect that a file is ready: poll for it, or wait for the server's callback
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Wait::Poll)]
    pub(crate) wait: Wait,
    #[command(flatten)]
    pub(crate) receiver: ReceiverArgs,
    /// URL that the server calls when a file is ready; must lead to --bind and --path [default with --wait poll: an unused address]
    #[arg(long, value_name = "URL", required_if_eq("wait", "callback"))]
    pub(crate) callback: Option<String>,
    /// Convert the files to this format, or to several separated by commas; may change between runs. With parquet, engines read the files as one table
    #[arg(long, value_parser = format_parser(), value_name = "FORMAT", value_delimiter = ',')]
    pub(crate) convert: Vec<Format>,
    /// Remove each ZIP after its conversion, unless it has data that the converted file does not have
    #[arg(long, requires = "convert")]
    pub(crate) no_zip: bool,
    /// What to do with a bad row during a conversion
    #[arg(long, value_enum, value_name = "ACTION", default_value_t = OnBadRowArg::Stop)]
    pub(crate) on_bad_row: OnBadRowArg,
    /// Charset of the data [default: detected for each file]
    #[arg(long, value_enum)]
    pub(crate) charset: Option<CharsetArg>,
    /// Kind of index file to pull
    #[arg(long, value_enum, default_value_t = KindArg::AgentSkillInfo)]
    pub(crate) kind: KindArg,
    /// Pull only the data of this tenant space
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// Number of concurrent windows
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) in_flight: u8,
    /// Days in a window, at most as many as the server accepts [default: 1 with --convert parquet, otherwise 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=31))]
    pub(crate) window_days: Option<u8>,
    /// Request a window again if it ended less than N days before its last download, to get data that arrived late
    #[arg(long, value_name = "Nd", value_parser = days::number_of_days)]
    pub(crate) recheck: Option<u16>,
    /// Request these days again and replace their files
    #[arg(long, value_name = "DAY[..DAY]", allow_hyphen_values = true)]
    pub(crate) again: Option<String>,
    /// Compare the files with the journal, without contacting the server; exit code 1 if one is missing or changed
    #[arg(long, conflicts_with_all = ["from", "forget", "again", "moved"])]
    pub(crate) verify: bool,
    /// Remove these days from the journal, without contacting the server; files are kept
    #[arg(long, value_name = "DAY[..DAY]", allow_hyphen_values = true, conflicts_with_all = ["from", "again", "moved"])]
    pub(crate) forget: Option<String>,
    /// Confirm that the data of this folder now comes from another endpoint or access key than before
    #[arg(long)]
    pub(crate) moved: bool,
    /// List all windows of the range, not only those that changed
    #[arg(long)]
    pub(crate) all: bool,
    /// How long to wait for a server that has not answered yet
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = days::duration)]
    pub(crate) wait_for_server: Duration,
}

/// How to detect that a file is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wait {
    /// Try to download the file under its expected name until it exists
    Poll,
    /// Wait for the server's callback, and poll only if it does not arrive
    Callback,
}

pub(crate) fn run(settings: &Settings, args: &PullArgs) -> Result<(), Failure> {
    if args.out.starts_with("s3:") {
        return Err(Failure::usage("--out: object stores are not supported; give a folder"));
    }
    if args.verify {
        return verify(settings, args);
    }
    if let Some(range) = &args.forget {
        return forget(settings, args, range);
    }
    let plan = plan(settings, args)?;
    let pace =
        Pace::default().in_flight(args.in_flight.into()).wait_for_server(args.wait_for_server);
    let mut watch = Watch::new(settings);
    let bar = watch.bar.clone();
    interrupt::temporary(&args.out, format!(".{}_", IndexKind::from(args.kind)));
    let (mut reached, mut before) = (PullProgress::default(), None);
    let outage = Arc::clone(&watch.outage);
    let progress = |progress: &PullProgress| {
        reached = *progress;
        let done = progress.settled - *before.get_or_insert(progress.settled);
        bar.pulled(progress, done, &outage.lock().unwrap_or_else(PoisonError::into_inner));
        interrupt::flow()
    };
    let result = pull(settings, args, plan, pace, progress, |event| watch.on_event(event));
    watch.finish();
    if let Some(failure) = watch.unprinted {
        return Err(failure);
    }
    let summary = result.map_err(|failure| match reached {
        PullProgress { settled: 1.., windows, .. } => {
            let message = format!(
                "{} ({} of {} settled)",
                failure.message,
                reached.settled,
                table::counted(windows as u64, "window")
            );
            Failure { message, ..failure }
        }
        _ => failure,
    })?;
    tell(settings, args, &summary)?;
    let failed = summary.failed().count();
    let Some((window, why)) = summary.failed().next() else {
        let not_converted: BTreeSet<_> =
            watch.zips_missing.iter().chain(&watch.several_days).collect();
        return match not_converted.len() {
            0 => Ok(()),
            count => Err(Failure::data(format_args!(
                "{} not converted",
                table::counted(count as u64, "window")
            ))),
        };
    };
    let message =
        format!("{} failed; the next run tries again", table::counted(failed as u64, "window"));
    // Without --json each reason was printed when its window failed.
    let message = if settings.json { format!("{message}; {window}: {why}") } else { message };
    let failure = Failure::new(Kind::Refused, message);
    Err(if why.contains(ResultCode::SpanTooLong.as_str()) {
        failure.hint(
            "give a smaller --window-days; CC-FS accepts 3 days unless it was configured otherwise",
        )
    } else {
        failure
    })
}

fn zone(settings: &Settings) -> Result<Zone, Failure> {
    settings.time_zone()?.ok_or_else(|| {
        Failure::usage("no time zone is set; days begin at midnight of the call center, so give --tz, such as Asia/Shanghai, or set CCFS_TZ")
    })
}

fn verify(settings: &Settings, args: &PullArgs) -> Result<(), Failure> {
    let (mut files, mut faults, mut unprinted) = (0_u64, 0_u64, None);
    ccfs::pull::verify(&args.out, |file| {
        files += 1;
        let Some(fault) = file.fault else { return };
        faults += 1;
        let printed = if settings.json {
            output::json(
                &json!({"window": file.window.map(|window| window.to_string()), "file": file.path, "fault": fault.to_string()}),
            )
        } else {
            output::line(format_args!("{} {fault}", file.path.display()))
        };
        if let Err(failure) = printed {
            unprinted.get_or_insert(failure);
        }
    })?;
    if let Some(failure) = unprinted {
        return Err(failure);
    }
    if settings.json {
        output::json(&json!({"summary": {"files": files, "faults": faults}}))?;
    } else {
        output::line(format_args!("{} checked", table::counted(files, "file")))?;
    }
    match faults {
        0 => Ok(()),
        count => Err(Failure::data(format_args!(
            "{} or changed; --again DAY..DAY requests them again",
            if count == 1 {
                "1 file is missing".into()
            } else {
                format!("{count} files are missing")
            }
        ))),
    }
}

fn forget(settings: &Settings, args: &PullArgs, range: &str) -> Result<(), Failure> {
    let (from, to) = days::range(range, "--forget", &zone(settings)?)?;
    let now = Timestamp::from(SystemTime::now());
    let windows = ccfs::pull::forget(&args.out, from, to, now)?;
    if settings.json {
        let windows: Vec<String> = windows.iter().map(ToString::to_string).collect();
        return output::json(&json!({"forgotten": windows}));
    }
    let count = table::counted(windows.len() as u64, "window");
    output::line(format_args!("{count} forgotten; files are kept"))
}

fn plan(settings: &Settings, args: &PullArgs) -> Result<Plan, Failure> {
    let zone = zone(settings)?;
    let from = args.from.as_deref().unwrap_or_default();
    let (from, to) = (days::day(from, "--from", &zone)?, days::day(&args.to, "--to", &zone)?);
    let again =
        args.again.as_ref().map(|range| days::range(range, "--again", &zone)).transpose()?;
    let mut read = ReadOptions::new().on_bad_row(args.on_bad_row.into());
    if let Some(charset) = args.charset {
        read = read.charset(charset.into());
    }
    let mut plan = Plan::new(IndexKind::from(args.kind), zone, from, to)
        .keep_zip(!args.no_zip)
        .read_options(read)
        .recheck_days(args.recheck.unwrap_or(0))
        .moved(args.moved);
    if let Some((from, to)) = again {
        plan = plan.again(from, to);
    }
    if let Some(account) = &args.account {
        plan = plan.account_id(account);
    }
    if let Some(url) = &args.callback {
        plan = plan.callback_url(url);
    }
    if let Some(days) = args.window_days {
        plan = plan.window_days(days);
    }
    for format in &args.convert {
        plan = plan.convert(*format);
    }
    plan.check().map_err(Failure::usage)?;
    Ok(plan)
}

fn pull(
    settings: &Settings,
    args: &PullArgs,
    plan: Plan,
    pace: Pace,
    progress: impl FnMut(&PullProgress) -> ControlFlow<()> + Send,
    on_event: impl FnMut(&PullEvent) + Send,
) -> Result<PullSummary, Failure> {
    let mut pull = Pull::new(plan, &args.out).pace(pace).progress(progress).on_event(on_event);
    if args.wait == Wait::Callback {
        let listener = args.receiver.listen(settings)?;
        let mut callbacks = iter::from_fn(move || listener.try_recv()).filter_map(listen::callback);
        pull = pull.callbacks(move || callbacks.next());
    }
    let result = match settings.backend {
        Backend::Blocking => pull.run(&settings.pulling_client()?),
        Backend::Async => {
            backend::runtime()?.block_on(pull.run_async(&settings.pulling_async_client()?))
        }
    };
    result.map_err(Failure::from)
}

/// Prints the events of a pull.
struct Watch {
    bar: Bar,
    json: bool,
    /// The proxy, for messages.
    proxy: Option<String>,
    /// Why the pull pauses.
    outage: Arc<Mutex<String>>,
    /// Windows whose ZIP is missing, that have several days, and that failed in earlier runs.
    zips_missing: Vec<Window>,
    several_days: Vec<Window>,
    failed_before: Vec<(Window, String)>,
    /// The first line that could not be printed; it ends the command.
    unprinted: Option<Failure>,
}

impl Watch {
    fn new(settings: &Settings) -> Self {
        Self {
            bar: Bar::windows(),
            json: settings.json,
            proxy: settings.proxy(),
            outage: Arc::default(),
            zips_missing: Vec::new(),
            several_days: Vec::new(),
            failed_before: Vec::new(),
            unprinted: None,
        }
    }

    fn on_event(&mut self, event: &PullEvent) {
        match event {
            PullEvent::Started(job) => match &job.task {
                Task::Ask => message::verbose(format_args!("{}: requesting its file", job.window)),
                Task::Fetch(name) => {
                    message::verbose(format_args!("{}: downloading {name}", job.window));
                }
            },
            PullEvent::Settled(report) if self.json => {
                if report.is_changed()
                    && let Err(failure) = output::json(&Line::of(report))
                {
                    self.unprinted.get_or_insert(failure);
                }
            }
            PullEvent::Settled(report) => {
                let is_failed = matches!(report.outcome, Outcome::Failed { .. });
                let tell = if is_failed { message::error } else { message::note };
                messages(report).for_each(tell);
            }
            PullEvent::Failed(failure) => self.failed(failure),
            PullEvent::Recovered(after) => {
                message::note(format_args!("the server answers again after {}", span(*after)));
            }
            PullEvent::ClockSkew(millis) => {
                let (off, side) = (
                    Duration::from_millis(millis.unsigned_abs()),
                    if *millis > 0 { "ahead of" } else { "behind" },
                );
                message::note(format_args!(
                    "warning: the server's clock is {} {side} this machine's; the names of files are computed with the server's. Set this machine's clock",
                    span(off)
                ));
            }
            PullEvent::ZipMissing(window) => self.zips_missing.push(*window),
            PullEvent::SeveralDays(window) => self.several_days.push(*window),
            PullEvent::NothingAgain => {
                message::note(
                    "--again: no window of these days was requested before; nothing to request again",
                );
            }
            PullEvent::FailedBefore { window, why } => {
                self.failed_before.push((*window, why.clone()));
            }
            _ => {}
        }
    }

    fn failed(&self, failure: &JobFailure) {
        let JobFailure { job, why, outage, .. } = failure;
        let Some(outage) = outage else {
            // A failure that ends the window is reported when the window is settled.
            return message::verbose(format_args!("{}: {why}", job.window));
        };
        let through = match &self.proxy {
            Some(proxy) => format!(" (through the proxy {proxy})"),
            None => String::new(),
        };
        let next = match outage.next_attempt {
            next if next < outage.gives_up => format!("next attempt in {}, ", span(next)),
            _ => String::new(),
        };
        let text = format!("{why}{through}; {next}gives up in {}", span(outage.gives_up));
        // Without the name of the interface, because the progress line is short.
        let short = why.split_once(": ").map_or(why.as_str(), |(_, short)| short);
        short.clone_into(&mut self.outage.lock().unwrap_or_else(PoisonError::into_inner));
        // The first of an outage, and the others only with -v.
        if outage.failures == 1 { message::note(text) } else { message::verbose(text) }
    }

    /// Ends the bar, and prints the messages about several windows.
    fn finish(&self) {
        self.bar.finish();
        if let Some((count, first, last)) = days_of(&self.zips_missing) {
            message::error(format_args!(
                "{count} cannot be converted, because the ZIP was removed; --again {first}..{last} requests the files again"
            ));
        }
        if let Some((count, first, last)) = days_of(&self.several_days) {
            message::error(format_args!(
                "not converted to Parquet, which has a file for each day: {count} of several days from {first} to {last}; pull these days into another folder"
            ));
        }
        let Some(first) = self.failed_before.first() else { return };
        let count = table::counted(self.failed_before.len() as u64, "window");
        message::note(format_args!(
            "{count} outside this range failed in an earlier run; include the days in the range to try again, or drop them with --forget {}..{}:",
            first.0.begin().day(),
            self.failed_before.last().unwrap_or(first).0.end().day()
        ));
        for (window, why) in &self.failed_before {
            message::note(format_args!("  {window}: {why}"));
        }
    }
}

/// Returns the number of windows as text, and their first and last day.
fn days_of(windows: &[Window]) -> Option<(String, Day, Day)> {
    let first = windows.iter().map(|window| window.begin().day()).min()?;
    let last = windows.iter().map(|window| window.end().day()).max()?;
    Some((table::counted(windows.len() as u64, "window"), first, last))
}

/// Formats a duration: `35 s`, `12 min`, `9 days`.
fn span(duration: Duration) -> String {
    let seconds = (duration.as_millis() + 500) / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Returns the messages about a settled window: what was skipped or guessed, why its ZIP is kept, why it failed.
fn messages(report: &WindowReport) -> impl Iterator<Item = String> {
    let kept = report.kept_zip.as_ref().map(ToString::to_string);
    let failed = match &report.outcome {
        Outcome::Failed { why } if report.previous.is_some() => {
            Some(format!("failed, its former file is kept: {why}"))
        }
        Outcome::Failed { why } => Some(format!("failed: {why}")),
        _ => None,
    };
    let lines = report.notes.iter().cloned().chain(kept).chain(failed);
    lines.map(|line| format!("{}: {line}", report.window))
}

/// A window in `--json`.
#[derive(Serialize)]
struct Line {
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

macro_rules! examples {
    () => {
        "Example:
  ccfs pull --from -7d --recheck 3d --tz Asia/Shanghai --out skills --convert jsonl
  ccfs pull --from 2021-01-01 --to 2021-12-31 --out skills --in-flight 8 \\
    --wait callback --bind 0.0.0.0:9080 --callback http://10.9.8.7:9080/callback"
    };
}

/// The end of the short help.
pub(crate) const HELP: &str = examples!();
/// The end of the long help and of the manual page.
pub(crate) const LONG_HELP: &str = concat!(
    "\
With --json: one line for each window that changed in this run (with --all: for each of the range), then a summary.
  window          begin and end as in file names
  begin, end      first and last second, in the time zone of the call center
  outcome         stored, no_data or failed
  changed         false if an earlier run completed the window and this run did not change it
  rows            good records
  bad_rows        rows that could not be read and were skipped
  outside_rows    records whose time is not in the window
  unread_members  members of the archive with data that were not read
  files           path and bytes of each file: the converted ones, or the ZIP if none
  kept_zip        a ZIP that --no-zip kept, because the converted files do not have all of its data
  why             reason of the failure
  rejected        the downloaded file that could not be used
  notes           what was skipped or guessed
  summary         windows, changed, failed, rows, bad_rows, bytes (of files), requests, left_from (first day that has not ended yet)

",
    examples!()
);

impl Line {
    fn of(report: &WindowReport) -> Self {
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

fn tell(settings: &Settings, args: &PullArgs, summary: &PullSummary) -> Result<(), Failure> {
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

impl From<PullError> for Failure {
    fn from(error: PullError) -> Self {
        let message = error.to_string();
        match error {
            PullError::Journal(JournalError::OtherPlan { moves: true, .. }) => Self::usage(message)
                .hint("--moved confirms that the data of this folder now comes from there"),
            PullError::Plan(_) | PullError::Journal(JournalError::OtherPlan { .. }) => {
                Self::usage(message)
            }
            PullError::Call { source, .. } | PullError::GaveUp { source: Some(source), .. } => {
                Self { message, ..(*source).into() }
            }
            PullError::GaveUp { .. } => Self::new(Kind::Network, message),
            PullError::Stopped => {
                Self::new(Kind::Interrupted, "interrupted; the same command continues from here")
            }
            _ => Self::file(message),
        }
    }
}
