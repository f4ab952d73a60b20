//! The dataset of a pull with Parquet: one file a day with a fixed name and all rows of its ZIP.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use crate::support::{Bench, DRIVERS, Driver, files, pace, plan_of};
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use ccfs_archive::{AnyRecord, Archive, IndexKind, LocalTime, OnBadRow, ReadOptions};
use ccfs_driver::Clock;
use ccfs_pull::{
    Fingerprint, Format, JournalError, Plan, PlanError, Pull, PullError, PullEvent, PullSummary,
    Zone, forget, verify,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

const DAY: &str = "agent_skill_info/day=2023-04-02/20230402T000000_20230402T235959.parquet";
const ZIP: &str = "agentSkillInfo_20230402T000000_20230402T235959.zip";

fn three_days() -> Plan {
    plan_of("2023-04-01", "2023-04-03")
}

fn dataset() -> Plan {
    three_days().convert(Format::Parquet)
}

fn pull(driver: Driver, bench: &Bench, plan: Plan) -> (PullSummary, Vec<PullEvent>) {
    let mut events = Vec::new();
    let pull = Pull::new(plan, bench.path()).pace(pace(2)).clock(bench.clock.clone());
    let pull = pull.on_event(|event| events.push(event.clone()));
    let summary = driver.run(pull, bench.session());
    (summary.unwrap(), events)
}

fn reader(path: &Path) -> ParquetRecordBatchReaderBuilder<File> {
    ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap()
}

/// The local and the UTC times of a file, as microseconds.
fn times(path: &Path) -> Vec<(Option<i64>, Option<i64>)> {
    let mut times = Vec::new();
    for batch in reader(path).build().unwrap() {
        let batch = batch.unwrap();
        let column = |name| {
            let array = batch.column_by_name(name).unwrap();
            array.as_primitive::<TimestampMicrosecondType>().iter().collect::<Vec<_>>()
        };
        times.extend(column("operate_time").into_iter().zip(column("operate_time_utc")));
    }
    times
}

fn faults(bench: &Bench) -> Vec<String> {
    let mut faults = Vec::new();
    verify(&bench.path(), |file| {
        let path = file.path.strip_prefix(bench.path()).unwrap().display().to_string();
        faults.extend(file.fault.map(|fault| format!("{path} {fault}")));
    })
    .unwrap();
    faults
}

#[test]
fn a_day_is_one_file_with_the_rows_of_its_zip() {
    for driver in DRIVERS {
        let bench = Bench::new();
        let (summary, events) = pull(driver, &bench, dataset());
        assert_eq!((summary.windows.len(), summary.rows()), (3, 120));
        assert!(!events.iter().any(|event| matches!(event, PullEvent::SeveralDays(_))));
        for report in &summary.windows {
            let [file] = &report.files[..] else { panic!("{:?}", report.files) };
            let path = file.path.strip_prefix(bench.path()).unwrap().to_str().unwrap();
            let (window, day) = (report.window, report.window.begin().day());
            assert_eq!(path, format!("agent_skill_info/day={day}/{window}.parquet"));
            let zip = bench.path().join(format!("agentSkillInfo_{window}.zip"));

            let metadata = reader(&file.path).metadata().clone();
            let metadata = metadata.file_metadata().key_value_metadata().unwrap();
            let metadata: BTreeMap<_, _> =
                metadata.iter().map(|pair| (&*pair.key, pair.value.as_deref().unwrap())).collect();
            let hash = Fingerprint::of(&fs::read(&zip).unwrap());
            let hash = serde_json::to_value(hash).unwrap()["sha256"].as_str().unwrap().to_owned();
            assert_eq!(metadata["ccfs.period"], format!("{day}T00:00:00/{day}T23:59:59"));
            assert_eq!(metadata["ccfs.time_zone"], "Asia/Shanghai");
            assert_eq!(metadata["ccfs.source_sha256"], hash);

            let mut archive = Archive::open(File::open(&zip).unwrap()).unwrap();
            let mut records = archive.records::<AnyRecord>();
            let mut expected = Vec::new();
            while let Some(record) = records.next_record().unwrap() {
                let local = record.event_time().map(LocalTime::naive_epoch_seconds);
                let micros = |seconds: i64| seconds * 1_000_000;
                expected.push((local.map(micros), local.map(|time| micros(time - 8 * 3600))));
            }
            assert_eq!(times(&file.path), expected);
        }
        assert_eq!(files(&bench.path()).len(), 6);
        assert_eq!(faults(&bench), Vec::<String>::new());
        bench.emulator.clear_logs();
        let (summary, _) = pull(driver, &bench, dataset());
        assert!(bench.emulator.received().is_empty());
        assert!(summary.windows.iter().all(|report| report.earlier && !report.is_changed()));
    }
}

/// Engines read the tenant space as the value of the partition column.
#[test]
fn a_tenant_space_is_a_partition_above_the_day() {
    for account in ["7", "a.b-C_9", ".."] {
        let bench = Bench::new();
        let plan = plan_of("2023-04-02", "2023-04-02").account_id(account);
        let (summary, _) = pull(Driver::Blocking, &bench, plan.convert(Format::Parquet));
        assert_eq!(summary.rows(), 40);
        let path =
            DAY.replace("agent_skill_info/", &format!("agent_skill_info/account={account}/"));
        assert!(files(&bench.path()).contains_key(&path), "{:?}", files(&bench.path()).keys());
        assert_eq!(faults(&bench), Vec::<String>::new());
    }
}

#[test]
fn every_kind_has_its_table() {
    for (kind, table) in [
        (IndexKind::AgentSkillInfo, "agent_skill_info"),
        (IndexKind::AgentOprInfo, "agent_opr_info"),
        (IndexKind::Record, "record"),
        (IndexKind::Call, "call"),
    ] {
        let bench = Bench::new();
        let zone = Zone::named("Asia/Shanghai").unwrap();
        let day = "2023-04-02".parse().unwrap();
        let plan = Plan::new(kind, zone, day, day).convert(Format::Parquet).keep_zip(false);
        pull(Driver::Blocking, &bench, plan);
        let path = DAY.replace("agent_skill_info", table);
        assert_eq!(files(&bench.path()).into_keys().collect::<Vec<_>>(), [path]);
    }
}

/// Requesting a day again replaces its file, without duplicate rows.
#[test]
fn a_day_that_is_requested_again_is_replaced() {
    for driver in DRIVERS {
        let bench = Bench::with(|builder| builder.same_files(false));
        pull(driver, &bench, dataset().keep_zip(false));
        let before = files(&bench.path());
        assert_eq!(before.len(), 3);
        let day = "2023-04-02".parse().unwrap();
        let (summary, _) = pull(driver, &bench, dataset().keep_zip(false).again(day, day));
        assert_eq!((summary.asked, summary.rows()), (1, 120));
        let after = files(&bench.path());
        assert!(before.keys().eq(after.keys()));
        let changed: Vec<_> = before.keys().filter(|name| before[*name] != after[*name]).collect();
        assert_eq!(changed, [DAY]);
        assert_eq!(faults(&bench), Vec::<String>::new());
        // Days are rechecked, too.
        bench.clock.wait(std::time::Duration::from_secs(3600));
        let (summary, _) = pull(driver, &bench, dataset().keep_zip(false).recheck_days(30));
        assert_eq!((summary.asked, summary.rows()), (3, 120));
        assert_eq!(faults(&bench), Vec::<String>::new());
    }
}

#[test]
fn a_removed_or_changed_file_is_converted_again_from_the_zip() {
    for driver in DRIVERS {
        let bench = Bench::new();
        pull(driver, &bench, dataset());
        let expected = files(&bench.path());
        let path = bench.path().join(DAY);
        for damage in [
            (|path: &Path| fs::remove_file(path).unwrap()) as fn(&Path),
            |path| fs::remove_dir_all(path.parent().unwrap().parent().unwrap()).unwrap(),
            |path| fs::write(path, b"PAR1").unwrap(),
        ] {
            damage(&path);
            assert!(!faults(&bench).is_empty());
            bench.emulator.clear_logs();
            pull(driver, &bench, dataset());
            assert!(bench.emulator.received().is_empty());
            assert!(files(&bench.path()) == expected, "{:?}", faults(&bench));
        }
    }
}

/// Without its ZIP, a truncated file cannot be converted again: the window fails until it is requested again.
#[test]
fn a_cut_file_whose_zip_was_removed_is_reported() {
    for driver in DRIVERS {
        let bench = Bench::new();
        pull(driver, &bench, dataset().keep_zip(false));
        let path = bench.path().join(DAY);
        File::options().write(true).open(&path).unwrap().set_len(100).unwrap();
        let (summary, events) = pull(driver, &bench, dataset().keep_zip(false));
        let failed: Vec<_> = summary.failed().collect();
        let [(window, why)] = &failed[..] else { panic!("{failed:?}") };
        assert!(DAY.contains(&window.to_string()) && why.contains("is not the file"), "{why}");
        assert_eq!(events.len(), 1);
        let day = "2023-04-02".parse().unwrap();
        let (summary, _) = pull(driver, &bench, dataset().keep_zip(false).again(day, day));
        assert_eq!((summary.asked, summary.failed().count()), (1, 0));
        assert_eq!(faults(&bench), Vec::<String>::new());
        // A file that the user removed is left alone.
        fs::remove_file(&path).unwrap();
        let (summary, _) = pull(driver, &bench, dataset().keep_zip(false));
        assert_eq!((summary.asked, summary.failed().count()), (0, 0));
    }
}

/// A ZIP is removed only if all of its rows are in the dataset.
#[test]
fn a_zip_with_rows_that_are_not_converted_is_kept() {
    for driver in DRIVERS {
        let bench = Bench::new();
        pull(driver, &bench, three_days().window_days(1));
        // Files that the server sends from now on have a bad row.
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("20230403010203004005_agentSkillInfo.csv", options).unwrap();
        let good = "r1,devA,accA,1,8,300,2023-04-02 09:01:00,301,26,11;12,2025,1,,0,,3\r\n";
        let bad = good.replace("r1", "r2").replace(",300,", ",x,");
        std::io::Write::write_all(&mut zip, format!("{good}{bad}").as_bytes()).unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        bench.emulator.serve_bytes(bytes);
        let skip = ReadOptions::new().on_bad_row(OnBadRow::Skip);
        let day = "2023-04-02".parse().unwrap();
        let plan = plan_of("2023-04-02", "2023-04-02").convert(Format::Parquet).keep_zip(false);
        let (summary, _) = pull(driver, &bench, plan.again(day, day).read_options(skip));
        assert_eq!((summary.rows(), summary.bad_rows()), (1, 1));
        assert!(summary.windows[0].kept_zip.is_some());
        assert_eq!(times(&bench.path().join(DAY)).len(), 1);
        assert!(bench.path().join(ZIP).exists());
        assert_eq!(faults(&bench), Vec::<String>::new());
    }
}

/// `day` must be right for every row, so windows of several days are not converted, and the pull reports them.
#[test]
fn windows_of_several_days_are_not_converted() {
    for driver in DRIVERS {
        let bench = Bench::new();
        pull(driver, &bench, three_days());
        let expected = files(&bench.path());
        let plan = plan_of("2023-04-01", "2023-04-05").convert(Format::Parquet).keep_zip(false);
        let (summary, events) = pull(driver, &bench, plan);
        let several: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                PullEvent::SeveralDays(window) => Some(window.to_string()),
                _ => None,
            })
            .collect();
        assert_eq!(several, ["20230401T000000_20230403T235959"]);
        assert_eq!((summary.asked, summary.failed().count()), (2, 0));
        let after = files(&bench.path());
        assert!(expected.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
        assert_eq!(after.len(), 3);
    }
    let bench = Bench::new();
    let error = Driver::Blocking.pull(&bench, dataset().window_days(3), 1).unwrap_err();
    assert!(matches!(error, PullError::Plan(PlanError::ParquetDays { days: 3 })), "{error}");
}

/// The day of 25 hours has two windows, and each has its file, with all rows.
#[test]
fn a_day_of_25_hours_has_two_files() {
    let bench = Bench::at("2023-11-02T12:00:00Z", |builder| builder.utc_offset(3600));
    let zone = Zone::named("Europe/Berlin").unwrap();
    let day = "2023-10-29".parse().unwrap();
    let plan = Plan::new(IndexKind::AgentSkillInfo, zone, day, day).convert(Format::Parquet);
    let (summary, _) = pull(Driver::Blocking, &bench, plan.clone().keep_zip(false));
    assert_eq!((summary.windows.len(), summary.rows()), (2, 80));
    let names: Vec<_> = files(&bench.path()).into_keys().collect();
    let begins_right = |name: &String| name.starts_with("agent_skill_info/day=2023-10-29/");
    assert!(names.len() == 2 && names.iter().all(begins_right), "{names:?}");
    // Files of forgotten windows would double the rows of the windows that are requested instead.
    forget(&bench.path(), day, day, bench.clock.now().wall).unwrap();
    let error = Driver::Blocking.pull(&bench, plan, 1).unwrap_err();
    assert!(
        matches!(&error, PullError::Foreign { path } if path.ends_with(&names[0]) || path.ends_with(&names[1])),
        "{error}"
    );
}

/// Engines read every file of the table, so one that the journal does not have doubles rows.
#[test]
fn a_file_that_is_not_of_the_pull_stops_it() {
    let bench = Bench::new();
    pull(Driver::Blocking, &bench, dataset());
    let day = bench.path().join(DAY);
    let copy = day.with_file_name("copy.parquet");
    fs::copy(&day, &copy).unwrap();
    assert_eq!(
        faults(&bench),
        [format!(
            "{} is not in the journal",
            DAY.replace("20230402T000000_20230402T235959", "copy")
        )]
    );
    // Nothing is written to this day, so nothing is doubled by this run.
    pull(Driver::Blocking, &bench, dataset());
    let again = "2023-04-02".parse().unwrap();
    let error = Driver::Blocking.pull(&bench, dataset().again(again, again), 1).unwrap_err();
    assert!(matches!(&error, PullError::Foreign { path } if *path == copy), "{error}");
    fs::remove_file(copy).unwrap();
    pull(Driver::Blocking, &bench, dataset().again(again, again));
    assert_eq!(faults(&bench), Vec::<String>::new());
}

/// A folder whose windows were all forgotten still has the files of its tenant space.
#[test]
fn a_forgotten_dataset_keeps_its_tenant_space() {
    let bench = Bench::new();
    pull(Driver::Blocking, &bench, dataset().account_id("7"));
    let (from, to) = ("2023-04-01".parse().unwrap(), "2023-04-03".parse().unwrap());
    forget(&bench.path(), from, to, bench.clock.now().wall).unwrap();
    let error = Driver::Blocking.pull(&bench, dataset().account_id("8"), 1).unwrap_err();
    assert!(matches!(error, PullError::Journal(JournalError::OtherPlan { .. })), "{error:?}");
}

#[test]
fn columns_that_are_not_read_are_refused() {
    let bench = Bench::new();
    let some = ReadOptions::new().columns(["agent_id"]).unwrap();
    let error = Driver::Blocking.pull(&bench, dataset().read_options(some), 1).unwrap_err();
    assert!(matches!(error, PullError::Plan(PlanError::ParquetColumns)), "{error}");
}

/// Files cannot be renamed into a folder of another file system.
#[cfg(target_os = "linux")]
#[test]
fn a_table_on_another_file_system_is_refused() {
    use std::os::unix::fs::MetadataExt as _;
    let bench = Bench::new();
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else { return };
    fs::create_dir_all(bench.path()).unwrap();
    let device = |path: &Path| path.metadata().unwrap().dev();
    if device(elsewhere.path()) == device(&bench.path()) {
        return;
    }
    std::os::unix::fs::symlink(elsewhere.path(), bench.path().join("agent_skill_info")).unwrap();
    let error = Driver::Blocking.pull(&bench, dataset(), 1).unwrap_err();
    assert!(error.to_string().contains("another file system"), "{error}");
}

#[test]
fn several_formats_are_written_at_once() {
    for driver in DRIVERS {
        let bench = Bench::new();
        let plan = dataset().convert(Format::Jsonl).convert(Format::Csv).keep_zip(false);
        let (summary, _) = pull(driver, &bench, plan.clone());
        assert_eq!(summary.rows(), 120);
        assert!(summary.windows.iter().all(|report| report.files.len() == 3));
        assert_eq!(files(&bench.path()).len(), 9);
        assert_eq!(faults(&bench), Vec::<String>::new());
        bench.emulator.clear_logs();
        pull(driver, &bench, plan);
        assert!(bench.emulator.received().is_empty());
    }
}
