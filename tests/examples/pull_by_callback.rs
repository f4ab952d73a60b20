//! Pulls a range of days into a folder, with callbacks.
//!
//! Run it with `cargo run -p ccfs-tests --example pull_by_callback`. It prints:
//!
//! ```text
//! refused: request is not signed
//! 2023-04-01 00:00:00 to 2023-04-03 23:59:59: 500 rows in agentSkillInfo_20230401T000000_20230403T235959.jsonl
//! 2023-04-04 00:00:00 to 2023-04-05 23:59:59: 500 rows in agentSkillInfo_20230404T000000_20230405T235959.jsonl
//! 2 windows, 2 requests
//! ```
//!
//! With `run_async` in place of `run`, and the async client, it is the same in tokio.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;

use ccfs::archive::IndexKind;
use ccfs::pull::{Format, Outcome, Pace, Plan, Pull, PullEvent, Zone};
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
    // Any client can connect to the port, but a request without a valid signature is refused.
    let mut stranger = TcpStream::connect(listener.address())?;
    stranger.write_all(b"POST /callback HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}")?;
    // It is answered, and so it comes before the callbacks of the pull.
    stranger.read_exact(&mut [0; 12])?;

    let plan = Plan::new(
        IndexKind::AgentSkillInfo,
        Zone::named("Asia/Shanghai")?,
        "2023-04-01".parse()?,
        "2023-04-05".parse()?,
    )
    .callback_url(format!("http://{}/callback", listener.address()))
    .convert(Format::Jsonl);
    // One after the other, so that they are reported in order.
    let pace = Pace { in_flight: 1, ..Pace::default() };
    let mut callbacks = std::iter::from_fn(|| listener.try_recv())
        .filter_map(|event| event.callback.map_err(|refusal| println!("refused: {refusal}")).ok());
    let pull = Pull::new(plan, folder.path()).pace(pace).callbacks(|| callbacks.next());
    let pull = pull.on_event(|event| {
        let PullEvent::Settled(report) = event else { return };
        let (begin, end) = (report.window.begin(), report.window.end());
        let Outcome::Stored(stored) = &report.outcome else {
            return println!("{begin} to {end}: {:?}", report.outcome);
        };
        for file in &report.files {
            let name = file.path.file_name().unwrap_or_default();
            println!("{begin} to {end}: {} rows in {}", stored.rows, name.display());
        }
    });
    let summary = pull.run(&client)?;
    println!("{} windows, {} requests", summary.windows.len(), summary.asked);
    Ok(())
}
