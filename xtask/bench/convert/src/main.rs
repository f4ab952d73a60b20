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

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use wait4::Wait4;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Options {
    rows: u64,
    rounds: usize,
    seed: u64,
    folder: PathBuf,
    python: String,
    /// The command to measure; built from this workspace if absent.
    ccfs: Option<PathBuf>,
}

/// A way to convert the archive.
struct Program {
    name: &'static str,
    command: Vec<String>,
    output: Output,
    runs: Vec<Run>,
    /// Bytes that it writes.
    bytes: u64,
}

/// What a program writes, by the number of its lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    /// One line for each row.
    Rows,
    /// A header line as well.
    HeaderAndRows,
    /// As `Rows`; the seconds to count are on standard error, because starting Python does not count.
    RowsAndSeconds,
    /// A report.
    Report,
}

struct Run {
    seconds: f64,
    cpu: f64,
    peak_mib: f64,
}

fn main() -> ExitCode {
    match options().and_then(|options| compare(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench-convert: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options> {
    let mut options = Options {
        rows: 1_000_000,
        rounds: 7,
        seed: 7,
        folder: std::env::temp_dir().join("ccfs-bench"),
        python: "python3".to_owned(),
        ccfs: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--rows" => options.rows = value()?.parse()?,
            "--rounds" => options.rounds = value()?.parse()?,
            "--seed" => options.seed = value()?.parse()?,
            "--folder" => options.folder = value()?.into(),
            "--python" => options.python = value()?,
            "--ccfs" => options.ccfs = Some(value()?.into()),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    Ok(options)
}

/// Runs everything and prints a table; false if a criterion is not met.
fn compare(options: &Options) -> Result<bool> {
    let ccfs = options.ccfs.clone().map_or_else(build, Ok)?;
    let archive = generate::archive(&options.folder, options.rows, 1, options.seed)?;
    let mut programs = programs(options, &ccfs, &archive);
    programs.retain(Program::is_installed);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0);
    if load > 0.5 {
        println!(
            "the machine is busy (load {load}): programs with two threads, as ours, look slower than they are"
        );
    }
    for program in &mut programs {
        program.check(options.rows)?;
    }
    for _ in 0..options.rounds {
        for program in &mut programs {
            let run = program.run()?;
            program.runs.push(run);
        }
    }
    println!(
        "{} rows, {} bytes of ZIP, {} rounds in turn, output to /dev/null",
        options.rows,
        std::fs::metadata(&archive)?.len(),
        options.rounds
    );
    println!(
        "{:<20} {:>9} {:>17} {:>7} {:>9} {:>13}",
        "program", "median s", "least - most", "CPU s", "peak MiB", "bytes written"
    );
    for program in &programs {
        let [least, median, most] = program.spread(|run| run.seconds);
        let ([_, cpu, _], [.., peak]) =
            (program.spread(|run| run.cpu), program.spread(|run| run.peak_mib));
        let (name, bytes) = (program.name, program.bytes);
        println!(
            "{name:<20} {median:>9.3} {least:>8.3} - {most:>6.3} {cpu:>7.2} {peak:>9.1} {bytes:>13}"
        );
    }
    println!(
        "convert writes typed values; so do duckdb and polars, which parse numbers and times and split the skill list.\n\
         duckdb-text and polars-text copy every cell as a string. Their seconds include extracting the member with\n\
         Python's zipfile and not starting Python; those of ccfs and unzip are of the whole process."
    );
    Ok(are_met(&programs))
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
    let peer = |name| (name, vec![&*options.python, "-c", peers, name], Output::RowsAndSeconds);
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
    .map(|(name, command, output)| {
        let command = command.into_iter().chain([&*archive]).map(str::to_owned).collect();
        Program { name, command, output, runs: Vec::new(), bytes: 0 }
    })
    .into()
}

impl Program {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        command
    }

    fn is_installed(&self) -> bool {
        let mut command = Command::new(&self.command[0]);
        // Without its last argument, the archive, a peer tests whether it is installed.
        match self.output {
            Output::RowsAndSeconds => {
                command.args(&self.command[1..self.command.len() - 1]);
            }
            _ if self.command[0] == "unzip" => {
                command.arg("-v");
            }
            _ => return true,
        }
        let installed = command.output().is_ok_and(|output| output.status.success());
        if !installed {
            println!("left out: {} is not installed; so are its criteria", self.name);
        }
        installed
    }

    /// Runs it once, and fails unless it writes as many lines as it should.
    fn check(&mut self, rows: u64) -> Result<()> {
        let mut child = self.command().stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut output = BufReader::with_capacity(1 << 20, child.stdout.take().ok_or("no stdout")?);
        let (mut lines, mut bytes) = (0, 0);
        loop {
            let block = output.fill_buf()?;
            if block.is_empty() {
                break;
            }
            lines += block.iter().filter(|&&byte| byte == b'\n').count() as u64;
            bytes += block.len() as u64;
            let length = block.len();
            output.consume(length);
        }
        let expected = match self.output {
            Output::Rows | Output::RowsAndSeconds => rows,
            Output::HeaderAndRows => rows + 1,
            Output::Report => lines,
        };
        if !child.wait()?.success() || lines != expected {
            return Err(format!("{}: {lines} lines, expected {expected}", self.name).into());
        }
        self.bytes = bytes;
        Ok(())
    }

    fn run(&self) -> Result<Run> {
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let begin = Instant::now();
        let mut child = command.spawn()?;
        let mut messages = String::new();
        child.stderr.take().ok_or("no stderr")?.read_to_string(&mut messages)?;
        let used = child.wait4()?;
        let mut seconds = begin.elapsed().as_secs_f64();
        if !used.status.success() {
            return Err(format!("{} failed: {messages}", self.name).into());
        }
        if self.output == Output::RowsAndSeconds {
            seconds = messages.lines().last().unwrap_or_default().parse()?;
        }
        let cpu = (used.rusage.utime + used.rusage.stime).as_secs_f64();
        Ok(Run { seconds, cpu, peak_mib: used.rusage.maxrss as f64 / f64::from(1 << 20) })
    }

    /// The least, the median and the greatest of a figure.
    fn spread(&self, figure: impl Fn(&Run) -> f64) -> [f64; 3] {
        let mut sorted: Vec<f64> = self.runs.iter().map(figure).collect();
        sorted.sort_by(f64::total_cmp);
        let middle = (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0;
        [sorted[0], middle, sorted[sorted.len() - 1]]
    }
}

/// Prints the criteria; false if one is not met.
fn are_met(programs: &[Program]) -> bool {
    let find = |name: &str| programs.iter().find(|program| program.name == name);
    // The median over rounds of the ratio within a round: load that changes between rounds cancels out.
    let ratio = |of: &str, to: &str| {
        let (of, to) = (find(of)?, find(to)?);
        let mut ratios: Vec<f64> =
            of.runs.iter().zip(&to.runs).map(|(of, to)| of.seconds / to.seconds).collect();
        ratios.sort_by(f64::total_cmp);
        Some(ratios[ratios.len() / 2])
    };
    let peak = |name: &str| Some(find(name)?.spread(|run| run.peak_mib)[2]);
    let criteria = [
        ("convert --to jsonl: times unzip -p", ratio("convert --to jsonl", "unzip -p"), 0.7),
        ("convert --to csv: times unzip -p", ratio("convert --to csv", "unzip -p"), 0.5),
        ("inspect: times unzip -p", ratio("inspect", "unzip -p"), 0.5),
        ("convert --to jsonl: times duckdb", ratio("convert --to jsonl", "duckdb"), 1.0 / 3.0),
        ("convert --to jsonl: peak MiB", peak("convert --to jsonl"), 16.0),
        ("convert --to csv: peak MiB", peak("convert --to csv"), 16.0),
        ("inspect: peak MiB", peak("inspect"), 16.0),
    ];
    let mut all_met = true;
    for (what, figure, limit) in criteria {
        let Some(figure) = figure else { continue };
        let met = figure <= limit;
        all_met &= met;
        let verdict = if met { "met" } else { "MISSED" };
        println!("  {what:<36} {figure:>6.2}   at most {limit:<6.2} {verdict}");
    }
    all_met
}
