//! Files that a scripted server sends.

use std::io::{Cursor, Write};

use ccfs_proto::IndexFileName;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// A valid file name.
#[must_use]
pub fn file_name() -> IndexFileName {
    "20230406_9239cb50a8384bb0ab503441bf089446.zip"
        .parse()
        .unwrap_or_else(|_| unreachable!("it is a name as servers make them"))
}

/// An archive with one member of these bytes.
#[must_use]
pub fn zip_of(member: &[u8]) -> Vec<u8> {
    packed(member).unwrap_or_else(|_| unreachable!("memory takes it all"))
}

fn packed(member: &[u8]) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    writer.start_file("20230406080000000123_agentSkillInfo.csv", options)?;
    writer.write_all(member)?;
    Ok(writer.finish()?.into_inner())
}

/// An archive of about `len` bytes that do not repeat.
#[must_use]
pub fn archive_bytes(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    });
    zip_of(&noise.take(len).collect::<Vec<u8>>())
}
