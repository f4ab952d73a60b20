//! `ccfs pull`: the whole job for a range of days, resumable.

use std::fmt::Write as _;
use std::iter;
use std::ops::ControlFlow;
use std::path::PathBuf;

use ccfs::archive::{IndexKind, ReadOptions};
use ccfs::proto::ResultCode;
use ccfs::pull::{
    JournalError, Outcome, Pace, Plan, Pull, PullError, PullProgress, PullSummary, WindowReport,
};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::convert::{OnBadRowArg, Target};
use super::listen::{self, ReceiverArgs};
use crate::failure::{Failure, Kind};
use crate::input::KindArg;
use crate::interrupt::{self, InterruptibleClock};
use crate::progress::Bar;
use crate::settings::{Backend, Settings};
use crate::{backend, output, table};

#[derive(Args, Debug)]
pub(crate) struct PullArgs {
    /// First day, yyyy-MM-dd on the tenant's clock
    #[arg(long, value_name = "DATE")]
    pub(crate) from: String,
    /// Last day, which belongs to the range
    #[arg(long, value_name = "DATE")]
    pub(crate) to: String,
    /// Folder for the files and the journal; made where it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How to learn that a file is there: ask for it, or wait for the server's callback
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Wait::Poll)]
    pub(crate) wait: Wait,
    #[command(flatten)]
    pub(crate) receiver: ReceiverArgs,
    /// URL that the server calls when a file is there; must lead to --bind and --path [with --wait poll: one that leads nowhere]
    #[arg(long, value_name = "URL", required_if_eq("wait", "callback"))]
    pub(crate) callback: Option<String>,
    /// Convert each window's records into a file beside its ZIP (--to is the last day here)
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) convert: Option<Target>,
    /// Remove each ZIP once it is converted; one with data that the converted file does not have is kept
    #[arg(long, requires = "convert")]
    pub(crate) no_zip: bool,
    /// What to do about a row that cannot be read when converting
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = OnBadRowArg::Stop)]
    pub(crate) on_bad_row: OnBadRowArg,
    /// Which of the four files
    #[arg(long, value_enum, default_value_t = KindArg::AgentSkillInfo)]
    pub(crate) kind: KindArg,
    /// Only this tenant space
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// Windows under way at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) in_flight: u8,
    /// Days in a window; no more than the server takes
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=31))]
    pub(crate) window_days: u8,
}

/// How to learn that a file is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wait {
    /// Ask for the name that it will have, until it is there
    Poll,
    /// Wait for the server's callback, and ask for the name only when none comes
    Callback,
}

pub(crate) fn run(settings: &Settings, args: &PullArgs) -> Result<(), Failure> {
    let plan = plan(settings, args)?;
    let pace = Pace::default().in_flight(args.in_flight.into());
    let bar = Bar::windows();
    // What cannot be printed stops the pull as a signal does.
    let mut unprinted = None;
    let on_window = |report: &WindowReport| {
        if !settings.json {
            messages(report).for_each(|line| bar.message(&line));
        } else if let Err(failure) = output::json(&Line::of(report)) {
            unprinted.get_or_insert(failure);
        }
    };
    let mut reached = PullProgress::default();
    let progress = |progress: &PullProgress| {
        reached = *progress;
        bar.pulled(progress);
        interrupt::flow()
    };
    let result = pull(settings, args, plan, pace, progress, on_window);
    bar.finish();
    if let Some(failure) = unprinted {
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
    tell(settings, &summary)?;
    let failed = summary.failed().count();
    let Some((window, why)) = summary.failed().next() else { return Ok(()) };
    let message = format!(
        "{} could not be had, which the next run tries again",
        table::counted(failed as u64, "window")
    );
    // Without --json each reason was printed when its window failed.
    let message = if settings.json { format!("{message}; {window}: {why}") } else { message };
    Err(Failure::new(Kind::Refused, message))
}

fn plan(settings: &Settings, args: &PullArgs) -> Result<Plan, Failure> {
    let day = |text: &str, flag: &str| {
        text.parse().map_err(|error| Failure::usage(format_args!("{flag}: {error}")))
    };
    let (from, to) = (day(&args.from, "--from")?, day(&args.to, "--to")?);
    let zone = settings.time_zone()?.ok_or_else(|| {
        Failure::usage("no time zone is set, and days begin with the tenant's midnight: give --tz, such as Asia/Shanghai, or set CCFS_TZ")
    })?;
    let mut plan = Plan::new(IndexKind::from(args.kind), zone, from, to)
        .window_days(args.window_days)
        .keep_zip(!args.no_zip)
        .read_options(ReadOptions::new().on_bad_row(args.on_bad_row.into()));
    if let Some(account) = &args.account {
        plan = plan.account_id(account);
    }
    if let Some(url) = &args.callback {
        plan = plan.callback_url(url);
    }
    if let Some(format) = args.convert {
        plan = plan.convert(format.into());
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
    on_window: impl FnMut(&WindowReport) + Send,
) -> Result<PullSummary, Failure> {
    let mut pull = Pull::new(plan, &args.out).pace(pace).progress(progress).on_window(on_window);
    if args.wait == Wait::Callback {
        let listener = args.receiver.listen(settings)?;
        let mut callbacks = iter::from_fn(move || listener.try_recv()).filter_map(listen::callback);
        pull = pull.callbacks(move || callbacks.next());
    }
    let result = match settings.backend {
        Backend::Blocking => pull.clock(InterruptibleClock::new()).run(&settings.pulling_client()?),
        Backend::Async => {
            backend::runtime()?.block_on(pull.run_async(&settings.pulling_async_client()?))
        }
    };
    result.map_err(Failure::from)
}

/// What a person should know about a window that this run completed: what was skipped or guessed, why its ZIP is kept, why it failed.
fn messages(report: &WindowReport) -> impl Iterator<Item = String> {
    let kept = report.kept_zip.as_ref().map(ToString::to_string);
    let failed = match &report.outcome {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bad_rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// Members with data that were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread_members: Option<u64>,
    /// A ZIP that `--no-zip` did not remove, because of unread members or bad rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_zip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// The downloaded file that could not be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<String>,
    /// What was skipped or guessed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    /// Complete before this run.
    earlier: bool,
}

impl Line {
    fn of(report: &WindowReport) -> Self {
        let (outcome, stored, why) = match &report.outcome {
            Outcome::Stored(stored) => ("stored", Some(*stored), None),
            Outcome::NoData => ("no_data", None, None),
            Outcome::Failed { why } => ("failed", None, Some(why.clone())),
            _ => ("unknown", None, None),
        };
        let path = |path: &PathBuf| path.display().to_string();
        Self {
            window: report.window.to_string(),
            begin: report.window.begin().to_string(),
            end: report.window.end().to_string(),
            outcome,
            rows: stored.map(|stored| stored.rows),
            bad_rows: stored.map(|stored| stored.bad_rows),
            bytes: stored.map(|stored| stored.bytes),
            file: report.file.as_ref().map(path),
            unread_members: stored.and_then(|stored| stored.unread_members),
            kept_zip: report.kept_zip.as_ref().map(|kept| path(&kept.path)),
            why,
            rejected: report.rejected.as_ref().map(path),
            notes: report.notes.clone(),
            earlier: report.earlier,
        }
    }
}

/// The last line in `--json`.
#[derive(Serialize)]
struct Totals {
    windows: usize,
    failed: usize,
    rows: u64,
    bad_rows: u64,
    bytes: u64,
    asked: u64,
    resumed: usize,
    left_from: Option<String>,
}

fn tell(settings: &Settings, summary: &PullSummary) -> Result<(), Failure> {
    let left_from = summary.left_from.map(|day| day.to_string());
    if settings.json {
        // The others were printed when they came.
        for report in summary.windows.iter().filter(|report| report.earlier) {
            output::json(&Line::of(report))?;
        }
        return output::json(&Totals {
            windows: summary.windows.len(),
            failed: summary.failed().count(),
            rows: summary.rows(),
            bad_rows: summary.bad_rows(),
            bytes: summary.bytes(),
            asked: summary.asked,
            resumed: summary.resumed,
            left_from,
        });
    }
    output::line(render(summary).trim_end())?;
    if let Some(day) = left_from {
        eprintln!("{day} and what follows is not over yet, and was left for a later run");
    }
    Ok(())
}

fn render(summary: &PullSummary) -> String {
    let mut rows = vec![["from", "to", "rows", "bytes", "file"].map(String::from)];
    for report in &summary.windows {
        let (begin, end) = (report.window.begin().to_string(), report.window.end().to_string());
        let (count, bytes, file) = match &report.outcome {
            Outcome::Stored(stored) => {
                let name = report
                    .file
                    .as_ref()
                    .and_then(|file| file.file_name())
                    .map(|name| name.to_string_lossy().into_owned());
                (
                    table::thousands(stored.rows),
                    table::thousands(stored.bytes),
                    name.unwrap_or_else(|| "taken away since".into()),
                )
            }
            Outcome::NoData => ("0".into(), "-".into(), "no data".into()),
            Outcome::Failed { .. } => ("-".into(), "-".into(), "failed".into()),
            _ => ("-".into(), "-".into(), String::new()),
        };
        rows.push([begin, end, count, bytes, file]);
    }
    let mut text = if summary.windows.is_empty() {
        String::from("no windows\n")
    } else {
        table::aligned(&rows, &[false, false, true, true, false])
    };
    let bad = match summary.bad_rows() {
        0 => String::new(),
        bad => format!(", and {} that could not be read", table::thousands(bad)),
    };
    let _ = writeln!(
        text,
        "\n{}, {}{bad}, {} bytes; asked {}, {} before",
        table::counted(summary.windows.len() as u64, "window"),
        table::counted(summary.rows(), "row"),
        table::thousands(summary.bytes()),
        table::counted(summary.asked, "time"),
        if summary.resumed == 1 {
            String::from("1 was here")
        } else {
            format!("{} were here", summary.resumed)
        },
    );
    text
}

impl From<PullError> for Failure {
    fn from(error: PullError) -> Self {
        let message = error.to_string();
        match error {
            PullError::Plan(_) | PullError::Journal(JournalError::OtherPlan { .. }) => {
                Self::usage(message)
            }
            PullError::Call { source, .. } | PullError::GaveUp { source: Some(source), .. } => {
                let failure = Self { message, ..(*source).into() };
                let too_long =
                    failure.result_code.as_deref() == Some(ResultCode::SpanTooLong.as_str());
                if too_long {
                    failure.hint("give a smaller --window-days; CC-FS takes 3 days unless it was set up otherwise")
                } else {
                    failure
                }
            }
            PullError::GaveUp { .. } => Self::new(Kind::Network, message),
            PullError::Stopped => {
                Self::new(Kind::Interrupted, "interrupted; the same command goes on from here")
            }
            _ => Self::file(message),
        }
    }
}
