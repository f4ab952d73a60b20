//! Memory does not grow with the input, and a borrowed record costs no allocation.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::Cursor;

use allocation_counter::{AllocationInfo, measure};
use ccfs_archive::{AgentSkillChange, Archive, ArchiveParser, OnBadRow, ReadOptions, Records};
use support::{NAME, ROW, archive, stored_archive};

/// What any way of reading may hold at a time. Most of it is two buffers of 128 KiB.
const MOST: u64 = 1 << 20;

fn csv(rows: usize) -> Vec<u8> {
    format!("{ROW}\n").repeat(rows).into_bytes()
}

fn read(mut records: Records<'_, AgentSkillChange>) {
    while records.next_record().unwrap().is_some() {}
}

/// Runs a way of reading on a short and on a long input: the long one may not take more at a time.
fn assert_flat(short: &[u8], long: &[u8], way: impl Fn(&[u8])) {
    let [short, long]: [AllocationInfo; 2] = [short, long].map(|input| measure(|| way(input)));
    assert!(long.bytes_max <= MOST, "{long:?}");
    // A row that the end of a buffer cuts is held, and may be a longer one in the long input.
    assert!(long.bytes_max <= short.bytes_max + 1024, "{short:?} {long:?}");
    assert!(
        long.count_total <= short.count_total + 4,
        "no row costs an allocation: {short:?} {long:?}"
    );
}

#[test]
fn every_way_of_reading_an_archive_is_flat() {
    let [short, long] = [500, 20_000].map(|rows| stored_archive(&[(NAME, &csv(rows))]));
    assert_flat(&short, &long, |zip| read(Archive::open(Cursor::new(zip)).unwrap().records()));
    assert_flat(&short, &long, |zip| read(Records::from_stream(zip, &ReadOptions::new())));
    assert_flat(&short, &long, |zip| {
        let mut parser = ArchiveParser::<AgentSkillChange>::new(&ReadOptions::new());
        for chunk in zip.chunks(1000) {
            parser.feed(chunk).unwrap();
            while parser.next_record().unwrap().is_some() {}
        }
        parser.finish();
        assert!(parser.next_record().unwrap().is_none());
    });
}

#[test]
fn every_way_of_reading_csv_is_flat() {
    assert_flat(&csv(500), &csv(20_000), |csv| read(Records::from_csv(csv)));
}

#[test]
fn a_bomb_takes_no_more_than_a_file() {
    // A tail of NUL is skipped; within a row it is one endless record.
    let zeros = archive(&[(NAME, [b"x".as_slice(), &vec![0; 4 << 20], b"x"].concat().as_slice())]);
    let quote = archive(&[(NAME, [b"\"".as_slice(), &vec![b'x'; 4 << 20]].concat().as_slice())]);
    let gb18030 = archive(&[(NAME, "话务".repeat(1 << 19).as_bytes())]);
    for bomb in [zeros, quote, gb18030] {
        let held = measure(|| {
            let report = Archive::open(Cursor::new(&bomb)).unwrap().inspect();
            assert!(report.map_or(true, |report| report.members[0].refused.is_some()));
        })
        .bytes_max;
        assert!(held <= 2 * MOST, "{held}");
        let held = measure(|| {
            assert!(
                Records::<AgentSkillChange>::from_stream(bomb.as_slice(), &ReadOptions::new())
                    .next_record()
                    .is_err()
            );
        })
        .bytes_max;
        assert!(held <= 2 * MOST, "{held}");
    }
}

#[test]
fn bad_rows_take_a_bounded_amount() {
    let options = ReadOptions::new().on_bad_row(OnBadRow::Skip);
    let held = |rows: usize| {
        let csv = b"a,,,x\n".repeat(rows);
        measure(|| {
            read(Records::from_csv_with(
                csv.as_slice(),
                ccfs_archive::IndexKind::AgentSkillInfo,
                &options,
            ));
        })
        .bytes_max
    };
    assert_eq!(held(1000), held(20_000));
}
