//! The same answers as readers and writers that others wrote: Python, Java, the `zip` crate.

use std::fs::{self, File};
use std::io::{Cursor, Read};

use crate::support::skipped::skipped;
use crate::support::{NAME, ROW, archive, changes, data, peer};
use ccfs_archive::{AgentSkillChange, Archive, Charset, IndexKind, Member, Method, OperateType};

#[test]
fn the_committed_archive_of_a_java_server_is_read() {
    let mut archive = Archive::open(File::open(data("java.zip")).unwrap()).unwrap();
    let members = archive.members();
    assert_eq!(members.iter().map(Member::size).collect::<Vec<_>>(), [339, 0, 16]);
    assert!(members.iter().all(|member| member.kind() == Some(IndexKind::AgentSkillInfo)));
    assert!(members.iter().all(|member| member.method() == Method::Deflated));

    let all: Vec<AgentSkillChange> = archive.records().map(Result::unwrap).collect();
    let ids: Vec<_> = all.iter().map(|change| change.id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["id1", "id2", "id3", "id4"]);
    assert_eq!((all[2].sub_cc_no, all[2].agent_id), (Some(1 << 32), Some(1003)));
    assert_eq!(all[3].developer_id.as_deref(), Some("话务"));

    let report = archive.inspect().unwrap();
    assert_eq!((report.totals.rows, report.totals.bad_rows.count(), report.size), (4, 0, 355));
    assert_eq!(report.totals.by_hour[20], 3);
    assert_eq!(report.totals.earliest.unwrap().to_string(), "2015-02-08 20:23:31");
    assert_eq!(report.totals.latest.unwrap().to_string(), "2015-02-08 20:23:33");
    let types: Vec<_> =
        report.totals.by_operation.iter().map(|(kind, rows)| (*kind, *rows)).collect();
    assert_eq!(types, [(OperateType::SIGN_IN, 1), (OperateType::IDLE, 1), (OperateType::BUSY, 1)]);
    assert_eq!(
        report.members.iter().map(|member| member.header).collect::<Vec<_>>(),
        [Some(false), None, Some(false)]
    );
    assert_eq!(report.members[2].charset, Some(Charset::Utf8));
}

#[test]
fn a_report_lists_each_member_separately() {
    let (gb18030, _, _) = encoding_rs::GB18030.encode("id,developer_id\r\na,话务\r\nb,中文,,x\r\n");
    let utf8 =
        format!("\u{feff}{ROW}\n{}\n", ROW.replace("2015-02-08 20:23:30", "2015-02-08 07:00:00"));
    let names = [
        NAME,
        "20150208202330123457_agentSkillInfo_1.csv",
        "20150208202330123458_record.csv",
        "readme.txt",
    ];
    let zip = archive(&[
        (names[0], &gb18030),
        (names[1], utf8.as_bytes()),
        (names[2], b"dev,acc,,,,,,2015-02-08 07:00:00\n"),
        (names[3], b"x"),
    ]);
    let report = Archive::open(Cursor::new(&zip)).unwrap().inspect().unwrap();
    let told: Vec<_> = report
        .members
        .iter()
        .map(|member| (member.charset, member.byte_order_mark, member.header))
        .collect();
    assert_eq!(
        told,
        [
            (Some(Charset::Gb18030), false, Some(true)),
            (Some(Charset::Utf8), true, Some(false)),
            (Some(Charset::Utf8), false, Some(false)),
            (None, false, None),
        ]
    );
    let rows: Vec<_> = report
        .members
        .iter()
        .map(|member| (member.tally.rows, member.tally.bad_rows.count()))
        .collect();
    assert_eq!(rows, [(1, 1), (2, 0), (1, 0), (0, 0)]);
    assert_eq!((report.totals.rows, report.totals.bad_rows.count()), (4, 1));
    assert_eq!((report.totals.by_hour[7], report.totals.by_hour[20]), (2, 1));
    assert_eq!(report.size, report.members.iter().map(|member| member.size).sum::<u64>());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["members"][0]["charset"], "GB18030");
    assert_eq!(json["members"][0]["tally"]["bad_rows"]["first"][0]["at"]["line"], 3);
    assert_eq!(
        json["totals"]["by_operation"],
        serde_json::json!([{"code": 1, "name": "sign in", "rows": 2}])
    );
    assert_eq!(json["totals"]["earliest"], "2015-02-08T07:00:00");
}

#[test]
fn archives_of_java_are_read() {
    let Some(mut java) = peer("java") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (csv, zip) = (folder.path().join(NAME), folder.path().join("out.zip"));
    fs::write(&csv, format!("{ROW}\r\n").repeat(20_000)).unwrap();
    let status = java.arg(data("MakeZip.java")).arg(&zip).arg(&csv).status().unwrap();
    if !status.success() {
        skipped("this java does not run source files");
        return;
    }
    let mut archive = Archive::open(File::open(zip).unwrap()).unwrap();
    assert_eq!(archive.records::<AgentSkillChange>().map(Result::unwrap).count(), 20_000);
}

/// Writes archives in the ways that Python knows, among them to a pipe, and prints the rows that it reads itself.
const PYTHON_ZIPS: &str = r#"
import csv, io, sys, zipfile
class Pipe(io.RawIOBase):
    def __init__(self): self.data = bytearray()
    def writable(self): return True
    def write(self, piece): self.data += piece; return len(piece)
name, text, way = sys.argv[1], sys.stdin.read(), sys.argv[2]
method = zipfile.ZIP_STORED if way == "stored" else zipfile.ZIP_DEFLATED
out = Pipe() if way == "pipe" else io.BytesIO()
with zipfile.ZipFile(out, "w", method) as archive:
    with archive.open(name, "w", force_zip64=(way == "zip64")) as member: member.write(text.encode())
    archive.writestr("readme.txt", "no rows in here")
    archive.comment = b"a comment"
sys.stdout.buffer.write(bytes(out.data) if way == "pipe" else out.getvalue())
"#;

#[test]
fn archives_of_python_are_read() {
    for way in ["file", "pipe", "stored", "zip64"] {
        let Some(mut python) = peer("python3") else { return };
        let csv = format!("{ROW}\n").repeat(100);
        let zip = run(python.args(["-c", PYTHON_ZIPS, NAME, way]), csv.as_bytes());
        assert_eq!(changes(&zip).unwrap().len(), 100, "{way}");
        let report = Archive::open(Cursor::new(zip)).unwrap().inspect().unwrap();
        assert_eq!((report.members[1].kind, report.members[1].size), (None, 15), "{way}");
    }
}

#[test]
fn archives_of_info_zip_are_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(NAME), format!("{ROW}\n").repeat(100)).unwrap();
    // To a pipe it writes data descriptors, and the size in front as well.
    for options in [["-q", "-"], ["-q0", "-"]] {
        let Some(mut zip) = peer("zip") else { return };
        let zip = run(zip.current_dir(&folder).args(options).arg(NAME), b"");
        assert_eq!(changes(&zip).unwrap().len(), 100, "{options:?}");
    }
}

/// Reads an archive as Python would, and prints one JSON array of cells for each row.
const PYTHON_READS: &str = r#"
import csv, io, json, sys, zipfile
archive = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))
for name in archive.namelist():
    with archive.open(name) as member:
        for row in csv.reader(io.TextIOWrapper(member, "utf-8-sig", newline="")):
            if row: print(json.dumps(row))
"#;

#[test]
fn python_reads_the_rows_that_we_read() {
    let Some(mut python) = peer("python3") else { return };
    let csv = "\u{feff}a,\"b,\"\"c\"\"\",\"d\r\ne\",1\r\n\r\n话,,\"\",2\n\"x\",z\"z,,3\nlast,,,4";
    let more = format!("{ROW}\n").repeat(50);
    let zip = archive(&[
        (NAME, csv.as_bytes()),
        ("20150208202330123457_agentSkillInfo_1.csv", more.as_bytes()),
    ]);
    let theirs = run(python.args(["-c", PYTHON_READS]), &zip);
    let theirs: Vec<Vec<String>> = String::from_utf8(theirs)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut ours = Vec::new();
    let mut archive = Archive::open(Cursor::new(&zip)).unwrap();
    let mut records = archive.records::<AgentSkillChange>();
    while let Some(record) = records.next_record().unwrap() {
        ours.push(record.row().cells().iter().map(str::to_owned).collect::<Vec<_>>());
    }
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 54);
}

#[test]
fn the_zip_crate_reads_the_same_bytes() {
    let csv = format!("{ROW}\n").repeat(30_000);
    let zip = archive(&[(NAME, csv.as_bytes()), ("notes.txt", b"x")]);
    let mut theirs = zip::ZipArchive::new(Cursor::new(&zip)).unwrap();
    let ours = Archive::open(Cursor::new(&zip)).unwrap();
    assert_eq!(ours.members().len(), theirs.len());
    for (index, member) in ours.members().iter().enumerate() {
        let mut file = theirs.by_index(index).unwrap();
        assert_eq!((member.name(), member.size()), (file.name().unwrap().as_ref(), file.size()));
        assert_eq!(member.compressed_size(), file.compressed_size());
        let mut text = Vec::new();
        file.read_to_end(&mut text).unwrap();
        assert_eq!(text.len() as u64, member.size());
    }
    assert_eq!(changes(&zip).unwrap(), crate::support::changes_of_csv(csv.as_bytes()).unwrap());
}

fn run(command: &mut std::process::Command, input: &[u8]) -> Vec<u8> {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        output.stdout
    })
}
