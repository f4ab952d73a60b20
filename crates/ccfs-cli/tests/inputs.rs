//! Realistic files in `convert` and `inspect`, as files and from stdin.

use std::fs;
use std::io::{Cursor, Write};

use crate::support::Ccfs;
use serde_json::Value;

const COLUMNS: &str = "id,developer_id,account_id,sub_cc_no,vdn,agent_id,operate_time,operate_id,operate_type,skill_list,\
                       logon_sn,operate_sn,operate_end_time,renew_flag,update_time,month_of_year";
const MEMBER: &str = "20250305010203004005_agentSkillInfo.csv";

fn row(n: u32) -> String {
    format!(
        "r{n},devA,accA,1,8,{},2025-03-04 09:0{n}:00,{},26,11;12,s{n},{n},2025-03-04 09:0{n}:30,0,2025-03-04 01:0{n}:31,3",
        300 + n,
        300 + n
    )
}

fn rows(end: &str) -> String {
    (1..=4).map(|n| row(n) + end).collect()
}

fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(data.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Expected result of an input: records, and text on stderr; or an error with a text, after some records.
enum Right {
    Records(usize, &'static str),
    Error(usize, &'static str),
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn inputs() -> Vec<(&'static str, Vec<u8>, Right)> {
    use Right::{Error, Records};
    let good = rows("\r\n");
    let swapped: String = [COLUMNS.to_owned(), row(1), row(2), row(3), row(4)]
        .iter()
        .map(|line| {
            let mut cells: Vec<&str> = line.split(',').collect();
            cells.swap(0, 1);
            cells.swap(6, 12);
            cells.join(",") + "\n"
        })
        .collect();
    let chinese = format!("{}\n{good}", vec!["列名"; 16].join(","));
    let (chinese, _, _) = encoding_rs::GB18030.encode(&chinese);
    let utf16: Vec<u8> =
        std::iter::once(0xFEFF).chain(good.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let padded = good.replace(",1,8,", ", 1 ,\t8,").replace(",2025", ", 2025");
    let cut_utf8 = [good.replace("devA", "客户").as_bytes(), b"r5,\xE7\xAD"].concat();
    let csv = |text: String| text.into_bytes();
    vec![
        (
            "a_agentSkillInfo.csv",
            csv(good.replace(',', ";")),
            Error(
                0,
                "line 1: not read as agentSkillInfo: fields found: 1, expected: 16; the fields seem to be separated by ';'",
            ),
        ),
        ("b_agentSkillInfo.csv", csv(good.replace(',', "\t")), Error(0, "separated by '\\t'")),
        ("c_agentSkillInfo.csv", csv(good.replace(',', "^")), Error(0, "separated by '^'")),
        (
            "d_agentSkillInfo.csv",
            csv(format!("{}\nr2,devA,accA,1\n{}\n", row(1), row(3))),
            Error(1, "line 2: fields found: 4, expected: 16"),
        ),
        (
            "e_agentSkillInfo.csv",
            csv(good[..good.len() - 60].to_owned()),
            Error(3, "line 4: fields found: "),
        ),
        (
            "f_agentSkillInfo.csv",
            csv(format!("{good}com.example.Exception: closed\r\n\tat com.example.Main\r\n")),
            Error(4, "line 5: fields found: 1, expected: 16"),
        ),
        ("g_agentSkillInfo.csv", csv(format!("{good}Total: 4 rows\r\n")), Error(4, "line 5: ")),
        ("h_agentSkillInfo.csv", csv("denied\n".to_owned()), Error(0, "no number or date")),
        (
            "i_agentSkillInfo.csv",
            csv(good.replacen("devA", "dev\0A", 1)),
            Error(0, "line 1, column 2 (developer_id): the cell has a control character"),
        ),
        (
            "j_agentSkillInfo.csv",
            csv("<html><title>502</title></html>\n".to_owned()),
            Error(0, "HTML page"),
        ),
        (
            "k_agentSkillInfo.csv",
            b"\x1f\x8b\x08\x00\x01\x02".to_vec(),
            Error(0, "gzip data; decompress"),
        ),
        ("l_agentSkillInfo.csv", csv("{\"resultCode\":\"0300011\"}".to_owned()), Error(0, "JSON")),
        (
            "m_agentSkillInfo.csv",
            [good.as_bytes(), &[0; 512]].concat(),
            Records(4, "skipped 512 bytes of padding"),
        ),
        (
            "n_agentSkillInfo.csv",
            csv(format!("{good}\u{1a}")),
            Records(4, "skipped a byte of padding"),
        ),
        (
            "o_agentSkillInfo.csv",
            csv(format!("sep=,\r\n{good}")),
            Records(4, "skipped the line \"sep=,\""),
        ),
        (
            "p_agentSkillInfo.csv",
            csv(format!("{good}{}\r\n", ",".repeat(15))),
            Records(4, "skipped an empty row"),
        ),
        (
            "q_agentSkillInfo.csv",
            csv(format!("{}\r\n{good}", COLUMNS.to_uppercase())),
            Records(4, ""),
        ),
        (
            "r_agentSkillInfo.csv",
            chinese.into_owned(),
            Records(4, "skipped a header row with unknown names"),
        ),
        (
            "s_agentSkillInfo.csv",
            csv(format!("\u{feff}\u{feff}{good}")),
            Records(4, "skipped a repeated byte order mark"),
        ),
        ("t_agentSkillInfo.csv", csv(padded), Records(4, "")),
        ("u_agentSkillInfo.csv", csv(swapped), Records(4, "")),
        ("v_agentSkillInfo.csv", utf16, Records(4, "")),
        (
            "w_agentSkillInfo.csv",
            cut_utf8,
            Error(
                4,
                "line 5, column 2 (developer_id): the row is not valid in the member's charset",
            ),
        ),
        (
            "a.zip",
            zip(&[("20250305010203004005_call.csv", "x\r\n")]),
            Error(0, "_call.csv, line 1: not read as call"),
        ),
        (
            "b.zip",
            zip(&[("export.csv", &good)]),
            Error(0, "no member of the archive is an index file"),
        ),
        ("c.zip", zip(&[(&MEMBER.to_uppercase(), &good)]), Records(4, "")),
        (
            "d.zip",
            zip(&[(MEMBER, &good), ("part2.csv", &good)]),
            Records(4, "skipped, not an index file by name: part2.csv (--kind reads it as one)"),
        ),
        (
            "e.zip",
            zip(&[
                (MEMBER, &good),
                ("__MACOSX/._x_agentSkillInfo.csv", "\0\u{5}"),
                (".DS_Store", "\0"),
            ]),
            Records(4, ""),
        ),
        (
            "f.zip",
            zip(&[("20250305_00000000000000000000000000000001.zip", "PK\u{3}\u{4}")]),
            Error(0, "no member of the archive is an index file"),
        ),
        (
            "g.zip",
            [zip(&[(MEMBER, &good)]).as_slice(), b"\r\n"].concat(),
            Error(0, "2 bytes after the end of the archive"),
        ),
    ]
}

#[test]
fn every_input_gives_the_right_records_or_a_reason() {
    let ccfs = Ccfs::new();
    let expected: Vec<Value> = {
        let run = ccfs.run_with(&["convert", "-"], rows("\n").as_bytes());
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    for (name, bytes, right) in inputs() {
        fs::write(ccfs.path(name), &bytes).unwrap();
        let (file, stdin) =
            (ccfs.run(&["convert", name]), ccfs.run_with(&["convert", "-"], &bytes));
        let inspect = ccfs.run(&["--json", "inspect", name]);
        let (code, records, text) = match right {
            Right::Records(records, text) => (0, records, text),
            Right::Error(records, text) => (1, records, text),
        };
        for (run, from) in [(&file, "file"), (&stdin, "stdin")] {
            assert_eq!(run.code, Some(code), "{name} from {from}: {run:?}");
            assert!(run.stderr.contains(text), "{name} from {from}: {}", run.stderr);
            assert!(
                !text.is_empty() || run.stderr.is_empty(),
                "{name} from {from}: {}",
                run.stderr
            );
            let read: Vec<Value> =
                run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            // Reading as a stream detects a malformed archive only after its records.
            let streamed = from == "stdin" && name == "g.zip";
            assert_eq!(read.len(), if streamed { 4 } else { records }, "{name} from {from}");
            if !name.starts_with('w') {
                assert_eq!(read, expected[..read.len()], "{name} from {from}");
            }
        }
        if inspect.code == Some(0) {
            let report: Value = serde_json::from_str(&inspect.stdout).unwrap();
            let bad = report["totals"]["bad_rows"]["count"].as_u64().unwrap();
            assert_eq!(bad > 0, code == 1, "{name}: {}", inspect.stdout);
        } else {
            assert!(code == 1 && records == 0, "{name}: {inspect:?}");
        }
    }
}

#[test]
fn a_kind_reads_members_whose_names_say_nothing() {
    let ccfs = Ccfs::new();
    fs::write(ccfs.path("b.zip"), zip(&[("export.csv", &rows("\n"))])).unwrap();
    let run = ccfs.run(&["convert", "b.zip", "--kind", "agentSkillInfo"]);
    run.ends_with_code(0);
    assert_eq!(run.stdout.lines().count(), 4);
    let run = ccfs.run(&["--json", "inspect", "b.zip", "--kind", "agentSkillInfo"]);
    run.ends_with_code(0);
    assert!(run.stdout.contains("\"rows\":4"), "{}", run.stdout);
}

#[test]
fn several_inputs_and_folders_make_one_output() {
    let ccfs = Ccfs::new();
    fs::create_dir(ccfs.path("folder")).unwrap();
    for (name, n) in [("b.zip", 2), ("a.zip", 1), ("c.rejected.zip", 3)] {
        fs::write(ccfs.path("folder").join(name), zip(&[(MEMBER, &row(n))])).unwrap();
    }
    fs::write(ccfs.path("folder/notes.txt"), "not an archive").unwrap();
    fs::write(ccfs.path("c_agentSkillInfo.csv"), row(4)).unwrap();
    let run =
        ccfs.run(&["convert", "folder", "c_agentSkillInfo.csv", "--to", "csv", "-o", "all.csv"]);
    run.ends_with_code(0);
    let written = fs::read_to_string(ccfs.path("all.csv")).unwrap();
    assert_eq!(written, format!("{COLUMNS}\n{}\n{}\n{}\n", row(1), row(2), row(4)));
    let run = ccfs.run(&["--json", "inspect", "folder", "c_agentSkillInfo.csv"]);
    run.ends_with_code(0);
    let inputs: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = inputs.iter().map(|report| report["input"].as_str().unwrap()).collect();
    assert_eq!(names, ["folder/a.zip", "folder/b.zip", "c_agentSkillInfo.csv"]);
    // An input that fails leaves no output.
    fs::write(ccfs.path("d_agentSkillInfo.csv"), "denied").unwrap();
    ccfs.run(&["convert", "folder", "d_agentSkillInfo.csv", "-o", "x.jsonl"]).ends_with_code(1);
    assert!(!ccfs.path("x.jsonl").exists());
}

#[test]
fn bad_rows_are_written_to_a_file() {
    let ccfs = Ccfs::new();
    let bad = [row(2).replace(",8,", ",eight,"), "\"r3\",\"a\r\nb\"".to_owned()];
    let text = [row(1), bad[0].clone(), bad[1].clone(), row(4)].join("\r\n");
    fs::write(ccfs.path("a_agentSkillInfo.csv"), text).unwrap();
    let run = ccfs.run(&["convert", "a_agentSkillInfo.csv", "--rejects", "bad.csv"]);
    run.ends_with_code(0);
    assert_eq!(run.stdout.lines().count(), 2);
    assert!(
        run.stderr.contains(
            "2 bad rows were written to bad.csv:\n  a_agentSkillInfo.csv, line 2, column 5 (vdn): "
        ),
        "{}",
        run.stderr
    );
    assert_eq!(
        fs::read_to_string(ccfs.path("bad.csv")).unwrap(),
        format!("{}\n{}\n", bad[0], bad[1])
    );
    // The output is not replaced without --force, and a conversion that fails leaves no file.
    ccfs.run(&["convert", "a_agentSkillInfo.csv", "--rejects", "bad.csv"]).ends_with_code(1);
    fs::remove_file(ccfs.path("bad.csv")).unwrap();
    fs::write(ccfs.path("b_agentSkillInfo.csv"), "denied").unwrap();
    let inputs =
        ["convert", "a_agentSkillInfo.csv", "b_agentSkillInfo.csv", "--rejects", "bad.csv"];
    ccfs.run(&inputs).ends_with_code(1);
    assert!(!ccfs.path("bad.csv").exists());
}

#[test]
fn unexpected_inputs_are_errors() {
    let ccfs = Ccfs::new();
    let two = zip(&[(MEMBER, &rows("\n")), ("1_call.csv", "")]);
    for (arguments, input, code, text) in [
        (&["convert", "-", "--kind", "record"][..], &two[..], 1, "stdin has no record file"),
        (&["convert", "a_call.csv", "--kind", "record"], b"", 2, "a call file by its name"),
        (&["convert", "-", "-o", "x", "--rejects", "./x"], b"", 2, "name the same file"),
        (&["convert", "-", "--rejects", "-"], b"", 2, "--rejects needs a file"),
    ] {
        fs::write(ccfs.path("a_call.csv"), "").unwrap();
        let run = ccfs.run_with(arguments, input);
        assert!(run.code == Some(code) && run.stderr.contains(text), "{arguments:?}: {run:?}");
        assert!(run.stdout.is_empty() && !ccfs.path("x").exists());
    }
}

#[test]
fn stdin_is_inspected() {
    let ccfs = Ccfs::new();
    for input in [rows("\n").into_bytes(), zip(&[(MEMBER, &rows("\n"))])] {
        let run = ccfs.run_with(&["inspect", "-"], &input);
        run.ends_with_code(0);
        assert!(run.stdout.contains("rows   4\n"), "{}", run.stdout);
    }
    let run = ccfs.run(&["convert", "-"]);
    run.ends_with_code(1);
    assert!(run.stderr.contains("stdin is empty"), "{run:?}");
    // A file without a row is an index file, too.
    fs::write(ccfs.path("agentSkillInfo.csv"), "").unwrap();
    ccfs.run(&["convert", "agentSkillInfo.csv"]).ends_with_code(0);
}

/// Devices and pipes are written to directly, without `--force`; the target of a link is replaced, not the link.
#[cfg(unix)]
#[test]
fn special_files_are_written_through() {
    let ccfs = Ccfs::new();
    fs::write(ccfs.path("a_agentSkillInfo.csv"), crate::support::SKILLS_CSV).unwrap();
    let convert = ["convert", "a_agentSkillInfo.csv", "-o"];
    let expected = ccfs.run(&["convert", "a_agentSkillInfo.csv"]).stdout;
    for (target, printed) in [("/dev/stdout", expected.as_str()), ("/dev/null", "")] {
        let run = ccfs.run(&[&convert[..], &[target]].concat());
        run.ends_with_code(0);
        assert_eq!(run.stdout, printed);
    }
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    // Into a file that the shell opened, as with `> file`.
    let script = "exec \"$0\" convert a_agentSkillInfo.csv -o /dev/stdout > redirected";
    let mut shell = ccfs.program("sh", &["-c", script, env!("CARGO_BIN_EXE_ccfs")]);
    assert!(shell.status().unwrap().success());
    assert_eq!(fs::read_to_string(ccfs.path("redirected")).unwrap(), expected);
    let made = ccfs.program("mkfifo", &["pipe"]).status().unwrap();
    assert!(made.success());
    let mut reader = ccfs.program("cat", &["pipe"]).spawn().unwrap();
    ccfs.run(&[&convert[..], &["pipe"]].concat()).ends_with_code(0);
    let mut read = String::new();
    std::io::Read::read_to_string(&mut reader.stdout.take().unwrap(), &mut read).unwrap();
    assert_eq!(read, expected);
    reader.wait().unwrap();

    fs::create_dir(ccfs.path("other")).unwrap();
    fs::write(ccfs.path("other/target"), "old").unwrap();
    std::os::unix::fs::symlink("other/target", ccfs.path("link")).unwrap();
    ccfs.run(&[&convert[..], &["link"]].concat()).ends_with_code(1);
    ccfs.run(&[&convert[..], &["link", "--force"]].concat()).ends_with_code(0);
    assert!(ccfs.path("link").is_symlink());
    assert_eq!(fs::read_to_string(ccfs.path("other/target")).unwrap(), expected);
    // A name that looks like an option.
    let run = ccfs.run(&["convert", "a_agentSkillInfo.csv", "--output=-x"]);
    run.ends_with_code(2);
    assert!(run.stderr.contains("./-x"), "{run:?}");
    // A pull does not wait for the other end of a pipe.
    fs::create_dir(ccfs.path("out")).unwrap();
    let ccfs = ccfs.env("CCFS_ENDPOINT", "http://127.0.0.1:9").env("CCFS_TZ", "UTC");
    let ccfs = ccfs.env("CCFS_ACCESS_KEY", "a").env("CCFS_SECRET_KEY", "b");
    for name in [".ccfs-pull.lock", "ccfs-pull.journal"] {
        let pipe = format!("out/{name}");
        assert!(ccfs.program("mkfifo", &[&pipe]).status().unwrap().success());
        let run = ccfs.run(&["pull", "--from", "yesterday", "--out", "out"]);
        run.ends_with_code(1);
        assert!(run.stderr.contains("not a regular file"), "{run:?}");
        fs::remove_file(ccfs.path(&pipe)).unwrap();
    }
}

/// Control characters for terminals are escaped in messages and in tables; converted data is not escaped.
#[test]
fn text_from_outside_is_escaped() {
    let ccfs = Ccfs::new();
    let name = "a\u{9b}2J\u{202e}_agentSkillInfo.csv";
    fs::write(ccfs.path(name), crate::support::SKILLS_CSV.replace("1a", "\u{202e}1a")).unwrap();
    let hidden = ['\u{9b}', '\u{202e}', '\u{1b}'];
    for arguments in
        [&["inspect", name][..], &["--json", "inspect", name], &["inspect", "none\u{1b}[2J.zip"]]
    {
        let run = ccfs.run(arguments);
        let said = run.stdout + &run.stderr;
        assert!(!said.contains(hidden) && said.contains("\\u00"), "{said:?}");
    }
    assert!(ccfs.run(&["convert", name]).stdout.contains("\u{202e}1a"));
}

#[test]
fn formulas_are_escaped_on_request() {
    let ccfs = Ccfs::new();
    let row = crate::support::SKILLS_CSV.replace("1a,dev,acc", "=1+1,\"@x,y\",-5");
    fs::write(ccfs.path("a_agentSkillInfo.csv"), row).unwrap();
    let convert = ["convert", "a_agentSkillInfo.csv", "--to", "csv"];
    assert!(ccfs.run(&convert).stdout.contains("\n=1+1,\"@x,y\",-5,"));
    let run = ccfs.run(&[&convert[..], &["--escape-formulas"]].concat());
    assert!(run.stdout.contains("\n'=1+1,\"'@x,y\",-5,"), "{run:?}");
}

/// Parquet has the records of the JSON lines, of several inputs, and is written atomically.
#[test]
fn parquet_has_the_records() {
    use ccfs::arrow::arrow_array::Array;
    use ccfs::arrow::arrow_array::cast::AsArray;
    use ccfs::arrow::arrow_array::types::TimestampMicrosecondType;

    let ccfs = Ccfs::new();
    fs::write(ccfs.path("a_agentSkillInfo.csv"), crate::support::SKILLS_CSV).unwrap();
    fs::write(ccfs.path("b_agentSkillInfo.csv"), crate::support::SKILLS_CSV.replace("1a", "2b"))
        .unwrap();
    let convert = ["convert", "a_agentSkillInfo.csv", "b_agentSkillInfo.csv", "--to", "parquet"];
    let fails = |arguments: &[&str], text: &str| {
        let run = ccfs.run(arguments);
        run.ends_with_code(2);
        assert!(run.stderr.contains(text), "{arguments:?}: {run:?}");
    };
    fails(&convert, "Parquet is written to a file; give --output FILE");
    for flag in ["--names", "--escape-formulas"] {
        let flagged = [&convert[..], &["-o", "x", flag]].concat();
        fails(&flagged, "--names and --escape-formulas are not for Parquet");
    }
    let to_file = [&convert[..], &["--tz", "Asia/Shanghai", "-o", "out.parquet"]].concat();
    ccfs.run(&to_file).ends_with_code(0);
    let file = fs::File::open(ccfs.path("out.parquet")).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
    let batches: Vec<_> = reader.unwrap().build().unwrap().map(Result::unwrap).collect();
    let rows: Vec<(String, i64)> = batches
        .iter()
        .flat_map(|batch| {
            let ids = batch.column_by_name("id").unwrap().as_string::<i32>();
            let times = batch.column_by_name("operate_time_utc").unwrap();
            let times = times.as_primitive::<TimestampMicrosecondType>();
            (0..ids.len())
                .map(|row| (ids.value(row).to_owned(), times.value(row)))
                .collect::<Vec<_>>()
        })
        .collect();
    // 2015-02-08 20:23:30 in Shanghai.
    let time = 1_423_398_210_000_000;
    assert_eq!(rows, [("1a".to_owned(), time), ("2b".to_owned(), time)]);

    let bad = format!("{}short,row\n", crate::support::SKILLS_CSV);
    fs::write(ccfs.path("c_agentSkillInfo.csv"), bad).unwrap();
    let bad = ["convert", "c_agentSkillInfo.csv", "--to", "parquet", "-o", "bad.parquet"];
    let run = ccfs.run(&bad);
    run.ends_with_code(1);
    assert!(run.stderr.contains("line 2") && !ccfs.path("bad.parquet").exists(), "{run:?}");
    ccfs.run(&[&bad[..], &["--rejects", "rejects"]].concat()).ends_with_code(0);
    assert_eq!(fs::read_to_string(ccfs.path("rejects")).unwrap(), "short,row\n");
    let mixed = ["convert", "a_agentSkillInfo.csv", "call.csv", "--to", "parquet", "-o", "x"];
    fs::write(ccfs.path("call.csv"), "x\n").unwrap();
    fails(&mixed, "the inputs have several kinds of files, which have different columns");
    assert!(!ccfs.path("x").exists());
}
