//! `ccfs pull` killed at every step, and out of disk at many sizes: started again, it ends as if nothing had been.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Instant;

use ccfs_emulator::{Emulator, Fault, FaultRule};
use ccfs_tests::TEST_TIMEOUT;
use serde_json::Value;
use support::Ccfs;

/// Three windows.
const RANGE: [&str; 7] = ["pull", "--from", "2023-04-01", "--to", "2023-04-07", "--out", "out"];
const ASK: &str = "queryAgentSkillInfoData";
const FETCH: &str = "downloadAgentSkillInfoFile";
/// Each window is asked for and downloaded.
const REQUESTS: u32 = 6;
/// Before the last download, if ZIPs are kept: the header, for two windows about to ask, asked, stored, and two lines of
/// the last one. If ZIPs are removed, two more lines say so.
const LINES: usize = 9;
/// In their order, as names of files have them.
const WINDOWS: [&str; 3] = [
    "20230401T000000_20230403T235959",
    "20230404T000000_20230406T235959",
    "20230407T000000_20230407T235959",
];

type Files = BTreeMap<String, Vec<u8>>;

struct Bench {
    emulator: Emulator,
    ccfs: Ccfs,
    arguments: Vec<&'static str>,
}

impl Bench {
    fn new(more: &[&'static str]) -> Self {
        let emulator =
            Emulator::builder().rows(300).lockout(None).same_files(true).start().unwrap();
        let ccfs = Ccfs::against(&emulator).env("CCFS_TZ", "Asia/Shanghai");
        Self { emulator, ccfs, arguments: [&RANGE[..], more].concat() }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.ccfs.path("out").join(name)
    }

    /// Everything in the folder but the journal and the lock.
    fn files(&self) -> Files {
        let names = self.ccfs.files("out").into_iter().filter(|name| !name.contains("ccfs-pull."));
        names.map(|name| (name.clone(), fs::read(self.out(&name)).unwrap())).collect()
    }

    /// The whole lines of the journal.
    fn journal(&self) -> Vec<String> {
        let text = fs::read_to_string(self.out("ccfs-pull.journal")).unwrap_or_default();
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(str::to_owned).collect()
    }

    /// Lets so many requests through; the ones after them are never answered, so that nobody gets past them.
    fn answers(&self, requests: u32) {
        self.emulator.faults().clear();
        if requests > 0 {
            self.emulator.faults().add(FaultRule::from(Fault::Pass).times(requests));
        }
        self.emulator.faults().add(Fault::Silent);
    }

    /// Starts the pull and kills it with SIGKILL as soon as `now` says so. False when it was over before.
    fn kill_when(&self, mut now: impl FnMut() -> bool) -> bool {
        let mut process = self.ccfs.start(&self.arguments);
        let started = Instant::now();
        loop {
            if now() {
                drop(process);
                return true;
            }
            if process.is_over() {
                // Since the look before it may have come to that and to its end.
                return now();
            }
            assert!(started.elapsed() < TEST_TIMEOUT, "it does not get there");
            // No sleep: what is waited for may be there for a moment only.
            thread::yield_now();
        }
    }

    /// How often each window was asked for.
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

    /// The events in the journal, each with the beginning of its window.
    fn events(&self) -> Vec<(String, Value)> {
        let lines = self
            .journal()
            .into_iter()
            .skip(1)
            .map(|line| serde_json::from_str::<Value>(&line).unwrap());
        lines.map(|line| (line["window"].as_str().unwrap()[..15].replace('T', ""), line)).collect()
    }

    /// The windows whose last line, without the failures, is of that kind; by the beginning of the window.
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

    /// Runs it once more, undisturbed: the same files as ever, and nothing was asked for that the journal knew.
    ///
    /// What dead processes had sent, the server may read after their death: then it is one more that nobody heard the answer of.
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
            // A file that is there although no line says so may do, and may have been asked for by a process that died of it.
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

/// What an undisturbed pull makes.
fn undisturbed(more: &[&'static str]) -> Files {
    let bench = Bench::new(more);
    bench.ccfs.run(&bench.arguments).ends_with_code(0);
    let files = bench.files();
    assert!(files.len() >= 3);
    files
}

/// The server has taken the k-th request, and the answer is on its way: the process dies before it is there.
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
            // Only a question whose answer nobody saw was asked again: every other request is one.
            let total: usize = bench.questions().values().sum();
            assert_eq!(total, 3 + (k as usize % 2), "request {k}, {asked} asked before");
        }
    }
}

/// A line has come to the disk, and what follows from it has not happened yet.
#[test]
fn killed_at_every_line_of_the_journal() {
    for backend in ["blocking", "async"] {
        for (keeps_zip, all_lines) in [(true, LINES), (false, LINES + 2)] {
            let mut more = vec!["--in-flight", "1", "--convert", "jsonl", "--backend", backend];
            more.extend((!keeps_zip).then_some("--no-zip"));
            let expected = undisturbed(&more);
            assert_eq!(expected.keys().any(|name| name.contains(".zip")), keeps_zip);
            for lines in 1..=all_lines {
                let bench = Bench::new(&more);
                // The last download does not end, so it is not over whenever this thread has time to look.
                bench.answers(REQUESTS - 1);
                let at = format!("line {lines}, {backend}, keeps ZIPs: {keeps_zip}");
                assert!(bench.kill_when(|| bench.journal().len() >= lines), "{at}");
                bench.goes_on(&expected, &at);
            }
        }
    }
}

/// A file has come to the folder: half of it, all of it, or what it was converted into.
#[test]
fn killed_at_every_file() {
    ["blocking", "async"].into_iter().for_each(killed_at_every_file_over);
}

fn killed_at_every_file_over(backend: &'static str) {
    let more = ["--in-flight", "1", "--convert", "jsonl", "--no-zip", "--backend", backend];
    let expected = undisturbed(&more);
    for (before, window) in (0..).zip(WINDOWS) {
        for ending in ["zip.part", "zip", "jsonl.part", "jsonl"] {
            let bench = Bench::new(&more);
            if ending == "zip.part" {
                if before > 0 {
                    bench.emulator.faults().add(Fault::Pass.at(FETCH).times(before));
                }
                bench.emulator.faults().add(Fault::Stall.at(FETCH));
            }
            let (name, part) = match ending.strip_suffix(".part") {
                Some(kind) => (format!(".agentSkillInfo_{window}.{kind}."), true),
                None => (format!("agentSkillInfo_{window}.{ending}"), false),
            };
            let there = || {
                let mut names = fs::read_dir(bench.ccfs.path("out"))
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.file_name());
                names.any(|found| {
                    found.to_str().is_some_and(|found| {
                        if part { found.starts_with(&name) } else { found == name }
                    })
                })
            };
            // What is there for a moment only may be missed; then the pull is over, and going on finds nothing to do.
            let seen = bench.kill_when(there);
            assert!(
                seen || ["zip", "jsonl.part"].contains(&ending),
                "{window}.{ending} never came"
            );
            bench.goes_on(&expected, &format!("{window}.{ending}"));
        }
    }
}

/// Several windows under way at once, some of them answered: the journal alone says what is known.
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
    // Each time a line further, or two; whoever is always killed at once gets nowhere, so it is a dozen times.
    let killed = (0..12).map(|_| {
        let lines = bench.journal().len();
        // One of them may go to a request that a dead process has left behind.
        bench.answers(2);
        bench.kill_when(|| bench.journal().len() > lines + 1)
    });
    let killed = killed.filter(|killed| *killed).count();
    // Two of six requests each: the first two processes surely, and the third if it comes to it.
    assert!(killed >= 2, "killed {killed} times");
    bench.goes_on(&expected, "killed a dozen times");
}

/// The disk is full at many sizes that a file of this pull goes through: the journal, a ZIP, what it is converted into.
#[test]
fn out_of_disk_at_many_sizes() {
    ["blocking", "async"].into_iter().for_each(out_of_disk_at_many_sizes_over);
}

fn out_of_disk_at_many_sizes_over(backend: &'static str) {
    let more = ["--in-flight", "1", "--convert", "jsonl", "--backend", backend];
    let expected = undisturbed(&more);
    let largest = expected.values().map(Vec::len).max().unwrap();
    let blocks = largest.div_ceil(512);
    let sizes = (0..8).chain((8..blocks).step_by(41)).chain([blocks - 1]);
    for size in sizes {
        let bench = Bench::new(&more);
        // A limit on the size of files stands for the disk's end: writes beyond it fail, and the signal that tells of them is ignored.
        let script = format!("trap '' XFSZ; ulimit -f {size}; exec \"$@\"");
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

/// Ctrl-C ends it in good order, and the next run goes on.
#[test]
fn interrupted_in_good_order() {
    for (backend, signal, code) in [("blocking", "-INT", 130), ("async", "-TERM", 143)] {
        let more = ["--in-flight", "2", "--backend", backend];
        let expected = undisturbed(&more);
        let bench = Bench::new(&more);
        // It waits for files that are not there.
        bench.emulator.faults().add(Fault::MissingFile.at(FETCH));
        let mut process = bench.ccfs.start(&bench.arguments);
        process.until("two questions", || bench.questions().len() >= 2);
        let killed =
            Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(process.wait(), Some(code));
        // On a slow machine it first says what it waits for.
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
