//! Pulls of archives with other contents than the wanted rows: no row is lost, and an unusable archive is downloaded once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Write as _};

use crate::support::{Bench, DRIVERS, Driver, FETCH, files, plan_of};
use ccfs_archive::{OnBadRow, ReadOptions};
use ccfs_pull::{Fingerprint, Format, Outcome, Plan, PlanError, PullError, WindowReport};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

const STEM: &str = "agentSkillInfo_20230401T000000_20230401T235959";
/// Name of a member that is an index file of the wanted kind.
const WANTED: &str = "20230402010203004005_agentSkillInfo.csv";

/// One day: one window, of which only the records are wanted.
fn plan(format: Format, on_bad_row: OnBadRow) -> Plan {
    plan_of("2023-04-01", "2023-04-01")
        .convert(format)
        .keep_zip(false)
        .read_options(ReadOptions::new().on_bad_row(on_bad_row))
}

fn row(id: &str, agent: &str) -> String {
    format!(
        "{id},devA,accA,1,8,{agent},2023-04-01 09:01:00,301,26,11;12,20250304000001,1,2023-04-01 09:01:30,0,2025-03-04 01:01:31,3\r\n"
    )
}

fn rows(count: usize) -> String {
    (0..count).map(|n| row(&format!("r{n}"), "300")).collect()
}

/// A row of agentOprInfo.
fn other_row(id: &str) -> String {
    format!(
        "{id},devA,accA,301,,7,c9,2023-04-01 09:00:00,2023-04-01 09:00:05,9,,away,5,8,1,4,77,in,1,9,1\r\n"
    )
}

fn archive<N: AsRef<str>, B: AsRef<[u8]>>(members: impl IntoIterator<Item = (N, B)>) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        if name.as_ref().ends_with('/') {
            writer.add_directory(name.as_ref(), SimpleFileOptions::default()).unwrap();
        } else {
            writer.start_file(name.as_ref(), SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes.as_ref()).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

/// A ZIP that is removed must not have columns that the converted file lacks.
#[test]
fn a_plan_does_not_remove_columns() {
    let some = || ReadOptions::new().columns(["id"]).unwrap();
    let plan = plan(Format::Jsonl, OnBadRow::Stop).read_options(some());
    assert_eq!(plan.check(), Err(PlanError::ColumnsLost));
    assert_eq!(plan.keep_zip(true).check(), Ok(()));
}

/// Pulls the window from a server whose file has these bytes.
fn pull(driver: Driver, bench: &Bench, plan: Plan, bytes: Vec<u8>) -> WindowReport {
    bench.emulator.serve_bytes(bytes);
    let mut summary = driver.pull(bench, plan, 1).unwrap();
    assert_eq!(summary.windows.len(), 1);
    summary.windows.remove(0)
}

/// Ends of the names of the window's files.
fn ends(bench: &Bench) -> Vec<String> {
    let names = files(&bench.path()).into_keys();
    names.map(|name| name.strip_prefix(STEM).unwrap().to_owned()).collect()
}

fn why(report: &WindowReport) -> &str {
    match &report.outcome {
        Outcome::Failed { why } => why,
        outcome => panic!("{outcome:?}"),
    }
}

/// Changes every occurrence of some bytes.
fn patched(mut archive: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let found: Vec<usize> =
        (0..archive.len()).filter(|&at| archive[at..].starts_with(from)).collect();
    assert!(!found.is_empty());
    for at in found {
        archive[at..at + to.len()].copy_from_slice(to);
    }
    archive
}

/// Sets a field of all local headers and directory entries.
fn with_field(mut archive: Vec<u8>, local: usize, central: usize, value: u8) -> Vec<u8> {
    for at in 0..archive.len() {
        if archive[at..].starts_with(b"PK\x03\x04") {
            archive[at + local] = value;
        } else if archive[at..].starts_with(b"PK\x01\x02") {
            archive[at + central] = value;
        }
    }
    archive
}

#[test]
fn an_archive_that_cannot_be_used_is_downloaded_once_and_kept() {
    let good = || archive([(WANTED, rows(4))]);
    let html = "<html><body>502 Bad Gateway</body></html>\n";
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "other kind",
            archive([("20230402010203004005_call.csv", "x\r\n")]),
            "no member of the archive is an index file (agentSkillInfo), it contains 20230402010203004005_call.csv",
        ),
        ("unknown name", archive([("export.csv", rows(4))]), "it contains export.csv"),
        ("ZIP in ZIP", archive([("20230402_01.zip", "PK\x03\x04nested")]), "20230402_01.zip"),
        ("only junk", archive([("__MACOSX/._a.csv", "x")]), "only folders and system files"),
        ("error page", archive([(WANTED, html)]), "this is an HTML page"),
        (
            "error page beside rows",
            archive([(WANTED, rows(4).as_str()), ("2_agentSkillInfo.csv", html)]),
            "2_agentSkillInfo.csv, line 1: not read as agentSkillInfo",
        ),
        ("bytes after the end", [good(), b"\r\n".to_vec()].concat(), "2 bytes after the end"),
        (
            "twice the same name",
            patched(
                archive([("1_agentSkillInfo.csv", rows(1)), ("2_agentSkillInfo.csv", rows(1))]),
                b"2_agentSkillInfo",
                b"1_agentSkillInfo",
            ),
            "two members have this name",
        ),
        ("encrypted", with_field(good(), 6, 8, 1), "the member is encrypted"),
        ("method 9", with_field(good(), 8, 10, 9), "compression method 9"),
        (
            "a name that leads out",
            patched(good(), b"2023040201", b"../../../a"),
            "leads out of its folder",
        ),
        ("a link", with_field(good(), 6, 41, 0xA1), "symbolic link"),
        (
            "rows of another period",
            archive([(WANTED, rows(4).replace("2023-04-01", "2023-04-08"))]),
            "no row is from this window, the rows are from 2023-04-08 09:01:00 to 2023-04-08 09:01:00",
        ),
        ("a long cell", archive([(WANTED, row(&"a".repeat(2 << 20), "1"))]), "more than"),
    ];
    for driver in DRIVERS {
        for (name, bytes, said) in &cases {
            let bench = Bench::new();
            let plan = || plan(Format::Jsonl, OnBadRow::Skip);
            let report = pull(driver, &bench, plan(), bytes.clone());
            let told = format!("{driver:?}, {name}: {report:?}");
            assert!(why(&report).contains(said), "{told}");
            assert!(
                why(&report).ends_with(&format!("; the file is kept as {STEM}.rejected.zip")),
                "{told}"
            );
            assert_eq!((bench.requests(FETCH), bench.emulator.files().len()), (1, 1), "{told}");
            assert!(report.files.is_empty(), "{told}");
            assert_eq!(report.rejected, Some(bench.path().join(format!("{STEM}.rejected.zip"))));
            let kept = files(&bench.path());
            assert_eq!(ends(&bench), [".rejected.zip"], "{told}");
            assert!(kept.values().next() == Some(bytes), "{told}");

            // Once the server has a good file, the next run stores that.
            let report = pull(driver, &bench, plan(), good());
            assert_eq!(report.outcome, Outcome::Stored(stored(&report)), "{told}");
            assert_eq!((report.rejected, ends(&bench)), (None, vec![".jsonl".to_owned()]));
            assert_eq!((bench.requests(FETCH), bench.emulator.files().len()), (2, 1), "{told}");
        }
    }
}

fn stored(report: &WindowReport) -> ccfs_pull::Stored {
    match report.outcome {
        Outcome::Stored(stored) => stored,
        _ => panic!("{report:?}"),
    }
}

/// A file with damage that a transfer may cause is downloaded again, and the damaged file is not kept.
#[test]
fn a_damaged_archive_is_downloaded_again() {
    let good = archive([(WANTED, rows(4))]);
    let end = good.len() - 22;
    let with = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        bytes
    };
    let cases = [
        ("compressed data", with(30 + WANTED.len() + 40)),
        ("checksum", with_field(good.clone(), 14, 16, 0xAA)),
        ("offset of the directory", with(end + 16)),
        ("size of the directory", with(end + 12)),
    ];
    for (name, bytes) in cases {
        let bench = Bench::new();
        let report = pull(Driver::Blocking, &bench, plan(Format::Jsonl, OnBadRow::Stop), bytes);
        assert!(
            why(&report).starts_with("requested 3 times without success"),
            "{name}: {report:?}"
        );
        assert_eq!((bench.requests(FETCH), bench.emulator.files().len()), (15, 3), "{name}");
        assert_eq!((ends(&bench), report.rejected), (vec![], None), "{name}");
    }
}

#[test]
fn a_later_rejection_replaces_the_file() {
    let bench = Bench::new();
    let plan = || plan(Format::Jsonl, OnBadRow::Stop);
    for name in ["first.csv", "second.csv"] {
        let bytes = archive([(name, rows(4))]);
        let report = pull(Driver::Blocking, &bench, plan(), bytes.clone());
        assert!(why(&report).contains(name), "{report:?}");
        assert_eq!(files(&bench.path()), BTreeMap::from([(format!("{STEM}.rejected.zip"), bytes)]));
    }
}

/// A rejected file that cannot be kept is an error of the file system: the pull ends, and the next one tries again.
#[test]
fn a_rejected_file_that_cannot_be_kept_ends_the_pull() {
    for driver in DRIVERS {
        let bench = Bench::new();
        let plan = || plan(Format::Jsonl, OnBadRow::Stop);
        let obstacle = bench.path().join(format!("{STEM}.rejected.zip"));
        fs::create_dir_all(obstacle.join("a")).unwrap();
        bench.emulator.serve_bytes(archive([("export.csv", rows(4))]));
        let error = driver.pull(&bench, plan(), 1).unwrap_err();
        assert!(matches!(error, PullError::Call { .. } | PullError::Task { .. }), "{error}");
        assert!(error.to_string().contains(obstacle.to_str().unwrap()), "{error}");
        assert_eq!((bench.requests(FETCH), ends_but(&bench, ".rejected.zip")), (1, 0));
        fs::remove_dir_all(&obstacle).unwrap();
        assert!(why(&driver.pull(&bench, plan(), 1).unwrap().windows[0]).contains("export.csv"));
        assert!(obstacle.is_file());
    }
}

/// Returns the number of files and folders, except the pull's own ones and the one with this end of its name.
fn ends_but(bench: &Bench, end: &str) -> usize {
    let own =
        ["ccfs-pull.journal".to_owned(), ".ccfs-pull.lock".to_owned(), format!("{STEM}{end}")];
    let entries = fs::read_dir(bench.path()).unwrap().map(|entry| entry.unwrap().file_name());
    entries.filter(|name| !own.iter().any(|own| *name == **own)).count()
}

#[test]
fn system_files_and_case_do_not_keep_a_zip() {
    let cases = [
        vec![(WANTED.to_uppercase(), rows(4))],
        vec![
            (WANTED.to_owned(), rows(4)),
            (format!("__MACOSX/._{WANTED}"), "\0\x05\x16\x07".to_owned()),
            (".DS_Store".to_owned(), "\0\0\0\x01Bud1".to_owned()),
        ],
        vec![
            ("data/".to_owned(), String::new()),
            (format!("data/{WANTED}"), rows(4)),
            ("empty.txt".to_owned(), String::new()),
            ("1_agentOprInfo.csv".to_owned(), String::new()),
        ],
    ];
    for driver in DRIVERS {
        for members in &cases {
            let bench = Bench::new();
            let bytes = archive(members.iter().map(|(name, text)| (name, text)));
            let report = pull(driver, &bench, plan(Format::Csv, OnBadRow::Stop), bytes);
            assert_eq!((stored(&report).rows, ends(&bench)), (4, vec![".csv".to_owned()]));
            assert!(report.notes.is_empty() && report.kept_zip.is_none(), "{report:?}");
        }
    }
}

#[test]
fn a_zip_with_unread_data_is_kept_and_reported_with_the_reason() {
    let (good, bad) = (rows(4), rows(4) + &row("bad", "x"));
    let cases = [
        (
            vec![(WANTED, good.clone()), ("part2.csv", good.clone())],
            OnBadRow::Stop,
            "1 member was not read",
            "skipped members that are not agentSkillInfo: part2.csv",
        ),
        (
            vec![(WANTED, good.clone()), ("1_agentOprInfo.csv", other_row("o"))],
            OnBadRow::Stop,
            "1 member was not read",
            "skipped members that are not agentSkillInfo: 1_agentOprInfo.csv",
        ),
        // A bad row, or an error page, in a member of another kind does not concern the wanted rows.
        (
            vec![
                (WANTED, good.clone()),
                ("1_agentOprInfo.csv", other_row("o") + "x\r\n"),
                ("1_call.csv", "<html></html>".to_owned()),
            ],
            OnBadRow::Stop,
            "2 members were not read",
            "1_agentOprInfo.csv, 1_call.csv",
        ),
        (vec![(WANTED, bad.clone())], OnBadRow::Skip, "1 bad row was skipped", ""),
        (
            vec![(WANTED, bad.clone() + &row("bad2", "y")), ("part2.csv", good)],
            OnBadRow::Skip,
            "1 member was not read, 2 bad rows were skipped",
            "part2.csv",
        ),
    ];
    for driver in DRIVERS {
        for (members, on_bad_row, reason, note) in &cases {
            let bench = Bench::new();
            let bytes = archive(members.iter().map(|(name, text)| (name, text)));
            let report = pull(driver, &bench, plan(Format::Jsonl, *on_bad_row), bytes.clone());
            let told = format!("{driver:?}: {report:?}");
            assert_eq!((stored(&report).rows, ends(&bench).join(" ").as_str()), (4, ".jsonl .zip"));
            let kept = report.kept_zip.as_ref().unwrap();
            assert_eq!(fs::read(&kept.path).unwrap(), bytes, "{told}");
            assert_eq!(kept.to_string(), format!("{STEM}.zip is kept: {reason}"));
            assert_eq!(report.notes.is_empty(), note.is_empty(), "{told}");
            assert!(report.notes.join("\n").contains(note), "{told}");

            // The next run keeps it, too, and says so.
            let summary = driver.pull(&bench, plan(Format::Jsonl, *on_bad_row), 1).unwrap();
            assert_eq!(summary.windows[0].kept_zip, report.kept_zip);
            assert!(summary.windows[0].earlier && summary.windows[0].notes.is_empty());
            assert_eq!((bench.requests(FETCH), ends(&bench).len()), (1, 2));
        }
    }
}

/// The pull looks every 4,096 rows whether it was stopped.
#[test]
fn long_files_are_complete() {
    let (bench, bytes) = (Bench::new(), archive([(WANTED, rows(9000))]));
    let report = pull(Driver::Blocking, &bench, plan(Format::Jsonl, OnBadRow::Stop), bytes);
    assert_eq!(stored(&report).rows, 9000);
}

/// A few rows from another day, as after midnight: they are converted and counted.
#[test]
fn rows_outside_the_window_are_counted() {
    for driver in DRIVERS {
        let bench = Bench::new();
        let late = row("late", "300").replace("2023-04-01 09:01:00", "2023-04-02 00:00:00");
        let far = row("far", "300").replace("2023-04-01", "2021-01-01");
        let bytes = archive([(WANTED, rows(4) + &late + &far)]);
        let report = pull(driver, &bench, plan(Format::Jsonl, OnBadRow::Stop), bytes);
        assert_eq!((stored(&report).rows, stored(&report).outside_rows), (6, 2));
        assert_eq!(report.notes, ["2 rows are from outside the window"]);
        let journal = fs::read_to_string(bench.path().join("ccfs-pull.journal")).unwrap();
        assert!(journal.contains("\"outside_rows\":2"), "{journal}");
    }
}

#[test]
fn what_was_guessed_or_skipped_is_reported_once() {
    for driver in DRIVERS {
        let bench = Bench::new();
        let bytes = archive([(WANTED, format!("sep=,\r\n{}\x1a", rows(4)))]);
        let report = pull(driver, &bench, plan(Format::Jsonl, OnBadRow::Stop), bytes);
        let said = report.notes.join("\n");
        assert!(said.contains(&format!("{WANTED}: skipped the line \"sep=,\"")), "{said}");
        assert!(said.contains("skipped a byte of padding"), "{said}");
        assert_eq!((stored(&report).rows, ends(&bench).join(" ").as_str()), (4, ".jsonl"));
    }
}

/// If a process dies after it recorded a window and before it removed the ZIP, the next one removes the ZIP if its rows are converted.
#[test]
fn a_zip_that_was_not_removed_in_time_is_removed_at_the_next_start() {
    let zip = format!("{STEM}.zip");
    let plan = || plan(Format::Jsonl, OnBadRow::Stop);
    let one = archive([(WANTED, rows(4))]);
    let bench = Bench::new();
    assert!(pull(Driver::Blocking, &bench, plan(), one.clone()).kept_zip.is_none());
    let rejected = bench.path().join(format!("{STEM}.rejected.zip"));
    let put = || {
        fs::write(bench.path().join(&zip), &one).unwrap();
        fs::write(&rejected, "an earlier rejection").unwrap();
    };
    put();
    let report = Driver::Blocking.pull(&bench, plan(), 1).unwrap().windows.remove(0);
    assert_eq!((ends(&bench).join(" ").as_str(), report.kept_zip), (".jsonl", None));
}

/// A member of a random archive.
#[derive(Clone, Debug)]
enum Part {
    Wanted { rows: usize, bad: usize, header: bool, padding: bool, upper: bool },
    WantedPage,
    Other { rows: usize, bad: bool },
    OtherPage,
    Unknown { rows: usize },
    SystemFile,
    Folder,
}

fn part() -> impl Strategy<Value = Part> {
    let wanted = (0..5_usize, 0..3_usize, any::<[bool; 3]>()).prop_map(
        |(rows, bad, [header, padding, upper])| Part::Wanted {
            rows,
            // A single bad row could be read as a header.
            bad: if rows == 0 { 0 } else { bad.saturating_sub(1) },
            header,
            padding,
            upper,
        },
    );
    prop_oneof![
        8 => wanted,
        1 => Just(Part::WantedPage),
        1 => (0..3_usize, any::<bool>()).prop_map(|(rows, bad)| Part::Other { rows, bad: bad && rows > 0 }),
        1 => Just(Part::OtherPage),
        1 => (0..3_usize).prop_map(|rows| Part::Unknown { rows }),
        2 => Just(Part::SystemFile),
        1 => Just(Part::Folder),
    ]
}

/// An archive, and what it has.
#[derive(Clone, Debug, Default)]
struct Made {
    members: Vec<(String, String)>,
    /// Marks of the wanted good rows.
    good: Vec<String>,
    /// Marks of the other data.
    other: Vec<String>,
    bad: u64,
    wanted: usize,
    pages: usize,
    unread: u64,
}

impl Made {
    fn of(parts: &[Part]) -> Self {
        let mut made = Self::default();
        let mut marks = 0;
        let mut mark = || {
            marks += 1;
            format!("mark{marks}.")
        };
        for (at, part) in parts.iter().enumerate() {
            let (mut name, mut text) = (format!("{at}_agentSkillInfo.csv"), String::new());
            match part {
                Part::Wanted { rows, bad, header, padding, upper } => {
                    made.wanted += 1;
                    made.bad += *bad as u64;
                    if *header {
                        let columns = ccfs_archive::IndexKind::AgentSkillInfo.columns();
                        let names: Vec<&str> =
                            columns.iter().map(ccfs_archive::Column::name).collect();
                        let _ = write!(text, "{}\r\n", names.join(","));
                    }
                    for _ in 0..*rows {
                        made.good.push(mark());
                        text += &row(made.good.last().unwrap(), "300");
                    }
                    for _ in 0..*bad {
                        made.other.push(mark());
                        text += &row(made.other.last().unwrap(), "x");
                    }
                    if *padding && *rows > 0 {
                        text += "\0\0";
                    }
                    if *upper {
                        name = name.to_uppercase();
                    }
                }
                Part::WantedPage => {
                    made.wanted += 1;
                    made.pages += 1;
                    made.other.push(mark());
                    text = format!("<html>{}</html>", made.other.last().unwrap());
                }
                Part::Other { rows, bad } => {
                    name = format!("{at}_agentOprInfo.csv");
                    for _ in 0..*rows {
                        made.other.push(mark());
                        text += &other_row(made.other.last().unwrap());
                    }
                    if *bad {
                        text += "short,row\r\n";
                    }
                    made.unread += u64::from(*rows > 0);
                }
                Part::OtherPage => {
                    name = format!("{at}_call.csv");
                    made.other.push(mark());
                    text = format!("<html>{}</html>", made.other.last().unwrap());
                    made.unread += 1;
                }
                Part::Unknown { rows } => {
                    name = format!("{at}.csv");
                    for _ in 0..*rows {
                        made.other.push(mark());
                        text += &row(made.other.last().unwrap(), "300");
                    }
                    made.unread += u64::from(*rows > 0);
                }
                Part::SystemFile => {
                    name = format!("__MACOSX/._{at}_agentSkillInfo.csv");
                    "\0\x05\x16\x07".clone_into(&mut text);
                }
                Part::Folder => name = format!("{at}/"),
            }
            made.members.push((name, text));
        }
        made
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(96))]

    /// A ZIP is removed only if every row of every data member is in the converted file, and the reported rows are the lines of that file.
    /// An archive with any contents is downloaded once.
    #[test]
    fn no_row_is_lost(parts in prop::collection::vec(part(), 0..5), skip in any::<bool>(), csv in any::<bool>(), tail in prop::bool::weighted(0.1), driver in prop::sample::select(DRIVERS.to_vec())) {
        let made = Made::of(&parts);
        let mut bytes = archive(made.members.iter().map(|(name, text)| (name, text)));
        if tail {
            bytes.extend_from_slice(b"\r\n");
        }
        let (format, on_bad_row) = (
            if csv { Format::Csv } else { Format::Jsonl },
            if skip { OnBadRow::Skip } else { OnBadRow::Stop },
        );
        let bench = Bench::new();
        let report = pull(driver, &bench, plan(format, on_bad_row), bytes.clone());
        let files = files(&bench.path());
        let file = |end: &str| files.get(&format!("{STEM}{end}"));
        let (zip, rejected) = (file(".zip"), file(".rejected.zip"));
        let converted = file(&format!(".{format}")).map(|bytes| String::from_utf8(bytes.clone()).unwrap());

        // Nothing is lost.
        if zip != Some(&bytes) && rejected != Some(&bytes) {
            let converted = converted.as_ref().unwrap();
            for mark in made.good.iter().chain(&made.other) {
                prop_assert!(converted.contains(mark.as_str()), "{} is lost", mark);
            }
        }
        // The report agrees with the files on disk.
        if let Outcome::Stored(stored) = report.outcome {
            let converted = converted.as_ref().unwrap();
            let lines = converted.lines().count() - usize::from(csv);
            prop_assert_eq!(stored.rows, lines as u64);
            prop_assert_eq!((stored.bad_rows, stored.unread_members), (made.bad, made.unread));
            prop_assert_eq!(stored.zip, Fingerprint::of(&bytes));
        } else {
            prop_assert_eq!(converted.as_ref(), None);
        }
        let kept = report.kept_zip.as_ref().map(|kept| fs::read(&kept.path).unwrap());
        prop_assert_eq!(kept.as_ref(), zip.filter(|_| converted.is_some()));
        prop_assert_eq!(report.rejected.is_some(), rejected.is_some());
        prop_assert_eq!((bench.requests(FETCH), bench.emulator.files().len()), (1, 1));

        // The outcome depends on the contents of the archive.
        let unusable = tail || made.pages > 0 || (made.wanted == 0 && !made.members.is_empty());
        let stopped = !unusable && made.bad > 0 && !skip;
        prop_assert_eq!(rejected.is_some(), unusable || stopped);
        prop_assert_eq!(converted.is_some(), !unusable && !stopped);
        prop_assert_eq!(zip.is_some(), !unusable && !stopped && (made.bad > 0 || made.unread > 0));
        if let Some(converted) = converted {
            let found: Vec<&String> = made.good.iter().filter(|mark| converted.contains(mark.as_str())).collect();
            prop_assert_eq!(found.len(), made.good.len());
        }
    }
}
