//! The generated ZIP, read by programs that this project did not write.

use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Client, NOWHERE, fixed};
use ccfs_emulator::{Shape, SkillSeparator};
use ccfs_tests::skipped;

fn archive(rows: u64, per_member: u64, shape: Shape) -> Vec<u8> {
    let emulator = fixed().rows(rows).rows_per_member(per_member).shape(shape).start().unwrap();
    Client::new(&emulator).generate(NOWHERE);
    emulator.file(&emulator.files()[0]).unwrap()
}

/// Runs a program on the archive; `None`, with the reason printed, where it is not installed.
fn run(program: &str, arguments: &[&str], file: &Path) -> Option<Output> {
    match Command::new(program).args(arguments).arg(file).output() {
        Ok(output) => Some(output),
        Err(error) => {
            skipped(format_args!("{program} does not start here: {error}"));
            None
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The layout of a streaming writer: deflated, bit 3 set, sizes and checksum 0 in the local header, and a data descriptor with its signature
/// after the data.
#[test]
fn sizes_follow_the_data() {
    let bytes = archive(100, 100, Shape::default());
    assert_eq!(u32_at(&bytes, 0), 0x0403_4b50);
    assert_eq!((u16_at(&bytes, 6) & 0b1000, u16_at(&bytes, 8)), (0b1000, 8));
    assert_eq!((u32_at(&bytes, 14), u32_at(&bytes, 18), u32_at(&bytes, 22)), (0, 0, 0));

    let end = bytes.len() - 22;
    let directory = usize::try_from(u32_at(&bytes, end + 16)).unwrap();
    let (crc, packed, size) = (
        u32_at(&bytes, directory + 16),
        u32_at(&bytes, directory + 20),
        u32_at(&bytes, directory + 24),
    );
    assert!(size > 10_000 && packed > 1000);
    let descriptor = directory - 16;
    assert_eq!(
        [0, 4, 8, 12].map(|at| u32_at(&bytes, descriptor + at)),
        [0x0807_4b50, crc, packed, size],
        "the descriptor says what the directory says"
    );
    let name_len = usize::from(u16_at(&bytes, 26));
    let name = std::str::from_utf8(&bytes[30..30 + name_len]).unwrap();
    // 2023-04-06 10:30:00.123 on the tenant's clock, three digits more, the kind.
    assert!(
        name.starts_with("20230406103000123")
            && name.len() == 20 + "_agentSkillInfo.csv".len()
            && name.ends_with("_agentSkillInfo.csv")
    );
}

#[test]
fn a_file_without_records_has_one_member() {
    for (shape, text) in [
        (Shape::default(), ""),
        (Shape { header_row: true, ..Shape::default() }, "id,developer_id,"),
    ] {
        let mut archive = zip::ZipArchive::new(Cursor::new(archive(0, 100, shape))).unwrap();
        assert_eq!(archive.len(), 1);
        let mut member = String::new();
        archive.by_index(0).unwrap().read_to_string(&mut member).unwrap();
        assert!(
            member.starts_with(text) && member.lines().count() == usize::from(!text.is_empty())
        );
    }
}

#[test]
fn unzip_finds_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.zip");
    fs::write(&file, archive(5000, 2000, Shape::default())).unwrap();
    let Some(output) = run("unzip", &["-t"], &file) else { return };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    for member in 1..=3 {
        assert!(text.contains(&format!("_agentSkillInfo_{member}.csv")), "{text}");
    }
}

#[test]
fn python_reads_every_record() {
    const SCRIPT: &str = "
import csv, io, sys, zipfile
rows = 0
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    for member in z.namelist():
        with z.open(member) as f:
            lines = csv.reader(io.TextIOWrapper(f, encoding='utf-8-sig', newline=''))
            header = next(lines)
            assert header[0] == 'id' and header[15] == 'month_of_year', header
            for row in lines:
                assert len(row) == 16, row
                assert len(row[0]) == 32 and int(row[5]) > 0, row
                rows += 1
print(rows)
";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.zip");
    let shape = Shape {
        byte_order_mark: true,
        header_row: true,
        crlf: true,
        skill_separator: SkillSeparator::Comma,
    };
    fs::write(&file, archive(5000, 2000, shape)).unwrap();
    let Some(output) = run("python3", &["-c", SCRIPT], &file) else { return };
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "5000",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn java_reads_it_forwards() {
    const SOURCE: &str = r"
import java.io.*; import java.util.zip.*;
public class Read {
    public static void main(String[] args) throws IOException {
        long lines = 0;
        try (ZipInputStream zip = new ZipInputStream(new FileInputStream(args[0]))) {
            while (zip.getNextEntry() != null) {
                for (byte b : zip.readAllBytes()) if (b == '\n') lines++;
                zip.closeEntry();
            }
        }
        System.out.println(lines);
    }
}
";
    let folder = tempfile::tempdir().unwrap();
    let (source, file) = (folder.path().join("Read.java"), folder.path().join("a.zip"));
    fs::write(&source, SOURCE).unwrap();
    fs::write(&file, archive(5000, 2000, Shape::default())).unwrap();
    let Some(output) = run("java", &[source.to_str().unwrap()], &file) else { return };
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() && errors.contains("compiler") {
        skipped("java has no compiler here");
        return;
    }
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "5000", "{errors}");
}
