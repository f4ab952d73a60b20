//! Runs a reader in a separate process, to measure its memory alone, and reports its time and memory.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::readers::{Digest, Result};

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Time on the wall, from opening the archive to the last row.
    pub seconds: f64,
    /// Time on the processors, of the whole process.
    pub cpu: f64,
    /// The most memory that the process had, in KiB.
    pub peak: u64,
    pub digest: Digest,
}

/// Runs a reader here, and prints what [`parse`] reads.
pub fn once(reader: fn(&Path) -> Result<Digest>, path: &Path) -> Result<()> {
    let begin = Instant::now();
    let digest = reader(path)?;
    let seconds = begin.elapsed().as_secs_f64();
    let Digest { rows, numbers, seconds: sum, skills, text } = digest;
    println!("{seconds} {} {} {rows} {numbers} {sum} {skills} {text}", cpu_seconds(), peak_kib());
    Ok(())
}

/// Runs a command that prints a run.
pub fn run(command: &mut Command) -> Result<Run> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!(
            "{}: {}",
            command.get_program().display(),
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    parse(&String::from_utf8(output.stdout)?)
}

fn parse(line: &str) -> Result<Run> {
    let mut words = line.split_whitespace();
    let mut next = || words.next().ok_or("a run prints eight numbers");
    Ok(Run {
        seconds: next()?.parse()?,
        cpu: next()?.parse()?,
        peak: next()?.parse()?,
        digest: Digest {
            rows: next()?.parse()?,
            numbers: next()?.parse()?,
            seconds: next()?.parse()?,
            skills: next()?.parse()?,
            text: next()?.parse()?,
        },
    })
}

/// From `/proc`, in hundredths of a second; 0 where `/proc` is missing.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the program's name in brackets, and may hold spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next())
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0)
}

/// The middle, the least and the most of some numbers.
pub fn spread(numbers: impl IntoIterator<Item = f64>) -> (f64, f64, f64) {
    let mut sorted: Vec<f64> = numbers.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.last()) {
        (Some(&least), Some(&most)) => {
            ((sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0, least, most)
        }
        _ => (0.0, 0.0, 0.0),
    }
}
