//! Checks archives, counts their rows and converts them.

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use ccfs_archive::{
    AgentOperation, AgentSkillChange, AnyRecordRef, Archive, Call, CopyError, Error, ExportFormat,
    FileRecord, IndexKind, Member, MemberReport, Record, RecordWriter, Recording,
};

use crate::plan::Plan;
use crate::scheduler::Stored;

/// Rows between two calls of a progress function.
const ROWS_BETWEEN: u64 = 4096;
/// Notes that are kept for a file.
const NOTES_KEPT: usize = 100;
/// Unread members that are named.
const UNREAD_NAMED: usize = 5;

/// Calls a function for the record type of a kind.
macro_rules! for_kind {
    ($kind:expr, $function:ident $arguments:tt) => {
        match $kind {
            IndexKind::AgentOprInfo => for_kind!(@ $function AgentOperation $arguments),
            IndexKind::Call => for_kind!(@ $function Call $arguments),
            IndexKind::Record => for_kind!(@ $function Recording $arguments),
            _ => for_kind!(@ $function AgentSkillChange $arguments),
        }
    };
    (@ $function:ident $record:ident ($($argument:expr),*)) => {
        $function::<$record>($($argument),*)
    };
}

/// A file that was checked.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) stored: Stored,
    /// Notes on skipped or guessed data.
    pub(crate) notes: Vec<String>,
}

impl Checked {
    /// Sets the size of the file in bytes.
    pub(crate) fn of_size(mut self, bytes: u64) -> Self {
        self.stored.bytes = bytes;
        self
    }
}

/// Reads and checks every member, and counts the rows of the plan's kind.
///
/// # Errors
///
/// Fails if the archive is damaged, has no member of the plan's kind, or if a member of that kind
/// is not an index file.
pub(crate) fn check(file: &File, plan: &Plan) -> Result<Checked, Error> {
    let mut archive = Archive::open_with(file, &plan.read)?;
    let report = archive.inspect()?;
    let (mut checked, mut unread) = (Checked::default(), Vec::new());
    let mut has_wanted = false;
    for (member, report) in archive.members().iter().zip(&report.members) {
        if report.kind == Some(plan.kind) {
            if let Some(refused) = &report.refused {
                return Err(refused.clone().into());
            }
            has_wanted = true;
            checked.stored.rows += report.tally.rows;
            checked.stored.bad_rows += report.tally.bad_rows.count();
            checked.notes.extend(report.notes.iter().map(ToString::to_string));
        } else if has_data(member, report) {
            unread.push(Arc::clone(&report.name));
        }
    }
    if !has_wanted {
        for_kind!(plan.kind, refuse_unread(&mut archive))?;
    }
    checked.stored = checked.stored.unread_members(unread.len() as u64);
    if !unread.is_empty() {
        let names = listed(&unread, UNREAD_NAMED);
        checked.notes.insert(0, format!("skipped members that are not {}: {names}", plan.kind));
    }
    if checked.notes.len() > NOTES_KEPT {
        let more = checked.notes.len() - NOTES_KEPT;
        checked.notes.truncate(NOTES_KEPT);
        checked.notes.push(format!("and {more} more notes"));
    }
    Ok(checked)
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

/// Fails if the archive has members, but none that is read as `T`.
fn refuse_unread<T: FileRecord>(archive: &mut Archive<&File>) -> Result<(), Error> {
    archive.records::<T>().next_record().map(drop)
}

/// Writes the records of the plan's kind. Returns the output, the number of records and that of
/// skipped bad rows.
pub(crate) fn copy<W: Write>(
    file: &File,
    plan: &Plan,
    format: ExportFormat,
    out: W,
    go_on: impl FnMut() -> ControlFlow<()>,
) -> Result<(W, u64, u64), CopyError> {
    let mut archive = Archive::open_with(file, &plan.read)?;
    let mut writer = RecordWriter::new(format, out);
    // CSV keeps the texts of its source.
    if format == ExportFormat::Jsonl {
        writer = writer.offset(|time| plan.zone.offset(time));
    }
    writer.write_header(plan.kind).map_err(CopyError::Write)?;
    let (rows, bad_rows) = for_kind!(plan.kind, copy_records(&mut archive, &mut writer, go_on))?;
    Ok((writer.into_inner().map_err(CopyError::Write)?, rows, bad_rows))
}

fn copy_records<T: FileRecord>(
    archive: &mut Archive<&File>,
    writer: &mut RecordWriter<'_, impl Write>,
    mut go_on: impl FnMut() -> ControlFlow<()>,
) -> Result<(u64, u64), CopyError>
where
    for<'a> AnyRecordRef<'a>: From<<T as Record>::Ref<'a>>,
{
    let (mut records, mut rows) = (archive.records::<T>(), 0_u64);
    while let Some(record) = records.next_record()? {
        writer.write(record.into()).map_err(CopyError::Write)?;
        rows += 1;
        if rows.is_multiple_of(ROWS_BETWEEN) && go_on().is_break() {
            return Err(CopyError::Stopped);
        }
    }
    Ok((rows, records.bad_rows().count()))
}

/// `a, b and 3 more`.
fn listed(names: &[Arc<str>], limit: usize) -> String {
    let first = names[..names.len().min(limit)].join(", ");
    match names.len() - names.len().min(limit) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
