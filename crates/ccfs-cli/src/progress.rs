//! Progress on a terminal; silence in a pipe.

use std::io::{self, IsTerminal, Read, Seek, SeekFrom, stderr};
use std::time::Duration;

use ccfs::Progress;
use ccfs::pull::PullProgress;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use crate::table::thousands;

/// A bar on stderr that is there only on a terminal. Clones are the same bar.
#[derive(Clone)]
pub(crate) struct Bar(Option<ProgressBar>);

impl Bar {
    /// A bar of bytes. Its length comes with the first report that has one.
    pub(crate) fn bytes() -> Self {
        Self::with("{spinner} {bytes} of {total_bytes} at {bytes_per_sec}, {eta} left")
    }

    /// A bar of a file that is read, and of the rows that came out of it.
    pub(crate) fn reading() -> Self {
        Self::with("{spinner} [{bar:30}] {bytes} of {total_bytes}, {msg} {eta} left")
    }

    /// A bar of the windows of a pull.
    pub(crate) fn windows() -> Self {
        Self::with("{spinner} [{bar:30}] {pos} of {len} windows, {msg}")
    }

    fn with(template: &str) -> Self {
        if !stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::no_length().with_finish(ProgressFinish::AndClear);
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

    /// Shows how far a pull is.
    pub(crate) fn pulled(&self, progress: &PullProgress) {
        if let Some(bar) = &self.0 {
            bar.set_length(progress.windows as u64);
            bar.set_position(progress.settled as u64);
            let (rows, received) = (thousands(progress.rows), thousands(progress.received));
            bar.set_message(format!(
                "{} under way, {rows} rows, {received} bytes received",
                progress.in_flight
            ));
        }
    }

    /// Prints a line on stderr, above the bar if there is one.
    pub(crate) fn message(&self, line: &str) {
        match &self.0 {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// Shows how many rows are done.
    pub(crate) fn rows(&self, rows: u64) {
        if let Some(bar) = &self.0 {
            bar.set_message(format!("{} rows,", thousands(rows)));
        }
    }

    /// Counts what is read from a file of `len` bytes.
    pub(crate) fn counting<R>(&self, reader: R, len: u64) -> Counting<R> {
        if let Some(bar) = &self.0 {
            bar.reset();
            bar.set_length(len);
        }
        Counting { reader, bar: self.clone() }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// A reader whose bytes move a bar.
pub(crate) struct Counting<R> {
    reader: R,
    bar: Bar,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(buffer)?;
        if let Some(bar) = &self.bar.0 {
            bar.inc(len as u64);
        }
        Ok(len)
    }
}

impl<R: Seek> Seek for Counting<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.reader.seek(to)
    }
}
