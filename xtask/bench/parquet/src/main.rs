//! Measures the conversion of an archive of agentSkillInfo rows to Parquet, compared with duckdb, polars and pyarrow.
//!
//! `bench-parquet [--rows N] [--rounds N] [--seed N] [--folder DIR] [--python PROGRAM]`
//!
//! All programs run in turn, round after round, each in a separate process, so that other load on the machine affects
//! them alike. A program that is not installed is left out, and so are its criteria; a criterion that is not met fails
//! the run.

#[path = "../../archive/src/generate.rs"]
mod generate;
#[path = "../../convert/src/measure.rs"]
mod measure;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ccfs_archive::{AgentSkillChange, Archive, Column, IndexKind, ReadOptions, Records};
use ccfs_arrow::{Batches, Options as ArrowOptions, ParquetOptions, write_parquet};
use measure::{Options, Result, are_met, find, peak, ratio};
use parquet::file::reader::{FileReader as _, SerializedFileReader};

/// A program, with the file that it writes; those that only read write none.
type Program = measure::Program<PathBuf>;

/// Says to this program that it is to do one conversion.
const CHILD: &str = "--convert";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.as_slice() {
        [child, way, archive, out] if child == CHILD => {
            convert(way, Path::new(archive), Path::new(out)).map(|()| true)
        }
        words => compare(words),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench-parquet: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Converts the archive, or only reads it.
fn convert(way: &str, archive: &Path, out: &Path) -> Result<()> {
    let file = File::open(archive)?;
    let stream = || Records::from_stream(&file, &ReadOptions::new());
    match way {
        "read-1" => read(stream())?,
        "read-2" => read(Archive::open(file)?.into_records_ahead())?,
        "write-1" => {
            write_parquet(batches(stream())?, File::create(out)?, &ParquetOptions::new())?;
        }
        "write-2" => {
            let batches = batches(Records::from_stream(file, &ReadOptions::new()))?.into_ahead()?;
            write_parquet(batches, File::create(out)?, &ParquetOptions::new())?;
        }
        // One thread inflates, one converts, and one writes.
        "write-3" => {
            let batches = batches(Archive::open(file)?.into_records_ahead())?.into_ahead()?;
            write_parquet(batches, File::create(out)?, &ParquetOptions::new())?;
        }
        other => return Err(format!("unknown way {other}").into()),
    }
    Ok(())
}

fn read(mut records: Records<'_, AgentSkillChange>) -> Result<()> {
    while records.next_record()?.is_some() {}
    Ok(())
}

/// Batches of the columns of the file, as the others write them.
fn batches(records: Records<'_, AgentSkillChange>) -> Result<Batches<'_, AgentSkillChange>> {
    let kind = IndexKind::AgentSkillInfo;
    let options = ArrowOptions::new().columns(kind.columns().iter().map(Column::name));
    Ok(Batches::new(records, kind, &options)?)
}

/// Runs everything and prints a table; false if a criterion is not met.
fn compare(words: &[String]) -> Result<bool> {
    let options = Options::read(words, |_, _| false)?;
    let archive = generate::archive(&options.folder, options.rows, 1, options.seed)?;
    let mut programs = programs(&options, &archive)?;
    options.measure(&archive, &mut programs, |program| check(program, options.rows))?;
    println!(
        "All write typed columns with Snappy: numbers, times, and lists of skills. The seconds of duckdb, polars and\n\
         pyarrow include reading the member with Python's zipfile and not starting Python; ours are of the whole process.\n\
         The others use as many threads as the machine has processors where they can, and more for input and output.\n\
         The command uses three: one inflates, one converts, one encodes. With exactly two, the one that inflates and\n\
         converts takes twice as long as the one that encodes."
    );
    for program in &programs {
        let _ = std::fs::remove_file(&program.output);
    }
    let times = |name: &str| ratio(&programs, name, |other| other.is_python);
    let peak = |name: &str| peak(&programs, name);
    let size = |name: &str| {
        Some(find(&programs, name)?.bytes as f64 / find(&programs, "duckdb")?.bytes as f64)
    };
    Ok(are_met([
        ("2 threads: times the fastest other", times("ours, 2 threads"), 1.0 / 2.0),
        ("as the command: times the fastest other", times("ours, as the command"), 1.0 / 2.0),
        ("1 thread: times the fastest other", times("ours, 1 thread"), 1.0 / 1.2),
        ("2 threads: peak MiB", peak("ours, 2 threads"), 64.0),
        ("as the command: peak MiB", peak("ours, as the command"), 64.0),
        ("1 thread: peak MiB", peak("ours, 1 thread"), 64.0),
        ("file size: times duckdb", size("ours, 2 threads"), 1.1),
    ]))
}

fn programs(options: &Options, archive: &Path) -> Result<Vec<Program>> {
    let myself = std::env::current_exe()?.display().to_string();
    let archive = archive.display().to_string();
    let peers = include_str!("peers.py");
    let ours = |name, way| (name, vec![&*myself, CHILD, way]);
    let peer = |name| (name, vec![&*options.python, "-c", peers, name]);
    Ok([
        ours("ours, 1 thread", "write-1"),
        ours("ours, 2 threads", "write-2"),
        ours("ours, as the command", "write-3"),
        ours("reading only, 1 thread", "read-1"),
        ours("reading only, 2 threads", "read-2"),
        peer("duckdb"),
        peer("polars"),
        peer("pyarrow"),
    ]
    .into_iter()
    .map(|(name, words)| {
        let output = options.folder.join(format!("{}.parquet", name.replace([',', ' '], "-")));
        let is_python = words[0] == options.python;
        // Without the archive and the file, a peer tests whether it is installed.
        let test = is_python.then(|| words.iter().map(|&word| word.to_owned()).collect());
        let path = output.display().to_string();
        let command = words.into_iter().chain([&*archive, &*path]).map(str::to_owned).collect();
        Program { name, command, test, is_python, output, bytes: 0, runs: Vec::new() }
    })
    .collect())
}

/// Runs a program once, and fails unless it writes as many rows as it should.
fn check(program: &mut Program, rows: u64) -> Result<()> {
    program.run()?;
    if program.name.starts_with("reading") {
        return Ok(());
    }
    program.bytes = std::fs::metadata(&program.output)?.len();
    let file = SerializedFileReader::new(File::open(&program.output)?)?;
    let found = file.metadata().file_metadata().num_rows();
    if u64::try_from(found)? != rows {
        return Err(format!("{}: {found} rows, expected {rows}", program.name).into());
    }
    Ok(())
}
