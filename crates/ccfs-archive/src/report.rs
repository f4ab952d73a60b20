//! Reports on the contents of archives.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use ccfs_time::LocalTime;

use crate::code::OperateType;
use crate::csv::Charset;
use crate::error::{BadRows, Error, NotIndexFile};
use crate::kind::IndexKind;
use crate::notes::Note;
use crate::options::ReadOptions;
use crate::record::{AnyRecord, AnyRecordRef, Record as _, Typed};
use crate::source::{CHUNK, CsvSource, Source, member_kind};
use crate::zip::{Member, Method, Next};

/// Report on the contents of an archive.
///
/// Every member is read to its end. Bad rows are counted; a damaged archive is an error.
///
/// ```no_run
/// use ccfs_archive::Archive;
///
/// let report = Archive::open(std::fs::File::open("20150208_0123.zip")?)?.inspect()?;
/// println!("{} rows in {} members", report.totals.rows, report.members.len());
/// # Ok::<(), ccfs_archive::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// One report for each member, in the order of the file.
    pub members: Vec<MemberReport>,
    /// Compressed size of all members, in bytes.
    pub compressed_size: u64,
    /// Size of all members, in bytes.
    pub size: u64,
    /// The rows of all members together.
    pub totals: Tally,
}

/// Report on a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MemberReport {
    /// Its name.
    pub name: Arc<str>,
    /// Kind of index file. Other members are checked, but not read as rows.
    pub kind: Option<IndexKind>,
    /// Whether it is a folder or [ignorable](crate::Member::is_ignorable).
    pub is_ignorable: bool,
    /// How it is compressed.
    pub method: Method,
    /// Its size in the archive, in bytes.
    pub compressed_size: u64,
    /// Its size, in bytes.
    pub size: u64,
    /// Its charset, if it was read as rows.
    pub charset: Option<Charset>,
    /// Whether it begins with a byte order mark.
    pub byte_order_mark: bool,
    /// Whether it has a header row; `None` if it has no rows.
    pub header: Option<bool>,
    /// Its rows.
    pub tally: Tally,
    /// Why it is not an index file of the kind that its name or the options give it. `None` if it was read as rows, or
    /// has no kind.
    pub refused: Option<NotIndexFile>,
    /// Notes on skipped or guessed data.
    pub notes: Vec<Note>,
}

/// Counts over rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Tally {
    /// Good rows, without the header.
    pub rows: u64,
    /// Bad rows.
    pub bad_rows: BadRows,
    /// Earliest time of an event, in local time of the call center.
    pub earliest: Option<LocalTime>,
    /// Latest time of an event.
    pub latest: Option<LocalTime>,
    /// Number of rows of each operation type, in files with operations.
    #[cfg_attr(feature = "serde", serde(serialize_with = "by_code"))]
    pub by_operation: BTreeMap<OperateType, u64>,
    /// Number of rows in each hour of the day, from 0 to 23.
    pub by_hour: [u64; 24],
}

impl Report {
    /// Reads a bare CSV file to its end and returns a report, as for an archive with one stored member.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the reader fails, [`Error::Limit`] if a record or a cell is too long.
    pub fn of_csv(
        reader: impl Read + Send,
        name: &str,
        kind: IndexKind,
        options: &ReadOptions,
    ) -> Result<Self, Error> {
        let member =
            MemberReport { name: name.into(), kind: Some(kind), ..MemberReport::default() };
        let typed = Typed::new(kind, Some(name.into()), options);
        let source = &mut CsvSource(reader);
        let on_record = |_: AnyRecordRef<'_>| Ok::<(), Error>(());
        let mut report = Self::read(vec![member], Some(typed), source, options, on_record)?;
        report.members[0].compressed_size = report.size;
        report.compressed_size = report.size;
        Ok(report)
    }

    /// Reads the data of members.
    pub(crate) fn of_members<E: From<Error>>(
        members: &[Member],
        source: &mut dyn Source,
        options: &ReadOptions,
        on_record: impl FnMut(AnyRecordRef<'_>) -> Result<(), E>,
    ) -> Result<Self, E> {
        let reports = members.iter().map(|member| MemberReport {
            name: Arc::clone(member.shared_name()),
            kind: member_kind::<AnyRecord>(member.name(), options),
            is_ignorable: member.is_ignorable() || member.is_folder(),
            method: member.method(),
            compressed_size: member.compressed_size(),
            ..MemberReport::default()
        });
        Self::read(reports.collect(), None, source, options, on_record)
    }

    /// Reads members to their ends. `typed` is set if the source is a bare CSV file, which does not begin.
    fn read<E: From<Error>>(
        mut members: Vec<MemberReport>,
        mut typed: Option<Typed>,
        source: &mut dyn Source,
        options: &ReadOptions,
        mut on_record: impl FnMut(AnyRecordRef<'_>) -> Result<(), E>,
    ) -> Result<Self, E> {
        let (mut index, mut buffer) = (0, vec![0; CHUNK]);
        while let Some(member) = members.get_mut(index) {
            match source.next(&mut buffer)? {
                Next::NeedInput => {}
                Next::Begin(name) => {
                    typed = member.kind.map(|kind| Typed::new(kind, Some(name), options));
                }
                Next::Data(length) => {
                    member.size += length as u64;
                    // The rest of a refused member is only inflated and checked.
                    if let Some(typed) = typed.as_mut().filter(|_| member.refused.is_none()) {
                        typed.feed(&buffer[..length]);
                        member.count(typed, &mut on_record)?;
                    }
                }
                Next::Finish | Next::End => {
                    if let Some(typed) = typed.take() {
                        member.finish(typed, &mut on_record)?;
                    }
                    index += 1;
                }
            }
        }
        let (mut compressed_size, mut size, mut totals) = (0, 0, Tally::default());
        for member in &members {
            compressed_size += member.compressed_size;
            size += member.size;
            totals.add(&member.tally);
        }
        Ok(Self { members, compressed_size, size, totals })
    }
}

impl MemberReport {
    /// Counts the rows of the bytes so far.
    fn count<E: From<Error>>(
        &mut self,
        typed: &mut Typed,
        on_record: &mut impl FnMut(AnyRecordRef<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            match typed.next() {
                Ok(true) => {
                    let record = AnyRecord::view(typed.record());
                    let operation = record.schema.operation.and_then(|column| record.code(column));
                    self.tally.add_row(record.event_time(), operation);
                    on_record(record)?;
                }
                Ok(false) => return Ok(()),
                Err(Error::Row(row)) => self.tally.bad_rows.extend([row]),
                Err(Error::NotIndexFile(refused)) => {
                    self.refused = Some(refused);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn finish<E: From<Error>>(
        &mut self,
        mut typed: Typed,
        on_record: &mut impl FnMut(AnyRecordRef<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.refused.is_none() {
            typed.finish();
            self.count(&mut typed, on_record)?;
        }
        self.notes = typed.notes().collect();
        if self.refused.is_none() {
            self.charset = Some(typed.charset());
            self.byte_order_mark = typed.has_mark();
            self.header = typed.has_header();
        }
        Ok(())
    }

    /// Ratio of the sizes before and after compression; 0 for an empty member.
    #[expect(clippy::cast_precision_loss, reason = "the ratio is only displayed")]
    pub fn ratio(&self) -> f64 {
        match self.compressed_size {
            0 => 0.0,
            compressed => self.size as f64 / compressed as f64,
        }
    }
}

impl Tally {
    /// Indexes of the columns that are counted: time of the event and, in some files, type of the operation.
    pub const fn columns(kind: IndexKind) -> (usize, Option<usize>) {
        (kind.schema().event_time, kind.schema().operation)
    }

    /// Counts a good row with these values of its [`columns`](Self::columns).
    pub fn add_row(&mut self, time: Option<LocalTime>, operation: Option<i64>) {
        self.rows += 1;
        if let Some(time) = time {
            self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
            self.latest = self.latest.max(Some(time));
            self.by_hour[usize::from(time.hour())] += 1;
        }
        if let Some(operation) = operation {
            *self.by_operation.entry(operation.into()).or_default() += 1;
        }
    }

    /// Adds the counts of other rows.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.bad_rows.append(&other.bad_rows);
        self.earliest = [self.earliest, other.earliest].into_iter().flatten().min();
        self.latest = self.latest.max(other.latest);
        for (operation, rows) in &other.by_operation {
            *self.by_operation.entry(*operation).or_default() += rows;
        }
        for (sum, rows) in self.by_hour.iter_mut().zip(other.by_hour) {
            *sum += rows;
        }
    }
}

/// `[{"code":1,"name":"sign in","rows":12}]`; the name of an unknown code is `null`.
#[cfg(feature = "serde")]
fn by_code<S: serde::Serializer>(
    counts: &BTreeMap<OperateType, u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(serde::Serialize)]
    struct Count {
        code: i64,
        name: Option<&'static str>,
        rows: u64,
    }
    serializer.collect_seq(counts.iter().map(|(operation, &rows)| Count {
        code: operation.code(),
        name: operation.name(),
        rows,
    }))
}
