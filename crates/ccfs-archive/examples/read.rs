//! Reads the records of a ZIP with the archive crate alone. No network crate is in the tree.
//!
//! Run it with `cargo run -p ccfs-archive --example read -- skills.zip`. It prints a line for each change:
//!
//! ```text
//! Some(LocalTime(2023-04-05 …)) Some(…) […]
//! …
//! ```
//!
//! The example `blocking_client` writes such a ZIP.

use ccfs_archive::{AgentSkillChange, Archive, Error};

fn main() -> Result<(), Error> {
    let path = std::env::args_os()
        .nth(1)
        .unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/java.zip").into());
    let mut archive = Archive::open(std::fs::File::open(path)?)?;
    let mut changes = archive.records::<AgentSkillChange>();
    while let Some(change) = changes.next_record()? {
        println!("{:?} {:?} {:?}", change.operate_time(), change.agent_id(), change.skill_list());
    }
    Ok(())
}
