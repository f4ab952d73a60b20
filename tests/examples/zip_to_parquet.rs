//! Converts a ZIP to Parquet.
//!
//! Run it with `cargo run -p ccfs-tests --example zip_to_parquet -- skills.zip`. It leaves `skills.parquet` in the current folder and prints:
//!
//! ```text
//! skills.parquet: 300 rows
//! ```
//!
//! The example `blocking_client` creates such a ZIP. A program writes to a temporary file and renames it at the end, so that an
//! error leaves no incomplete file.

use std::error::Error;
use std::fs::File;

use ccfs::archive::{AgentSkillChange, Archive, IndexKind};
use ccfs::arrow::{Batches, Options, ParquetOptions, write_parquet};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("the argument is the path of a ZIP")?;
    let records = Archive::open(File::open(path)?)?.into_records_ahead::<AgentSkillChange>();
    let batches = Batches::new(records, IndexKind::AgentSkillInfo, &Options::new())?;
    let out = File::create("skills.parquet")?;
    let rows = write_parquet(batches, out, &ParquetOptions::new())?;
    println!("skills.parquet: {rows} rows");
    Ok(())
}
