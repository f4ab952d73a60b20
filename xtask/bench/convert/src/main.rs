//! Measures `ccfs convert` and `ccfs inspect` on an archive of agentSkillInfo rows, compared with `unzip -p`, duckdb
//! and polars.
//!
//! `bench-convert [--rows N] [--rounds N] [--seed N] [--folder DIR] [--python PROGRAM] [--ccfs PROGRAM]`
//!
//! All programs run in turn, round after round, so that other load on the machine affects them alike. Every program
//! writes to its standard output, which is `/dev/null` while it is measured. A program that is not installed is left
//! out, and so are its criteria; a criterion that is not met fails the run.

#[path = "../../archive/src/generate.rs"]
mod generate;
mod measure;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use measure::{Options, Result, are_met, peak, ratio};

type Program = measure::Program<Output>;

/// What a program writes, by the number of its lines.
#[derive(Clone, Copy)]
enum Output {
    /// One line for each row.
    Rows,
    /// A header line as well.
    HeaderAndRows,
    /// A report.
    Report,
}

fn main() -> ExitCode {
    match compare() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench-convert: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs everything and prints a table; false if a criterion is not met.
fn compare() -> Result<bool> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut ccfs = None;
    let options = Options::read(&words, |word, value| {
        ccfs = Some(PathBuf::from(value));
        word == "--ccfs"
    })?;
    let ccfs = ccfs.map_or_else(build, Ok)?;
    let archive = generate::archive(&options.folder, options.rows, 1, options.seed)?;
    let mut programs = programs(&options, &ccfs, &archive);
    options.measure(&archive, &mut programs, |program| check(program, options.rows))?;
    println!(
        "convert writes typed values; so do duckdb and polars, which parse numbers and times and split the skill list.\n\
         duckdb-text and polars-text copy every cell as a string. Their seconds include extracting the member with\n\
         Python's zipfile and not starting Python; those of ccfs and unzip are of the whole process."
    );
    let ratio = |name: &str, to: &str| ratio(&programs, name, |other| other.name == to);
    let peak = |name: &str| peak(&programs, name);
    Ok(are_met([
        ("convert --to jsonl: times unzip -p", ratio("convert --to jsonl", "unzip -p"), 0.7),
        ("convert --to csv: times unzip -p", ratio("convert --to csv", "unzip -p"), 0.5),
        ("inspect: times unzip -p", ratio("inspect", "unzip -p"), 0.5),
        ("convert --to jsonl: times duckdb", ratio("convert --to jsonl", "duckdb"), 1.0 / 3.0),
        ("convert --to jsonl: peak MiB", peak("convert --to jsonl"), 16.0),
        ("convert --to csv: peak MiB", peak("convert --to csv"), 16.0),
        ("inspect: peak MiB", peak("inspect"), 16.0),
    ]))
}

/// Builds the command in release mode and returns its path.
fn build() -> Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--locked", "--package", "ccfs-cli"])
        .arg("--target-dir")
        .arg(workspace.join("target"))
        .current_dir(&workspace)
        .status()?;
    if !built.success() {
        return Err("the ccfs command does not build".into());
    }
    Ok(workspace.join("target/release/ccfs"))
}

fn programs(options: &Options, ccfs: &Path, archive: &Path) -> Vec<Program> {
    let (ccfs, archive) = (ccfs.display().to_string(), archive.display().to_string());
    let peers = include_str!("peers.py");
    let peer = |name| (name, vec![&*options.python, "-c", peers, name], Output::Rows);
    [
        ("unzip -p", vec!["unzip", "-p"], Output::Rows),
        ("convert --to jsonl", vec![&*ccfs, "convert", "--to", "jsonl"], Output::Rows),
        ("convert --to csv", vec![&*ccfs, "convert", "--to", "csv"], Output::HeaderAndRows),
        ("inspect", vec![&*ccfs, "inspect"], Output::Report),
        peer("duckdb"),
        peer("duckdb-text"),
        peer("polars"),
        peer("polars-text"),
    ]
    .map(|(name, words, output)| {
        let is_python = words[0] == options.python;
        // Without the archive, a peer tests whether it is installed.
        let test = match words[0] {
            "unzip" => Some(vec!["unzip".to_owned(), "-v".to_owned()]),
            _ if is_python => Some(words.iter().map(|&word| word.to_owned()).collect()),
            _ => None,
        };
        let command = words.into_iter().chain([&*archive]).map(str::to_owned).collect();
        Program { name, command, test, is_python, output, bytes: 0, runs: Vec::new() }
    })
    .into()
}

/// Runs a program once, and fails unless it writes as many lines as it should.
fn check(program: &mut Program, rows: u64) -> Result<()> {
    let mut command = Command::new(&program.command[0]);
    command.args(&program.command[1..]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let mut output = BufReader::with_capacity(1 << 20, child.stdout.take().ok_or("no stdout")?);
    let mut lines = 0;
    loop {
        let block = output.fill_buf()?;
        if block.is_empty() {
            break;
        }
        lines += block.iter().filter(|&&byte| byte == b'\n').count() as u64;
        program.bytes += block.len() as u64;
        let length = block.len();
        output.consume(length);
    }
    let expected = match program.output {
        Output::Rows => rows,
        Output::HeaderAndRows => rows + 1,
        Output::Report => lines,
    };
    if !child.wait()?.success() || lines != expected {
        return Err(format!("{}: {lines} lines, expected {expected}", program.name).into());
    }
    Ok(())
}
