//! Programs that take turns: their options, runs, table and criteria. Shared by `bench convert` and `bench parquet`.

use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use wait4::Wait4;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) struct Options {
    pub(crate) rows: u64,
    pub(crate) rounds: usize,
    pub(crate) seed: u64,
    pub(crate) folder: PathBuf,
    pub(crate) python: String,
}

/// A way to convert the archive.
pub(crate) struct Program<T> {
    pub(crate) name: &'static str,
    pub(crate) command: Vec<String>,
    /// The command that succeeds if the program is installed.
    pub(crate) test: Option<Vec<String>>,
    /// The seconds to count are on standard error, because starting Python does not count.
    pub(crate) is_python: bool,
    /// What it writes, and how many bytes.
    pub(crate) output: T,
    pub(crate) bytes: u64,
    pub(crate) runs: Vec<Run>,
}

pub(crate) struct Run {
    pub(crate) seconds: f64,
    pub(crate) cpu: f64,
    pub(crate) peak_mib: f64,
}

impl Options {
    /// Reads the options that both benchmarks have; `other` reads the value of any other and returns whether it is known.
    pub(crate) fn read(
        words: &[String],
        mut other: impl FnMut(&str, &str) -> bool,
    ) -> Result<Self> {
        let mut options = Self {
            rows: 1_000_000,
            rounds: 7,
            seed: 7,
            folder: std::env::temp_dir().join("ccfs-bench"),
            python: "python3".to_owned(),
        };
        for pair in words.chunks(2) {
            let [word, value] = pair else {
                return Err(format!("{} needs a value", pair[0]).into());
            };
            match word.as_str() {
                "--rows" => options.rows = value.parse()?,
                "--rounds" => options.rounds = value.parse()?,
                "--seed" => options.seed = value.parse()?,
                "--folder" => options.folder = value.into(),
                "--python" => options.python.clone_from(value),
                word if other(word, value) => {}
                word => return Err(format!("unknown option {word}").into()),
            }
        }
        Ok(options)
    }

    /// Runs the programs that are installed in turn, and prints a table. `check` runs a program once before that.
    pub(crate) fn measure<T>(
        &self,
        archive: &Path,
        programs: &mut Vec<Program<T>>,
        check: impl Fn(&mut Program<T>) -> Result<()>,
    ) -> Result<()> {
        programs.retain(Program::is_installed);
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0);
        if load > 0.5 {
            println!(
                "the machine is busy (load {load}): programs with two threads look slower than they are"
            );
        }
        programs.iter_mut().try_for_each(check)?;
        for _ in 0..self.rounds {
            for program in &mut *programs {
                let run = program.run()?;
                program.runs.push(run);
            }
        }
        let bytes = std::fs::metadata(archive)?.len();
        println!("{} rows, {bytes} bytes of ZIP, {} rounds in turn", self.rows, self.rounds);
        println!(
            "{:<24} {:>9} {:>17} {:>7} {:>9} {:>13}",
            "program", "median s", "least - most", "CPU s", "peak MiB", "bytes written"
        );
        for program in programs {
            let [least, median, most] = program.spread(|run| run.seconds);
            let ([_, cpu, _], [.., peak]) =
                (program.spread(|run| run.cpu), program.spread(|run| run.peak_mib));
            let (name, bytes) = (program.name, program.bytes);
            println!(
                "{name:<24} {median:>9.3} {least:>8.3} - {most:>6.3} {cpu:>7.2} {peak:>9.1} {bytes:>13}"
            );
        }
        Ok(())
    }
}

impl<T> Program<T> {
    fn is_installed(&self) -> bool {
        let Some(test) = &self.test else { return true };
        let output = Command::new(&test[0]).args(&test[1..]).output();
        let installed = output.is_ok_and(|output| output.status.success());
        if !installed {
            println!("left out: {} is not installed; so are its criteria", self.name);
        }
        installed
    }

    pub(crate) fn run(&self) -> Result<Run> {
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

pub(crate) fn find<'p, T>(programs: &'p [Program<T>], name: &str) -> Option<&'p Program<T>> {
    programs.iter().find(|program| program.name == name)
}

/// The greatest peak of memory.
pub(crate) fn peak<T>(programs: &[Program<T>], name: &str) -> Option<f64> {
    Some(find(programs, name)?.spread(|run| run.peak_mib)[2])
}

/// The median over the rounds of the ratio to the fastest of the others in the same round: load that changes between
/// rounds cancels out.
pub(crate) fn ratio<T>(
    programs: &[Program<T>],
    name: &str,
    is_other: impl Fn(&Program<T>) -> bool,
) -> Option<f64> {
    let mut ratios = Vec::new();
    for (round, run) in find(programs, name)?.runs.iter().enumerate() {
        let others = programs.iter().filter(|program| is_other(program));
        let seconds = others.map(|other| other.runs[round].seconds);
        ratios.push(run.seconds / seconds.min_by(f64::total_cmp)?);
    }
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied()
}

/// Prints the criteria: a figure and its greatest permitted value. False if one is not met.
pub(crate) fn are_met<const N: usize>(criteria: [(&str, Option<f64>, f64); N]) -> bool {
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
