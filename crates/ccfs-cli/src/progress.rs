//! Progress on a terminal; silence in a pipe.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use ccfs::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on stderr that is there only on a terminal.
pub(crate) struct Bar(Option<ProgressBar>);

impl Bar {
    /// A bar of bytes. Its length comes with the first report that has one.
    pub(crate) fn bytes() -> Self {
        Self::with("{spinner} {bytes} of {total_bytes} at {bytes_per_sec}, {eta} left")
    }

    /// A count of rows, whose number is not known before.
    pub(crate) fn rows() -> Self {
        Self::with("{spinner} {human_pos} rows, {per_sec}")
    }

    fn with(template: &str) -> Self {
        if !stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(Some(bar))
    }

    /// Shows how far a download is.
    pub(crate) fn show(&self, progress: Progress) {
        if let Some(bar) = &self.0 {
            if let Some(declared) = progress.declared {
                bar.set_length(declared);
            }
            bar.set_position(progress.received);
        }
    }

    /// Shows how many rows are done.
    pub(crate) fn set(&self, done: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(done);
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
