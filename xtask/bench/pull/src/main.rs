//! Pulling windows from the emulator on loopback, over TLS, converted to JSON lines.
//!
//! The emulator runs in this process; each case runs in its own process, so that peak memory and CPU time are the client's alone. The emulator
//! generates each file on request, on the same cores, and that time is included: the throughput by wall time is a lower bound.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ccfs_archive::IndexKind;
use ccfs_emulator::Emulator;
use ccfs_proto::{Credentials, Day};
use ccfs_pull::{Format, Pace, Plan, Pull, PullSummary, Zone};
use ccfs_tls::Trust;
use ccfs_ureq::Config;

type Failed = Box<dyn Error>;

/// Clock ticks in a second, the unit of CPU times on Linux.
const TICKS: f64 = 100.0;
const FIRST_DAY: &str = "2023-01-01";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => bench(60, 20_000),
        ["--windows", windows, "--rows", rows] => match (windows.parse(), rows.parse()) {
            (Ok(windows), Ok(rows)) => bench(windows, rows),
            _ => Err("--windows and --rows need whole numbers".into()),
        },
        ["case", backend, in_flight, windows, endpoint, folder] => {
            case(backend, in_flight, windows, endpoint, folder)
        }
        _ => Err("usage: cargo xtask bench pull [--windows N --rows N]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(windows: u64, rows: u64) -> Result<(), Failed> {
    println!("{windows} windows of {rows} rows, converted to JSON lines");
    header();
    for backend in ["blocking", "async"] {
        for in_flight in [1, 4, 16] {
            run(backend, in_flight, windows, rows)?;
        }
    }
    println!("\nmemory against the number of windows: 500 rows each, 4 in flight");
    header();
    for backend in ["blocking", "async"] {
        for windows in [15, 60, 240, 960] {
            run(backend, 4, windows, 500)?;
        }
    }
    Ok(())
}

fn header() {
    println!(
        "{:9} {:>9} {:>8} {:>8} {:>9} {:>11} {:>10} {:>7} {:>9}",
        "backend",
        "in flight",
        "windows",
        "requests",
        "seconds",
        "ZIP MB/s",
        "rows/s",
        "CPU s",
        "peak MiB"
    );
}

/// One case: starts a server, and a child process that pulls from it.
fn run(backend: &str, in_flight: u32, windows: u64, rows: u64) -> Result<(), Failed> {
    let requests = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&requests);
    let emulator = Emulator::builder()
        .rows(rows)
        .log_limit(1)
        .on_request(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        })
        .start()?;
    let folder = tempfile::tempdir()?;
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, emulator.ca_pem().unwrap_or_default())?;
    let output = Command::new(std::env::current_exe()?)
        .args([
            "case",
            backend,
            &in_flight.to_string(),
            &windows.to_string(),
            &emulator.endpoint().to_string(),
        ])
        .arg(folder.path())
        .env("BENCH_ACCESS_KEY", emulator.access_key())
        .env("BENCH_SECRET_KEY", emulator.secret_key())
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let told = String::from_utf8(output.stdout)?;
    let numbers: Vec<f64> = told.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [seconds, bytes, pulled, cpu, peak] = numbers[..] else {
        return Err(format!("a case said: {told}").into());
    };
    if pulled as u64 != windows * rows {
        return Err(format!("{pulled} rows instead of {}", windows * rows).into());
    }
    println!(
        "{backend:9} {in_flight:>9} {windows:>8} {:>8} {seconds:>9.2} {:>11.1} {:>10.0} {cpu:>7.2} {peak:>9.1}",
        requests.load(Ordering::Relaxed),
        bytes / seconds / 1e6,
        pulled / seconds,
    );
    Ok(())
}

/// Runs in the child process: pulls, and prints seconds, bytes, rows, seconds of CPU and MiB of memory.
fn case(
    backend: &str,
    in_flight: &str,
    windows: &str,
    endpoint: &str,
    folder: &str,
) -> Result<(), Failed> {
    let folder = Path::new(folder);
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let credentials =
        Credentials::from_text(&variable("BENCH_ACCESS_KEY")?, variable("BENCH_SECRET_KEY")?)?;
    let trust = Trust::none().add_pem(&fs::read(folder.join("ca.pem"))?)?;
    let days: i64 = windows.parse()?;
    let first: Day = FIRST_DAY.parse()?;
    let midnight = first.midnight();
    let last = midnight.plus_seconds((days - 1) * 24 * 3600).ok_or("too many windows")?.day();
    let plan = Plan::new(IndexKind::AgentSkillInfo, Zone::named("Asia/Shanghai")?, first, last)
        .window_days(1)
        .convert(Format::Jsonl);
    let pace = Pace { in_flight: in_flight.parse()?, ..Pace::default() };
    let pull = Pull::new(plan, folder.join("pulled")).pace(pace);

    let begin = Instant::now();
    let summary: PullSummary = if backend == "blocking" {
        let client =
            ccfs_ureq::Client::with_trust(Config::new(endpoint.parse()?, credentials), &trust)?;
        pull.run(&client)?
    } else {
        let client =
            ccfs_reqwest::Client::with_trust(Config::new(endpoint.parse()?, credentials), &trust)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(pull.run_async(&client))?
    };
    let seconds = begin.elapsed().as_secs_f64();
    if let Some((window, why)) = summary.failed().next() {
        return Err(format!("{window:?}: {why}").into());
    }
    println!(
        "{seconds} {} {} {} {}",
        summary.bytes(),
        summary.rows(),
        cpu_seconds(),
        peak_memory()
    );
    Ok(())
}

/// User and system time of this process; 0 where the system does not say.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().collect())
        .unwrap_or_default();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS
}

/// The most memory that this process has had, in MiB; 0 where the system does not say.
fn peak_memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0)
        / 1024.0
}
