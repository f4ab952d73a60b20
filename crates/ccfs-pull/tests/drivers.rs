//! Both drivers against the emulator.

use std::fs;
use std::io::{Cursor, Write};
use std::ops::ControlFlow;
use std::time::Duration;

use crate::support::{ASK, Bench, DRIVERS, Driver, FETCH, files, pace, plan, plan_of};
use ccfs_emulator::Fault;
use ccfs_pull::{Format, JournalError, Outcome, Plan, Pull, PullError, PullSummary, Zone};

/// Pulls with the blocking driver.
fn pull(bench: &Bench, plan: Plan, in_flight: usize) -> Result<PullSummary, PullError> {
    Driver::Blocking.pull(bench, plan, in_flight)
}

/// Returns the files of an uninterrupted pull.
fn undisturbed(plan: Plan) -> std::collections::BTreeMap<String, Vec<u8>> {
    let bench = Bench::new();
    pull(&bench, plan, 1).unwrap();
    files(&bench.path())
}

#[test]
fn a_range_is_stored_once() {
    for (driver, in_flight) in DRIVERS.into_iter().flat_map(|driver| [(driver, 1), (driver, 4)]) {
        let bench = Bench::new();
        let summary = driver.pull(&bench, plan(), in_flight).unwrap();
        assert_eq!(
            (summary.windows.len(), summary.rows(), summary.asked, summary.resumed),
            (4, 160, 4, 0)
        );
        assert_eq!(summary.left_from, None);
        let names: Vec<_> = files(&bench.path()).into_keys().collect();
        assert_eq!(names[0], "agentSkillInfo_20230401T000000_20230403T235959.zip");
        assert_eq!(names[3], "agentSkillInfo_20230410T000000_20230410T235959.zip");
        assert_eq!(files(&bench.path()), undisturbed(plan()));

        // A second pull sends no request and reports the same.
        bench.emulator.clear_logs();
        let again = driver.pull(&bench, plan(), in_flight).unwrap();
        assert_eq!((again.rows(), again.asked, again.resumed), (160, 0, 4));
        assert!(bench.emulator.received().is_empty());
    }
}

#[test]
fn a_longer_range_requests_only_new_windows() {
    let bench = Bench::new();
    pull(&bench, plan(), 2).unwrap();
    bench.emulator.clear_logs();
    let summary = pull(&bench, plan_of("2023-03-30", "2023-04-12"), 2).unwrap();
    assert_eq!((summary.windows.len(), summary.asked, summary.resumed), (6, 2, 4));
    let asked: Vec<_> = bench.questions().into_keys().collect();
    assert_eq!(
        asked,
        ["2023-03-30 00:00:00 2023-03-31 23:59:59", "2023-04-11 00:00:00 2023-04-12 23:59:59"]
    );
}

#[test]
fn only_days_that_are_over_are_asked_for() {
    let bench = Bench::new();
    let summary = pull(&bench, plan_of("2023-04-18", "2023-04-25"), 2).unwrap();
    assert_eq!(summary.left_from.unwrap().to_string(), "2023-04-20");
    assert_eq!(
        bench.questions().into_keys().collect::<Vec<_>>(),
        ["2023-04-18 00:00:00 2023-04-19 23:59:59"]
    );
    let summary = pull(&bench, plan_of("2023-04-20", "2023-04-20"), 2).unwrap();
    assert_eq!((summary.windows.len(), summary.asked), (0, 0));
}

#[test]
fn a_slow_file_is_waited_for() {
    let bench = Bench::with(|builder| builder.ready_after(Duration::from_secs(600)));
    let summary = pull(&bench, plan(), 2).unwrap();
    assert_eq!((summary.rows(), summary.asked), (160, 4));
    assert!(bench.requests(FETCH) < 80, "{} looks: the pauses grow", bench.requests(FETCH));
}

/// The day in the name is that of the server's time zone, which differs from the tenant's.
#[test]
fn the_servers_day_is_found() {
    // 23:30 of the 19th in Shanghai is noon and more in California, where the tenant is thought to be; and the other way round.
    for (zone, offset, time) in [
        ("America/Los_Angeles", 8 * 3600, "2023-04-19T23:30:00Z"),
        ("Pacific/Kiritimati", -11 * 3600, "2023-04-20T10:30:00Z"),
        ("Asia/Shanghai", 8 * 3600, "2023-04-19T15:59:59Z"),
        ("Asia/Shanghai", 0, "2023-04-19T23:59:59Z"),
    ] {
        let bench = Bench::at(time, |builder| builder.utc_offset(offset));
        let plan = Plan::new(
            ccfs_archive::IndexKind::AgentSkillInfo,
            Zone::named(zone).unwrap(),
            "2023-04-01".parse().unwrap(),
            "2023-04-10".parse().unwrap(),
        );
        let summary = pull(&bench, plan, 1).unwrap();
        assert_eq!((summary.rows(), summary.asked), (160, 4), "{zone}");
        // After the first file, this day is tried first.
        assert!(bench.requests(FETCH) <= 10, "{zone}: {} looks", bench.requests(FETCH));
    }
}

#[test]
fn records_are_converted_and_the_zip_may_go() {
    let plan = || plan().convert(Format::Jsonl).keep_zip(false);
    let bench = Bench::new();
    let summary = pull(&bench, plan(), 2).unwrap();
    let files = files(&bench.path());
    let endings: Vec<_> = files.keys().map(|name| name.rsplit('.').next().unwrap()).collect();
    assert_eq!(endings, ["jsonl"; 4]);
    for report in &summary.windows {
        let text = fs::read_to_string(&report.files[0].path).unwrap();
        assert_eq!(text.lines().count(), 40);
        assert!(text.contains("+08:00"));
    }
}

#[test]
fn no_data_is_an_answer() {
    let bench = Bench::new();
    bench
        .emulator
        .faults()
        .add(Fault::ErrorUnder200(ccfs_proto::ResultCode::NoData).at(ASK).times(1));
    let summary = pull(&bench, plan(), 1).unwrap();
    assert_eq!(summary.windows[0].outcome, Outcome::NoData);
    assert_eq!((summary.rows(), summary.failed().count(), files(&bench.path()).len()), (120, 0, 3));
    assert_eq!(pull(&bench, plan(), 1).unwrap().asked, 0, "and it is remembered");

    let bench = Bench::with(|builder| builder.rows(0));
    let summary = pull(&bench, plan(), 1).unwrap();
    assert_eq!((summary.rows(), summary.failed().count(), files(&bench.path()).len()), (0, 0, 4));
}

#[test]
fn two_pulls_into_one_folder_do_not_meet() {
    let bench = Bench::new();
    let mut refused = 0;
    let summary = Pull::new(plan(), bench.path())
        .clock(bench.clock.clone())
        .progress(|_| {
            let other = pull(&bench, plan(), 1).unwrap_err();
            assert!(matches!(&other, PullError::Busy { path } if *path == bench.path()), "{other}");
            assert!(other.to_string().contains(bench.path().to_str().unwrap()));
            refused += 1;
            ControlFlow::Continue(())
        })
        .run(&bench.client())
        .unwrap();
    assert!(refused > 4);
    assert_eq!((summary.asked, summary.rows()), (4, 160));
    assert!(bench.questions().values().all(|times| *times == 1));
}

#[test]
fn another_plan_is_refused_with_what_to_do() {
    let bench = Bench::new();
    pull(&bench, plan(), 1).unwrap();
    bench.emulator.clear_logs();
    let berlin = Plan::new(
        ccfs_archive::IndexKind::AgentSkillInfo,
        Zone::named("Europe/Berlin").unwrap(),
        "2023-04-01".parse().unwrap(),
        "2023-04-10".parse().unwrap(),
    );
    for (plan, what) in [
        (berlin, "time zone: Asia/Shanghai, now Europe/Berlin"),
        (plan().account_id("1"), "tenant space: none, now 1"),
    ] {
        let refused = pull(&bench, plan, 1).unwrap_err();
        assert!(matches!(refused, PullError::Journal(JournalError::OtherPlan { .. })));
        let message = refused.to_string();
        assert!(message.contains(what) && message.contains("into another folder"), "{message}");
    }
    assert!(bench.emulator.received().is_empty());
}

/// Nothing was accepted, so a pull with another zone needs no other folder.
#[test]
fn another_plan_takes_over_where_nothing_has_come_of_the_first() {
    let berlin = || {
        Plan::new(
            ccfs_archive::IndexKind::AgentSkillInfo,
            Zone::named("Europe/Berlin").unwrap(),
            "2023-04-01".parse().unwrap(),
            "2023-04-10".parse().unwrap(),
        )
    };
    let bench = Bench::new();
    bench.emulator.faults().add(Fault::Unauthorized.times(1));
    let refused = pull(&bench, berlin(), 1).unwrap_err();
    assert!(matches!(refused, PullError::Call { .. }), "{refused}");
    assert_eq!(pull(&bench, plan(), 1).unwrap().rows(), 160);
    assert!(files(&bench.path()) == undisturbed(plan()));
    let refused = pull(&bench, berlin(), 1).unwrap_err();
    assert!(
        matches!(refused, PullError::Journal(JournalError::OtherPlan { moves: false, .. })),
        "from then on it counts: {refused}"
    );
}

#[test]
fn a_wrong_key_costs_one_bad_signature() {
    for driver in DRIVERS {
        let bench = Bench::new();
        bench.emulator.faults().add(Fault::Unauthorized);
        let refused = driver.pull(&bench, plan(), 4).unwrap_err();
        assert!(matches!(refused, PullError::Call { .. }), "{refused}");
        assert_eq!(bench.emulator.received().len(), 1);
    }
}

#[test]
fn windows_of_removed_files_are_reported_and_not_requested_again() {
    let bench = Bench::new();
    pull(&bench, plan(), 1).unwrap();
    let taken = bench.path().join("agentSkillInfo_20230401T000000_20230403T235959.zip");
    fs::remove_file(&taken).unwrap();
    bench.emulator.clear_logs();
    let summary = pull(&bench, plan(), 1).unwrap();
    let told: Vec<bool> = summary.windows.iter().map(|report| !report.files.is_empty()).collect();
    assert_eq!(told, [false, true, true, true]);
    assert!(bench.emulator.received().is_empty() && !taken.exists());
}

#[test]
fn a_strangers_file_is_left_alone() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path()).unwrap();
    let file = bench.path().join("agentSkillInfo_20230404T000000_20230406T235959.zip");
    fs::write(&file, "mine").unwrap();
    let refused = pull(&bench, plan(), 1).unwrap_err();
    assert!(matches!(&refused, PullError::Foreign { path } if *path == file), "{refused}");
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    assert!(bench.emulator.received().is_empty());
}

#[test]
fn any_fault_leads_to_the_same_files() {
    let expected = undisturbed(plan());
    for (fault, asked) in [
        (Fault::Busy(1).at(ASK).times(5), 4),
        (Fault::Busy(1).at(FETCH).times(5), 4),
        (Fault::FlowControl.at(ASK).times(9), 4),
        (Fault::FlowControl.at(FETCH).times(9), 4),
        (Fault::CutAfter(1000).at(FETCH).times(7), 4),
        (Fault::CloseBeforeAnswer.at(FETCH).times(7), 4),
        (Fault::Html(502).at(FETCH).times(7), 4),
        (Fault::Html(200).at(FETCH).times(7), 4),
        (Fault::MissingFile.at(FETCH).times(7), 4),
        (Fault::CorruptZip.at(FETCH).times(3), 4),
        (Fault::TruncatedZip.at(FETCH).times(3), 4),
        (Fault::ErrorUnder200(ccfs_proto::ResultCode::TimeInFuture).at(ASK).times(3), 4),
        (Fault::ErrorUnder200(ccfs_proto::ResultCode::InternalError).at(ASK).times(3), 4),
        // A request whose response was lost is sent again.
        (Fault::CloseBeforeAnswer.at(ASK).times(1), 5),
        (Fault::Empty.at(ASK).times(1), 5),
        // The window of a file that is damaged in each download is requested again.
        (Fault::CorruptZip.at(FETCH).times(5), 5),
    ] {
        for (driver, in_flight) in [(Driver::Blocking, 1), (Driver::Async, 4), (Driver::Tasks, 4)] {
            let name = fault.to_string();
            let bench = Bench::new();
            bench.emulator.faults().add(fault.clone());
            let summary = driver.pull(&bench, plan(), in_flight).unwrap();
            assert_eq!(summary.failed().count(), 0, "{name}");
            assert!(files(&bench.path()) == expected, "{name}");
            let jobs = bench.emulator.files().len();
            if in_flight == 1 {
                assert_eq!(jobs, asked, "{name}");
            }
        }
    }
}

/// The server loses a job: the pull detects it and requests the window again.
#[test]
fn lost_files_are_requested_again() {
    let expected = undisturbed(plan());
    for driver in DRIVERS {
        let bench = Bench::with(|builder| builder.ready_after(Duration::from_secs(60)));
        let mut lost = false;
        let summary = driver
            .watched(&bench, plan(), pace(4), None, |_| {
                if !lost && bench.emulator.files().len() == 4 {
                    bench.emulator.lose_jobs();
                    lost = true;
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        assert!(lost);
        assert_eq!(
            (summary.rows(), summary.asked, summary.failed().count()),
            (160, 8, 0),
            "{driver:?}"
        );
        assert!(files(&bench.path()) == expected, "{driver:?}");
        let journal = fs::read_to_string(bench.path().join("ccfs-pull.journal")).unwrap();
        assert_eq!(journal.matches("\"lost\"").count(), 4);
    }
}

/// A window whose file never exists is requested three times and fails with that reason; the others do not fail.
#[test]
fn a_window_that_cannot_be_had_is_given_up() {
    let bench = Bench::with(|builder| builder.ready_after(Duration::from_secs(100 * 3600)));
    let summary = pull(&bench, plan_of("2023-04-01", "2023-04-02"), 1).unwrap();
    let (window, why) = summary.failed().next().unwrap();
    assert_eq!(
        (summary.asked, window.to_string().as_str()),
        (3, "20230401T000000_20230402T235959")
    );
    assert!(why.starts_with("requested 3 times without success"), "{why}");
}

fn zip_of(csv: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file(
            "20230406080000000123_agentSkillInfo.csv",
            zip::write::SimpleFileOptions::default(),
        )
        .unwrap();
    writer.write_all(csv).unwrap();
    writer.finish().unwrap().into_inner()
}

/// With a conversion, a bad row fails its window, and the file is kept under another name. The window is stored if bad rows are
/// skipped, or without a conversion.
#[test]
fn a_bad_row_fails_its_window_and_keeps_the_file() {
    let bytes =
        zip_of(b"1,dev,acc,1,2,3,2023-04-01 20:23:30\n2,dev,acc,x,2,3,2023-04-01 20:23:30\n");
    let one = || plan_of("2023-04-01", "2023-04-01");
    let stem = "agentSkillInfo_20230401T000000_20230401T235959";
    let names = |bench: &Bench| files(&bench.path()).into_keys().collect::<Vec<_>>();
    for driver in DRIVERS {
        let bench = Bench::new();
        bench.emulator.serve_bytes(bytes.clone());
        for _ in 0..2 {
            let summary = driver.pull(&bench, one().convert(Format::Jsonl), 1).unwrap();
            let why = summary.failed().next().unwrap().1;
            assert!(
                why.contains("line 2, column 4 (sub_cc_no): the cell is not a whole number"),
                "{why}"
            );
            assert!(why.ends_with(&format!("; the file is kept as {stem}.rejected.zip")), "{why}");
            assert_eq!(names(&bench), [format!("{stem}.rejected.zip")]);
        }
        let skip = ccfs_archive::ReadOptions::new().on_bad_row(ccfs_archive::OnBadRow::Skip);
        let plan = one().convert(Format::Jsonl).read_options(skip);
        let summary = driver.pull(&bench, plan, 1).unwrap();
        assert_eq!((summary.rows(), summary.bad_rows(), summary.asked), (1, 1, 0));
        assert_eq!(names(&bench), [format!("{stem}.jsonl"), format!("{stem}.zip")]);

        let bench = Bench::new();
        bench.emulator.serve_bytes(bytes.clone());
        let summary = driver.pull(&bench, one(), 1).unwrap();
        assert_eq!((summary.rows(), summary.bad_rows()), (1, 1));
        assert_eq!(names(&bench), [format!("{stem}.zip")]);
    }
}

/// A run that put the file in place and was killed before the journal had it leaves such a ZIP.
#[test]
fn a_zip_in_place_is_used_and_not_downloaded_again() {
    let bytes = zip_of(b"1,dev,acc,1,2,3,2023-04-01 20:23:30\n");
    for driver in DRIVERS {
        let bench = Bench::with(|builder| builder.ready_after(Duration::from_secs(60)));
        let one = || plan_of("2023-04-01", "2023-04-01").convert(Format::Jsonl);
        let stopped = driver.watched(&bench, one(), pace(1), None, |_| {
            if bench.emulator.files().is_empty() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        assert!(matches!(stopped, Err(PullError::Stopped)), "{driver:?}");
        let stem = bench.path().join("agentSkillInfo_20230401T000000_20230401T235959");
        fs::write(stem.with_extension("zip"), &bytes).unwrap();
        bench.emulator.clear_logs();
        let summary = driver.pull(&bench, one(), 1).unwrap();
        assert_eq!((summary.rows(), summary.asked, summary.failed().count()), (1, 0, 0));
        assert_eq!(bench.requests(FETCH), 0, "{driver:?}");
        assert_eq!(fs::read(stem.with_extension("zip")).unwrap(), bytes);
        let converted = fs::read_to_string(stem.with_extension("jsonl")).unwrap();
        assert_eq!(converted.lines().count(), 1);
        let journal = fs::read_to_string(bench.path().join("ccfs-pull.journal")).unwrap();
        assert_eq!(journal.matches("\"stored\"").count(), 1, "{journal}");
    }
}

#[test]
fn a_plan_that_cannot_be_pulled_is_refused_with_its_limit() {
    let bench = Bench::new();
    for (plan, said) in [
        (plan_of("2023-04-02", "2023-04-01"), "from 2023-04-02 to 2023-04-01"),
        (plan().window_days(0), "1 to 31 days, not 0"),
        (plan().window_days(32), "1 to 31 days, not 32"),
        (plan_of("0001-01-01", "9999-12-31"), "limit 100000"),
    ] {
        let refused = pull(&bench, plan, 1).unwrap_err();
        assert!(
            matches!(refused, PullError::Plan(_)) && refused.to_string().contains(said),
            "{refused}"
        );
    }
    assert!(!bench.path().exists() && bench.emulator.received().is_empty());
}
