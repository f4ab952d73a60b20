//! Calls that many tests make, and what they need.

use ccfs_conformance::file_name;
use ccfs_driver::Config;
use ccfs_emulator::Emulator;
use ccfs_proto::{DownloadAgentSkillInfoFile, QueryAgentSkillInfoData};
use ccfs_tls::Trust;
use tokio::runtime::{Builder, Runtime};

/// A query whose callback nobody receives.
pub fn query() -> QueryAgentSkillInfoData {
    query_to("http://127.0.0.1:9/callback")
}

/// A query whose callback is sent to this URL.
pub fn query_to(callback_url: &str) -> QueryAgentSkillInfoData {
    let times = ["2023-04-05 00:00:00", "2023-04-06 00:00:00"];
    let [begin, end] = times.map(|time| time.parse().unwrap());
    QueryAgentSkillInfoData::new(begin, end, callback_url)
}

/// A download of a file that no emulator has.
pub fn download() -> DownloadAgentSkillInfoFile {
    DownloadAgentSkillInfoFile::new(file_name())
}

/// The settings of a client of this emulator, without a proxy.
pub fn config(emulator: &Emulator) -> Config {
    Config::new(emulator.endpoint().clone(), emulator.credentials()).proxy(None)
}

/// Trust in the CA of this emulator, if it speaks TLS.
pub fn trust(emulator: &Emulator) -> Trust {
    let none = Trust::none();
    emulator.ca_pem().map_or(none.clone(), |pem| none.add_pem(pem.as_bytes()).unwrap())
}

/// A runtime in this thread.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A WAV file that the server accepts, with this number of samples.
pub fn wav_of(samples: u32) -> Vec<u8> {
    let mut wav = Vec::from(*b"RIFF");
    wav.extend_from_slice(&(36 + samples).to_le_bytes());
    wav.extend_from_slice(
        b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x40\x1F\0\0\x01\0\x08\0data",
    );
    wav.extend_from_slice(&samples.to_le_bytes());
    wav.resize(wav.len() + samples as usize, 0x80);
    wav
}
