//! Archives of any bytes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Cursor, Read};

use ccfs_archive::{
    AnyRecord, Archive, ArchiveParser, Error, LimitKind, Limits, OnBadRow, ReadOptions, Records,
    ZipFault,
};

use crate::tape::{Cuts, Tape};

/// Memory of a reader: three buffers of 256 KiB, the inflater, the directory, a record.
const MEMORY: u64 = 3 << 20;

/// Maximum size of a member, so that no input takes long.
const MEMBER_BYTES: u64 = 64 << 10;

/// Hashes of the records of an archive. The records of a ZIP bomb would need much more memory.
pub(crate) type Hashes = Result<Vec<u64>, Error>;

/// The bytes are four for the cuts, then an archive.
///
/// Checks that nothing panics, that memory is bounded, that reading by seeking, as a stream and in chunks gives the same records, and that
/// the `zip` crate reads the same members from an accepted archive.
pub fn archive(input: &[u8]) {
    let mut tape = Tape::new(input);
    let cuts = Cuts::of(&mut tape);
    let _ = read_every_way(tape.rest(), cuts);
}

/// How archives are read here: bad rows do not end it.
pub(crate) fn options() -> ReadOptions {
    let limits = Limits::new()
        .with(LimitKind::MemberBytes, MEMBER_BYTES)
        .with(LimitKind::TotalBytes, 2 * MEMBER_BYTES)
        .with(LimitKind::Members, 16)
        .with(LimitKind::DirectoryBytes, 16 << 10);
    ReadOptions::new().limits(limits).on_bad_row(OnBadRow::Skip)
}

/// Reads an archive in place, in one go and in pieces, and returns the result of reading in place.
pub(crate) fn read_every_way(bytes: &[u8], cuts: Cuts) -> Hashes {
    let options = options();
    let (mut seeking, mut streaming, mut pushing) =
        (Ok(Vec::new()), Ok(Vec::new()), Ok(Vec::new()));
    let memory = allocation_counter::measure(|| seeking = seek(bytes, &options));
    assert!(memory.bytes_max <= MEMORY, "{} bytes of memory in place", memory.bytes_max);
    let memory = allocation_counter::measure(|| streaming = stream(bytes, &options));
    assert!(memory.bytes_max <= MEMORY, "{} bytes of memory in one go", memory.bytes_max);
    let memory = allocation_counter::measure(|| pushing = push(bytes, cuts, &options));
    assert!(memory.bytes_max <= MEMORY, "{} bytes of memory in pieces", memory.bytes_max);

    match (&streaming, &pushing) {
        (Ok(streaming), Ok(pushing)) => assert_eq!(streaming, pushing),
        // Where several things are wrong, which one shows first depends on how much was inflated at once.
        (Err(_), Err(_)) => {}
        (streaming, pushing) => panic!(
            "in one go {:?}, in pieces {:?}",
            streaming.as_ref().err(),
            pushing.as_ref().err()
        ),
    }
    match (&seeking, &streaming) {
        (Ok(seeking), Ok(streaming)) => assert_eq!(seeking, streaming),
        (Err(_), Err(_)) => {}
        // The only archives that need seeking.
        (Ok(_), Err(Error::Zip(error))) if error.fault == ZipFault::StoredStream => {}
        (seeking, streaming) => panic!(
            "in place {:?}, in one go {:?}",
            seeking.as_ref().err(),
            streaming.as_ref().err()
        ),
    }
    if seeking.is_ok() {
        compare_with_zip(bytes, &options);
    }
    seeking
}

pub(crate) fn hash(record: &AnyRecord) -> u64 {
    let mut hasher = DefaultHasher::new();
    record.hash(&mut hasher);
    hasher.finish()
}

fn seek(bytes: &[u8], options: &ReadOptions) -> Hashes {
    let mut archive = Archive::open_with(Cursor::new(bytes), options)?;
    // Members that hold no records are checked, too, as they are when an archive streams.
    let report = archive.inspect()?;
    let records: Vec<u64> = archive
        .records::<AnyRecord>()
        .map(|record| record.map(|record| hash(&record)))
        .collect::<Result<_, _>>()?;
    assert_eq!(report.totals.rows, records.len() as u64, "the report counts other rows");
    Ok(records)
}

fn stream(bytes: &[u8], options: &ReadOptions) -> Hashes {
    Records::<AnyRecord>::from_stream(bytes, options)
        .map(|record| record.map(|record| hash(&record)))
        .collect()
}

fn push(bytes: &[u8], cuts: Cuts, options: &ReadOptions) -> Hashes {
    let mut parser = ArchiveParser::<AnyRecord>::new(options);
    let mut records = Vec::new();
    // Some chunks are drained only when the next one is refused.
    for (number, chunk) in cuts.pieces(bytes).enumerate() {
        while let Err(error) = parser.feed(chunk) {
            assert!(matches!(error, Error::NotDrained), "{error}");
            drain(&mut parser, &mut records, 1)?;
        }
        drain(&mut parser, &mut records, number % 3)?;
    }
    parser.finish();
    drain(&mut parser, &mut records, usize::MAX)?;
    Ok(records)
}

fn drain(
    parser: &mut ArchiveParser<AnyRecord>,
    records: &mut Vec<u64>,
    most: usize,
) -> Result<(), Error> {
    for _ in 0..most {
        match parser.next_record() {
            Ok(Some(record)) => records.push(hash(&record.into_owned())),
            Ok(None) => break,
            Err(error) => {
                assert!(matches!(parser.next_record(), Ok(None)), "a record after an error");
                return Err(error);
            }
        }
    }
    Ok(())
}

fn compare_with_zip(bytes: &[u8], options: &ReadOptions) {
    let ours = Archive::open_with(Cursor::new(bytes), options).expect("opened before");
    let mut theirs =
        zip::ZipArchive::new(Cursor::new(bytes)).expect("the zip crate reads what is read here");
    assert_eq!(ours.members().len(), theirs.len());
    for member in ours.members() {
        let mut file = theirs.by_name(member.name()).expect("the same members");
        let mut data = Vec::new();
        file.read_to_end(&mut data).expect("data whose checksum fits");
        assert_eq!(data.len() as u64, member.size());
        assert!(member.size() <= MEMBER_BYTES);
    }
}
