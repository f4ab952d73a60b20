//! `ccfs pull` is killed at every step, and runs out of disk space at many sizes; run again, it leaves the same files as an uninterrupted run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::Ccfs;
use ccfs_emulator::{Emulator, Fault, FaultRule};
use ccfs_tests::TEST_TIMEOUT;
use serde_json::Value;

const PULL: [&str; 5] = ["pull", "--from", "2023-04-01", "--out", "out"];
/// Three windows.
const TO: [&str; 2] = ["--to", "2023-04-07"];
const ASK: &str = "queryAgentSkillInfoData";
const FETCH: &str = "downloadAgentSkillInfoFile";
/// Each window has a request and a download.
const REQUESTS: u32 = 6;
/// The files that a pull leaves for each window.
struct Mode {
    arguments: &'static [&'static str],
    /// Whether ZIPs are removed.
    removes: bool,
    /// The windows in order, as in names of files.
    windows: [&'static str; 3],
    /// The extension of the converted files.
    format: &'static str,
}

const MODES: [Mode; 4] = [
    Mode { arguments: &["--convert", "jsonl", "--no-zip"], removes: true, ..TEXT },
    TEXT,
    Mode {
        arguments: &["--convert", "parquet", "--to", "2023-04-03", "--no-zip"],
        removes: true,
        ..DATASET
    },
    DATASET,
];
const TEXT: Mode = Mode {
    arguments: &["--convert", "jsonl"],
    removes: false,
    windows: [
        "20230401T000000_20230403T235959",
        "20230404T000000_20230406T235959",
        "20230407T000000_20230407T235959",
    ],
    format: "jsonl",
};
const DATASET: Mode = Mode {
    arguments: &["--convert", "parquet", "--to", "2023-04-03"],
    removes: false,
    windows: [
        "20230401T000000_20230401T235959",
        "20230402T000000_20230402T235959",
        "20230403T000000_20230403T235959",
    ],
    format: "parquet",
};

impl Mode {
    fn arguments(&self, backend: &'static str) -> Vec<&'static str> {
        [&["--in-flight", "1", "--backend", backend], self.arguments].concat()
    }

    /// Lines of the journal before the last download: the header; for two windows asking, asked, stored and, in some
    /// modes, ZIP removed; two lines of the last one.
    fn lines(&self) -> usize {
        9 + 2 * usize::from(self.removes)
    }

    /// The path of a window's converted file in the folder.
    fn converted(&self, window: &str) -> String {
        if self.format == "parquet" {
            let day = [&window[..4], &window[4..6], &window[6..8]].join("-");
            format!("agent_skill_info/day={day}/{window}.parquet")
        } else {
            format!("agentSkillInfo_{window}.{}", self.format)
        }
    }
}

type Files = BTreeMap<String, Vec<u8>>;

struct Bench {
    emulator: Emulator,
    ccfs: Ccfs,
    arguments: Vec<&'static str>,
}

impl Bench {
    fn new(more: &[&'static str]) -> Self {
        let emulator = Emulator::builder().rows(50).lockout(None).same_files(true).start().unwrap();
        let ccfs = Ccfs::against(&emulator).env("CCFS_TZ", "Asia/Shanghai");
        let to = if more.contains(&"--to") { &[][..] } else { &TO };
        Self { emulator, ccfs, arguments: [&PULL[..], to, more].concat() }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.ccfs.path("out").join(name)
    }

    /// Returns all files in the folder except the journal and the lock.
    fn files(&self) -> Files {
        let names = self.ccfs.files("out").into_iter().filter(|name| !name.contains("ccfs-pull."));
        names.map(|name| (name.clone(), fs::read(self.out(&name)).unwrap())).collect()
    }

    /// Returns the complete lines of the journal.
    fn journal(&self) -> Vec<String> {
        let text = fs::read_to_string(self.out("ccfs-pull.journal")).unwrap_or_default();
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(str::to_owned).collect()
    }

    /// Answers this many requests. Later ones are never answered, so the pull cannot continue after them.
    fn answers(&self, requests: u32) {
        self.emulator.faults().clear();
        if requests > 0 {
            self.emulator.faults().add(FaultRule::from(Fault::Pass).times(requests));
        }
        self.emulator.faults().add(Fault::Silent);
    }

    /// Starts the pull and kills it with SIGKILL as soon as `now` returns true. Returns false if the pull ended before.
    fn kill_when(&self, mut now: impl FnMut() -> bool) -> bool {
        let mut process = self.ccfs.start(&self.arguments);
        let started = Instant::now();
        loop {
            if now() {
                drop(process);
                return true;
            }
            if process.is_over() {
                // `now` may have become true between the last check and the end of the process.
                return now();
            }
            assert!(started.elapsed() < TEST_TIMEOUT, "it does not get there");
            // Short, because the condition may be true for a short time only; a yield would take a processor from the pull.
            thread::sleep(Duration::from_micros(100));
        }
    }

    /// Returns how often each window was requested.
    fn questions(&self) -> BTreeMap<String, usize> {
        let mut questions = BTreeMap::new();
        for request in
            self.emulator.received().iter().filter(|request| request.interface == Some(ASK))
        {
            let begin = request.msg_body.as_ref().unwrap()["beginTime"].as_str().unwrap();
            *questions
                .entry(begin.chars().filter(|c| !"-: ".contains(*c)).collect())
                .or_default() += 1;
        }
        questions
    }

    /// Returns the events in the journal, each with the beginning of its window.
    fn events(&self) -> Vec<(String, Value)> {
        let lines = self
            .journal()
            .into_iter()
            .skip(1)
            .map(|line| serde_json::from_str::<Value>(&line).unwrap());
        lines.map(|line| (line["window"].as_str().unwrap()[..15].replace('T', ""), line)).collect()
    }

    /// Returns the beginnings of the windows whose last line is one of these events.
    fn windows_that_are(&self, events: &[&str]) -> BTreeSet<String> {
        let last: BTreeMap<String, Value> = self.events().into_iter().collect();
        last.into_iter()
            .filter(|(_, line)| {
                // These follow the line of a stored window.
                let event = match line["event"].as_str().unwrap() {
                    "converted" | "zip_removed" => "stored",
                    event => event,
                };
                events.contains(&event)
            })
            .map(|(begin, _)| begin)
            .collect()
    }

    /// Runs the pull again without faults. The files must be the expected ones, and windows whose job is in the journal must not be
    /// requested again.
    ///
    /// The server may read a request after the process that sent it was killed. Each such request is one more without a response.
    fn goes_on(&self, expected: &Files, at: &str) {
        let (asked, stored) =
            (self.windows_that_are(&["asked", "stored"]), self.windows_that_are(&["stored"]));
        let begun = self.events();
        let begun = |window: &str| {
            begun
                .iter()
                .filter(|(begin, line)| begin == window && line["event"] == "asking")
                .count()
        };
        let before = self.questions();
        self.emulator.faults().clear();
        let requests = self.emulator.received().len();
        self.ccfs.run(&self.arguments).ends_with_code(0);
        assert!(self.files() == *expected, "{at}: other files: {:?}", self.files().keys());
        for (window, times) in self.questions() {
            let earlier = before.get(&window).copied().unwrap_or(0);
            let again = times - earlier;
            let wanted = if asked.contains(&window) {
                0..=0
            } else {
                1..=1 + begun(&window).saturating_sub(earlier)
            };
            assert!(
                wanted.contains(&again),
                "{at}: {window} was asked for {again} times more, not {wanted:?}"
            );
        }
        let received = self.emulator.received();
        let mut downloads = BTreeMap::<&str, usize>::new();
        for request in
            received[requests..].iter().filter(|request| request.interface == Some(FETCH))
        {
            *downloads
                .entry(
                    request.msg_body.as_ref().unwrap()["agentSkillInfoFileName"].as_str().unwrap(),
                )
                .or_default() += 1;
        }
        for (window, line) in self.events().iter().filter(|(_, line)| line["event"] == "asked") {
            let id = line["id"].as_str().unwrap();
            let again: usize = downloads
                .iter()
                .filter(|(name, _)| name.contains(id))
                .map(|(_, times)| times)
                .sum();
            // A ZIP in the folder without a line in the journal may be used, and a killed process may have requested its download.
            let wanted = if stored.contains(window) {
                0..=0
            } else if asked.contains(window) {
                0..=2
            } else {
                1..=1
            };
            assert!(
                wanted.contains(&again),
                "{at}: the file of {window} was downloaded {again} times more, not {wanted:?}"
            );
        }
    }
}

/// Returns the files of an uninterrupted pull.
fn undisturbed(more: &[&'static str]) -> Files {
    let bench = Bench::new(more);
    bench.ccfs.run(&bench.arguments).ends_with_code(0);
    let files = bench.files();
    assert!(files.len() >= 3);
    files
}

/// The process is killed after the server received the k-th request and before the response arrives.
#[test]
fn killed_at_every_request() {
    for backend in ["blocking", "async"] {
        let more = ["--in-flight", "1", "--backend", backend];
        let expected = undisturbed(&more);
        for k in 1..=REQUESTS {
            let bench = Bench::new(&more);
            bench.answers(k - 1);
            assert!(bench.kill_when(|| bench.emulator.received().len() == k as usize));
            let asked = bench.questions().len();
            bench.goes_on(&expected, &format!("request {k}"));
            // Queries and downloads alternate. A window is requested again only if the response to its query was lost.
            let total: usize = bench.questions().values().sum();
            assert_eq!(total, 3 + (k as usize % 2), "request {k}, {asked} asked before");
        }
    }
}

/// The process is killed after a line is on the disk and before it acts on the line.
#[test]
fn killed_at_every_line_of_the_journal() {
    for (mode, backend) in each_mode() {
        let more = mode.arguments(backend);
        let expected = undisturbed(&more);
        for lines in 1..=mode.lines() {
            let bench = Bench::new(&more);
            // The last download does not end, so the process is still running when this thread checks the journal.
            bench.answers(REQUESTS - 1);
            assert!(bench.kill_when(|| bench.journal().len() >= lines), "{more:?}, line {lines}");
            bench.goes_on(&expected, &format!("{more:?}, line {lines}"));
        }
    }
}

fn each_mode() -> impl Iterator<Item = (&'static Mode, &'static str)> {
    MODES.iter().flat_map(|mode| ["blocking", "async"].map(|backend| (mode, backend)))
}

/// The process is killed when a file appears in the folder: a part of the ZIP, the ZIP, or a converted file.
#[test]
fn killed_at_every_file() {
    for (mode, backend) in each_mode().filter(|(mode, _)| mode.removes) {
        killed_at_every_file_of(mode, &mode.arguments(backend));
    }
}

fn killed_at_every_file_of(mode: &Mode, arguments: &[&'static str]) {
    let expected = undisturbed(arguments);
    for (before, window) in (0..).zip(mode.windows) {
        let zip = format!("agentSkillInfo_{window}.zip");
        let part = |extension: &str| format!(".agentSkillInfo_{window}.{extension}.");
        let files = [
            ("part of the ZIP", part("zip")),
            ("ZIP", zip),
            ("part of the converted file", part(mode.format)),
            ("converted file", mode.converted(window)),
        ];
        for (what, name) in files {
            let bench = Bench::new(arguments);
            if what == "part of the ZIP" {
                if before > 0 {
                    bench.emulator.faults().add(Fault::Pass.at(FETCH).times(before));
                }
                bench.emulator.faults().add(Fault::Stall.at(FETCH));
            }
            let is_there = || {
                let mut names = fs::read_dir(bench.ccfs.path("out"))
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.file_name());
                bench.out(&name).exists()
                    || names.any(|found| {
                        what.starts_with("part")
                            && found.to_str().is_some_and(|found| found.starts_with(&name))
                    })
            };
            // A file that exists for a short time only may be missed. Then the pull is complete, and the next run has nothing to do.
            let seen = bench.kill_when(is_there);
            assert!(
                seen || ["ZIP", "part of the converted file"].contains(&what),
                "{window}: {what} never came"
            );
            bench.goes_on(&expected, &format!("{window}, {what}, {arguments:?}"));
        }
    }
}

/// The process is killed with several windows in flight, some of which were answered.
#[test]
fn killed_with_several_under_way() {
    for backend in ["blocking", "async"] {
        let more = ["--in-flight", "3", "--backend", backend];
        let expected = undisturbed(&more);
        for answered in 0..REQUESTS {
            let bench = Bench::new(&more);
            bench.answers(answered);
            assert!(bench.kill_when(|| bench.emulator.received().len() > answered as usize));
            bench.goes_on(&expected, &format!("{backend} after {answered} answers"));
        }
    }
}

#[test]
fn killed_again_and_again() {
    let more = ["--in-flight", "1"];
    let expected = undisturbed(&more);
    let bench = Bench::new(&more);
    // Each run writes one or two lines before it is killed, so the pull needs several runs.
    let killed = (0..12).map(|_| {
        let lines = bench.journal().len();
        // The server may use one of the two answers for a request of an earlier process.
        bench.answers(2);
        bench.kill_when(|| bench.journal().len() > lines + 1)
    });
    let killed = killed.filter(|killed| *killed).count();
    // Each process gets two of the six answers, so at least the first two are killed.
    assert!(killed >= 2, "killed {killed} times");
    bench.goes_on(&expected, "killed a dozen times");
}

/// The disk is full when a file of the pull (journal, ZIP, converted file) has one of many sizes.
#[test]
fn out_of_disk_at_many_sizes() {
    for (mode, backend) in each_mode().filter(|(mode, _)| !mode.removes) {
        out_of_disk_at_many_sizes_of(&mode.arguments(backend));
    }
}

fn out_of_disk_at_many_sizes_of(more: &[&'static str]) {
    let expected = undisturbed(more);
    let largest = expected.values().map(Vec::len).max().unwrap();
    let blocks = largest.div_ceil(512);
    let sizes = (0..8).chain((8..blocks).step_by(41)).chain([blocks - 1]);
    for size in sizes {
        let bench = Bench::new(more);
        // A limit on the size of files simulates a full disk: writes beyond it fail.
        let script = format!("ulimit -f {size}; exec \"$@\"");
        let arguments =
            [&["-c", &script, "sh", env!("CARGO_BIN_EXE_ccfs")], &bench.arguments[..]].concat();
        let output = bench.ccfs.program("sh", &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{size} blocks: {output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("File too large"), "{size} blocks: {said}");
        for (name, bytes) in bench.files() {
            assert!(expected.get(&name) == Some(&bytes), "{size} blocks: {name} is half-written");
        }
        bench.goes_on(&expected, &format!("{size} blocks"));
    }
}

/// After Ctrl-C or SIGTERM, the next run continues.
#[test]
fn interrupted_in_good_order() {
    for (backend, signal, code) in [("blocking", "-INT", 130), ("async", "-TERM", 143)] {
        let more = ["--in-flight", "2", "--backend", backend];
        let expected = undisturbed(&more);
        let bench = Bench::new(&more);
        // The pull waits for files that do not exist yet.
        bench.emulator.faults().add(Fault::MissingFile.at(FETCH));
        let mut process = bench.ccfs.start(&bench.arguments);
        process.until("two questions", || bench.questions().len() >= 2);
        let killed =
            Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(process.wait(), Some(code));
        // On a slow machine, it first reports what it waits for.
        let mut said =
            std::iter::repeat_with(|| process.error_line()).take_while(|line| !line.is_empty());
        assert!(
            said.any(|line| line.contains("interrupted; the same command continues from here"))
        );
        // Whatever was asked, its answer was waited for and written down.
        assert_eq!(bench.windows_that_are(&["asked"]).len(), bench.questions().len());
        bench.goes_on(&expected, "interrupted");
    }
}

#[test]
fn two_processes_do_not_share_a_folder() {
    let bench = Bench::new(&[]);
    bench.emulator.faults().add(Fault::MissingFile.at(FETCH));
    let mut process = bench.ccfs.start(&bench.arguments);
    process.until("three questions", || bench.questions().len() == 3);
    let second = bench.ccfs.run(&bench.arguments);
    second.ends_with_code(1);
    assert_eq!(
        second.stderr,
        "error: another pull is running in out; wait for it, or pull into another folder\n"
    );
    // The lock of a killed process is gone with it.
    drop(process);
    bench.goes_on(&undisturbed(&[]), "after the first was killed");
}
