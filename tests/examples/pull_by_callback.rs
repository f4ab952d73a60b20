//! A range of days to files on disk, when the server calls back.
//!
//! Run it with `cargo run -p ccfs-tests --example pull_by_callback`. It prints:
//!
//! ```text
//! refused: request is not signed
//! 2023-04-01 00:00:00 to 2023-04-03 23:59:59: 500 rows in agentSkillInfo_20230401T000000_20230403T235959.jsonl
//! 2023-04-04 00:00:00 to 2023-04-05 23:59:59: 500 rows in agentSkillInfo_20230404T000000_20230405T235959.jsonl
//! 2 windows, asked for 2 times
//! ```
//!
//! With `run_async` in place of `run`, and the async client, it is the same in tokio.

use std::error::Error;
use std::io::Write;
use std::net::TcpStream;

use ccfs::archive::{ExportFormat, IndexKind};
use ccfs::pull::{Outcome, Pace, Plan, Pull, Zone};
use ccfs::{Client, Config, Listener, Trust};
use ccfs_emulator::Emulator;

fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder().rows(500).start()?;
    let trust = Trust::none().add_pem(emulator.ca_pem().unwrap_or_default().as_bytes())?;
    let client = Client::with_trust(
        Config::new(emulator.endpoint().clone(), emulator.credentials()),
        &trust,
    )?;
    let folder = tempfile::tempdir()?;

    let listener = Listener::builder(&emulator.credentials())
        .path("/callback")
        .bind(([127, 0, 0, 1], 0).into())?;
    // Whoever finds the port may call; without the keys it is no callback.
    TcpStream::connect(listener.address())?
        .write_all(b"POST /callback HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}")?;

    let plan = Plan::new(
        IndexKind::AgentSkillInfo,
        Zone::named("Asia/Shanghai")?,
        "2023-04-01".parse()?,
        "2023-04-05".parse()?,
    )
    .callback_url(format!("http://{}/callback", listener.address()))
    .convert(ExportFormat::Jsonl);
    // One after the other, so that they are reported in order.
    let pace = Pace::default().in_flight(1);
    let mut callbacks = std::iter::from_fn(|| listener.try_recv())
        .filter_map(|event| event.callback.map_err(|refusal| println!("refused: {refusal}")).ok());
    let pull = Pull::new(plan, folder.path()).pace(pace).callbacks(|| callbacks.next()).on_window(
        |report| {
            let (window, file) = (
                report.window,
                report.file.as_deref().and_then(|file| file.file_name()).unwrap_or_default(),
            );
            match &report.outcome {
                Outcome::Stored(stored) => println!(
                    "{} to {}: {} rows in {}",
                    window.begin(),
                    window.end(),
                    stored.rows,
                    file.display()
                ),
                other => println!("{} to {}: {other:?}", window.begin(), window.end()),
            }
        },
    );
    let summary = pull.run(&client)?;
    println!("{} windows, asked for {} times", summary.windows.len(), summary.asked);
    Ok(())
}
