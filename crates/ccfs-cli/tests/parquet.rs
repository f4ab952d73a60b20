//! `inspect` of Parquet files and folders of them; `convert` refuses them.

use std::fs;
use std::io::{Cursor, Write};
use std::sync::Arc;

use crate::support::Ccfs;
use ccfs::archive::{AgentSkillChange, IndexKind, Records, Tally};
use ccfs::arrow::arrow_array::{ArrayRef, RecordBatch, RecordBatchIterator, StringArray};
use ccfs::arrow::{Batches, Options, ParquetInspector, ParquetOptions, write_parquet};
use serde_json::Value;

const ONE: &str = "skills/agent_skill_info/day=2026-11-01/20261101T000000_20261101T235959.parquet";
const TWO: &str = "skills/agent_skill_info/day=2026-11-02/20261102T000000_20261102T235959.parquet";

/// Rows of a day; those of even numbers have another type of operation.
fn csv(day: &str, rows: u32) -> String {
    let row = |n: u32| {
        let (hour, operation) = (n % 24, if n.is_multiple_of(2) { 1 } else { 9001 });
        format!(
            "{n},dev,acc,1,2,3,{day} {hour:02}:30:00,4,{operation},1;2,sn,1,,0,{day} 00:00:00,2\n"
        )
    };
    (0..rows).map(row).collect()
}

fn json(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A folder as a pull with `--convert parquet` leaves it: two days, their ZIPs and other files.
fn pulled() -> Ccfs {
    let ccfs = Ccfs::new();
    for (file, day, rows) in [(ONE, "2026-11-01", 30), (TWO, "2026-11-02", 5)] {
        let zip = format!("skills/agentSkillInfo_{day}.zip");
        let path = ccfs.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file("20261101000000123456_agentSkillInfo.csv", options).unwrap();
        writer.write_all(csv(day, rows).as_bytes()).unwrap();
        fs::write(ccfs.path(&zip), writer.finish().unwrap().into_inner()).unwrap();
        let convert =
            ["convert", &zip, "--to", "parquet", "--tz", "Asia/Shanghai", "--output", file];
        ccfs.run(&convert).ends_with_code(0);
    }
    fs::write(ccfs.path("skills/ccfs-pull.journal"), "{}\n").unwrap();
    for skipped in [".hidden.parquet", "_metadata.parquet", "a.parquet.part", "b.rejected.zip"] {
        fs::write(ccfs.path("skills").join(skipped), "not Parquet").unwrap();
    }
    for skipped in ["skills/.tmp", "skills/_delta_log"] {
        fs::create_dir(ccfs.path(skipped)).unwrap();
        fs::write(ccfs.path(skipped).join("a.parquet"), "not Parquet").unwrap();
    }
    ccfs
}

/// The counts are those of the archive that the rows come from, for any file name.
#[test]
fn a_file_is_reported_like_its_archive() {
    let ccfs = pulled();
    fs::copy(ccfs.path(ONE), ccfs.path("renamed.csv")).unwrap();
    let zip = ccfs.run(&["inspect", "skills/agentSkillInfo_2026-11-01.zip"]);
    let run = ccfs.run(&["inspect", "renamed.csv"]);
    run.ends_with_code(0);
    let counts = |text: &str| text[text.find("rows   30\n").expect(text)..].to_owned();
    assert_eq!(counts(&run.stdout), counts(&zip.stdout));
    let bytes = fs::metadata(ccfs.path(ONE)).unwrap().len();
    let shown = format!("{},{:03}", bytes / 1000, bytes % 1000);
    let bytes_column = format!("{:>1$}", "bytes", shown.len());
    let start = format!(
        "  file         kind            rows  row groups  {bytes_column}  period\n  \
           renamed.csv  agentSkillInfo    30           1  {shown}  -\n\n\
         zone   Asia/Shanghai\nwriter ccfs 0.1.0\nrows   30\n\
         times  2026-11-01 00:30:00 to 2026-11-01 23:30:00, in local time of the call center\n",
    );
    assert!(run.stdout.starts_with(&start), "{}\n{start}", run.stdout);
    assert!(run.stdout.contains("9001  unknown"), "{}", run.stdout);

    let [zip] =
        &json(&ccfs.run(&["--json", "inspect", "skills/agentSkillInfo_2026-11-01.zip"]).stdout)[..]
    else {
        panic!("one line")
    };
    for run in [
        ccfs.run(&["--json", "inspect", "renamed.csv"]),
        ccfs.run_with(&["--json", "inspect", "-"], &fs::read(ccfs.path(ONE)).unwrap()),
    ] {
        run.ends_with_code(0);
        let [report] = &json(&run.stdout)[..] else { panic!("one line") };
        assert_eq!(report["totals"], zip["totals"]);
        assert_eq!((&report["kind"], &report["bytes"]), (&"agentSkillInfo".into(), &bytes.into()));
        assert_eq!((&report["row_groups"], &report["version"]), (&1.into(), &"0.1.0".into()));
        assert_eq!(
            (&report["time_zone"], &report["begin"]),
            (&"Asia/Shanghai".into(), &Value::Null)
        );
        // The manual describes each field.
        let manual = ccfs.run(&["inspect", "--help"]).stdout;
        for field in report.as_object().unwrap().keys().chain(zip.as_object().unwrap().keys()) {
            assert!(manual.lines().any(|line| line.contains(&**field)), "{field}");
        }
    }
}

#[test]
fn a_folder_is_reported_with_its_archives_and_tables() {
    let ccfs = pulled();
    let run = ccfs.run(&["--json", "inspect", "skills"]);
    run.ends_with_code(0);
    assert!(run.stderr.is_empty(), "{}", run.stderr);
    let reports = json(&run.stdout);
    let inputs: Vec<_> = reports.iter().filter_map(|report| report["input"].as_str()).collect();
    let zips = ["2026-11-01", "2026-11-02"].map(|day| format!("skills/agentSkillInfo_{day}.zip"));
    assert_eq!(inputs, [&*zips[0], &*zips[1], ONE, TWO]);
    let summary = &reports[4]["summary"];
    assert_eq!((&summary["input"], &summary["files"]), (&"skills".into(), &2.into()));
    let bytes: u64 =
        [ONE, TWO].iter().map(|name| fs::metadata(ccfs.path(name)).unwrap().len()).sum();
    assert_eq!(summary["bytes"], bytes);
    let totals = &summary["totals"];
    assert_eq!((&totals["rows"], &totals["by_hour"][0]), (&35.into(), &3.into()));
    assert_eq!(totals["earliest"], "2026-11-01T00:30:00");
    assert_eq!(totals["latest"], "2026-11-02T04:30:00");
    assert_eq!(
        totals["by_operation"][0],
        serde_json::json!({"code": 1, "name": "sign in", "rows": 18})
    );

    for (folder, prefix) in [
        ("skills/agent_skill_info", ""),
        ("skills/agent_skill_info/", ""),
        ("skills", "agent_skill_info/"),
    ] {
        let run = ccfs.run(&["inspect", folder]);
        run.ends_with_code(0);
        let file = format!(
            "\n  {prefix}day=2026-11-01/20261101T000000_20261101T235959.parquet  agentSkillInfo    30 "
        );
        assert!(run.stdout.contains(&file), "{}", run.stdout);
        assert!(run.stdout.contains("\nfiles  2 files with "), "{}", run.stdout);
        assert!(run.stdout.contains("\nrows   35\n"), "{}", run.stdout);
    }
    let day = ccfs.run(&["inspect", "skills/agent_skill_info/day=2026-11-02"]);
    day.ends_with_code(0);
    assert!(
        day.stdout.contains("\nrows   5\n") && !day.stdout.contains("files "),
        "{}",
        day.stdout
    );
}

/// The metadata that a pull writes.
#[test]
fn periods_are_shown() {
    let ccfs = Ccfs::new();
    let csv = csv("2026-11-01", 3);
    let records = Records::<AgentSkillChange>::from_csv(csv.as_bytes());
    let batches = Batches::new(records, IndexKind::AgentSkillInfo, &Options::new()).unwrap();
    let (begin, end) = ("2026-11-01 00:00:00", "2026-11-01 23:59:59");
    let options = ParquetOptions::new().period(begin.parse().unwrap(), end.parse().unwrap());
    let file = fs::File::create(ccfs.path("a.parquet")).unwrap();
    write_parquet(batches, file, &options.source_sha256([0xAB; 32])).unwrap();
    let run = ccfs.run(&["inspect", "a.parquet"]);
    assert!(run.stdout.contains("  2026-11-01\n\nwriter ccfs 0.1.0\nrows   3\n"), "{}", run.stdout);
    let report = &json(&ccfs.run(&["--json", "inspect", "a.parquet"]).stdout)[0];
    assert_eq!(report["begin"], "2026-11-01T00:00:00");
    assert_eq!(report["end"], "2026-11-01T23:59:59");
    assert_eq!(report["source_sha256"], "ab".repeat(32));
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_in_circles() {
    use std::os::unix::fs::symlink;

    let ccfs = pulled();
    symlink("..", ccfs.path("skills/agent_skill_info/up")).unwrap();
    symlink("loop.parquet", ccfs.path("skills/agent_skill_info/loop.parquet")).unwrap();
    assert!(ccfs.program("mkfifo", &["skills/pipe.parquet"]).status().unwrap().success());
    let run = ccfs.run(&["inspect", "skills/agent_skill_info"]);
    run.ends_with_code(0);
    assert!(run.stdout.contains("\nrows   35\n"), "{}", run.stdout);
    // A link to a file, and a link that is named, are followed.
    fs::create_dir(ccfs.path("links")).unwrap();
    symlink(ccfs.path(ONE), ccfs.path("links/a.parquet")).unwrap();
    symlink("links", ccfs.path("linked")).unwrap();
    assert!(ccfs.run(&["inspect", "linked"]).stdout.contains("\nrows   30\n"));
}

fn other() -> Vec<u8> {
    let column: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
    let (schema, mut out) = (batch.schema(), Vec::new());
    let batches = RecordBatchIterator::new([Ok(batch)], schema);
    write_parquet(batches, &mut out, &ParquetOptions::new()).unwrap();
    out
}

#[test]
fn files_that_cannot_be_read_are_named_and_the_others_are_reported() {
    let ccfs = pulled();
    let whole = fs::read(ccfs.path(ONE)).unwrap();
    fs::write(ccfs.path("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    fs::write(ccfs.path("other.parquet"), other()).unwrap();
    fs::write(ccfs.path("empty.parquet"), "").unwrap();
    let damaged = "damaged or incomplete Parquet file: ";
    for (name, text) in [
        ("cut.parquet", format!("error: cut.parquet: {damaged}Invalid Parquet file")),
        ("empty.parquet", format!("error: empty.parquet: {damaged}Parquet file too small")),
        (
            "other.parquet",
            "error: other.parquet: not a Parquet file that ccfs wrote: its columns are not those of an index file".to_owned(),
        ),
    ] {
        let run = ccfs.run(&["inspect", name]);
        run.ends_with_code(1);
        assert!(run.stderr.starts_with(&text) && run.stdout.is_empty(), "{run:?}");
        let to = ccfs.path("skills/agent_skill_info").join(name);
        fs::rename(ccfs.path(name), to).unwrap();
    }
    let run = ccfs.run(&["inspect", "skills/agent_skill_info"]);
    run.ends_with_code(1);
    assert!(run.stdout.contains("\nrows   35\n"), "{}", run.stdout);
    for name in ["cut", "other", "empty"] {
        assert!(
            run.stderr.contains(&format!("skills/agent_skill_info/{name}.parquet: ")),
            "{run:?}"
        );
    }
    assert!(run.stderr.ends_with("error: 3 files were not read\n"), "{run:?}");
    fs::create_dir(ccfs.path("nothing")).unwrap();
    let run = ccfs.run(&["inspect", "nothing"]);
    run.ends_with_code(1);
    assert!(run.stderr.contains("nothing has no *.zip files, and no *.parquet files"), "{run:?}");
}

/// A damaged page is an error of the file, also if the parquet crate panics: which it does for some damage, in some
/// versions.
#[test]
fn a_damaged_page_is_an_error() {
    let ccfs = pulled();
    let whole = fs::read(ccfs.path(TWO)).unwrap();
    let error = |bytes: &[u8]| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut tally = Tally::default();
        let read = ParquetInspector::open(file).and_then(|mut inspector| {
            while inspector.count_batch(&mut tally)? {}
            Ok(())
        });
        read.err().map(|error| error.to_string())
    };
    // A page whose values are said to be in a dictionary, or to be encoded in a way that it does not have.
    let changed = (0..whole.len()).flat_map(|at| {
        [0x10, 0x12].map(|byte| {
            let mut changed = whole.clone();
            changed[at] = byte;
            changed
        })
    });
    let (mut damaged, mut panicked) = (None, None);
    for changed in changed {
        match error(&changed) {
            Some(error) if error.ends_with("a page is damaged") => panicked = Some(changed),
            Some(error) if error.starts_with("Parquet") => damaged = Some(changed),
            _ => {}
        }
    }
    for bytes in [damaged, panicked].into_iter().flatten() {
        fs::write(ccfs.path("a.parquet"), bytes).unwrap();
        let run = ccfs.run(&["inspect", "a.parquet"]);
        run.ends_with_code(1);
        let start = "error: a.parquet: damaged or incomplete Parquet file: ";
        assert!(run.stderr.starts_with(start), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
}

/// An output that fails is reported at once, although stdin may be read no further.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_reported_while_stdin_is_silent() {
    let ccfs = Ccfs::new();
    let arguments = ["convert", "-", "--to", "parquet", "-o", "/dev/full"];
    let mut child = ccfs.program(env!("CARGO_BIN_EXE_ccfs"), &arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // More than a row group, and its IDs exceed the buffer of the output.
    let id = |row: u128| row.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    let rows: Vec<String> =
        (0..150_000).map(|row| format!("{:032x},dev,acc,7\n", id(row))).collect();
    // It may have ended.
    let _ = stdin.write_all(rows.concat().as_bytes());
    ccfs_tests::wait_until("its end", || child.try_wait().unwrap().is_some());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let stderr = crate::support::without_times(&String::from_utf8(output.stderr).unwrap());
    assert!(stderr.starts_with("error: cannot write /dev/full: "), "{stderr}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn names_are_escaped() {
    let ccfs = pulled();
    fs::create_dir(ccfs.path("odd")).unwrap();
    for name in ["odd/a\u{1b}[2J\nrows   7.parquet", "odd/b\u{202e}.parquet"] {
        fs::copy(ccfs.path(ONE), ccfs.path(name)).unwrap();
    }
    for arguments in [&["inspect", "odd"][..], &["--json", "inspect", "odd"]] {
        let run = ccfs.run(arguments);
        run.ends_with_code(0);
        assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']), "{:?}", run.stdout);
        assert!(!run.stdout.contains("\nrows   7"), "{}", run.stdout);
    }
}

#[test]
fn convert_refuses_parquet() {
    let ccfs = pulled();
    let parquet = fs::read(ccfs.path(ONE)).unwrap();
    let advice =
        "convert reads archives and CSV; read Parquet with DuckDB, polars, pandas or Spark";
    for to in ["jsonl", "csv", "parquet"] {
        for (input, start) in [
            (ONE, format!("error: {ONE} is a Parquet file; ")),
            ("-", "error: stdin is a Parquet file; ".to_owned()),
            (
                "skills/agent_skill_info",
                "error: skills/agent_skill_info has no *.zip files, but Parquet files; ".to_owned(),
            ),
        ] {
            let run = ccfs.run_with(&["convert", input, "--to", to, "-o", "out"], &parquet);
            run.ends_with_code(1);
            assert_eq!(run.stderr, format!("{start}{advice}\n"));
            assert!(run.stdout.is_empty() && !ccfs.path("out").exists());
        }
    }
    // In a folder with both, only the archives are converted.
    let run = ccfs.run(&["convert", "skills"]);
    run.ends_with_code(0);
    assert_eq!(run.stdout.lines().count(), 35);
}
