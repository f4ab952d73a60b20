//! The ZIP of an index file, written forwards only, as Java's `ZipOutputStream` does.

use std::io::{self, Write};

use ccfs_proto::{LocalTime, Timestamp};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::agent_skill::{COLUMNS, Rows, Subject};
use super::random::Random;
use super::shape::Shape;

/// Uncompressed bytes that are gathered before they go to the compressor.
const BLOCK: usize = 64 * 1024;

/// Everything that decides the bytes of one index file.
#[derive(Clone, Debug)]
pub(crate) struct ArchivePlan {
    pub(crate) subject: Subject,
    pub(crate) shape: Shape,
    /// A member holds that many records at most; more make a second member.
    pub(crate) rows_per_member: u64,
    /// When generation was asked for: it stands in the members' names.
    pub(crate) asked: Timestamp,
    pub(crate) seed: u64,
}

/// Writes the archive. Only the agents' states and one block are held uncompressed.
///
/// Sizes and checksums stand in data descriptors behind the data, and in the central directory, because the writer never goes back.
pub(crate) fn write_archive<W: Write>(plan: &ArchivePlan, into: W) -> io::Result<W> {
    let mut random = Random::new(plan.seed, "archive");
    let local = LocalTime::at_offset(plan.asked, plan.subject.utc_offset);
    let stem = format!("{}{:03}{:03}_agentSkillInfo", digits(local), plan.asked.unix_millis() % 1000, random.below(1000));
    let members = plan.subject.rows.div_ceil(plan.rows_per_member.max(1)).max(1);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).last_modified_time(dos_time(local));

    let mut zip = ZipWriter::new_stream(into);
    let mut rows = Rows::new(plan.subject.clone(), plan.shape, random);
    let mut block = Vec::with_capacity(BLOCK + 1024);
    for member in 1..=members {
        let name = if members == 1 { format!("{stem}.csv") } else { format!("{stem}_{member}.csv") };
        zip.start_file(name, options)?;
        write_start(plan.shape, &mut block);
        for _ in 0..plan.rows_per_member.max(1) {
            if !rows.write_next(&mut block) {
                break;
            }
            if block.len() >= BLOCK {
                zip.write_all(&block)?;
                block.clear();
            }
        }
        zip.write_all(&block)?;
        block.clear();
    }
    Ok(zip.finish()?.into_inner())
}

fn write_start(shape: Shape, out: &mut Vec<u8>) {
    if shape.byte_order_mark {
        out.extend_from_slice(b"\xEF\xBB\xBF");
    }
    if shape.header_row {
        out.extend_from_slice(COLUMNS.join(",").as_bytes());
        out.extend_from_slice(shape.line_end());
    }
}

/// `yyyyMMddHHmmss`.
fn digits(at: LocalTime) -> String {
    at.to_string().chars().filter(char::is_ascii_digit).collect()
}

/// The member's time; DOS times begin with 1980 and end with 2107.
fn dos_time(at: LocalTime) -> DateTime {
    let digits = digits(at);
    let part = |from: usize| digits.get(from..from + 2).and_then(|two| two.parse().ok()).unwrap_or_default();
    DateTime::from_date_and_time(at.day().year(), part(4), part(6), part(8), part(10), part(12)).unwrap_or_default()
}
