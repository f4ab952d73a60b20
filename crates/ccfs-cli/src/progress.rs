//! Progress bars, on terminals only.

use std::fmt::Write as _;
use std::io::{IsTerminal, Read, stderr};
use std::time::Duration;

use ccfs::Progress;
use ccfs::pull::PullProgress;
use indicatif::{
    HumanBytes, HumanDuration, ProgressBar, ProgressBarIter, ProgressFinish, ProgressStyle,
};

use crate::message;
use crate::table::thousands;

/// A progress bar on stderr, hidden unless that is a terminal. Clones refer to the same bar.
#[derive(Clone)]
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// Creates a bar of bytes. The first report with a total sets its length.
    pub(crate) fn bytes() -> Self {
        Self::with("{spinner} {bytes} of {total_bytes} at {bytes_per_sec}, {eta} left")
    }

    /// Creates a bar of the bytes read from a file, with the number of rows.
    pub(crate) fn reading() -> Self {
        Self::with("{spinner} [{bar:30}] {bytes} of {total_bytes}, {msg} {eta} left")
    }

    /// Creates a bar of the windows of a pull. Its text is truncated to the width of the terminal.
    pub(crate) fn windows() -> Self {
        Self::with("{spinner} [{bar:16}] {wide_msg}")
    }

    fn with(template: &str) -> Self {
        if !stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::no_length().with_finish(ProgressFinish::AndClear);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        message::set_bar(Some(bar.clone()));
        Self(bar)
    }

    /// Shows the progress of a download.
    pub(crate) fn show(&self, progress: Progress) {
        if let Some(declared) = progress.declared {
            self.0.set_length(declared);
        }
        self.0.set_position(progress.received);
    }

    /// Shows the progress of a pull, of whose windows this run settled `done`; during a pause, shows the reason.
    pub(crate) fn pulled(&self, progress: &PullProgress, done: usize, outage: &str) {
        self.0.set_length(progress.windows as u64);
        self.0.set_position(progress.settled as u64);
        self.0.set_message(pull_text(progress, done, self.0.elapsed(), outage));
    }

    /// Shows how many rows are done.
    pub(crate) fn rows(&self, rows: u64) {
        if !self.0.is_hidden() {
            self.0.set_message(format!("{} rows,", thousands(rows)));
        }
    }

    /// Sets the number of bytes to read.
    pub(crate) fn total(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    /// Adds to the number of bytes that are read.
    pub(crate) fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Counts what is read from a file of `len` bytes.
    pub(crate) fn counting<R: Read>(&self, reader: R, len: u64) -> ProgressBarIter<R> {
        self.0.reset();
        self.0.set_length(len);
        self.0.wrap_read(reader)
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
        message::set_bar(None);
    }
}

/// `12 of 30 windows, 1.2 MiB/s, 3m left`, or why the pull waits. Short, so that a line of 80 columns has it.
fn pull_text(progress: &PullProgress, done: usize, elapsed: Duration, outage: &str) -> String {
    let PullProgress { windows, settled, received, .. } = *progress;
    let mut text = format!("{settled} of {windows} windows");
    if let Some(pause) = progress.outage {
        let next = pause.next_attempt.as_millis().div_ceil(1000);
        let _ = match next {
            0 => write!(text, ", trying again: {outage}"),
            _ => write!(text, ", next try in {next} s: {outage}"),
        };
        return text;
    }
    if received > 0 && !elapsed.is_zero() {
        let rate = u128::from(received) * 1000 / elapsed.as_millis().max(1);
        let rate = HumanBytes(u64::try_from(rate).unwrap_or(u64::MAX));
        let _ = write!(text, ", {rate}/s");
    }
    let left = windows.saturating_sub(settled);
    if let (Ok(done @ 1..), Ok(left @ 1..)) = (u32::try_from(done), u32::try_from(left)) {
        let _ = write!(text, ", {} left", HumanDuration(elapsed / done * left));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_shows_rate_and_time_left_or_why_it_waits() {
        let mut progress = PullProgress::default();
        (progress.windows, progress.settled, progress.received) = (30, 12, 3 << 20);
        let text = |progress: &PullProgress| pull_text(progress, 2, Duration::from_secs(10), "why");
        assert_eq!(text(&progress), "12 of 30 windows, 307.20 KiB/s, 2 minutes left");
        progress.settled = 30;
        assert_eq!(text(&progress), "30 of 30 windows, 307.20 KiB/s");
    }
}
