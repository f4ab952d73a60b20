//! Records out of an archive that is still arriving: the push parser, which does no I/O, fed by a download.
//!
//! Run it with `cargo run -p ccfs-tests --example push`. It prints:
//!
//! ```text
//! … … …
//! …
//! 5000 changes out of … bytes in … chunks
//! ```
//!
//! `ArchiveParser` takes chunks of any size, from any runtime, in constant memory. The ZIP's directory comes last: the records are
//! confirmed when `next_record` has returned `None` after `finish`.

use std::error::Error;

use ccfs::archive::{AgentSkillChange, AgentSkillChangeRef, ArchiveParser, ReadOptions};
use ccfs::{AsyncClient, Config, DownloadAgentSkillInfoFile, QueryAgentSkillInfoData, Trust};
use ccfs_emulator::Emulator;
use tokio::io::AsyncReadExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder().rows(5000).start()?;
    let trust = Trust::system().add_pem(emulator.ca_pem().unwrap_or_default().as_bytes())?;
    let client = AsyncClient::with_trust(
        Config::new(emulator.endpoint().clone(), emulator.credentials()),
        &trust,
    )?;
    let (begin, end) = ("2023-04-05 00:00:00".parse()?, "2023-04-06 00:00:00".parse()?);
    client.call(QueryAgentSkillInfoData::new(begin, end, "http://127.0.0.1:9/callback")).await?;
    let name = emulator.files().pop().ok_or("the emulator has no file")?;

    // The download writes into one end of a pipe, the parser reads from the other.
    let (into, mut from) = tokio::io::duplex(16 * 1024);
    let download = client.download(DownloadAgentSkillInfoFile::new(name)).to_writer(into);
    let parse = async {
        let mut parser = ArchiveParser::<AgentSkillChange>::new(&ReadOptions::new());
        let (mut records, mut chunks) = (0, 0);
        let mut chunk = Vec::with_capacity(16 * 1024);
        while from.read_buf(&mut chunk).await? > 0 {
            chunks += 1;
            parser.feed(&chunk)?;
            while let Some(change) = parser.next_record()? {
                show(records, &change);
                records += 1;
            }
            chunk.clear();
        }
        parser.finish();
        while let Some(change) = parser.next_record()? {
            show(records, &change);
            records += 1;
        }
        Ok::<_, Box<dyn Error>>((records, chunks))
    };
    let (receipt, parsed) = tokio::join!(download, parse);
    let ((records, chunks), receipt) = (parsed?, receipt?);
    println!("{records} changes out of {} bytes in {chunks} chunks", receipt.bytes);
    Ok(())
}

/// The first few are enough to see.
fn show(number: usize, change: &AgentSkillChangeRef<'_>) {
    if number < 3 {
        println!("{:?} {:?} {:?}", change.operate_time(), change.agent_id(), change.skill_list());
    }
}
