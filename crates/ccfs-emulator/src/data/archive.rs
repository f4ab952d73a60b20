//! The ZIP of an index file, written forwards only, as Java's `ZipOutputStream` does.

use std::io::{self, Write};

use ccfs_proto::{LocalTime, Timestamp};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::agent_opr::AgentOprInfo;
use super::agent_skill::AgentSkillInfo;
use super::bill;
use super::random::Random;
use super::shape::Shape;
use super::table::{Records, Subject, Table};
use crate::library::Recording;

/// Uncompressed bytes that are gathered before they go to the compressor.
const BLOCK: usize = 64 * 1024;

/// Everything that decides the bytes of one index file.
#[derive(Clone, Debug)]
pub(crate) struct ArchivePlan {
    pub(crate) subject: Subject,
    pub(crate) shape: Shape,
    /// A member holds that many records at most; more make a second member.
    pub(crate) rows_per_member: u64,
    /// When generation was asked for.
    pub(crate) asked: Timestamp,
    /// When the file was made, by its members' names.
    pub(crate) made: Timestamp,
    /// What record CSVs name.
    pub(crate) recordings: Vec<Recording>,
    pub(crate) seed: u64,
}

/// Writes the archive. Only what records have in common and one block are held uncompressed.
///
/// Sizes and checksums stand in data descriptors behind the data, and in the central directory, because the writer never goes back.
pub(crate) fn write_archive<W: Write>(plan: &ArchivePlan, into: W) -> io::Result<W> {
    let mut random = Random::new(plan.seed, "archive");
    let local = LocalTime::at_offset(plan.made, plan.subject.utc_offset);
    let stem =
        format!("{}{:03}{:03}", digits(local), plan.made.unix_millis() % 1000, random.below(1000));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(dos_time(local));
    let mut zip = ZipWriter::new_stream(into);
    for mut table in tables(plan) {
        let name = format!("{stem}_{}", table.suffix());
        let members = plan.subject.rows.div_ceil(plan.rows_per_member.max(1)).max(1);
        for member in 1..=members {
            zip.start_file(
                if members == 1 { format!("{name}.csv") } else { format!("{name}_{member}.csv") },
                options,
            )?;
            write_member(plan, table.as_mut(), &mut zip)?;
        }
    }
    Ok(zip.finish()?.into_inner())
}

fn tables(plan: &ArchivePlan) -> Vec<Box<dyn Table>> {
    let random = |purpose| Random::new(plan.seed, purpose);
    let subject = || plan.subject.clone();
    match plan.subject.records {
        Records::AgentSkillInfo => {
            vec![Box::new(AgentSkillInfo::new(
                subject(),
                plan.shape.skill_separator,
                random("agentSkillInfo"),
            ))]
        }
        Records::AgentOprInfo => {
            vec![Box::new(AgentOprInfo::new(subject(), random("agentOprInfo")))]
        }
        Records::Bill { calls, records } => {
            let mut tables: Vec<Box<dyn Table>> = Vec::new();
            if calls {
                tables.push(Box::new(bill::Calls::new(subject(), random("call"))));
            }
            if records {
                tables.push(Box::new(bill::Records::new(
                    subject(),
                    plan.recordings.clone(),
                    random("record"),
                )));
            }
            tables
        }
    }
}

/// As many records as a member holds.
fn write_member(
    plan: &ArchivePlan,
    table: &mut dyn Table,
    into: &mut impl Write,
) -> io::Result<()> {
    let shape = plan.shape;
    let mut block = Vec::with_capacity(BLOCK + 1024);
    if shape.byte_order_mark {
        block.extend_from_slice(b"\xEF\xBB\xBF");
    }
    if shape.header_row {
        block.extend_from_slice(table.columns().join(",").as_bytes());
        block.extend_from_slice(shape.line_end());
    }
    for _ in 0..plan.rows_per_member.max(1) {
        if !table.write_next(&mut block) {
            break;
        }
        block.extend_from_slice(shape.line_end());
        if block.len() >= BLOCK {
            into.write_all(&block)?;
            block.clear();
        }
    }
    into.write_all(&block)
}

/// `yyyyMMddHHmmss`.
fn digits(at: LocalTime) -> String {
    at.to_string().chars().filter(char::is_ascii_digit).collect()
}

/// The member's time; DOS times begin with 1980 and end with 2107.
fn dos_time(at: LocalTime) -> DateTime {
    let digits = digits(at);
    let part = |from: usize| {
        digits.get(from..from + 2).and_then(|two| two.parse().ok()).unwrap_or_default()
    };
    DateTime::from_date_and_time(at.day().year(), part(4), part(6), part(8), part(10), part(12))
        .unwrap_or_default()
}
