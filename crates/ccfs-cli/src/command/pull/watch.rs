//! The events of a pull, as messages.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccfs::Day;
use ccfs::pull::{JobFailure, Outcome, PullEvent, Task, Window, WindowReport};

use super::report::Line;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::settings::Settings;
use crate::{message, output, table};

/// Prints the events of a pull.
pub(super) struct Watch {
    pub(super) bar: Bar,
    pub(super) json: bool,
    /// The proxy, for messages.
    pub(super) proxy: Option<String>,
    /// Why the pull pauses.
    pub(super) outage: Arc<Mutex<String>>,
    /// Windows whose ZIP is missing, that have several days, and that failed in earlier runs.
    pub(super) zips_missing: Vec<Window>,
    pub(super) several_days: Vec<Window>,
    pub(super) failed_before: Vec<(Window, String)>,
    /// The first line that could not be printed; it ends the command.
    pub(super) unprinted: Option<Failure>,
}

impl Watch {
    pub(super) fn new(settings: &Settings) -> Self {
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

    pub(super) fn on_event(&mut self, event: &PullEvent) {
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
            PullEvent::ConditionalWrites(true) => {
                message::verbose(
                    "the store supports If-None-Match; several pulls may use this prefix",
                );
            }
            PullEvent::ConditionalWrites(false) => {
                message::verbose(
                    "the store does not support If-None-Match; run one pull at a time for this prefix",
                );
            }
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
    pub(super) fn finish(&self) {
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
