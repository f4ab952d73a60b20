//! The async facade: calls side by side on one client.
//!
//! Run it with `cargo run -p ccfs-tests --example async_client`. It prints:
//!
//! ```text
//! 3 jobs, the first is …
//! …_….zip: … bytes
//! …_….zip: … bytes
//! …_….zip: … bytes
//! ```
//!
//! A program for a real server leaves out the emulator, and needs `trust` only where a private CA signed the server's certificate.

use std::error::Error;

use ccfs::{AsyncClient, Config, DownloadAgentSkillInfoFile, QueryAgentSkillInfoData, Trust};
use ccfs_emulator::Emulator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder().rows(300).start()?;
    let trust = Trust::system().add_pem(emulator.ca_pem().unwrap_or_default().as_bytes())?;
    let client = AsyncClient::with_trust(
        Config::new(emulator.endpoint().clone(), emulator.credentials()),
        &trust,
    )?;

    // Starts three generations. CC-FS calls the URL back when a file exists; no server listens there in this example.
    let query = |begin: &str, end: &str| -> Result<_, Box<dyn Error>> {
        Ok(client.call(QueryAgentSkillInfoData::new(
            begin.parse()?,
            end.parse()?,
            "http://127.0.0.1:9/callback",
        )))
    };
    let (first, second, third) = tokio::try_join!(
        query("2023-04-03 00:00:00", "2023-04-04 00:00:00")?,
        query("2023-04-04 00:00:00", "2023-04-05 00:00:00")?,
        query("2023-04-05 00:00:00", "2023-04-06 00:00:00")?,
    )?;
    println!("{} jobs, the first is {}", [&first, &second, &third].len(), first.response_id);

    // Clones share connections, so each task has its own. Aborting a task cancels its download and removes its temporary file.
    let mut downloads = tokio::task::JoinSet::new();
    for name in emulator.files() {
        let client = client.clone();
        downloads.spawn(async move {
            let mut file = Vec::new();
            let receipt = client
                .download(DownloadAgentSkillInfoFile::new(name.clone()))
                .to_writer(&mut file)
                .await;
            receipt.map(|receipt| (name, receipt))
        });
    }
    while let Some(done) = downloads.join_next().await {
        let (name, receipt) = done??;
        println!("{name}: {} bytes", receipt.bytes);
    }
    Ok(())
}
