//! Archives that are damaged or made to mislead: each is refused for a named reason.

use std::io::Cursor;

use crate::support::{
    NAME, ROW, archive, archive_with_descriptors, changes, changes_with, data, stored_archive,
    streamed,
};
use ccfs_archive::{
    AgentSkillChange, Archive, Error, LimitKind, Limits, Member, ReadOptions, ZipFault,
};

/// Why an archive is refused, by seeking and by streaming alike.
fn fault(zip: &[u8]) -> ZipFault {
    let (seeking, streaming) = faults(zip);
    assert_eq!(seeking, streaming);
    seeking
}

/// Why an archive is refused by seeking, and by streaming, which meets things in another order.
fn faults(zip: &[u8]) -> (ZipFault, ZipFault) {
    let of = |result| match result {
        Err(Error::Zip(error)) => error.fault,
        other => panic!("{other:?}"),
    };
    (of(changes(zip)), of(streamed(zip)))
}

fn sample() -> Vec<u8> {
    archive(&[(NAME, format!("{ROW}\n").as_bytes())])
}

/// Returns the first position of these bytes.
fn find(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).position(|window| window == part).unwrap()
}

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

/// Changes bytes of the first header of a kind.
fn patch(mut zip: Vec<u8>, header: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let start = find(&zip, header) + at;
    zip[start..start + bytes.len()].copy_from_slice(bytes);
    zip
}

#[test]
fn other_files_are_reported_as_not_an_archive() {
    assert_eq!(fault(b""), ZipFault::NoBytes);
    assert_eq!(fault(b"{\"resultCode\":\"0300011\"}"), ZipFault::NotZip);
    let zip = sample();
    assert_eq!(fault(&zip[..zip.len() / 2]), ZipFault::Truncated);
    assert_eq!(fault(&zip[..zip.len() - 1]), ZipFault::Truncated);
    assert!(changes(&archive(&[])).unwrap().is_empty(), "an archive without members is one");
}

#[test]
fn every_cut_of_a_java_archive_is_refused() {
    let zip = std::fs::read(data("java.zip")).unwrap();
    for length in 0..zip.len() {
        assert!(changes(&zip[..length]).is_err(), "{length}");
    }
}

#[test]
fn junk_around_and_between_is_refused() {
    let zip = sample();
    assert_eq!(
        faults(&[b"junk".as_slice(), &zip].concat()),
        (ZipFault::LeadingJunk, ZipFault::NotZip)
    );
    assert_eq!(fault(&[zip.as_slice(), b"junk"].concat()), ZipFault::TrailingJunk { bytes: 4 });
    // Four bytes between the data and the directory, whose offset is right again.
    let at = find(&zip, CENTRAL);
    let mut between = [&zip[..at], b"junk", &zip[at..]].concat();
    let end = find(&between, END);
    let offset = u32::try_from(at + 4).unwrap();
    between[end + 16..end + 20].copy_from_slice(&offset.to_le_bytes());
    assert_eq!(fault(&between), ZipFault::Gap);
}

#[test]
fn two_directory_ends_are_refused() {
    let mut zip = sample();
    let end = find(&zip, END);
    let second = zip[end..].to_vec();
    zip[end + 20..end + 22].copy_from_slice(&22u16.to_le_bytes());
    zip.extend(second);
    assert_eq!(fault(&zip), ZipFault::TwoEnds);
}

#[test]
fn a_wrong_checksum_is_found() {
    let zip = patch(patch(sample(), CENTRAL, 16, &[1, 2, 3, 4]), LOCAL, 14, &[1, 2, 3, 4]);
    assert_eq!(fault(&zip), ZipFault::Crc);
    let Err(error) = changes(&zip) else { panic!() };
    assert!(
        error
            .to_string()
            .starts_with(&format!("{NAME}: the member's checksum (CRC-32) does not match")),
        "{error}"
    );
}

#[test]
fn wrong_sizes_are_found() {
    let length = u32::try_from(ROW.len() + 1).unwrap();
    for wrong in [length - 1, length + 1, 0] {
        let wrong = wrong.to_le_bytes();
        let zip = patch(patch(sample(), CENTRAL, 24, &wrong), LOCAL, 22, &wrong);
        assert_eq!(fault(&zip), ZipFault::Size);
    }
}

#[test]
fn a_header_that_differs_from_the_directory_is_refused() {
    for (at, what) in [
        (6, "flags"),
        (8, "compression method"),
        (14, "checksum"),
        (18, "compressed size"),
        (22, "size"),
        (30, "name"),
    ] {
        let value = if at == 6 { 1 } else { 7 };
        // Streaming believes the header first, and finds that the data is not what it says.
        let (seeking, _) = faults(&patch(sample(), LOCAL, at, &[value]));
        assert_eq!(seeking, ZipFault::Differs { what }, "{what}");
    }
    let mut zip = std::fs::read(data("java.zip")).unwrap();
    let descriptor = find(&zip, b"PK\x07\x08");
    zip[descriptor + 4] ^= 1;
    assert_eq!(faults(&zip), (ZipFault::Differs { what: "data descriptor" }, ZipFault::Crc));
    // The directory is the one that is wrong.
    for (at, what) in [(16, "checksum"), (24, "size"), (46, "name")] {
        assert_eq!(
            faults(&patch(sample(), CENTRAL, at, b"x")).1,
            ZipFault::Differs { what },
            "{what}"
        );
    }
}

#[test]
fn encrypted_and_unknown_methods_are_refused() {
    for flag in [1, 1 << 6] {
        assert_eq!(
            fault(&patch(patch(sample(), CENTRAL, 8, &[flag]), LOCAL, 6, &[flag])),
            ZipFault::Encrypted
        );
    }
    for method in [1, 9, 12, 14, 93, 99] {
        let zip = patch(patch(sample(), CENTRAL, 10, &[method]), LOCAL, 8, &[method]);
        assert_eq!(fault(&zip), ZipFault::Method { method: u16::from(method) });
    }
}

#[test]
fn a_stored_member_without_a_size_can_be_read_by_seeking_only() {
    // Flag 3 in both headers, and a data descriptor after the data.
    let zip = stored_archive(&[(NAME, format!("{ROW}\n").as_bytes())]);
    let zip = patch(patch(zip, CENTRAL, 8, &[8]), LOCAL, 6, &[8]);
    let (local, central, end) = (find(&zip, LOCAL), find(&zip, CENTRAL), find(&zip, END));
    let descriptor = [b"PK\x07\x08", &zip[local + 14..local + 26]].concat();
    let mut zip = [&zip[..central], &descriptor, &zip[central..]].concat();
    let offset = u32::try_from(central + descriptor.len()).unwrap();
    zip[end + descriptor.len() + 16..][..4].copy_from_slice(&offset.to_le_bytes());
    assert_eq!(changes(&zip).unwrap().len(), 1);
    assert!(
        matches!(streamed(&zip), Err(Error::Zip(error)) if error.fault == ZipFault::StoredStream)
    );
    let (seeking, _) = faults(&zip[..zip.len() - 1]);
    assert_eq!(seeking, ZipFault::BadDirectory { what: "its end is missing" });
}

#[test]
fn bytes_after_a_descriptor_are_refused() {
    let zip = archive_with_descriptors(&[(NAME, format!("{ROW}\n").as_bytes())]);
    let (central, end) = (find(&zip, CENTRAL), find(&zip, END));
    let mut zip = [&zip[..central], b"junk", &zip[central..]].concat();
    let offset = u32::try_from(central + 4).unwrap();
    zip[end + 4 + 16..][..4].copy_from_slice(&offset.to_le_bytes());
    assert_eq!(fault(&zip), ZipFault::Gap);
}

#[test]
fn links_are_refused() {
    let zip =
        patch(patch(sample(), CENTRAL, 5, &[3]), CENTRAL, 38, &(0o120_777u32 << 16).to_le_bytes());
    assert_eq!(fault(&zip), ZipFault::Link);
}

#[test]
fn bad_names_are_refused() {
    let long = "x".repeat(NAME.len() - 4);
    for (name, what) in [
        (format!("../{}x", &long), "leads out of its folder"),
        (format!("/{}xxx", &long), "is an absolute path"),
        (format!("C:{}xx", &long), "contains a colon, as a drive does"),
        (format!("a\\{}xx", &long), "contains a backslash"),
        (format!("a\0{}xx", &long), "contains a NUL character"),
        (format!("a\u{1b}{}xx", &long), "contains a control character"),
        (format!("NUL.{long}"), "is reserved for a device on Windows"),
    ] {
        let zip = patch(patch(sample(), CENTRAL, 46, name.as_bytes()), LOCAL, 30, name.as_bytes());
        assert_eq!(fault(&zip), ZipFault::Name { what }, "{name:?}");
    }
}

#[test]
fn names_are_checked_part_by_part() {
    let accepted = ["folder/", "folder/a b.csv", "\u{8bdd}\u{52a1}.csv", "common.csv", "a..b"];
    for name in accepted {
        assert!(Archive::open(Cursor::new(archive(&[(name, b"")]))).is_ok(), "{name}");
    }
    let long = "a".repeat(256);
    for (name, what) in [
        ("", "is empty"),
        (&long, "is longer than 255 bytes"),
        ("a/../b.csv", "leads out of its folder"),
        ("a//b.csv", "leads out of its folder"),
        ("./a.csv", "leads out of its folder"),
        ("/", "is an absolute path"),
        ("a.csv:stream", "contains a colon, as a drive does"),
        ("CON", "is reserved for a device on Windows"),
        ("dir/nul.csv", "is reserved for a device on Windows"),
        ("lpt1 .csv", "is reserved for a device on Windows"),
    ] {
        assert_eq!(fault(&archive(&[(name, b"")])), ZipFault::Name { what }, "{name:?}");
    }
    let patched = |name: &[u8]| {
        let zip = archive(&[("abcdef.csv", b"")]);
        patch(patch(zip, CENTRAL, 46, name), LOCAL, 30, name)
    };
    assert_eq!(fault(&patched(b"\xC4\xE3")), ZipFault::Name { what: "is not UTF-8" });
    let Err(Error::Zip(error)) = changes(&patched(b"a\x1b[2Jb")) else { panic!() };
    assert_eq!(error.member.as_deref(), Some("a\\u{1b}[2Jb.csv"), "control characters are escaped");
}

#[test]
fn members_with_one_name_are_refused() {
    let second = NAME.replace("csv", "csx");
    let mut zip = archive(&[(NAME, b"a,,,1"), (&second, b"b,,,1")]);
    while let Some(at) = zip.windows(NAME.len()).position(|window| window == second.as_bytes()) {
        zip[at..at + NAME.len()].copy_from_slice(NAME.as_bytes());
    }
    assert_eq!(fault(&zip), ZipFault::Duplicate);
    assert_eq!(fault(&archive(&[("a.csv", b""), ("A.csv", b"")])), ZipFault::Duplicate);
}

#[test]
fn members_that_share_bytes_are_refused() {
    // The second entry points to the first member's data, as in a bomb of overlapping files.
    let mut zip = archive(&[(NAME, b"a,,,1"), ("b.csv", b"a,,,1")]);
    let second = zip.windows(4).rposition(|window| window == CENTRAL).unwrap();
    zip[second + 42..second + 46].copy_from_slice(&0u32.to_le_bytes());
    assert!(matches!(faults(&zip), (ZipFault::Overlap, ZipFault::Overlap)));
    // Data that reaches into the directory.
    let zip = patch(patch(sample(), CENTRAL, 20, &[255, 255]), LOCAL, 18, &[255, 255]);
    assert_eq!(faults(&zip), (ZipFault::Overlap, ZipFault::Size));
}

#[test]
fn a_split_archive_is_refused() {
    assert_eq!(fault(&patch(sample(), END, 4, &[1])), ZipFault::SeveralDisks);
    assert_eq!(fault(&patch(sample(), CENTRAL, 34, &[1])), ZipFault::SeveralDisks);
}

#[test]
fn a_directory_that_miscounts_is_refused() {
    for count in [0, 2] {
        let zip = patch(sample(), END, 8, &[count, 0, count]);
        assert!(
            matches!(faults(&zip), (ZipFault::BadDirectory { .. }, ZipFault::BadDirectory { .. })),
            "{count}"
        );
    }
}

#[test]
fn an_entry_that_points_past_the_members_is_refused() {
    let directory = find(&sample(), CENTRAL);
    for offset in [directory, directory + 1, 1 << 20] {
        let offset = u32::try_from(offset).unwrap().to_le_bytes();
        assert!(matches!(
            fault(&patch(sample(), CENTRAL, 42, &offset)),
            ZipFault::BadDirectory { what: "an entry points past the members" }
        ));
    }
}

#[test]
fn damaged_deflate_data_is_refused() {
    let mut zip = sample();
    let at = find(&zip, NAME.as_bytes()) + NAME.len();
    zip[at] = 0b111; // a last block of a kind that does not exist
    assert_eq!(fault(&zip), ZipFault::BadDeflate);
}

fn limit(zip: &[u8], limits: Limits) -> (LimitKind, u64, String) {
    match changes_with(zip, &ReadOptions::new().limits(limits)) {
        Err(Error::Limit { kind, limit, at }) => (kind, limit, at.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let zip = archive(&[(NAME, &vec![b'\n'; 17 << 20])]);
    assert!(zip.len() < (17 << 20) / 500, "this is a bomb");
    let error = changes(&zip).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!(
            "{NAME}: more than 200 bytes of a member for each compressed byte;"
        )),
        "{error}"
    );
    assert_eq!(
        limit(&zip, Limits::new().with(LimitKind::MemberBytes, 1000)),
        (LimitKind::MemberBytes, 1000, NAME.to_owned())
    );
    // A record that does not end.
    let zip = archive(&[(NAME, &vec![b'x'; 1 << 20])]);
    assert_eq!(
        limit(&zip, Limits::new()),
        (LimitKind::RecordBytes, 256 << 10, format!("{NAME}, line 1"))
    );
}

#[test]
fn limits_hold_over_all_members() {
    let members: Vec<(String, Vec<u8>)> = (0..5)
        .map(|index| (format!("{index}_agentSkillInfo.csv"), b"abc,,,1\n".repeat(50)))
        .collect();
    let members: Vec<(&str, &[u8])> =
        members.iter().map(|(name, data)| (name.as_str(), data.as_slice())).collect();
    let zip = archive(&members);
    assert_eq!(
        limit(&zip, Limits::new().with(LimitKind::TotalBytes, 1000)),
        (LimitKind::TotalBytes, 1000, "2_agentSkillInfo.csv".to_owned())
    );
    assert_eq!(
        limit(&zip, Limits::new().with(LimitKind::Members, 4)),
        (LimitKind::Members, 4, "archive".to_owned())
    );
    assert_eq!(
        limit(&zip, Limits::new().with(LimitKind::DirectoryBytes, 100)),
        (LimitKind::DirectoryBytes, 100, "archive".to_owned())
    );
    let options = ReadOptions::new().limits(Limits::new().with(LimitKind::TotalBytes, 1000));
    assert!(
        Archive::open_with(Cursor::new(&zip), &options).unwrap().inspect().is_err(),
        "inspecting is bounded, too"
    );
}

#[test]
fn limits_hold_for_records_and_cells() {
    let csv = format!("{ROW}\n{}\n{ROW}\n", ROW.replace("dev", &"x".repeat(2000)));
    let zip = archive(&[(NAME, csv.as_bytes())]);
    assert_eq!(
        limit(&zip, Limits::new().with(LimitKind::RecordBytes, 1000)),
        (LimitKind::RecordBytes, 1000, format!("{NAME}, line 2"))
    );
    let expected =
        (LimitKind::FieldBytes, 1999, format!("{NAME}, line 2, column 2 (developer_id)"));
    assert_eq!(limit(&zip, Limits::new().with(LimitKind::FieldBytes, 1999)), expected);
    assert!(
        changes_with(
            &zip,
            &ReadOptions::new().limits(
                Limits::new().with(LimitKind::FieldBytes, 2000).with(LimitKind::RecordBytes, 2200)
            )
        )
        .is_ok()
    );
    // An unclosed quote ends at the limit of a record.
    let csv = format!("{ROW}\n\"{}", "x\n".repeat(1 << 20));
    let zip = archive(&[(NAME, csv.as_bytes())]);
    assert_eq!(
        limit(&zip, Limits::new()),
        (LimitKind::RecordBytes, 256 << 10, format!("{NAME}, line 2"))
    );
}

#[test]
fn a_bad_date_says_member_line_and_column() {
    let csv = format!("{ROW}\n{}\n", ROW.replace("2015-02-08 20:23:30", "2015-02-30 20:23:30"));
    let error = changes(&archive(&[(NAME, csv.as_bytes())])).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!(
            "{NAME}, line 2, column 7 (operate_time): the date does not exist"
        )),
        "{error}"
    );
}

#[test]
fn a_failing_reader_is_distinguished_from_bad_data() {
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("no"))
        }
    }
    impl std::io::Seek for Failing {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            Ok(100)
        }
    }
    assert!(matches!(Archive::open(Failing), Err(Error::Io(_))));
}

/// Sizes that add up to more than a number holds; the reading itself finds that they are not true.
#[test]
fn sizes_beyond_all_numbers_are_only_claims() {
    let row = format!("{ROW}\n");
    let len = u16::try_from(row.len()).unwrap();
    // One block of DEFLATE that is not compressed.
    let data = [&[1][..], &len.to_le_bytes(), &(!len).to_le_bytes(), row.as_bytes()].concat();
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    let names = ["1_agentSkillInfo.csv", "2_agentSkillInfo.csv"];
    for name in names {
        let size = [&[1, 0, 8, 0][..], &u64::MAX.to_le_bytes()].concat();
        let [name_len, extra_len] =
            [name.len(), size.len()].map(|len| u16::try_from(len).unwrap().to_le_bytes());
        let [data_len, at] =
            [data.len(), zip.len()].map(|number| u32::try_from(number).unwrap().to_le_bytes());
        // Version, flags, method, time, checksum, sizes, lengths.
        let common = [
            &[45, 0, 0, 0, 8, 0, 0, 0, 0x21, 0][..],
            &[0; 4],
            &data_len,
            &[0xFF; 4],
            &name_len,
            &extra_len,
        ]
        .concat();
        directory.extend(
            [b"PK\x01\x02\x2D\x00", &common[..], &[0; 10], &at, name.as_bytes(), &size].concat(),
        );
        zip.extend([b"PK\x03\x04", &common[..], name.as_bytes(), &size, &data].concat());
    }
    let [directory_len, directory_at] =
        [directory.len(), zip.len()].map(|number| u32::try_from(number).unwrap().to_le_bytes());
    zip.extend(
        [
            &directory[..],
            b"PK\x05\x06",
            &[0, 0, 0, 0, 2, 0, 2, 0],
            &directory_len,
            &directory_at,
            &[0, 0],
        ]
        .concat(),
    );

    let archive = Archive::open(Cursor::new(zip)).unwrap();
    assert_eq!(archive.members().iter().map(Member::size).collect::<Vec<_>>(), [u64::MAX; 2]);
    assert!(archive.into_records_ahead::<AgentSkillChange>().any(|record| record.is_err()));
}
