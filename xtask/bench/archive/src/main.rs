//! Measures how fast index archives become typed rows: ours against inflating alone, the plain way, and other readers.
//!
//! `bench-archive [--rows N] [--rounds N] [--seed N] [--folder DIR] [--python PROGRAM] [--flat]`
//!
//! All readers run in turn, round after round, so that whatever else the machine does hits them alike. Each works out the
//! same digest over every column; one that has another digest fails the run.

mod generate;
mod measure;
mod readers;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use measure::{Run, spread};
use readers::{Digest, Result};

type Reader = fn(&Path) -> Result<Digest>;

/// The readers in this program.
const READERS: [(&str, Reader); 7] = [
    ("inflate", readers::inflate),
    ("inflate-miniz", readers::inflate_miniz),
    ("ours-1", readers::ours_one_thread),
    ("ours-2", readers::ours_two_threads),
    ("ours-owned", readers::ours_owned),
    ("plain", readers::plain),
    ("plain-times", readers::plain_with_times),
];

/// The readers of Python, as far as they are installed.
const PEERS: [&str; 3] = ["zipfile", "polars", "duckdb"];

struct Options {
    rows: u64,
    rounds: usize,
    seed: u64,
    folder: PathBuf,
    python: String,
    flat: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [word, name, path] if word == "once" => once(name, Path::new(path)),
        _ => options(&arguments)
            .and_then(|options| if options.flat { flat(&options) } else { compare(&options) }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-archive: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options(arguments: &[String]) -> Result<Options> {
    let folder = std::env::temp_dir().join("ccfs-bench");
    let mut options = Options {
        rows: 1_000_000,
        rounds: 5,
        seed: 7,
        folder,
        python: "python3".to_owned(),
        flat: false,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--rows" => options.rows = value()?.parse()?,
            "--rounds" => options.rounds = value()?.parse()?,
            "--seed" => options.seed = value()?.parse()?,
            "--folder" => options.folder = value()?.into(),
            "--python" => options.python.clone_from(value()?),
            "--flat" => options.flat = true,
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    Ok(options)
}

fn once(name: &str, path: &Path) -> Result<()> {
    let (_, reader) = READERS.iter().find(|(known, _)| *known == name).ok_or("no such reader")?;
    measure::once(*reader, path)
}

/// One reader on one archive, and all its runs.
struct Series {
    name: &'static str,
    peer: bool,
    runs: Vec<Run>,
}

impl Series {
    fn run(&mut self, options: &Options, path: &Path) -> Result<()> {
        let mut command = if self.peer {
            let mut command = Command::new(&options.python);
            command.args(["-c", include_str!("peers.py"), self.name]);
            command
        } else {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["once", self.name]);
            command
        };
        self.runs.push(measure::run(command.arg(path))?);
        Ok(())
    }

    fn seconds(&self) -> f64 {
        spread(self.runs.iter().map(|run| run.seconds)).0
    }
}

fn series(names: &[&'static str], options: &Options, peers: bool) -> Vec<Series> {
    let ours = names.iter().map(|name| Series { name, peer: false, runs: Vec::new() });
    let installed = |peer: &&&str| {
        let works =
            Command::new(&options.python).args(["-c", include_str!("peers.py"), peer]).output();
        let works = works.is_ok_and(|output| output.status.success());
        if !works {
            println!("left out: {} has no {peer}", options.python);
        }
        works
    };
    let peers = PEERS.iter().filter(|_| peers).filter(installed).map(|name| Series {
        name,
        peer: true,
        runs: Vec::new(),
    });
    ours.chain(peers).collect()
}

fn compare(options: &Options) -> Result<()> {
    let all: Vec<&'static str> = READERS.iter().map(|(name, _)| *name).collect();
    let one = measured("one member", 1, options.rows, &all, options, true)?;
    let eight = measured(
        "eight members",
        8,
        options.rows,
        &["inflate", "ours-2", "plain-times"],
        options,
        false,
    )?;
    let small = measured(
        "small",
        1,
        10_000,
        &["ours-1", "ours-2", "plain", "plain-times"],
        options,
        false,
    )?;

    println!("\nbars");
    let time = |series: &[Series], name: &str| {
        series.iter().find(|series| series.name == name).map(Series::seconds)
    };
    let bar = |text: &str, ratio: Option<f64>, at_most: Option<f64>, at_least: Option<f64>| {
        let Some(ratio) = ratio else { return };
        let met = at_most.is_none_or(|bar| ratio <= bar) && at_least.is_none_or(|bar| ratio >= bar);
        let bar = at_most.map_or_else(
            || format!("at least {}", at_least.unwrap_or(0.0)),
            |bar| format!("at most {bar}"),
        );
        println!("  {text:<66} {ratio:>6.2}   {bar:<13} {}", if met { "met" } else { "MISSED" });
    };
    let ratio = |series: &[Series], a: &str, b: &str| Some(time(series, a)? / time(series, b)?);
    bar(
        "one member, two threads: times inflate alone",
        ratio(&one, "ours-2", "inflate"),
        Some(1.3),
        None,
    );
    bar(
        "one member, two threads: faster than the plain way",
        ratio(&one, "plain-times", "ours-2"),
        None,
        Some(4.0),
    );
    bar(
        "one member, one thread: faster than the plain way",
        ratio(&one, "plain-times", "ours-1"),
        None,
        Some(2.5),
    );
    bar(
        "eight members, one after another on two threads: faster than plain",
        ratio(&eight, "plain-times", "ours-2"),
        None,
        Some(5.5),
    );
    bar(
        "one member, two threads: faster than polars",
        ratio(&one, "polars", "ours-2"),
        None,
        Some(3.0),
    );
    bar(
        "one member, two threads: faster than duckdb",
        ratio(&one, "duckdb", "ours-2"),
        None,
        Some(3.0),
    );
    bar(
        "10 thousand rows, as a user calls it: times the plain way",
        ratio(&small, "ours-2", "plain-times"),
        Some(1.0),
        None,
    );
    let peak = one
        .iter()
        .filter(|series| matches!(series.name, "ours-1" | "ours-2"))
        .flat_map(|series| &series.runs);
    let peak = peak.map(|run| run.peak).max().unwrap_or(0);
    bar("peak memory, MiB", Some(peak as f64 / 1024.0), Some(8.0), None);
    Ok(())
}

/// Runs some readers on one archive, round after round, and prints a table.
fn measured(
    title: &str,
    members: u64,
    rows: u64,
    names: &[&'static str],
    options: &Options,
    peers: bool,
) -> Result<Vec<Series>> {
    let path = generate::archive(&options.folder, rows, members, options.seed)?;
    let mut all = series(names, options, peers);
    for _ in 0..options.rounds {
        for series in &mut all {
            series.run(options, &path)?;
        }
    }
    check(&all)?;
    println!(
        "\n{title}: {rows} rows in {members}, {} bytes of ZIP, {} rounds",
        std::fs::metadata(&path)?.len(),
        options.rounds
    );
    println!(
        "  {:<14} {:>9} {:>19} {:>9} {:>12} {:>10}",
        "reader", "median s", "least - most", "CPU s", "ns a row", "peak MiB"
    );
    for series in &all {
        let (median, least, most) = spread(series.runs.iter().map(|run| run.seconds));
        let (cpu, ..) = spread(series.runs.iter().map(|run| run.cpu));
        let peak = series.runs.iter().map(|run| run.peak).max().unwrap_or(0) as f64 / 1024.0;
        let row = median * 1e9 / rows as f64;
        println!(
            "  {:<14} {median:>9.4} {least:>9.4} - {most:>7.4} {cpu:>9.2} {row:>12.0} {peak:>10.1}",
            series.name
        );
    }
    Ok(all)
}

/// Checks that all readers that read everything have the same digest.
fn check(all: &[Series]) -> Result<()> {
    let whole = |series: &&Series| !matches!(series.name, "inflate" | "inflate-miniz" | "plain");
    let mut digests = all
        .iter()
        .filter(whole)
        .flat_map(|series| series.runs.iter().map(move |run| (series.name, run.digest)));
    let Some((first_name, first)) = digests.next() else { return Ok(()) };
    match digests.find(|(_, digest)| *digest != first) {
        Some((name, digest)) => {
            Err(format!("{name} read {digest:?}, but {first_name} read {first:?}").into())
        }
        None => Ok(()),
    }
}

/// Time a row and peak memory over sizes: both have to stay flat.
fn flat(options: &Options) -> Result<()> {
    for rows in [10_000, 100_000, 1_000_000, 5_000_000] {
        measured("flat", 1, rows, &["ours-1", "ours-2"], options, false)?;
    }
    Ok(())
}
