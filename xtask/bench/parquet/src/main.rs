//! Measures the conversion of an archive of agentSkillInfo rows to Parquet, compared with duckdb, polars and pyarrow.
//!
//! `bench-parquet [--rows N] [--rounds N] [--seed N] [--folder DIR] [--python PROGRAM]`
//!
//! All programs run in turn, round after round, each in a process of its own, so that other load on the machine affects
//! them alike. A program that is not installed is left out, and so are its criteria; a criterion that is not met fails
//! the run.

#[path = "../../archive/src/generate.rs"]
mod generate;

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use ccfs_archive::{AgentSkillChange, Archive, Column, IndexKind, Records};
use ccfs_arrow::arrow_array::RecordBatchReader as _;
use ccfs_arrow::{Batches, Options as ArrowOptions, ParquetOptions, ParquetWriter, write_parquet};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use wait4::Wait4;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Says to this program that it is to do one conversion.
const CHILD: &str = "--convert";

struct Options {
    rows: u64,
    rounds: usize,
    seed: u64,
    folder: PathBuf,
    python: String,
}

/// A way to convert the archive.
struct Program {
    name: &'static str,
    command: Vec<String>,
    out: PathBuf,
    writes: bool,
    is_python: bool,
    runs: Vec<Run>,
    bytes: u64,
}

struct Run {
    seconds: f64,
    cpu: f64,
    peak_mib: f64,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.as_slice() {
        [child, way, archive, out] if child == CHILD => {
            convert(way, Path::new(archive), Path::new(out)).map(|()| true)
        }
        words => options(words).and_then(|options| compare(&options)),
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
    let mut archive = Archive::open(File::open(archive)?)?;
    match way {
        "read-1" => read(archive.records())?,
        "read-2" => read(archive.into_records_ahead())?,
        "write-1" => {
            let batches = batches(archive.records())?;
            write_parquet(batches, File::create(out)?, &ParquetOptions::new())?;
        }
        "write-2" => write_on_two_threads(batches(archive.records())?, out)?,
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

/// Makes the batches on a second thread, and writes them on this one.
fn write_on_two_threads(batches: Batches<'_, AgentSkillChange>, out: &Path) -> Result<()> {
    let options = ParquetOptions::new();
    let mut writer = ParquetWriter::new(File::create(out)?, &batches.schema(), &options)?;
    let (sender, receiver) = mpsc::sync_channel(2);
    thread::scope(|scope| {
        scope.spawn(move || {
            for batch in batches {
                if sender.send(batch).is_err() {
                    break;
                }
            }
        });
        for batch in receiver {
            writer.write(&batch?)?;
        }
        writer.finish()?;
        Ok(())
    })
}

fn options(words: &[String]) -> Result<Options> {
    let mut options = Options {
        rows: 1_000_000,
        rounds: 7,
        seed: 7,
        folder: std::env::temp_dir().join("ccfs-bench"),
        python: "python3".to_owned(),
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--rows" => options.rows = value()?.parse()?,
            "--rounds" => options.rounds = value()?.parse()?,
            "--seed" => options.seed = value()?.parse()?,
            "--folder" => options.folder = value()?.into(),
            "--python" => options.python.clone_from(value()?),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    Ok(options)
}

/// Runs everything and prints a table; false if a criterion is not met.
fn compare(options: &Options) -> Result<bool> {
    let archive = generate::archive(&options.folder, options.rows, 1, options.seed)?;
    let mut programs = programs(options, &archive)?;
    programs.retain(Program::is_installed);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0);
    if load > 0.5 {
        println!(
            "the machine is busy (load {load}): programs with two threads look slower than they are"
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
        "{} rows, {} bytes of ZIP, {} rounds in turn",
        options.rows,
        std::fs::metadata(&archive)?.len(),
        options.rounds
    );
    println!(
        "{:<24} {:>9} {:>17} {:>7} {:>9} {:>13}",
        "program", "median s", "least - most", "CPU s", "peak MiB", "bytes written"
    );
    for program in &programs {
        let [least, median, most] = program.spread(|run| run.seconds);
        let ([_, cpu, _], [.., peak]) =
            (program.spread(|run| run.cpu), program.spread(|run| run.peak_mib));
        let (name, bytes) = (program.name, program.bytes);
        println!(
            "{name:<24} {median:>9.3} {least:>8.3} - {most:>6.3} {cpu:>7.2} {peak:>9.1} {bytes:>13}"
        );
    }
    println!(
        "All write typed columns with Snappy: numbers, times, and lists of skills. The seconds of duckdb, polars and\n\
         pyarrow include reading the member with Python's zipfile and not starting Python; ours are of the whole process.\n\
         The others use two threads where they can."
    );
    let met = are_met(&programs);
    for program in &programs {
        let _ = std::fs::remove_file(&program.out);
    }
    Ok(met)
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
        ours("reading only, 1 thread", "read-1"),
        ours("reading only, 2 threads", "read-2"),
        peer("duckdb"),
        peer("polars"),
        peer("pyarrow"),
    ]
    .into_iter()
    .map(|(name, words)| {
        let out = options.folder.join(format!("{}.parquet", name.replace([',', ' '], "-")));
        let (writes, is_python) = (!name.starts_with("reading"), words[0] == options.python);
        let path = out.display().to_string();
        let command = words.into_iter().chain([&*archive, &*path]).map(str::to_owned).collect();
        Program { name, command, out, writes, is_python, runs: Vec::new(), bytes: 0 }
    })
    .collect())
}

impl Program {
    fn is_installed(&self) -> bool {
        if !self.is_python {
            return true;
        }
        // Without the archive and the file, a peer tests whether it is installed.
        let words = &self.command[1..self.command.len() - 2];
        let output = Command::new(&self.command[0]).args(words).output();
        let installed = output.is_ok_and(|output| output.status.success());
        if !installed {
            println!("left out: {} is not installed; so are its criteria", self.name);
        }
        installed
    }

    /// Runs it once, and fails unless it writes as many rows as it should.
    fn check(&mut self, rows: u64) -> Result<()> {
        self.run()?;
        if !self.writes {
            return Ok(());
        }
        self.bytes = std::fs::metadata(&self.out)?.len();
        let file = SerializedFileReader::new(File::open(&self.out)?)?;
        let found = file.metadata().file_metadata().num_rows();
        if u64::try_from(found)? != rows {
            return Err(format!("{}: {found} rows, expected {rows}", self.name).into());
        }
        Ok(())
    }

    fn run(&self) -> Result<Run> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).stdin(Stdio::null()).stdout(Stdio::null());
        let begin = Instant::now();
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let mut messages = String::new();
        child.stderr.take().ok_or("no stderr")?.read_to_string(&mut messages)?;
        let used = child.wait4()?;
        let mut seconds = begin.elapsed().as_secs_f64();
        if !used.status.success() {
            return Err(format!("{} failed: {messages}", self.name).into());
        }
        if self.is_python {
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
    let peers = || programs.iter().filter(|program| program.is_python);
    // The median over rounds of the ratio within a round to the fastest peer: load that changes between rounds cancels out.
    let ratio = |ours: &str| {
        let mut ratios = Vec::new();
        for (round, run) in find(ours)?.runs.iter().enumerate() {
            let best = peers().map(|peer| peer.runs[round].seconds).min_by(f64::total_cmp)?;
            ratios.push(run.seconds / best);
        }
        ratios.sort_by(f64::total_cmp);
        Some(ratios[ratios.len() / 2])
    };
    let peak = |name: &str| Some(find(name)?.spread(|run| run.peak_mib)[2]);
    let size = |name: &str| Some(find(name)?.bytes as f64 / find("duckdb")?.bytes as f64);
    let criteria = [
        ("2 threads: times the fastest other", ratio("ours, 2 threads"), 1.0 / 2.0),
        ("1 thread: times the fastest other", ratio("ours, 1 thread"), 1.0 / 1.2),
        ("2 threads: peak MiB", peak("ours, 2 threads"), 64.0),
        ("1 thread: peak MiB", peak("ours, 1 thread"), 64.0),
        ("file size: times duckdb", size("ours, 2 threads"), 1.1),
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
