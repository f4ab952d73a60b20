//! Counts the operations and agents of a ZIP, over Arrow record batches of two columns.
//!
//! Run it with `cargo run -p ccfs-tests --example batches -- skills.zip`. It prints a line for each type of operation:
//!
//! ```text
//! …: …
//! …
//! 300 changes of … agents
//! ```
//!
//! The example `blocking_client` creates such a ZIP.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs::File;

use ccfs::archive::{AgentSkillChange, Archive, IndexKind, ReadOptions};
use ccfs::arrow::arrow_array::cast::AsArray;
use ccfs::arrow::arrow_array::types::Int64Type;
use ccfs::arrow::{Batches, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("the argument is the path of a ZIP")?;
    let kind = IndexKind::AgentSkillInfo;
    let options = Options::new().columns(["agent_id", "operate_type_name"]);
    // Columns that are not needed are not read either.
    let read = ReadOptions::new().columns(options.file_columns(kind)?)?;
    let mut archive = Archive::open_with(File::open(path)?, &read)?;

    let (mut operations, mut agents) = (BTreeMap::new(), BTreeSet::new());
    for batch in Batches::new(archive.records::<AgentSkillChange>(), kind, &options)? {
        let batch = batch?;
        agents.extend(batch.column(0).as_primitive::<Int64Type>().iter().flatten());
        for name in batch.column(1).as_string::<i32>() {
            *operations.entry(name.unwrap_or("unknown").to_owned()).or_insert(0) += 1;
        }
    }
    for (name, count) in &operations {
        println!("{name}: {count}");
    }
    println!("{} changes of {} agents", operations.values().sum::<u64>(), agents.len());
    Ok(())
}
