//! The whole job with the blocking facade: ask for a file, take it when it is there, read its records.
//!
//! Run it with `cargo run -p ccfs-tests --example blocking_client`. It leaves `skills.zip` in the current folder and prints:
//!
//! ```text
//! job …
//! skills.zip: … bytes
//! 300 changes of … agents
//! ```
//!
//! A program for a real server leaves out the emulator, and needs `trust` only where a private CA signed the server's certificate.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs::File;

use ccfs::archive::{AgentSkillChange, Archive};
use ccfs::{Client, Config, DownloadAgentSkillInfoFile, Overwrite, QueryAgentSkillInfoData, Trust};
use ccfs_emulator::Emulator;

fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder().rows(300).start()?;
    let trust = Trust::system().add_pem(emulator.ca_pem().unwrap_or_default().as_bytes())?;
    let client = Client::with_trust(
        Config::new(emulator.endpoint().clone(), emulator.credentials()),
        &trust,
    )?;

    // Starts the generation. CC-FS calls the URL back when the file exists; no server listens there in this example.
    let (begin, end) = ("2023-04-05 00:00:00".parse()?, "2023-04-06 00:00:00".parse()?);
    let job =
        client.call(QueryAgentSkillInfoData::new(begin, end, "http://127.0.0.1:9/callback"))?;
    println!("job {}", job.response_id);

    // The callback would contain the name. Without it, the name follows from the server's day and the job's ID.
    let name = emulator.files().pop().ok_or("the emulator has no file")?;
    let receipt = client
        .download(DownloadAgentSkillInfoFile::new(name))
        .overwrite(Overwrite::Replace)
        .to_file("skills.zip")?;
    println!("skills.zip: {} bytes", receipt.bytes);

    let mut archive = Archive::open(File::open("skills.zip")?)?;
    let (mut count, mut agents) = (0, BTreeSet::new());
    for change in archive.records::<AgentSkillChange>() {
        count += 1;
        agents.extend(change?.agent_id);
    }
    println!("{count} changes of {} agents", agents.len());
    Ok(())
}
