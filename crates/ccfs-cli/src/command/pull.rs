//! `ccfs pull`: the whole job for a range of days, resumable.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ccfs::archive::{FileKind, OnBadRow, ReadOptions};
use ccfs::pull::{AsyncPull, BlockingPull, JournalError, Outcome, Pace, Plan, PullError, PullProgress, PullSummary, WindowReport};
use ccfs::{Callback, Listener};
use serde::Serialize;

use crate::args::{Backend, BadRow, PullArgs, Wait};
use crate::failure::{Failure, Kind};
use crate::interrupt::{self, InterruptibleClock};
use crate::progress::Bar;
use crate::settings::Settings;
use crate::{backend, output, table};

/// How long the listener's thread waits before it looks whether anybody still wants callbacks.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) fn run(settings: &Settings, args: &PullArgs) -> Result<(), Failure> {
    let plan = plan(settings, args)?;
    let mut pace = Pace::default();
    pace.in_flight = args.in_flight.into();
    let bar = Bar::windows();
    // What cannot be printed stops the pull as a signal does.
    let mut unprinted = None;
    let on_window = |report: &WindowReport| {
        if settings.json
            && let Err(failure) = output::json(&Line::of(report))
        {
            unprinted.get_or_insert(failure);
        }
    };
    let progress = |progress: &PullProgress| {
        bar.pulled(progress);
        interrupt::flow()
    };
    let result = pull(settings, args, plan, pace, progress, on_window);
    bar.finish();
    if let Some(failure) = unprinted {
        return Err(failure);
    }
    let summary = result?;
    tell(settings, &summary)?;
    let failed = summary.failed().count();
    if failed > 0 {
        let (window, why) = summary.failed().next().map(|(window, why)| (window.to_string(), why)).unwrap_or_default();
        let windows = if failed == 1 { "window" } else { "windows" };
        return Err(Failure::new(
            Kind::Refused,
            format_args!("{failed} {windows} could not be had, which the next run tries again; {window}: {why}"),
        ));
    }
    Ok(())
}

fn plan(settings: &Settings, args: &PullArgs) -> Result<Plan, Failure> {
    let day = |text: &str, flag: &str| text.parse().map_err(|error| Failure::usage(format_args!("{flag}: {error}")));
    let (from, to) = (day(&args.from, "--from")?, day(&args.to, "--to")?);
    let zone = settings.time_zone()?.ok_or_else(|| {
        Failure::usage("no time zone is set, and days begin with the tenant's midnight: give --tz, such as Asia/Shanghai, or set CCFS_TZ")
    })?;
    let on_bad_row = match args.on_bad_row {
        BadRow::Stop => OnBadRow::Stop,
        BadRow::Skip => OnBadRow::Skip,
    };
    let mut plan = Plan::new(FileKind::from(args.kind), zone, from, to)
        .window_days(args.window_days)
        .keep_zip(!args.no_zip)
        .read_options(ReadOptions::new().on_bad_row(on_bad_row));
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
    let listener = match args.wait {
        Wait::Poll => None,
        Wait::Callback => Some(listen(settings, args)?),
    };
    let result = match settings.backend {
        Backend::Blocking => {
            let client = settings.pulling_client()?;
            let mut pull = BlockingPull::new(&client, plan, &args.out).pace(pace).clock(InterruptibleClock::new());
            if let Some(listener) = listener {
                let (sender, callbacks) = mpsc::channel();
                forward(listener, move |callback| sender.send(callback).is_ok());
                pull = pull.callbacks(callbacks);
            }
            pull.progress(progress).on_window(on_window).run()
        }
        Backend::Async => {
            let client = settings.pulling_async_client()?;
            let mut pull = AsyncPull::new(&client, plan, &args.out).pace(pace);
            if let Some(listener) = listener {
                let (sender, callbacks) = tokio::sync::mpsc::channel(64);
                forward(listener, move |callback| sender.blocking_send(callback).is_ok());
                pull = pull.callbacks(callbacks);
            }
            backend::runtime()?.block_on(pull.progress(progress).on_window(on_window).run())
        }
    };
    result.map_err(Failure::from)
}

fn listen(settings: &Settings, args: &PullArgs) -> Result<Listener, Failure> {
    let listener = Listener::builder(&settings.credentials()?)
        .bind(args.bind)
        .map_err(|error| Failure::new(Kind::Network, format_args!("{} cannot be listened on: {error}", args.bind)))?;
    eprintln!("listening on http://{}", listener.address());
    Ok(listener)
}

/// Hands callbacks on until nobody takes them any more. What is no callback is only told.
fn forward(listener: Listener, take: impl Fn(Callback) -> bool + Send + 'static) {
    thread::spawn(move || {
        let mut wanted = true;
        while wanted {
            match listener.recv_timeout(LOOK).map(|event| event.callback) {
                Some(Ok(callback)) => wanted = take(callback),
                Some(Err(refusal)) => eprintln!("refused: {refusal}"),
                None => {}
            }
        }
    });
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
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
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
        Self {
            window: report.window.to_string(),
            begin: report.window.begin().to_string(),
            end: report.window.end().to_string(),
            outcome,
            rows: stored.map(|stored| stored.rows),
            bad_rows: stored.map(|stored| stored.bad_rows),
            bytes: stored.map(|stored| stored.bytes),
            file: report.file.as_ref().map(|file| file.display().to_string()),
            why,
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
                let name = report.file.as_ref().and_then(|file| file.file_name()).map(|name| name.to_string_lossy().into_owned());
                (table::thousands(stored.rows), table::thousands(stored.bytes), name.unwrap_or_default())
            }
            Outcome::NoData => ("0".into(), "-".into(), "no data".into()),
            Outcome::Failed { .. } => ("-".into(), "-".into(), "failed".into()),
            _ => ("-".into(), "-".into(), String::new()),
        };
        rows.push([begin, end, count, bytes, file]);
    }
    let mut text =
        if summary.windows.is_empty() { String::from("no windows\n") } else { table::aligned(&rows, &[false, false, true, true, false]) };
    let bad = match summary.bad_rows() {
        0 => String::new(),
        bad => format!(", and {} that could not be read", table::thousands(bad)),
    };
    let _ = writeln!(
        text,
        "\n{} windows, {} rows{bad}, {} bytes; asked {} times, {} were here before",
        summary.windows.len(),
        table::thousands(summary.rows()),
        table::thousands(summary.bytes()),
        summary.asked,
        summary.resumed,
    );
    text
}

impl From<PullError> for Failure {
    fn from(error: PullError) -> Self {
        let message = error.to_string();
        match error {
            PullError::Plan(_) | PullError::Journal(JournalError::OtherPlan { .. }) => Self::usage(message),
            PullError::Call { source, .. } | PullError::GaveUp { source: Some(source), .. } => Self { message, ..(*source).into() },
            PullError::GaveUp { .. } => Self::new(Kind::Network, message),
            PullError::Stopped => Self::new(Kind::Interrupted, "interrupted; the same command goes on from here"),
            _ => Self::file(message),
        }
    }
}
