//! Reads an archive once: checks it, counts its rows, and converts them.

use std::fs::File;
use std::io::{self, Seek};
use std::ops::ControlFlow;
use std::sync::Arc;

use ccfs_archive::{AnyRecordRef, Archive, Member, MemberReport, OnBadRow, Report, SkippedMembers};
use ccfs_driver::{Error, WholeFile};
use ccfs_proto::{Day, LocalTime};

use crate::format::Format;
use crate::output::{Converted, Hashed, Output};
use crate::plan::Plan;
use crate::scheduler::{Fingerprint, Stored};
use crate::window::Window;

/// Rows between two calls of a progress function.
const ROWS_BETWEEN: u64 = 4096;
/// Notes that are kept for a file.
const NOTES_KEPT: usize = 100;

/// An archive that was read.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) stored: Stored,
    /// Notes on skipped or guessed data.
    pub(crate) notes: Vec<String>,
    /// The converted files, complete but not in place.
    pub(crate) converted: Vec<Converted>,
}

/// Why the reading of an archive ended early.
enum Ended {
    Archive(ccfs_archive::Error),
    Write(io::Error),
    Stopped,
}

impl From<ccfs_archive::Error> for Ended {
    fn from(error: ccfs_archive::Error) -> Self {
        Self::Archive(error)
    }
}

impl From<Ended> for Error {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Archive(ccfs_archive::Error::Io(error)) | Ended::Write(error) => {
                Self::Write(error)
            }
            Ended::Archive(error) => Self::Rejected(error.into()),
            Ended::Stopped => Self::Stopped,
        }
    }
}

/// Reads and checks every member, counts the rows of the plan's kind, and writes them to `outputs`.
///
/// # Errors
///
/// [`Error::Rejected`] if the archive is damaged, has no member of the plan's kind, if a member of that kind
/// is not an index file, if it has rows, but none from the window or a day before or after it, or if
/// a bad row prevents a conversion.
pub(crate) fn read(
    file: &File,
    plan: &Plan,
    window: Window,
    outputs: Vec<(Format, WholeFile)>,
    mut go_on: impl FnMut() -> ControlFlow<()>,
) -> Result<Contents, Error> {
    let zip = fingerprint(file).map_err(Error::Write)?;
    let mut archive = Archive::open_with(file, &plan.read).map_err(Ended::Archive)?;
    let mut outputs = outputs
        .into_iter()
        .map(|(format, file)| Output::new(plan, window, zip, format, file))
        .collect::<io::Result<Vec<_>>>()
        .map_err(Error::Write)?;
    let (mut read, mut period) = (0_u64, Period::new(window));
    let report = archive.inspect_each(|record| {
        if record.kind() == plan.kind {
            period.count(&record);
            for output in &mut outputs {
                output.write(record).map_err(Ended::Write)?;
            }
        }
        read += 1;
        let stops = read.is_multiple_of(ROWS_BETWEEN) && go_on().is_break();
        if stops { Err(Ended::Stopped) } else { Ok(()) }
    })?;
    let contents = summarize(&archive, &report, plan, zip, !outputs.is_empty());
    let mut contents = contents.map_err(Ended::Archive)?;
    contents.stored.outside_rows = period.outside;
    if let Some((earliest, latest)) = period.is_other() {
        // The server, or something between, sent another window's file.
        let why = format!(
            "no row is from this window, the rows are from {earliest} to {latest}; the server sent the file of another period"
        );
        return Err(Error::Rejected(why.into()));
    }
    match period.outside {
        0 => {}
        1 => contents.notes.insert(0, "1 row is from outside the window".into()),
        rows => contents.notes.insert(0, format!("{rows} rows are from outside the window")),
    }
    let files: io::Result<_> = outputs.into_iter().map(Output::finish).collect();
    contents.converted = files.map_err(Error::Write)?;
    Ok(contents)
}

/// Returns the rows of the plan's kind, and what else the archive has.
fn summarize(
    archive: &Archive<&File>,
    report: &Report,
    plan: &Plan,
    zip: Fingerprint,
    converts: bool,
) -> Result<Contents, ccfs_archive::Error> {
    let (mut stored, mut notes) = (Stored::new(zip, 0), Vec::new());
    let (mut unread, mut present) = (SkippedMembers::default(), SkippedMembers::default());
    let (mut has_wanted, mut bad_row) = (false, None);
    for (member, report) in archive.members().iter().zip(&report.members) {
        if report.kind == Some(plan.kind) {
            if let Some(refused) = &report.refused {
                return Err(refused.clone().into());
            }
            has_wanted = true;
            stored.rows += report.tally.rows;
            stored.bad_rows += report.tally.bad_rows.count();
            bad_row = bad_row.or_else(|| report.tally.bad_rows.first().first().cloned());
            notes.extend(report.notes.iter().map(ToString::to_string));
        } else if has_data(member, report) {
            unread.extend([Arc::clone(&report.name)]);
        }
        present.extend((!report.is_ignorable).then(|| Arc::clone(&report.name)));
    }
    if !has_wanted && !report.members.is_empty() {
        return Err(ccfs_archive::Error::NoMember { wanted: vec![plan.kind], present });
    }
    stored.unread_members = unread.count();
    if unread.count() > 0 {
        notes.insert(0, format!("skipped members that are not {}: {unread}", plan.kind));
    }
    if notes.len() > NOTES_KEPT {
        let more = notes.len() - NOTES_KEPT;
        notes.truncate(NOTES_KEPT);
        notes.push(format!("and {more} more notes"));
    }
    match bad_row {
        Some(row) if converts && plan.read.bad_row_action() != OnBadRow::Skip => Err(row.into()),
        _ => Ok(Contents { stored, notes, converted: Vec::new() }),
    }
}

/// Whether an unread member has data that would be lost with the archive.
fn has_data(member: &Member, report: &MemberReport) -> bool {
    match report.kind {
        Some(_) => {
            report.tally.rows > 0 || report.tally.bad_rows.count() > 0 || report.refused.is_some()
        }
        None => !member.is_ignorable() && report.size > 0,
    }
}

/// Compares the times of rows with a window.
struct Period {
    window: Window,
    /// The window, and a day before and after it: the time zones of a platform may differ.
    days: (Day, Day),
    outside: u64,
    /// Whether a row is from these days, or has no time.
    fits: bool,
    range: Option<(LocalTime, LocalTime)>,
}

impl Period {
    fn new(window: Window) -> Self {
        let (first, last) = (window.begin().day(), window.end().day());
        let days = (first.previous().unwrap_or(first), last.next().unwrap_or(last));
        Self { window, days, outside: 0, fits: false, range: None }
    }

    fn count(&mut self, record: &AnyRecordRef<'_>) {
        let Some(time) = record.event_time() else {
            self.fits = true;
            return;
        };
        if time < self.window.begin() || time > self.window.end() {
            self.outside += 1;
            self.fits |= (self.days.0..=self.days.1).contains(&time.day());
        } else {
            self.fits = true;
        }
        let (earliest, latest) = self.range.unwrap_or((time, time));
        self.range = Some((earliest.min(time), latest.max(time)));
    }

    /// Returns the earliest and latest time if the rows are those of another period.
    fn is_other(&self) -> Option<(LocalTime, LocalTime)> {
        self.range.filter(|_| !self.fits)
    }
}

/// Returns the size and the hash of a file.
pub(crate) fn fingerprint(mut file: &File) -> io::Result<Fingerprint> {
    file.rewind()?;
    let mut hashed = Hashed::new(io::sink());
    io::copy(&mut file, &mut hashed)?;
    Ok(hashed.finish().1)
}
