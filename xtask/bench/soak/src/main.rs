//! Thousands of small downloads with random faults, over both backends at once.
//!
//! Each download picks a file and up to two faults by the seed, and is repeated, like a nightly job, until the file exists. In the end every file
//! was compared with the emulator's, and no temporary file is left; otherwise it exits with 1. No call sleeps: the waits between
//! attempts pass on a simulated clock. Idle timeouts are real, and 100 ms long.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ccfs_archive::Archive;
use ccfs_conformance::ManualClock;
use ccfs_driver::{Error as CallError, Config};
use ccfs_emulator::{Emulator, Fault};
use ccfs_proto::answer::FileReceipt;
use ccfs_proto::{DownloadAgentSkillInfoFile, IndexFileName, Policy, QueryAgentSkillInfoData, ResultCode};
use ccfs_tls::Trust;

type Failed = Box<dyn Error + Send + Sync>;

const INTERFACE: &str = "downloadAgentSkillInfoFile";
/// Files that are downloaded over and over.
const FILES: usize = 64;
/// Downloads under way at once, over each backend.
const WORKERS: usize = 4;
/// Calls that one download may need. A fault applies to the next request of any download, so one may get those of others.
const CALLS: u32 = 50;
/// The silence that is borne.
const STALL: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    match Wanted::read().and_then(|wanted| soak(&wanted)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Wanted {
    downloads: u64,
    seed: u64,
}

impl Wanted {
    fn read() -> Result<Self, Failed> {
        let mut wanted = Self { downloads: 10_000, seed: 1 };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut number = || {
                arguments
                    .next()
                    .and_then(|text| text.parse().ok())
                    .ok_or_else(|| format!("{argument} needs a whole number"))
            };
            match argument.as_str() {
                "--downloads" => wanted.downloads = number()?,
                "--seed" => wanted.seed = number()?,
                other => {
                    return Err(
                        format!("what is {other}? There are --downloads N and --seed N").into()
                    );
                }
            }
        }
        Ok(wanted)
    }
}

/// What all workers share.
struct Soak {
    emulator: Emulator,
    files: Vec<(IndexFileName, Vec<u8>)>,
    folder: PathBuf,
    downloads: u64,
    seed: u64,
    next: AtomicU64,
    bytes: AtomicU64,
    calls: AtomicU64,
    /// Errors of calls, by their kind.
    errors: Mutex<BTreeMap<&'static str, u64>>,
    /// Files that were not had, or were not right.
    wrong: Mutex<Vec<String>>,
}

fn soak(wanted: &Wanted) -> Result<bool, Failed> {
    let struck = Arc::new(Mutex::new(BTreeMap::<&'static str, u64>::new()));
    let requests = Arc::new(AtomicU64::new(0));
    let emulator = {
        let (struck, requests) = (Arc::clone(&struck), Arc::clone(&requests));
        let watch = move |request: &ccfs_emulator::ReceivedRequest| {
            requests.fetch_add(1, Ordering::Relaxed);
            let name = request.fault.as_ref().map_or("none", Fault::name);
            *struck.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
        };
        Emulator::builder()
            .seed(wanted.seed)
            .rows(20)
            .lockout(None)
            .log_limit(1)
            .on_request(watch)
            .start()?
    };
    let files = files(&emulator)?;
    requests.store(0, Ordering::Relaxed);
    struck.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let folder = tempfile::tempdir()?;
    let soak = Soak {
        emulator,
        files,
        folder: folder.path().to_owned(),
        downloads: wanted.downloads,
        seed: wanted.seed,
        next: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        calls: AtomicU64::new(0),
        errors: Mutex::default(),
        wrong: Mutex::default(),
    };

    let begin = Instant::now();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..2 * WORKERS)
            .map(|number| {
                let soak = &soak;
                scope.spawn(
                    move || if number % 2 == 0 { soak.blocking() } else { soak.asynchronous() },
                )
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker panicked")?)
    })?;
    let took = begin.elapsed();

    let left = fs::read_dir(folder.path())?.count();
    let wrong = soak.wrong.lock().unwrap_or_else(PoisonError::into_inner);
    let requests = requests.load(Ordering::Relaxed);
    println!(
        "{} downloads in {:.1} s, half over each backend, {} at once, seed {}",
        wanted.downloads,
        took.as_secs_f64(),
        2 * WORKERS,
        wanted.seed
    );
    println!(
        "{} calls, {requests} requests, {} bytes of right files",
        soak.calls.load(Ordering::Relaxed),
        soak.bytes.load(Ordering::Relaxed)
    );
    println!("peak memory, the emulator included: {} MiB", peak_memory() / 1024);
    println!("\nfaults that struck:");
    for (name, count) in &*struck.lock().unwrap_or_else(PoisonError::into_inner) {
        println!("  {name:20} {count:>7}");
    }
    println!("\nhow calls failed, before the file was had by another one:");
    for (kind, count) in &*soak.errors.lock().unwrap_or_else(PoisonError::into_inner) {
        println!("  {kind:40} {count:>7}");
    }
    println!("\nwrong or missing files: {}; parts of files left behind: {left}", wrong.len());
    wrong.iter().take(10).for_each(|line| println!("  {line}"));
    Ok(wrong.is_empty() && left == 0)
}

/// Asks for the files, and takes down what is right.
fn files(emulator: &Emulator) -> Result<Vec<(IndexFileName, Vec<u8>)>, Failed> {
    let client = ccfs_ureq::Client::with_trust(
        Config::new(emulator.endpoint().clone(), emulator.credentials()),
        &trust(emulator)?,
    )?;
    for _ in 0..FILES {
        client.call(QueryAgentSkillInfoData::new(
            "2023-04-05 00:00:00".parse()?,
            "2023-04-06 00:00:00".parse()?,
            "http://127.0.0.1:9/nobody",
        ))?;
    }
    let files: Option<Vec<_>> = emulator
        .files()
        .into_iter()
        .map(|name| emulator.file(&name).map(|bytes| (name, bytes)))
        .collect();
    Ok(files.ok_or("the emulator lacks a file")?)
}

fn trust(emulator: &Emulator) -> Result<Trust, Failed> {
    Ok(Trust::none().add_pem(emulator.ca_pem().unwrap_or_default().as_bytes())?)
}

fn policy() -> Policy {
    Policy::default().idle_timeout(STALL)
}

/// What `ccfs download` does, too: every member against its CRC.
fn check(file: File) -> Result<(), Failed> {
    let mut archive = Archive::open(file)?;
    let mut changes = archive.records::<ccfs_archive::AgentSkillChange>();
    while changes.next_record()?.is_some() {}
    Ok(())
}

impl Soak {
    fn blocking(&self) -> Result<(), Failed> {
        let client = ccfs_ureq::Client::with_trust(self.session(), &trust(&self.emulator)?)?;
        self.work(|operation, path| client.download(operation).check(check).to_file(path))
    }

    fn asynchronous(&self) -> Result<(), Failed> {
        let client = ccfs_reqwest::Client::with_trust(self.session(), &trust(&self.emulator)?)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        self.work(|operation, path| {
            runtime.block_on(client.download(operation).check(check).to_file(path))
        })
    }

    fn session(&self) -> Config {
        Config::new(self.emulator.endpoint().clone(), self.emulator.credentials())
            .policy(policy())
            .clock(ManualClock::ticking())
    }

    fn work(
        &self,
        download: impl Fn(DownloadAgentSkillInfoFile, &Path) -> Result<FileReceipt, CallError>,
    ) -> Result<(), Failed> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.downloads {
                return Ok(());
            }
            let mut random = Random(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number);
            let (name, right) = &self.files[random.below(FILES as u64) as usize];
            for _ in 0..random.below(3) {
                self.emulator.faults().add(fault(&mut random).at(INTERFACE).times(1));
            }
            let path = self.folder.join(format!("{number}.zip"));
            if let Err(why) = self.one(name, right, &path, &download) {
                self.wrong
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(format!("download {number}: {why}"));
            }
        }
    }

    fn one(
        &self,
        name: &IndexFileName,
        right: &[u8],
        path: &Path,
        download: &impl Fn(DownloadAgentSkillInfoFile, &Path) -> Result<FileReceipt, CallError>,
    ) -> Result<(), Failed> {
        for _ in 0..CALLS {
            self.calls.fetch_add(1, Ordering::Relaxed);
            match download(DownloadAgentSkillInfoFile::new(name.clone()), path) {
                Ok(receipt) => {
                    let found = fs::read(path)?;
                    fs::remove_file(path)?;
                    if found != right || receipt.bytes != right.len() as u64 {
                        return Err("the file is not the emulator's".into());
                    }
                    self.bytes.fetch_add(receipt.bytes, Ordering::Relaxed);
                    return Ok(());
                }
                Err(error) => {
                    if path.exists() {
                        return Err(format!("a failed call left a file: {error}").into());
                    }
                    *self
                        .errors
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .entry(kind(&error))
                        .or_default() += 1;
                }
            }
        }
        Err(format!("no file after {CALLS} calls").into())
    }
}

/// Something that goes wrong: what one call gets over, and what needs another.
fn fault(random: &mut Random) -> Fault {
    match random.below(22) {
        0 => Fault::Slow(Duration::from_millis(1)),
        1 => Fault::Stall,
        2 => Fault::Silent,
        3..=5 => Fault::CutAfter(random.below(4000)),
        6 => Fault::WrongLength,
        7 => Fault::WrongType,
        8 => Fault::ErrorUnder200(
            ResultCode::DOCUMENTED[random.below(ResultCode::DOCUMENTED.len() as u64) as usize]
                .clone(),
        ),
        9 => Fault::Unauthorized,
        10 => Fault::Locked,
        11 => Fault::FlowControl,
        12 => Fault::Busy(3),
        13 => Fault::Html(502),
        14 => Fault::Empty,
        15 => Fault::Garbage,
        16 => Fault::ByteByByte,
        17 => Fault::Chunked,
        18 => Fault::MissingFile,
        19 => Fault::CorruptZip,
        20 => Fault::TruncatedZip,
        _ => Fault::CloseBeforeAnswer,
    }
}

fn kind(error: &CallError) -> &'static str {
    match error {
        CallError::Exchange(error) if error.is_auth() => "401 or 403",
        CallError::Exchange(error) if error.result_code().is_some() => "a result code",
        CallError::Exchange(error) if error.is_network() => {
            "the connection, after four attempts"
        }
        CallError::Exchange(_) => "an answer of no use",
        CallError::Rejected(_) => "an archive that is damaged",
        _ => "something else",
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (word ^ (word >> 31)) % bound
    }
}

/// The most memory that this process has had, in KiB; 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
