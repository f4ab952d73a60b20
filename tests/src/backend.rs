//! A client under test.

use std::io::Write;
use std::path::Path;

use ccfs_driver::{Error, Overwrite};
use ccfs_proto::{
    Credentials, DownloadAgentSkillInfoFile, Endpoint, FileReceipt, GenerationJob, IndexFileName, Policy, QueryAgentSkillInfoData,
};
use zip::write::SimpleFileOptions;

use crate::clock::ManualClock;

/// What a client is made with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The server.
    pub endpoint: Endpoint,
    /// The account.
    pub credentials: Credentials,
    /// The bounds.
    pub policy: Policy,
    /// The only CA that is trusted; `None` for plain HTTP.
    pub ca_pem: Option<String>,
    /// The time.
    pub clock: ManualClock,
}

/// A client under test. Jitter must be none (its source always the largest number), so that waits can be compared.
pub trait Backend {
    /// Makes the client.
    fn new(setup: &Setup) -> Self;
    /// Starts a generation.
    fn query(&self, operation: QueryAgentSkillInfoData) -> Result<GenerationJob, Error>;
    /// Downloads to a file that is there whole or not at all.
    fn to_file(&self, operation: DownloadAgentSkillInfoFile, path: &Path, overwrite: Overwrite) -> Result<FileReceipt, Error>;
    /// Downloads into a writer that takes bytes once; gives what it took.
    fn to_writer(&self, operation: DownloadAgentSkillInfoFile) -> (Result<FileReceipt, Error>, Vec<u8>);
}

/// A name of a file.
#[must_use]
pub fn file_name() -> IndexFileName {
    "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse().unwrap()
}

/// An archive with one member of these bytes.
#[must_use]
pub fn zip_of(member: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    writer.start_file("20230406080000000123_agentSkillInfo.csv", options).unwrap();
    writer.write_all(member).unwrap();
    writer.finish().unwrap().into_inner()
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
