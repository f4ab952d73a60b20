//! What is in an archive: one full typed pass.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Seek};
use std::sync::Arc;

use ccfs_time::LocalTime;

use crate::archive::Archive;
use crate::code::OperateType;
use crate::csv::Charset;
use crate::error::Error;
use crate::kind::IndexKind;
use crate::options::{BadRows, OnBadRow};
use crate::record::{AnyRecord, RecordRef};
use crate::records::Records;
use crate::zip::{Member, Meter, Method};

/// What is in an archive, found by reading every byte of it.
///
/// Bad rows do not end the pass, they are counted; a damaged archive does.
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
    /// One report for each member, in the order in which they stand in the file.
    pub members: Vec<MemberReport>,
    /// What all members together take up in the archive, in bytes.
    pub compressed_size: u64,
    /// What came out of all members together, in bytes.
    pub size: u64,
    /// The rows of all members together.
    pub totals: Tally,
}

/// What is in one member.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MemberReport {
    /// Its name.
    pub name: Arc<str>,
    /// Which index file it is. Members that are none are inflated and checked, and not read as rows.
    pub kind: Option<IndexKind>,
    /// How it is compressed.
    pub method: Method,
    /// Its size in the archive, in bytes.
    pub compressed_size: u64,
    /// What came out of it, in bytes.
    pub size: u64,
    /// Its charset, if it was read as rows.
    pub charset: Option<Charset>,
    /// Whether it begins with a byte order mark.
    pub byte_order_mark: bool,
    /// Whether it has a header row; not known if it has no row at all.
    pub header: Option<bool>,
    /// Its rows.
    pub tally: Tally,
}

/// Counts over rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Tally {
    /// Good rows, the header not counted.
    pub rows: u64,
    /// Rows that do not fit their columns.
    pub bad_rows: BadRows,
    /// The earliest time at which something happened, on the tenant's clock.
    pub earliest: Option<LocalTime>,
    /// The latest.
    pub latest: Option<LocalTime>,
    /// Rows for each operation type, in files that have one.
    #[cfg_attr(feature = "serde", serde(serialize_with = "by_code"))]
    pub by_operation: BTreeMap<OperateType, u64>,
    /// Rows for each hour of the tenant's day, from 0 to 23.
    pub by_hour: [u64; 24],
}

impl<R: Read + Seek + Send> Archive<R> {
    /// Reads everything, and tells what there is.
    pub fn inspect(&mut self) -> Result<Report, Error> {
        let options = self.options().clone().on_bad_row(OnBadRow::Skip);
        let mut report =
            Report { members: Vec::new(), compressed_size: 0, size: 0, totals: Tally::default() };
        let meter = Meter::new(*options.get_limits());
        for index in 0..self.members().len() {
            let member = MemberReport::new(&self.members()[index]);
            let member = match member.kind {
                Some(_) => member.read(self.read(
                    vec![self.members()[index].clone()],
                    &options,
                    meter.clone(),
                ))?,
                None => MemberReport { size: self.check(index, &meter)?, ..member },
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
    /// How many bytes came out for each byte that went in; 0 for an empty archive.
    pub fn ratio(&self) -> f64 {
        ratio(self.size, self.compressed_size)
    }
}

impl MemberReport {
    fn new(member: &Member) -> Self {
        Self {
            name: Arc::clone(member.shared_name()),
            kind: member.kind(),
            method: member.method(),
            compressed_size: member.compressed_size(),
            size: member.size(),
            charset: None,
            byte_order_mark: false,
            header: None,
            tally: Tally::default(),
        }
    }

    fn read(mut self, mut records: Records<'_, AnyRecord>) -> Result<Self, Error> {
        while let Some(record) = records.next_record()? {
            self.tally.count(record.happened(), record.operation());
        }
        self.tally.rows = records.rows();
        self.tally.bad_rows.append(records.bad_rows());
        if let Some(typed) = records.typed() {
            self.charset = Some(typed.charset());
            self.byte_order_mark = typed.has_mark();
            self.header = typed.has_header();
        }
        Ok(self)
    }

    /// How many bytes came out for each byte that went in; 0 for an empty member.
    pub fn ratio(&self) -> f64 {
        ratio(self.size, self.compressed_size)
    }
}

impl Tally {
    fn count(&mut self, happened: Option<LocalTime>, operation: Option<OperateType>) {
        if let Some(time) = happened {
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

#[expect(clippy::cast_precision_loss, reason = "a ratio to look at")]
fn ratio(size: u64, compressed: u64) -> f64 {
    if compressed == 0 { 0.0 } else { size as f64 / compressed as f64 }
}

/// `[{"code":1,"name":"sign in","rows":12}]`: a code without a name has `null` for one.
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

/// A short text, one line for each member.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for member in &self.members {
            write!(
                f,
                "{}: {} bytes ({} in the archive)",
                member.name, member.size, member.compressed_size
            )?;
            if let Some(kind) = member.kind {
                write!(
                    f,
                    ", {kind}, {} rows, {} bad",
                    member.tally.rows,
                    member.tally.bad_rows.count()
                )?;
            }
            writeln!(f)?;
        }
        let (rows, bad) = (self.totals.rows, self.totals.bad_rows.count());
        write!(
            f,
            "in all: {} members, {} bytes, {rows} rows, {bad} bad",
            self.members.len(),
            self.size
        )
    }
}
