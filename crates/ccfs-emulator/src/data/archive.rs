//! The ZIP of an index file, written forwards only, as Java's `ZipOutputStream` does.

use std::io::{self, Seek, Write};

use ccfs_proto::LocalTime;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::agent_opr::AGENT_OPR_INFO;
use super::agent_skill::AGENT_SKILL_INFO;
use super::bill::{CALLS, RECORDINGS};
use super::plan::{ArchivePlan, Records};
use super::random::Random;
use super::rows::rows;
use super::table::Table;

/// Maximum number of members of a file.
pub(crate) const MEMBERS_LIMIT: u64 = 10_000;
/// Uncompressed bytes that are gathered before they go to the compressor.
const BLOCK: usize = 64 * 1024;

/// Writes the archive. Holds the records of one hour and one block uncompressed.
///
/// Sizes and checksums are in data descriptors after the data, and in the central directory, because the writer never seeks.
pub(crate) fn write_archive<W: Write>(plan: &ArchivePlan, into: W) -> io::Result<W> {
    let mut random = Random::new(plan.seed, "archive");
    let local = LocalTime::at_offset(plan.made, plan.utc_offset);
    let stem =
        format!("{}{:03}{:03}", digits(local), plan.made.unix_millis() % 1000, random.below(1000));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(dos_time(local));
    let mut zip = ZipWriter::new_stream(into);
    let tables: &[&Table] = match plan.records {
        Records::AgentSkillInfo => &[&AGENT_SKILL_INFO],
        Records::AgentOprInfo => &[&AGENT_OPR_INFO],
        Records::Bill { records: false, .. } => &[&CALLS],
        Records::Bill { calls: false, .. } => &[&RECORDINGS],
        Records::Bill { .. } => &[&CALLS, &RECORDINGS],
    };
    for table in tables {
        write_table(table, plan, &stem, options, &mut zip)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Writes the members of one table: as many as its records need, but at least one.
fn write_table(
    table: &Table,
    plan: &ArchivePlan,
    stem: &str,
    options: SimpleFileOptions,
    zip: &mut ZipWriter<impl Write + Seek>,
) -> io::Result<()> {
    let (total, mut rows) = rows(plan, table.states);
    let per_member = plan.rows_per_member.max(total.div_ceil(MEMBERS_LIMIT)).max(1);
    let members = total.div_ceil(per_member).max(1);
    for member in 1..=members {
        let number = if members == 1 { String::new() } else { format!("_{member}") };
        zip.start_file(format!("{stem}_{}{number}.csv", table.suffix), options)?;
        let mut block = Vec::with_capacity(BLOCK + 1024);
        if plan.shape.byte_order_mark {
            block.extend_from_slice(b"\xEF\xBB\xBF");
        }
        if plan.shape.header_row {
            block.extend_from_slice(table.columns.as_bytes());
            block.extend_from_slice(plan.shape.line_end());
        }
        for _ in 0..per_member {
            let Some((agent, state)) = rows.next() else { break };
            (table.write)(plan, &agent, &state, &mut block);
            block.extend_from_slice(plan.shape.line_end());
            if block.len() >= BLOCK {
                zip.write_all(&block)?;
                block.clear();
            }
        }
        zip.write_all(&block)?;
    }
    Ok(())
}

/// `yyyyMMddHHmmss`.
fn digits(at: LocalTime) -> String {
    at.to_string().chars().filter(char::is_ascii_digit).collect()
}

/// The member's time; DOS times begin with 1980 and end with 2107.
fn dos_time(at: LocalTime) -> DateTime {
    let day = at.day();
    DateTime::from_date_and_time(
        day.year(),
        day.month(),
        day.day(),
        at.hour(),
        at.minute(),
        at.second(),
    )
    .unwrap_or_default()
}
