//! A file, a stream and a push parser read the same from the same bytes.

use std::io::{Cursor, Write};
use std::mem::discriminant;

use crate::support::{NAME, ROW, archive, stored_archive};
use ccfs_archive::{
    AgentSkillChange, AnyRecord, Archive, ArchiveParser, Error, IndexKind, OnBadRow, ReadOptions,
    Records, Report, SkippedMembers, ZipError, ZipFault,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;
use zip::write::SimpleFileOptions;

fn config() -> ProptestConfig {
    let regressions = FileFailurePersistence::Direct("tests/regressions/engine.txt");
    ProptestConfig { failure_persistence: Some(Box::new(regressions)), ..ProptestConfig::default() }
}

const NAMES: [&str; 8] = [
    NAME,
    "20150208202330123457_agentSkillInfo_1.csv",
    "20150208202330123456_agentOprInfo.csv",
    "notes.txt",
    "folder/20150208202330123456_agentSkillInfo.csv",
    "__MACOSX/._20150208202330123456_agentSkillInfo.csv",
    ".DS_Store",
    "Thumbs.db",
];

#[derive(Debug, Clone, Copy)]
enum Form {
    Deflated,
    Stored,
    /// The sizes have 64 bits.
    Wide,
    /// The sizes follow the data.
    Descriptors,
}

/// An archive of any members.
fn any_archive() -> impl Strategy<Value = Vec<u8>> {
    let form =
        prop::sample::select(vec![Form::Deflated, Form::Stored, Form::Wide, Form::Descriptors]);
    let row = prop_oneof![
        4 => "[a-z]{1,6},dev,acc,[0-9]{1,3}\n",
        1 => Just("bad,dev,acc,x\n".to_owned()),
        1 => "[a-z]{300}".prop_map(|cell| format!("{cell},dev,acc,1\n")),
    ];
    let rows = prop::collection::vec(row, 0..5).prop_map(|rows| rows.concat());
    let members = prop::collection::btree_map(0..NAMES.len(), rows, 0..4);
    (members, form, "[a-z]{0,5}").prop_map(|(members, form, comment)| {
        let members = members.iter().map(|(&name, rows)| (NAMES[name], rows.as_str()));
        if matches!(form, Form::Descriptors) {
            write(zip::ZipWriter::new_stream(Vec::new()), members, form, &comment)
        } else {
            write(zip::ZipWriter::new(Cursor::new(Vec::new())), members, form, &comment)
        }
    })
}

trait Sink: Write + std::io::Seek {
    fn bytes(self) -> Vec<u8>;
}

impl Sink for Cursor<Vec<u8>> {
    fn bytes(self) -> Vec<u8> {
        self.into_inner()
    }
}

impl Sink for zip::write::StreamWriter<Vec<u8>> {
    fn bytes(self) -> Vec<u8> {
        self.into_inner()
    }
}

fn write<'a>(
    mut writer: zip::ZipWriter<impl Sink>,
    members: impl Iterator<Item = (&'a str, &'a str)>,
    form: Form,
    comment: &str,
) -> Vec<u8> {
    let method = match form {
        Form::Stored => zip::CompressionMethod::Stored,
        _ => zip::CompressionMethod::Deflated,
    };
    let options = SimpleFileOptions::default()
        .compression_method(method)
        .large_file(matches!(form, Form::Wide));
    for (name, rows) in members {
        writer.start_file(name, options).unwrap();
        // Without a date, an agentOprInfo file would be refused.
        let dated = rows.replace('\n', ",,,,2015-02-08 20:23:30\n");
        let rows = if name.contains("agentOprInfo") { &dated } else { rows };
        writer.write_all(rows.as_bytes()).unwrap();
    }
    writer.set_comment(comment).unwrap();
    writer.finish().unwrap().bytes()
}

/// Records, bad rows and skipped members of an archive, or the error after the records.
#[derive(Debug)]
struct Read {
    records: Vec<AgentSkillChange>,
    end: Result<(u64, SkippedMembers), Error>,
}

fn options() -> ReadOptions {
    ReadOptions::new().on_bad_row(OnBadRow::Skip)
}

fn read(records: Result<Records<'_, AgentSkillChange>, Error>) -> Read {
    let mut found = Vec::new();
    let run = || {
        let mut records = records?;
        while let Some(record) = records.next_record()? {
            found.push(record.into_owned());
        }
        assert!(records.next_record().unwrap().is_none(), "the end stays the end");
        Ok((records.bad_rows().count(), records.skipped_members().clone()))
    };
    let end = run();
    Read { records: found, end }
}

/// From a file, every member is checked as a stream does it, read as records or not.
fn from_file(bytes: &[u8]) -> Read {
    let opened = Archive::open_with(Cursor::new(bytes), &options())
        .and_then(|mut archive| archive.inspect().map(|_| archive));
    match opened {
        Ok(mut archive) => read(Ok(archive.records())),
        Err(error) => read(Err(error)),
    }
}

fn from_stream(bytes: &[u8]) -> Read {
    read(Ok(Records::from_stream(bytes, &options())))
}

/// Pushes chunks; reads `drains` records, in turn, before it tries to feed the next chunk.
fn pushed<'a>(chunks: impl Iterator<Item = &'a [u8]>, drains: &[usize]) -> Read {
    let mut parser = ArchiveParser::<AgentSkillChange>::new(&options());
    let mut found = Vec::new();
    let mut drains = drains.iter().cycle();
    let run = || {
        let mut drain = |parser: &mut ArchiveParser<AgentSkillChange>, most: usize| {
            for _ in 0..most {
                let Some(record) = parser.next_record()? else { return Ok::<_, Error>(true) };
                found.push(record.into_owned());
            }
            Ok(false)
        };
        for chunk in chunks {
            while let Err(error) = parser.feed(chunk) {
                assert!(matches!(error, Error::NotDrained), "{error}");
                drain(&mut parser, 1)?;
            }
            drain(&mut parser, drains.next().copied().unwrap_or(usize::MAX))?;
        }
        parser.finish();
        assert!(drain(&mut parser, usize::MAX)?);
        Ok((parser.records().bad_rows().count(), parser.records().skipped_members().clone()))
    };
    let end = run();
    Read { records: found, end }
}

fn pieces<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> =
        cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

fn fault(error: &Error) -> Option<&ZipFault> {
    match error {
        Error::Zip(ZipError { fault, .. }) => Some(fault),
        _ => None,
    }
}

fn refusal(read: &Read) -> Option<ZipFault> {
    read.end.as_ref().err().and_then(fault).cloned()
}

/// Whether two errors are of the same kind. Damaged data may show itself in three ways, depending on how much was inflated
/// at once.
fn same_kind(one: &Error, other: &Error) -> bool {
    use ZipFault::{BadDeflate, Crc, Size};
    match (fault(one), fault(other)) {
        (Some(Crc | Size | BadDeflate), Some(Crc | Size | BadDeflate)) => true,
        (Some(one), Some(other)) => discriminant(one) == discriminant(other),
        _ => discriminant(one) == discriminant(other),
    }
}

/// Whether a file and a stream refuse an archive for the same reason, as far as a stream can know it.
///
/// A stream trusts a header until it has read the directory: where they differ, the data appears wrong, or cut off. It
/// learns the size of data with a descriptor after the data, so that damaged data may seem to go on.
fn alike(file: &Error, stream: &Error) -> bool {
    use ZipFault::{BadDeflate, BadDirectory, Crc, Differs, Overlap, Size, Truncated};
    same_kind(file, stream)
        || match fault(file) {
            Some(Differs { .. } | Overlap | BadDirectory { .. }) => true,
            Some(Crc | Size | BadDeflate) => fault(stream) == Some(&Truncated),
            _ => false,
        }
        || one_is_refused(file, stream)
}

/// Whether one error is about the first rows, which damage has changed, and the other about the damage.
fn one_is_refused(one: &Error, other: &Error) -> bool {
    use ZipFault::{BadDeflate, Crc, Size, Truncated};
    let damaged = |error| matches!(fault(error), Some(Crc | Size | BadDeflate | Truncated));
    let refused = |error: &Error| matches!(error, Error::NotIndexFile(_));
    (refused(one) && damaged(other)) || (damaged(one) && refused(other))
}

fn assert_alike(bytes: &[u8], cuts: &[Index], drains: &[usize]) -> Result<(), TestCaseError> {
    let (file, stream) = (from_file(bytes), from_stream(bytes));
    match (&file.end, &stream.end) {
        (Ok(end), Ok(stream_end)) => {
            prop_assert_eq!((&file.records, end), (&stream.records, stream_end));
        }
        (Err(file), Err(stream)) => {
            prop_assert!(alike(file, stream), "file: {file:?}, stream: {stream:?}");
        }
        (file, stream) => prop_assert!(false, "file: {file:?}, stream: {stream:?}"),
    }
    for pushed in [
        pushed(pieces(bytes, cuts).into_iter(), drains),
        pushed(bytes.chunks(1), drains),
        pushed([bytes].into_iter(), &[]),
    ] {
        // How many records precede an error depends on how much was inflated at once.
        let first = pushed.records.len().min(stream.records.len());
        prop_assert_eq!(&pushed.records[..first], &stream.records[..first]);
        match (&pushed.end, &stream.end) {
            (Ok(pushed_end), Ok(stream_end)) => {
                prop_assert_eq!((&pushed.records, pushed_end), (&stream.records, stream_end));
            }
            (Err(pushed), Err(stream)) => {
                prop_assert!(
                    same_kind(pushed, stream) || one_is_refused(pushed, stream),
                    "pushed: {pushed:?}, stream: {stream:?}"
                );
            }
            (pushed, stream) => prop_assert!(false, "pushed: {pushed:?}, stream: {stream:?}"),
        }
    }
    Ok(())
}

fn cuts() -> impl Strategy<Value = Vec<Index>> {
    prop::collection::vec(any::<Index>(), 0..8)
}

fn drains() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..3usize, 1..5)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn good_archives_are_read_alike(zip in any_archive(), cuts in cuts(), drains in drains()) {
        if let Err(error) = &from_file(&zip).end {
            prop_assert!(matches!(error, Error::NoMember { .. }), "{}", error);
        }
        assert_alike(&zip, &cuts, &drains)?;
    }

    #[test]
    fn cut_archives_are_refused_alike(zip in any_archive(), at in any::<Index>(), cuts in cuts(), drains in drains()) {
        let cut = &zip[..at.index(zip.len())];
        let expected = if cut.is_empty() { ZipFault::NoBytes } else { ZipFault::Truncated };
        prop_assert_eq!(refusal(&from_file(cut)), Some(expected));
        assert_alike(cut, &cuts, &drains)?;
    }

    #[test]
    fn changed_archives_are_read_alike(zip in any_archive(), at in any::<Index>(), flip in 1..=255u8, cuts in cuts(), drains in drains()) {
        let mut zip = zip;
        let at = at.index(zip.len());
        zip[at] ^= flip;
        assert_alike(&zip, &cuts, &drains)?;
    }

    #[test]
    fn bytes_after_the_end_are_counted_alike(zip in any_archive(), after in prop::collection::vec(any::<u8>(), 1..50), cuts in cuts(), drains in drains()) {
        let bytes = after.len() as u64;
        let zip = [zip, after].concat();
        prop_assert_eq!(refusal(&from_file(&zip)), Some(ZipFault::TrailingJunk { bytes }));
        assert_alike(&zip, &cuts, &drains)?;
    }

    /// Two archives, one after the other: the second is the junk.
    #[test]
    fn joined_archives_are_refused_alike(first in any_archive(), second in any_archive(), cuts in cuts()) {
        let bytes = second.len() as u64;
        let zip = [first, second].concat();
        assert_alike(&zip, &cuts, &[1])?;
        prop_assert_eq!(refusal(&from_stream(&zip)), Some(ZipFault::TrailingJunk { bytes }));
    }
}

#[test]
fn many_bytes_after_the_end_are_not_counted() {
    let zip = archive(&[(NAME, ROW.as_bytes())]);
    for (length, text) in [
        (1, "1 byte after the end of the archive;"),
        (2, "2 bytes after the end of the archive;"),
        (65_536, "65536 bytes after the end of the archive;"),
        (65_537, "more than 65536 bytes after the end of the archive;"),
        (10 << 20, "more than 65536 bytes after the end of the archive;"),
    ] {
        let bytes = [zip.as_slice(), &vec![b'\n'; length]].concat();
        for read in [from_file(&bytes), from_stream(&bytes), pushed([&*bytes].into_iter(), &[])] {
            let error = read.end.unwrap_err().to_string();
            assert!(error.starts_with(text), "{error}");
        }
    }
}

#[test]
fn a_stream_of_junk_is_not_read_to_its_end() {
    let zip = archive(&[(NAME, ROW.as_bytes())]);
    let endless = std::io::Read::chain(zip.as_slice(), std::io::repeat(0));
    let mut records = Records::<AgentSkillChange>::from_stream(endless, &ReadOptions::new());
    assert!(records.next_record().unwrap().is_some());
    assert!(matches!(
        records.next_record(),
        Err(Error::Zip(ZipError { fault: ZipFault::TrailingJunk { .. }, .. }))
    ));
}

#[test]
fn junk_members_are_passed_in_silence() {
    let row = format!("{ROW}\n");
    let (row, junk) = (row.as_bytes(), b"\0\0\0\x05\x16\x07\0".as_slice());
    let junk_names = [
        "__MACOSX/._20150208202330123456_agentSkillInfo.csv",
        "__MACOSX/20150208202330123456_agentSkillInfo.csv",
        "a/__MACOSX/1_agentSkillInfo.csv",
        "a/.1_agentSkillInfo.csv",
        "thumbs.DB",
        "a/Desktop.ini",
        "~$1_agentSkillInfo.csv",
    ];
    let mut members = vec![(NAME, row), ("folder/", b"".as_slice())];
    members.extend(junk_names.map(|name| (name, junk)));
    let zip = archive(&members);
    let default_kind = options().default_kind(IndexKind::AgentSkillInfo);
    for options in [options(), default_kind] {
        let mut archive = Archive::open_with(Cursor::new(&zip), &options).unwrap();
        for member in archive.members() {
            assert_eq!(member.is_ignorable(), junk_names.contains(&member.name()), "{member:?}");
            assert_eq!(member.kind().is_some(), member.name() == NAME, "{member:?}");
        }
        let report = archive.inspect().unwrap();
        assert_eq!((report.totals.rows, report.totals.bad_rows.count()), (1, 0));
        for member in &report.members {
            assert_eq!(member.is_ignorable, member.name.as_ref() != NAME, "{member:?}");
        }
    }
    for read in [from_file(&zip), from_stream(&zip), pushed(zip.chunks(9), &[1])] {
        assert_eq!(read.records.len(), 1);
        assert_eq!(read.end.unwrap(), (0, SkippedMembers::default()));
    }
}

#[test]
fn a_report_says_what_the_directory_says() {
    let members = [(NAME, ROW.as_bytes()), ("1_call.csv", &[b'x'; 99]), ("folder/", b"")];
    for zip in [archive(&members), stored_archive(&members)] {
        let mut archive = Archive::open(Cursor::new(&zip)).unwrap();
        let report = archive.inspect().unwrap();
        assert_eq!(report.members.len(), members.len());
        for (reported, member) in report.members.iter().zip(archive.members()) {
            assert_eq!(reported.name.as_ref(), member.name());
            assert_eq!(reported.kind, member.kind());
            assert_eq!(reported.method, member.method());
            assert_eq!(reported.compressed_size, member.compressed_size());
            assert_eq!(reported.size, member.size());
        }
    }
    let csv = ROW.as_bytes();
    let report = Report::of_csv(csv, "a.csv", IndexKind::AgentSkillInfo, &ReadOptions::new());
    let member = &report.unwrap().members[0];
    assert_eq!((&*member.name, member.kind), ("a.csv", Some(IndexKind::AgentSkillInfo)));
    assert_eq!((member.size, member.compressed_size), (csv.len() as u64, csv.len() as u64));
    assert!(!member.is_ignorable);
}

#[test]
fn junk_members_are_checked() {
    let mut zip = stored_archive(&[(NAME, ROW.as_bytes()), (".hidden", b"some data")]);
    let at = zip.windows(9).position(|bytes| bytes == b"some data").unwrap();
    zip[at] ^= 1;
    for read in [from_file(&zip), from_stream(&zip), pushed(zip.chunks(9), &[1])] {
        assert_eq!(refusal(&read), Some(ZipFault::Crc));
    }
    // A file is read where the records are, unless it is inspected.
    let mut archive = Archive::open(Cursor::new(zip)).unwrap();
    assert!(archive.records::<AgentSkillChange>().all(|record| record.is_ok()));
}

#[test]
fn errors_of_missing_members_list_the_members() {
    let (other, junk) = ("20150208202330123456_call.csv", ".DS_Store");
    let names: Vec<String> = (0..7).map(|number| format!("{number}.txt")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    for (members, text) in [
        (&[("notes.txt", b"".as_slice())][..], "it contains notes.txt;"),
        (
            &[(other, b""), (junk, b""), ("folder/", b"")],
            "it contains 20150208202330123456_call.csv;",
        ),
        (&[(junk, b""), ("folder/", b"")], "it contains only folders and system files;"),
        (&many, "it contains 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more;"),
    ] {
        let zip = archive(members);
        for read in [from_file(&zip), from_stream(&zip), pushed(zip.chunks(9), &[1])] {
            let error = read.end.unwrap_err();
            let Error::NoMember { wanted, .. } = &error else { panic!("{error}") };
            assert_eq!(wanted, &[IndexKind::AgentSkillInfo]);
            assert!(error.to_string().contains(text), "{error}");
        }
    }
    // An archive without members is complete.
    let zip = archive(&[]);
    for read in [from_file(&zip), from_stream(&zip), pushed(zip.chunks(9), &[1])] {
        assert!(read.end.is_ok());
    }
}

#[test]
fn members_without_a_kind_are_read_as_the_default_kind() {
    let row = format!("{ROW}\n");
    let members =
        [("a.txt", row.as_bytes()), (NAME, row.as_bytes()), ("1_call.csv", b"".as_slice())];
    let zip = archive(&members);
    let count = |records: Records<'_, AgentSkillChange>| records.map(Result::unwrap).count();
    let options = ReadOptions::new().default_kind(IndexKind::AgentSkillInfo);
    let mut archive = Archive::open_with(Cursor::new(zip.clone()), &options).unwrap();
    assert_eq!(archive.inspect().unwrap().totals.rows, 2);
    assert_eq!(count(archive.records()), 2);
    assert_eq!(count(archive.into_records_ahead()), 2);
    let mut records = Records::<AgentSkillChange>::from_stream(zip.as_slice(), &options);
    while records.next_record().unwrap().is_some() {}
    assert_eq!(records.rows(), 2);
    assert_eq!(records.skipped_members().first(), ["1_call.csv".into()]);
    // A default kind that is not the wanted one.
    let options = ReadOptions::new().default_kind(IndexKind::Call);
    assert_eq!(count(Records::from_stream(zip.as_slice(), &options)), 1);
    let mut records = Records::<AnyRecord>::from_stream_ahead(Cursor::new(zip.clone()), &options);
    assert!(records.any(|record| record.is_err()), "a row of another file");
}

#[test]
fn a_parser_stops_at_a_bad_row_or_counts_it() {
    let zip = archive(&[(NAME, format!("{ROW}\na,,,x\n{ROW}\n").as_bytes())]);
    let mut parser = ArchiveParser::<AgentSkillChange>::new(&ReadOptions::new());
    parser.feed(&zip).unwrap();
    assert!(parser.next_record().unwrap().is_some());
    assert!(matches!(parser.next_record(), Err(Error::Row(_))));
    assert!(parser.next_record().unwrap().is_none(), "no record follows an error");
    let mut parser = ArchiveParser::<AgentSkillChange>::new(&options());
    parser.feed(&zip).unwrap();
    parser.finish();
    while parser.next_record().unwrap().is_some() {}
    assert_eq!((parser.records().rows(), parser.records().bad_rows().count()), (2, 1));
}
