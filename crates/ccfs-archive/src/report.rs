//! Reports on the contents of archives.

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::sync::Arc;
use std::thread;

use ccfs_time::LocalTime;

use crate::archive::Archive;
use crate::code::OperateType;
use crate::csv::Charset;
use crate::error::{Error, NotIndexFile};
use crate::kind::IndexKind;
use crate::notes::Note;
use crate::options::{BadRows, OnBadRow, ReadOptions};
use crate::record::{AnyRecord, AnyRecordRef};
use crate::records::Records;
use crate::source::member_kind;
use crate::zip::{Meter, Method};

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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Why it was not read as the index file that its name or the options say.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
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

impl<R: Read + Seek + Send> Archive<R> {
    /// Reads all members to their ends and returns a report.
    ///
    /// # Errors
    ///
    /// [`Error::Zip`] for a damaged archive, [`Error::Limit`] for one that exceeds a limit, [`Error::Io`] if the reader fails.
    pub fn inspect(&mut self) -> Result<Report, Error> {
        self.report(false, |_| Ok(()))
    }

    /// Does the same as [`inspect`](Self::inspect), and passes each good row to `on_record`: an archive is checked and
    /// converted in one pass.
    ///
    /// # Errors
    ///
    /// As [`inspect`](Self::inspect), and the errors of `on_record`.
    pub fn inspect_each<E: From<Error>>(
        &mut self,
        on_record: impl FnMut(AnyRecordRef<'_>) -> Result<(), E>,
    ) -> Result<Report, E> {
        self.report(false, on_record)
    }

    /// Does the same as [`inspect`](Self::inspect), but inflates members of 8 MiB or more on a second thread.
    ///
    /// # Errors
    ///
    /// As [`inspect`](Self::inspect).
    pub fn inspect_ahead(&mut self) -> Result<Report, Error> {
        self.report(true, |_| Ok(()))
    }

    fn report<E: From<Error>>(
        &mut self,
        ahead: bool,
        mut on_record: impl FnMut(AnyRecordRef<'_>) -> Result<(), E>,
    ) -> Result<Report, E> {
        let options = self.options().clone().on_bad_row(OnBadRow::Skip);
        let mut report =
            Report { members: Vec::new(), compressed_size: 0, size: 0, totals: Tally::default() };
        let meter = Meter::new(options.limits);
        for index in 0..self.members().len() {
            let member = self.members()[index].clone();
            let kind = member_kind::<AnyRecord>(member.name(), &options);
            let found = MemberReport {
                compressed_size: member.compressed_size(),
                size: member.size(),
                is_ignorable: member.is_ignorable() || member.is_folder(),
                ..MemberReport::new(Arc::clone(member.shared_name()), kind, member.method())
            };
            let member = match kind {
                Some(_) => {
                    let (members, meter, archive) =
                        (vec![member.clone()], meter.clone(), &mut *self);
                    let (options, on_record) = (&options, &mut on_record);
                    let found = thread::scope(move |scope| {
                        let scope = ahead.then_some(scope);
                        found.read(archive.read(members, options, meter, scope), on_record)
                    })?;
                    if found.refused.is_some() {
                        // Damaged data is an error even if it does not look like rows.
                        self.check(member, Meter::new(options.limits))?;
                    }
                    found
                }
                None => MemberReport { size: self.check(member, meter.clone())?, ..found },
            };
            report.compressed_size += member.compressed_size;
            report.size += member.size;
            report.totals.add(&member.tally);
            report.members.push(member);
        }
        Ok(report)
    }
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
        let options = options.clone().on_bad_row(OnBadRow::Skip);
        let mut reader = Counted { reader, size: 0 };
        let records = Records::from_csv_with(&mut reader, kind, &options).named(name);
        let member = MemberReport::new(name.into(), Some(kind), Method::Stored);
        let member = member.read(records, &mut |_| Ok::<(), Error>(()))?;
        // A refused file is not read to its end.
        std::io::copy(&mut reader, &mut std::io::sink())?;
        let member = MemberReport { size: reader.size, compressed_size: reader.size, ..member };
        Ok(Self {
            compressed_size: reader.size,
            size: reader.size,
            totals: member.tally.clone(),
            members: vec![member],
        })
    }

    /// Ratio of the sizes before and after compression; 0 for an empty archive.
    pub fn ratio(&self) -> f64 {
        ratio(self.size, self.compressed_size)
    }
}

/// A reader whose bytes are counted.
struct Counted<R> {
    reader: R,
    size: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.size += length as u64;
        Ok(length)
    }
}

impl MemberReport {
    fn new(name: Arc<str>, kind: Option<IndexKind>, method: Method) -> Self {
        Self {
            name,
            kind,
            is_ignorable: false,
            method,
            compressed_size: 0,
            size: 0,
            charset: None,
            byte_order_mark: false,
            header: None,
            tally: Tally::default(),
            refused: None,
            notes: Vec::new(),
        }
    }

    fn read<E: From<Error>>(
        mut self,
        mut records: Records<'_, AnyRecord>,
        on_record: &mut impl FnMut(AnyRecordRef<'_>) -> Result<(), E>,
    ) -> Result<Self, E> {
        loop {
            match records.next_record() {
                Ok(Some(record)) => {
                    self.tally.count(&record);
                    on_record(record)?;
                }
                Ok(None) => break,
                Err(Error::NotIndexFile(refused)) => {
                    self.refused = Some(refused);
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.notes = records.notes();
        self.tally.rows = records.rows();
        self.tally.bad_rows.append(records.bad_rows());
        if let Some(typed) = records.typed() {
            self.charset = Some(typed.charset());
            self.byte_order_mark = typed.has_mark();
            self.header = typed.has_header();
        }
        Ok(self)
    }

    /// Ratio of the sizes before and after compression; 0 for an empty member.
    pub fn ratio(&self) -> f64 {
        ratio(self.size, self.compressed_size)
    }
}

impl Tally {
    fn count(&mut self, record: &AnyRecordRef<'_>) {
        let operation = match record {
            AnyRecordRef::AgentSkillInfo(record) => record.operate_type(),
            AnyRecordRef::AgentOprInfo(record) => record.op_type_code(),
            AnyRecordRef::Record(_) | AnyRecordRef::Call(_) => None,
        };
        if let Some(time) = record.event_time() {
            self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
            self.latest = Some(self.latest.map_or(time, |latest| latest.max(time)));
            self.by_hour[usize::from(time.hour())] += 1;
        }
        if let Some(operation) = operation {
            *self.by_operation.entry(operation).or_default() += 1;
        }
    }

    fn add(&mut self, other: &Self) {
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

#[expect(clippy::cast_precision_loss, reason = "the ratio is only displayed")]
fn ratio(size: u64, compressed: u64) -> f64 {
    if compressed == 0 { 0.0 } else { size as f64 / compressed as f64 }
}

#[cfg(feature = "serde")]
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn as_text<S: serde::Serializer>(
    refused: &Option<NotIndexFile>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match refused {
        Some(refused) => serializer.collect_str(refused),
        None => serializer.serialize_none(),
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
