//! Coverage-guided fuzzing with the stable toolchain: no nightly, no cargo-fuzz, only a C++ compiler beside Rust.
//!
//! LLVM flags switch on the coverage that libFuzzer needs. Address sanitizer is off: the code is safe Rust, and
//! what counts are panics, overflows, failed assertions, time and memory. See `fuzz/README.md`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Flags with which `rustc` counts branches and reports compared values to libFuzzer.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];
/// An input that takes more than this many seconds, or makes the process hold more than this many MiB, is a finding.
const SECONDS_PER_INPUT: u32 = 10;
const MEMORY: u32 = 512;
const DEFAULT_SECONDS: u32 = 60;
/// Targets whose large buffers leave holes in the heap, each pinned by an input that libFuzzer keeps: after some thousand of them that looks
/// like a leak. For these, glibc maps large buffers one by one, which is slower and returns the memory.
const LEAVES_HOLES: &[&str] = &["archive_members"];

pub(crate) const USAGE: &str = "usage: cargo xtask fuzz [TARGET] [--seconds N]
       cargo xtask fuzz --replay

Runs every fuzz target, or one, for N seconds each (60), and fails on any finding. With --replay runs each once over
its committed corpus, without instrumentation.";

pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let Wanted { target, seconds, replay } = Wanted::read(arguments)?;
    let fuzz_crate = FuzzCrate::find()?;
    if replay {
        return fuzz_crate.replay();
    }
    let all = fuzz_crate.targets()?;
    let targets: Vec<&String> =
        all.iter().filter(|name| target.is_none_or(|wanted| wanted == name.as_str())).collect();
    if targets.is_empty() {
        return Err(format!("there is no such target; there are: {}", all.join(", ")));
    }
    let programs = fuzz_crate.build()?;
    println!(
        "{:16} {:>12} {:>9} {:>9} {:>8} {:>9}  verdict",
        "target", "runs", "runs/s", "coverage", "corpus", "peak MiB"
    );
    let findings: Vec<String> = targets
        .into_iter()
        .filter_map(|name| fuzz_crate.fuzz(&programs, name, seconds).err())
        .collect();
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n")) }
}

/// What the command line asks for.
struct Wanted<'a> {
    target: Option<&'a str>,
    seconds: u32,
    replay: bool,
}

impl<'a> Wanted<'a> {
    fn read(arguments: &[&'a str]) -> Result<Self, String> {
        let mut wanted = Self { target: None, seconds: DEFAULT_SECONDS, replay: false };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match *argument {
                "--replay" => wanted.replay = true,
                "--seconds" => {
                    let number = rest
                        .next()
                        .and_then(|text| text.parse().ok())
                        .filter(|&seconds| seconds > 0);
                    wanted.seconds = number
                        .ok_or_else(|| format!("--seconds needs a whole number from 1\n{USAGE}"))?;
                }
                name if wanted.target.is_none() && !name.starts_with('-') => {
                    wanted.target = Some(name);
                }
                other => return Err(format!("what is {other}?\n{USAGE}")),
            }
        }
        Ok(wanted)
    }
}

/// The folder `fuzz`.
struct FuzzCrate(PathBuf);

impl FuzzCrate {
    fn find() -> Result<Self, String> {
        let chores = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = chores.parent().ok_or("the repository's root is not found")?;
        Ok(Self(root.join("fuzz")))
    }

    fn folder(&self, kind: &str, target: &str) -> PathBuf {
        self.0.join(kind).join(target)
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(arguments).arg("--manifest-path").arg(self.0.join("Cargo.toml"));
        cargo.arg("--target-dir").arg(self.0.join("target"));
        cargo
    }

    fn targets(&self) -> Result<Vec<String>, String> {
        let folder = self.0.join("fuzz_targets");
        let files =
            fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let stem = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
        let mut names: Vec<String> = files.filter_map(|file| stem(file.ok()?.path())).collect();
        names.sort();
        Ok(names)
    }

    /// Runs every target once over its committed corpus.
    fn replay(&self) -> Result<(), String> {
        done(&mut self.cargo(&["test", "--quiet"]), "replaying the corpora")
    }

    /// Builds the instrumented programs, and returns their folder.
    fn build(&self) -> Result<PathBuf, String> {
        let host = host()?;
        let mut cargo =
            self.cargo(&["build", "--quiet", "--release", "--features", "libfuzzer", "--bins"]);
        // With a target named, the flags are not those of build scripts and macros, which have nothing to link them with.
        cargo.args(["--target", &host]).env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}"));
        done(&mut cargo, "building the fuzz targets (a C++ compiler is needed, too)")?;
        Ok(self.0.join("target").join(host).join("release"))
    }

    /// Runs one target, and prints its line.
    fn fuzz(&self, programs: &Path, target: &str, seconds: u32) -> Result<(), String> {
        let (found, artifacts) = (self.folder("found", target), self.folder("artifacts", target));
        for folder in [&found, &artifacts] {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let log = artifacts.join("log");
        let log_file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut program = Command::new(programs.join(target));
        // New inputs go to the first folder, so that the committed one does not change.
        program
            .arg(&found)
            .arg(self.folder("corpus", target))
            .arg(format!("-max_total_time={seconds}"));
        program
            .arg(format!("-timeout={SECONDS_PER_INPUT}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .arg("-print_final_stats=1");
        program.arg(format!("-artifact_prefix={}/", artifacts.display()));
        let words = self.0.join("words").join(target);
        if words.exists() {
            program.arg(format!("-dict={}", words.display()));
        }
        if LEAVES_HOLES.contains(&target) {
            program.env("MALLOC_MMAP_THRESHOLD_", "131072");
        }
        let status = program
            .stderr(log_file)
            .status()
            .map_err(|error| format!("{target} could not start: {error}"))?;
        let told = String::from_utf8_lossy(
            &fs::read(&log).map_err(|error| format!("{}: {error}", log.display()))?,
        )
        .into_owned();
        let seen = Seen::read(&told);
        let verdict = if status.success() { "nothing found" } else { "FOUND" };
        let Seen { runs, pace, coverage, corpus, memory } = seen;
        println!(
            "{target:16} {runs:>12} {pace:>9} {coverage:>9} {corpus:>8} {memory:>9}  {verdict}"
        );
        if status.success() {
            return Ok(());
        }
        let tail: Vec<&str> = told.lines().filter(|line| is_telling(line)).collect();
        Err(format!(
            "{target}: a finding ({status}); all of it is in {}\n  {}",
            log.display(),
            tail.join("\n  ")
        ))
    }
}

/// The part of a run's output that is used here.
struct Seen<'a> {
    runs: &'a str,
    pace: &'a str,
    coverage: &'a str,
    corpus: &'a str,
    memory: &'a str,
}

impl<'a> Seen<'a> {
    fn read(log: &'a str) -> Self {
        let stat = |name: &str| {
            let line =
                log.lines().rev().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name));
            line.map_or("?", |rest| rest.trim_start_matches(':').trim())
        };
        // `#4096	pulse  cov: 310 ft: 811 corp: 103/2kb ...`
        let pulse = |name: &str| {
            let value =
                |line: &'a str| line.split_whitespace().skip_while(|word| *word != name).nth(1);
            log.lines().rev().filter(|line| line.starts_with('#')).find_map(value).unwrap_or("?")
        };
        let corpus = pulse("corp:");
        Self {
            runs: stat("number_of_executed_units"),
            pace: stat("average_exec_per_sec"),
            coverage: pulse("cov:"),
            corpus: corpus.split('/').next().unwrap_or(corpus),
            memory: stat("peak_rss_mb"),
        }
    }
}

/// Lines of a log that describe the finding.
fn is_telling(line: &str) -> bool {
    ["panicked at", "assertion", "  left:", " right:", "ERROR:", "SUMMARY:", "Test unit written"]
        .iter()
        .any(|part| line.contains(part))
}

/// The machine's own target.
pub(crate) fn host() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("-vV")
        .output()
        .map_err(|error| format!("rustc could not start: {error}"))?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say its host".to_owned())
}

fn done(command: &mut Command, what: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{what}: could not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what} failed")) }
}
