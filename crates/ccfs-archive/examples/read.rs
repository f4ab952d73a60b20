//! Prints the changes of an archive: `cargo run -p ccfs-archive --example read -- FILE.zip`.

use ccfs_archive::{AgentSkillChange, Archive, Error};

fn main() -> Result<(), Error> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/java.zip").into());
    let mut archive = Archive::open(std::fs::File::open(path)?)?;
    let mut changes = archive.records::<AgentSkillChange>();
    while let Some(change) = changes.next_record()? {
        println!("{:?} {:?} {:?}", change.operate_time(), change.agent_id(), change.skill_list());
    }
    Ok(())
}
