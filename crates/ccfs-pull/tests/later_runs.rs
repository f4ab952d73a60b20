//! Pulls into a folder that has files of earlier pulls: other formats, late data, another server.

use std::fs;
use std::io::{Cursor, Write as _};
use std::ops::ControlFlow;
use std::time::Duration;

use crate::support::{ASK, Bench, DRIVERS, Driver, FETCH, files, pace, plan, plan_of};
use ccfs_archive::{Charset, OnBadRow, ReadOptions};
use ccfs_driver::Clock;
use ccfs_emulator::Fault;
use ccfs_proto::{Now, ResultCode};
use ccfs_pull::{
    CheckedFile, FileFault, Format, JournalError, Outcome, Plan, Pull, PullError, PullEvent,
    PullSummary, Trouble, forget, verify,
};
use ccfs_tests::ManualClock;
use proptest::prelude::*;

const DAY: Duration = Duration::from_secs(24 * 3600);
const STEM: &str = "agentSkillInfo_20230401T000000_20230401T235959";

fn one_day() -> Plan {
    plan_of("2023-04-01", "2023-04-01")
}

/// Pulls, and returns the events, too.
fn pull(driver: Driver, bench: &Bench, plan: Plan) -> (PullSummary, Vec<PullEvent>) {
    let mut events = Vec::new();
    let pull = Pull::new(plan, bench.path()).pace(pace(2)).clock(bench.clock.clone());
    let pull = pull.on_event(|event| events.push(event.clone()));
    let summary = driver.run(pull, bench.session());
    (summary.unwrap(), events)
}

fn row(id: &str) -> String {
    format!("{id},devA,accA,1,8,300,2023-04-01 09:01:00,301,26,11;12,20250304000001,1,,0,,3\r\n")
}

fn archive(rows: &[&str]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file("20230402010203004005_agentSkillInfo.csv", options).unwrap();
    for id in rows {
        writer.write_all(row(id).as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn journal(bench: &Bench) -> String {
    fs::read_to_string(bench.path().join("ccfs-pull.journal")).unwrap()
}

fn faults(bench: &Bench) -> Vec<String> {
    let mut faults = Vec::new();
    verify(&bench.path(), |checked: CheckedFile| {
        let name = checked.path.file_name().unwrap().to_str().unwrap().to_owned();
        faults.extend(checked.fault.map(|fault| format!("{name} {fault}")));
    })
    .unwrap();
    faults
}

/// Several formats at once, and another one later, without a request to the server.
#[test]
fn formats_may_change_between_runs() {
    for driver in DRIVERS {
        let bench = Bench::new();
        let (summary, _) = pull(driver, &bench, plan());
        assert_eq!(summary.rows(), 160);
        bench.emulator.clear_logs();
        let both = || plan().convert(Format::Jsonl).convert(Format::Csv);
        let (summary, events) = pull(driver, &bench, both());
        assert!(bench.emulator.received().is_empty());
        assert_eq!((summary.asked, summary.resumed, summary.rows()), (0, 4, 160));
        let settled = events.iter().filter(|event| matches!(event, PullEvent::Settled(_)));
        assert_eq!(settled.count(), 4);
        for report in &summary.windows {
            assert!(report.is_changed());
            let names: Vec<_> =
                report.files.iter().map(|file| file.path.extension().unwrap()).collect();
            assert_eq!(names, ["jsonl", "csv"]);
            for file in &report.files {
                assert_eq!(file.bytes, fs::metadata(&file.path).unwrap().len());
            }
            let lines = fs::read_to_string(&report.files[1].path).unwrap().lines().count();
            assert_eq!(lines, 41);
        }
        // The converted files equal those of a pull that has these formats from the start.
        let fresh = Bench::new();
        pull(driver, &fresh, both());
        assert!(files(&bench.path()) == files(&fresh.path()));
        let (summary, events) = pull(driver, &bench, both());
        assert!(events.is_empty() && summary.windows.iter().all(|report| !report.is_changed()));
        assert_eq!(faults(&bench), Vec::<String>::new());

        // ZIPs are removed after the conversions; then they cannot be converted to another format.
        let (summary, _) = pull(driver, &bench, plan().convert(Format::Csv).keep_zip(false));
        assert_eq!(summary.rows(), 160);
        assert!(files(&bench.path()).keys().all(|name| !name.contains(".zip")));
        assert_eq!(faults(&bench), Vec::<String>::new(), "a removed ZIP is not missing");
        for report in &summary.windows {
            fs::remove_file(report.files[0].path.with_extension("jsonl")).unwrap();
        }
        assert_eq!(faults(&bench).len(), 4);
    }
}

/// A copy may be on a read-only medium: verifying writes nothing, and needs no lock file.
#[test]
fn verifying_changes_nothing() {
    let bench = Bench::new();
    pull(Driver::Blocking, &bench, plan().convert(Format::Csv));
    fs::remove_file(bench.path().join(".ccfs-pull.lock")).unwrap();
    let path = bench.path().join("ccfs-pull.journal");
    let torn = journal(&bench) + "{\"event\":";
    fs::write(&path, &torn).unwrap();
    let names = || fs::read_dir(bench.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let before: Vec<_> = names().collect();
    assert_eq!(faults(&bench), Vec::<String>::new());
    assert_eq!(names().collect::<Vec<_>>(), before);
    assert_eq!(journal(&bench), torn);
}

#[test]
fn a_missing_zip_is_reported_and_not_converted() {
    let bench = Bench::new();
    pull(Driver::Blocking, &bench, plan().convert(Format::Csv).keep_zip(false));
    bench.emulator.clear_logs();
    let jsonl = || plan().convert(Format::Jsonl);
    let (summary, events) = pull(Driver::Blocking, &bench, jsonl());
    assert!(events.iter().all(|event| matches!(event, PullEvent::ZipMissing(_))));
    assert_eq!((events.len(), summary.windows[0].files.len()), (4, 0));
    assert!(bench.emulator.received().is_empty());
    // If a window is requested again, files converted from its previous ZIP are removed.
    let day = "2023-04-02".parse().unwrap();
    let (summary, _) = pull(Driver::Blocking, &bench, jsonl().again(day, day));
    assert_eq!((summary.asked, summary.windows[0].files.len()), (1, 1));
    let first: Vec<String> =
        files(&bench.path()).into_keys().filter(|name| name.contains("20230401T")).collect();
    let ends: Vec<&str> = first.iter().map(|name| name.rsplit('.').next().unwrap()).collect();
    assert_eq!(ends, ["jsonl", "zip"]);
}

/// Late data: a period that ended shortly before it was fetched is requested again.
#[test]
fn late_data_is_fetched() {
    for driver in DRIVERS {
        let bench = Bench::at("2023-04-02T00:00:00Z", |builder| builder);
        let plan = || one_day().recheck_days(3).convert(Format::Jsonl);
        bench.emulator.serve_bytes(archive(&["a"]));
        let (summary, _) = pull(driver, &bench, plan());
        assert_eq!(summary.rows(), 1);

        bench.emulator.serve_bytes(archive(&["a", "late"]));
        bench.clock.wait(DAY);
        let (summary, _) = pull(driver, &bench, plan());
        let report = &summary.windows[0];
        assert_eq!((summary.asked, summary.rows(), report.is_changed()), (1, 2, true));
        assert_eq!(report.previous.unwrap().rows, 1);
        let text = fs::read_to_string(&report.files[0].path).unwrap();
        assert!(text.contains("late"));
        assert_eq!(faults(&bench), Vec::<String>::new());

        // Another pull changes nothing.
        bench.clock.wait(Duration::from_secs(12 * 3600));
        let (summary, _) = pull(driver, &bench, plan());
        assert_eq!((summary.asked, summary.windows[0].is_changed()), (1, false));
        // If the server now answers "no data", the existing file is kept.
        bench.emulator.faults().add(Fault::ErrorUnder200(ResultCode::NoData).at(ASK).times(1));
        let (summary, _) = pull(driver, &bench, plan());
        assert_eq!((summary.rows(), summary.windows[0].is_changed()), (2, false));
        let notes = ["the server has no data for it now; the former file is kept"];
        assert_eq!(summary.windows[0].notes, notes);
        // Three days after its end, a window is not requested again.
        bench.clock.wait(3 * DAY);
        pull(driver, &bench, plan());
        let (summary, _) = pull(driver, &bench, plan());
        assert_eq!(summary.asked, 0);
        assert_eq!(journal(&bench).matches("\"stored\"").count(), 4, "all fetches are recorded");
    }
}

#[test]
fn no_data_shortly_after_the_end_is_asked_again() {
    let bench = Bench::at("2023-04-02T00:00:00Z", |builder| builder);
    let fault = || Fault::ErrorUnder200(ResultCode::NoData).at(ASK).times(1);
    bench.emulator.faults().add(fault());
    let (summary, _) = pull(Driver::Blocking, &bench, one_day());
    assert_eq!(summary.windows[0].outcome, Outcome::NoData);
    bench.clock.wait(Duration::from_secs(20 * 3600));
    bench.emulator.faults().add(fault());
    let (summary, _) = pull(Driver::Blocking, &bench, one_day());
    assert_eq!((summary.asked, &summary.windows[0].outcome), (1, &Outcome::NoData));
    assert_eq!(pull(Driver::Blocking, &bench, one_day()).0.asked, 0, "28 hours after its end");
}

/// If a process dies while a window is requested again, the previous file is kept, and the next run replaces it.
#[test]
fn a_file_that_is_replaced_is_never_missing() {
    for driver in DRIVERS {
        let bench = Bench::new();
        bench.emulator.serve_bytes(archive(&["a"]));
        pull(driver, &bench, one_day());
        let zip = bench.path().join(format!("{STEM}.zip"));
        bench.emulator.serve_bytes(archive(&["a", "b"]));
        let day = "2023-04-01".parse().unwrap();
        for stop_at in 0..8 {
            let mut steps = 0;
            let stopping = |_: &_| {
                steps += 1;
                assert!(zip.exists());
                if steps > stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            drop(driver.watched(&bench, one_day().again(day, day), pace(1), None, stopping));
            assert!(zip.exists());
        }
        let (summary, _) = pull(driver, &bench, one_day());
        assert_eq!(summary.rows(), 2, "{driver:?}");
        assert!(fs::read(&zip).unwrap() == archive(&["a", "b"]));
        assert_eq!(faults(&bench), Vec::<String>::new());
    }
}

/// A ZIP is removed only if the files on disk allow it, and files that the journal does not have are neither
/// overwritten nor removed.
#[test]
fn the_disk_is_looked_at_before_a_zip_is_removed() {
    let jsonl = || one_day().convert(Format::Jsonl);
    for driver in DRIVERS {
        for damage in 0..4 {
            let bench = Bench::new();
            pull(driver, &bench, jsonl());
            let file = bench.path().join(format!("{STEM}.jsonl"));
            let good = fs::read(&file).unwrap();
            match damage {
                0 => fs::remove_file(&file).unwrap(),
                1 => fs::write(&file, b"").unwrap(),
                2 => fs::write(&file, &good[..10]).unwrap(),
                // The size is unchanged.
                _ => fs::write(&file, vec![b' '; good.len()]).unwrap(),
            }
            pull(driver, &bench, jsonl().keep_zip(false));
            let zip_is_there = bench.path().join(format!("{STEM}.zip")).exists();
            assert!(zip_is_there || fs::read(&file).unwrap() == good, "damage {damage}");
            assert_eq!(zip_is_there, damage == 3, "converted again if the damage is detected");
        }
    }
}

#[test]
fn a_failed_refetch_changes_nothing() {
    let bad = || {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file("20230402010203004005_agentSkillInfo.csv", options).unwrap();
        writer.write_all(format!("{}bad,row\r\n", row("a")).as_bytes()).unwrap();
        writer.finish().unwrap().into_inner()
    };
    let day = "2023-04-01".parse().unwrap();
    for driver in DRIVERS {
        let bench = Bench::new();
        let plan = || one_day().convert(Format::Jsonl);
        bench.emulator.serve_bytes(archive(&["a"]));
        pull(driver, &bench, plan());
        let before = files(&bench.path());
        bench.emulator.serve_bytes(bad());
        let (summary, _) = pull(driver, &bench, plan().again(day, day));
        assert_eq!(summary.failed().count(), 1);
        let mut after = files(&bench.path());
        assert_eq!(after.remove(&format!("{STEM}.rejected.zip")), Some(bad()));
        assert!(after == before);
        assert_eq!(faults(&bench), Vec::<String>::new());
        // The server is repaired; the job of the failed request is left alone with `again`.
        bench.emulator.serve_bytes(archive(&["a", "b"]));
        let (summary, _) = pull(driver, &bench, plan().again(day, day));
        assert_eq!((summary.rows(), summary.asked, summary.failed().count()), (2, 1, 0));
        assert_eq!(files(&bench.path()).len(), 2);
    }
}

#[test]
fn files_of_others_are_left_alone() {
    let day = "2023-04-01".parse().unwrap();
    for driver in DRIVERS {
        let bench = Bench::new();
        pull(driver, &bench, one_day());
        let csv = bench.path().join(format!("{STEM}.csv"));
        fs::write(&csv, "precious").unwrap();
        let (summary, _) = pull(driver, &bench, one_day().convert(Format::Csv));
        let why = summary.failed().next().unwrap().1;
        assert!(why.contains("already exists"), "{why}");
        assert!(summary.windows[0].files.is_empty());
        let again = one_day().convert(Format::Csv).again(day, day);
        let error = driver.pull(&bench, again, 1).unwrap_err();
        assert!(matches!(&error, PullError::Foreign { path } if *path == csv), "{error}");
        assert_eq!(fs::read(&csv).unwrap(), b"precious");

        // A ZIP that was removed exists again, from a backup or as another file.
        let bench = Bench::new();
        pull(driver, &bench, one_day());
        let zip = bench.path().join(format!("{STEM}.zip"));
        let bytes = fs::read(&zip).unwrap();
        let jsonl = || one_day().convert(Format::Jsonl);
        pull(driver, &bench, jsonl().keep_zip(false));
        for (content, converts) in [(&bytes[..], true), (b"other", false)] {
            fs::write(&zip, content).unwrap();
            let (_, events) = pull(driver, &bench, one_day().convert(Format::Csv));
            assert_eq!(fs::read(&zip).unwrap(), content);
            assert_eq!(
                events.iter().any(|event| matches!(event, PullEvent::ZipMissing(_))),
                !converts,
                "{events:?}"
            );
            // The journal has the ZIP again only after a conversion.
            forget_csv(&bench);
        }
    }
}

/// Removes the CSV and its line, so that it is to be converted again.
fn forget_csv(bench: &Bench) {
    let text = journal(bench);
    let lines = text.split_inclusive('\n').filter(|line| !line.contains("\"csv\""));
    let kept = lines.collect::<Vec<_>>().concat();
    fs::write(bench.path().join("ccfs-pull.journal"), kept).unwrap();
    let _ = fs::remove_file(bench.path().join(format!("{STEM}.csv")));
}

/// A request that the server refuses for its range fails alone, in this run and in later ones.
#[test]
fn a_refused_period_fails_alone() {
    for (driver, code) in DRIVERS.into_iter().flat_map(|driver| {
        let codes = ["0300004", "0300013", "0300014", "0300028"];
        codes.map(|code| (driver, ResultCode::from(code)))
    }) {
        let bench = Bench::new();
        bench.emulator.faults().add(Fault::ErrorUnder200(code.clone()).at(ASK).times(1));
        let (summary, _) = pull(driver, &bench, plan());
        assert_eq!((summary.failed().count(), summary.rows()), (1, 120), "{code:?}");
        let (window, why) = summary.failed().next().unwrap();
        assert!(why.contains(code.as_str()), "{why}");
        assert_eq!(bench.emulator.files().len(), 3, "refused once");

        // Another range: the period is listed, and not requested.
        bench.emulator.clear_logs();
        let later = || plan_of("2023-04-11", "2023-04-12");
        let (summary, events) = pull(driver, &bench, later());
        assert_eq!((summary.asked, summary.failed().count()), (1, 0));
        let before: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                PullEvent::FailedBefore { window, .. } => Some(*window),
                _ => None,
            })
            .collect();
        assert_eq!(before, [window]);
        let (from, to) = (window.begin().day(), window.end().day());
        let now = "2023-04-21T00:00:00Z".parse().unwrap();
        assert_eq!(forget(&bench.path(), from, to, now).unwrap(), [window]);
        let (_, events) = pull(driver, &bench, later());
        assert!(events.is_empty(), "{events:?}");
        // In the range, it is requested again, in windows of today's length.
        let (summary, _) = pull(driver, &bench, plan().window_days(1));
        assert_eq!((summary.asked, summary.rows()), (3, 240));
    }
}

#[test]
fn a_folder_may_move_to_another_server() {
    for driver in DRIVERS {
        let bench = Bench::new();
        pull(driver, &bench, one_day());
        let other = bench.another().start().unwrap();
        let session = || {
            ccfs_driver::Config::new(other.endpoint().clone(), other.credentials())
                .proxy(None)
                .policy(crate::support::policy())
                .clock(bench.clock.clone())
        };
        let run = |plan: Plan| {
            let pull = Pull::new(plan, bench.path()).pace(pace(2)).clock(bench.clock.clone());
            driver.run(pull, session())
        };
        let error = run(plan()).unwrap_err();
        assert!(
            matches!(
                error,
                PullError::Journal(JournalError::OtherPlan { moves: true, what: "server", .. })
            ),
            "{error}"
        );
        let summary = run(plan().moved(true)).unwrap();
        assert_eq!((summary.resumed, summary.failed().count()), (1, 0));
        assert_eq!(run(plan()).unwrap().asked, 0, "recorded once and for all");
        other.shutdown();
    }
}

/// A clock that is ahead of another by some milliseconds.
#[derive(Clone, Debug)]
struct WrongClock(ManualClock, i64);

impl Clock for WrongClock {
    fn now(&self) -> Now {
        let now = self.0.now();
        Now { wall: now.wall.plus_millis(self.1), ..now }
    }

    fn wait(&self, duration: Duration) -> bool {
        self.0.wait(duration)
    }
}

/// If the local clock is days off, the first attempt already uses the server's day in the file's name.
#[test]
fn a_clock_that_is_off_by_days_is_reported_and_loses_nothing() {
    for (driver, days) in DRIVERS.into_iter().flat_map(|driver| [(driver, -9_i64), (driver, 9)]) {
        let bench = Bench::new();
        let wrong = WrongClock(bench.clock.clone(), days * 86_400_000);
        let mut events = Vec::new();
        let plan = plan_of("2023-04-01", "2023-04-02");
        let session = ccfs_driver::Config::new(
            bench.emulator.endpoint().clone(),
            bench.emulator.credentials(),
        )
        .proxy(None)
        .policy(crate::support::policy())
        .clock(wrong.clone());
        let pull =
            Pull::new(plan, bench.path()).clock(wrong).on_event(|event| events.push(event.clone()));
        let summary = driver.run(pull, session);
        assert_eq!(summary.unwrap().rows(), 40);
        assert_eq!(bench.requests(FETCH), 1, "{days}");
        let told = events.iter().find_map(|event| match event {
            PullEvent::ClockSkew(millis) => Some(*millis),
            _ => None,
        });
        let off = told.unwrap() + days * 86_400_000;
        assert!(off.abs() <= 2000, "{off} ms");
    }
}

/// A failure is reported immediately as an event, with the next attempt and when the pull gives up.
#[test]
fn failures_are_events() {
    for driver in DRIVERS {
        let bench = Bench::new();
        bench.emulator.faults().add(Fault::CloseBeforeAnswer.at(ASK).times(2));
        let (summary, events) = pull(driver, &bench, one_day());
        assert_eq!(summary.rows(), 40);
        let failures: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                PullEvent::Failed(failure) => Some(failure),
                _ => None,
            })
            .collect();
        assert!(!failures.is_empty() && failures[0].trouble == Trouble::Unanswered, "{events:?}");
        let outage = failures[0].outage.unwrap();
        assert_eq!(
            (outage.next_attempt, outage.gives_up),
            (Duration::from_secs(5), Duration::from_secs(60))
        );
        assert!(events.iter().any(|event| matches!(event, PullEvent::Recovered(_))), "{events:?}");
    }
}

#[test]
fn changes_on_disk_are_found() {
    let bench = Bench::new();
    pull(Driver::Blocking, &bench, plan().convert(Format::Csv));
    assert_eq!(faults(&bench), Vec::<String>::new());
    let names: Vec<String> = files(&bench.path()).into_keys().collect();
    let path = |at: usize| bench.path().join(&names[at]);
    fs::remove_file(path(0)).unwrap();
    fs::write(path(1), b"short").unwrap();
    let mut bytes = fs::read(path(3)).unwrap();
    bytes[20] ^= 1;
    fs::write(path(3), bytes).unwrap();
    let faults = faults(&bench);
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults[0].contains("has 5 bytes, expected"), "{faults:?}");
    assert_eq!(faults[1], format!("{} is missing", names[0]));
    assert!(faults[2].ends_with("does not match the SHA-256 in the journal"), "{faults:?}");
    assert!(matches!(
        verify(&bench.path().join("nowhere"), |_| {}).unwrap_err(),
        PullError::Folder { .. }
    ));
    let missing = FileFault::Missing.to_string();
    assert_eq!(missing, "is missing");
}

/// A ZIP is removed only if this run read the same counts from it that the journal has.
#[test]
fn a_zip_that_is_read_differently_is_kept() {
    let mut text = row("a").into_bytes();
    text.extend(row("b").replace("accA", "##").into_bytes());
    // A character in GBK.
    for at in 0..text.len() - 1 {
        if &text[at..at + 2] == b"##" {
            text[at..at + 2].copy_from_slice(b"\xD6\xD0");
        }
    }
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file("20230402010203004005_agentSkillInfo.csv", options).unwrap();
    writer.write_all(&text).unwrap();
    let zip = writer.finish().unwrap().into_inner();
    for driver in DRIVERS {
        let bench = Bench::new();
        bench.emulator.serve_bytes(zip.clone());
        let (summary, _) = pull(driver, &bench, one_day());
        assert_eq!(summary.rows(), 2);
        let plan = || one_day().convert(Format::Csv).keep_zip(false);
        let skipping = ReadOptions::new().charset(Charset::Utf8).on_bad_row(OnBadRow::Skip);
        let (summary, _) = pull(driver, &bench, plan().read_options(skipping));
        let why = format!("{:?}", summary.windows[0]);
        assert!(why.contains("1 rows, 1 bad rows") && why.contains("2 rows, 0 bad"), "{why}");
        let names: Vec<String> = files(&bench.path()).into_keys().collect();
        assert_eq!(names, [format!("{STEM}.zip")]);

        fs::write(bench.path().join(&names[0]), archive(&["another"])).unwrap();
        let (summary, _) = pull(driver, &bench, plan());
        let why = format!("{:?}", summary.windows[0]);
        assert!(why.contains("not the file that was stored"), "{why}");
        assert_eq!(faults(&bench).len(), 1);

        fs::write(bench.path().join(&names[0]), &zip).unwrap();
        pull(driver, &bench, plan());
        let names: Vec<String> = files(&bench.path()).into_keys().collect();
        assert_eq!(names, [format!("{STEM}.csv")]);
    }
}

/// A changed file is requested again, and what the server sends replaces it.
#[test]
fn again_replaces_a_changed_file() {
    let day = "2023-04-01".parse().unwrap();
    for driver in DRIVERS {
        let bench = Bench::new();
        bench.emulator.serve_bytes(archive(&["a"]));
        pull(driver, &bench, one_day());
        fs::write(bench.path().join(format!("{STEM}.zip")), archive(&["x", "y"])).unwrap();
        pull(driver, &bench, one_day().again(day, day));
        assert_eq!(files(&bench.path()).into_values().collect::<Vec<_>>(), [archive(&["a"])]);
        assert_eq!(faults(&bench), Vec::<String>::new());
    }
}

/// The job ID of an earlier run is not accepted for another day.
#[test]
fn a_job_of_an_earlier_run_is_refused_for_another_day() {
    // Emulators with the same seed give the same IDs in the same order.
    let (bench, other) = (Bench::new(), Bench::new());
    let next_day = || plan_of("2023-04-02", "2023-04-02");
    pull(Driver::Blocking, &bench, one_day());
    pull(Driver::Blocking, &other, one_day());
    let first = journal(&bench);
    pull(Driver::Blocking, &other, next_day());
    let id = |journal: &str| {
        let (_, rest) = journal.rsplit_once("\"id\":\"").unwrap();
        rest[..32].to_owned()
    };
    let repeated = first.replace(&id(&first), &id(&journal(&other)));
    fs::write(bench.path().join("ccfs-pull.journal"), repeated).unwrap();
    let (summary, _) = pull(Driver::Blocking, &bench, next_day());
    let failed = format!("{:?}", summary.failed().next().expect("it is refused"));
    assert!(failed.contains("returned the job") && failed.contains("window 20230401T"), "{failed}");
}

/// A request that failed is reported by runs with other ranges, and its rejected file stays.
#[test]
fn a_failed_refetch_is_reported_later() {
    let day = "2023-04-01".parse().unwrap();
    let bench = Bench::new();
    bench.emulator.serve_bytes(archive(&["a"]));
    pull(Driver::Blocking, &bench, one_day());
    bench.emulator.serve_bytes(archive(&["bad,"]));
    pull(Driver::Blocking, &bench, one_day().convert(Format::Csv).again(day, day));
    let rejected = bench.path().join(format!("{STEM}.rejected.zip"));
    assert!(rejected.exists());
    bench.emulator.serve_bytes(None);
    for _ in 0..2 {
        let (_, events) = pull(Driver::Blocking, &bench, plan_of("2023-04-03", "2023-04-03"));
        let is_it = |event: &PullEvent| matches!(event, PullEvent::FailedBefore { window, .. } if window.begin().day() == day);
        assert!(events.iter().any(is_it), "{events:?}");
        assert!(rejected.exists());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the settings of the pulls into one folder, in the end it has what the last one wants, and the journal
    /// agrees with the disk.
    #[test]
    fn any_sequence_of_pulls_ends_right(
        runs in prop::collection::vec((any::<[bool; 4]>(), 1_u8..4, 0_u16..4, any::<bool>(), prop::sample::select(DRIVERS.to_vec())), 1..5),
    ) {
        let bench = Bench::at("2023-04-05T00:00:00Z", |builder| builder);
        for ([jsonl, csv, parquet, keep], days, recheck, again, driver) in runs {
            let parquet = parquet && cfg!(feature = "parquet");
            let mut plan = plan_of("2023-04-01", "2023-04-04").recheck_days(recheck).keep_zip(keep);
            if parquet {
                plan = plan.convert(Format::Parquet);
            } else {
                plan = plan.window_days(days);
            }
            if jsonl {
                plan = plan.convert(Format::Jsonl);
            }
            if csv {
                plan = plan.convert(Format::Csv);
            }
            if again {
                plan = plan.again("2023-04-02".parse().unwrap(), "2023-04-03".parse().unwrap());
            }
            let (summary, events) = pull(driver, &bench, plan);
            prop_assert_eq!(summary.failed().count(), 0);
            prop_assert_eq!(faults(&bench), Vec::<String>::new());
            let lost: Vec<_> = events.iter().filter_map(|event| match event {
                PullEvent::ZipMissing(window) => Some(*window),
                _ => None,
            }).collect();
            let is_long = |event: &PullEvent, of| matches!(event, PullEvent::SeveralDays(window) if *window == of);
            for report in &summary.windows {
                let is_long = events.iter().any(|event| is_long(event, report.window));
                prop_assert_eq!(is_long, parquet && report.window.begin().day() != report.window.end().day());
                let wanted = usize::from(jsonl) + usize::from(csv) + usize::from(parquet && !is_long);
                // Without a format, the ZIP may have been removed by an earlier pull.
                if wanted > 0 && !lost.contains(&report.window) {
                    prop_assert_eq!(report.files.len(), wanted);
                }
                for file in &report.files {
                    prop_assert_eq!(file.bytes, fs::metadata(&file.path).unwrap().len());
                }
            }
            bench.clock.wait(Duration::from_secs(3600 * 10));
        }
    }
}
