//! Reading on more than one thread.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt::Write as _;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, ThreadId};
use std::time::Duration;

use ccfs_archive::{AgentSkillChange, Archive, Error, ReadOptions, Records, ZipFault};
use support::{ROW, stored_archive};

/// So many rows in each of four members make more than 8 MiB, from where a second thread is used.
const MANY: usize = 600;

/// Four members, whose rows have different numbers.
fn members(rows: usize) -> Vec<(String, Vec<u8>)> {
    let blank_lines = "\n".repeat(2800);
    let row = ROW.replace("1;2", &"12345;".repeat(150));
    (0..4)
        .map(|member| {
            let mut csv = String::new();
            for number in 0..rows {
                writeln!(csv, "{member}-{number}{}{blank_lines}", &row[2..]).unwrap();
            }
            (format!("{member}_agentSkillInfo.csv"), csv.into_bytes())
        })
        .collect()
}

fn zipped(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    stored_archive(
        &members.iter().map(|(name, data)| (name.as_str(), data.as_slice())).collect::<Vec<_>>(),
    )
}

#[test]
fn a_second_thread_changes_nothing() {
    let members = members(MANY);
    assert!(members.iter().map(|(_, data)| data.len()).sum::<usize>() > 8 << 20);
    let zip = zipped(&members);
    let mut streamed = Records::<AgentSkillChange>::from_stream_ahead(
        Cursor::new(zip.clone()),
        &ReadOptions::new(),
    );
    let mut alone = Archive::open(Cursor::new(zip.clone())).unwrap();
    let mut alone = alone.records::<AgentSkillChange>();
    let mut ahead =
        Archive::open(Cursor::new(zip)).unwrap().into_records_ahead::<AgentSkillChange>();
    let mut rows = 0;
    while let Some(change) = alone.next_record().unwrap() {
        let same = ahead.next_record().unwrap().unwrap();
        assert_eq!((change.id(), change.update_time()), (same.id(), same.update_time()));
        let same = streamed.next_record().unwrap().unwrap();
        assert_eq!((change.id(), change.update_time()), (same.id(), same.update_time()));
        rows += 1;
    }
    assert!(ahead.next_record().unwrap().is_none());
    assert!(streamed.next_record().unwrap().is_none());
    assert!(ahead.next_record().unwrap().is_none(), "the end stays the end");
    assert_eq!((rows, ahead.rows()), (2400, 2400));
}

/// Sends the number of bytes read and the thread of the last read when it is dropped.
struct Watched {
    archive: Cursor<Vec<u8>>,
    read: usize,
    by: ThreadId,
    dropped: Sender<(usize, ThreadId)>,
}

impl Watched {
    fn new(zip: Vec<u8>) -> (Self, Receiver<(usize, ThreadId)>) {
        let (dropped, receiver) = channel();
        let (archive, by) = (Cursor::new(zip), thread::current().id());
        (Self { archive, read: 0, by, dropped }, receiver)
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.by = thread::current().id();
        let length = self.archive.read(buffer)?;
        self.read += length;
        Ok(length)
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.archive.seek(to)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.dropped.send((self.read, self.by));
    }
}

#[test]
fn stopping_early_stops_the_thread() {
    let (reader, dropped) = Watched::new(zipped(&members(MANY)));
    let mut ahead = Archive::open(reader).unwrap().into_records_ahead::<AgentSkillChange>();
    assert!(ahead.next_record().unwrap().is_some());
    drop(ahead);
    let (read, by) = dropped.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_ne!(by, thread::current().id());
    assert!(read < 2 << 20, "{read} bytes of more than 8 MiB were read");
}

#[test]
fn a_small_archive_needs_no_thread() {
    let (reader, dropped) = Watched::new(zipped(&members(1)));
    let ahead = Archive::open(reader).unwrap().into_records_ahead::<AgentSkillChange>();
    assert_eq!(ahead.count(), 4);
    assert_eq!(dropped.recv().unwrap().1, thread::current().id());
}

#[test]
fn errors_come_through_a_thread() {
    let mut zip = zipped(&members(MANY));
    // The checksum of the last member, in its header and in the directory.
    let name = b"3_agentSkillInfo.csv";
    for at in memchr::memmem::find_iter(&zip.clone(), name) {
        let header =
            if zip[at - 30..].starts_with(b"PK\x03\x04") { at - 30 + 14 } else { at - 46 + 16 };
        zip[header] ^= 1;
    }
    let mut ahead =
        Archive::open(Cursor::new(zip)).unwrap().into_records_ahead::<AgentSkillChange>();
    let error = loop {
        match ahead.next_record() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a wrong checksum"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Zip(error) if error.fault == ZipFault::Crc));
    assert!(ahead.next_record().unwrap().is_none(), "nothing follows an error");
}

#[test]
fn inspecting_ahead_changes_nothing() {
    let large = members(MANY).into_iter().flat_map(|(_, data)| data).collect::<Vec<u8>>();
    assert!(large.len() > 8 << 20);
    let zip = zipped(&[
        ("1_agentSkillInfo.csv".to_owned(), large),
        ("2_agentSkillInfo.csv".to_owned(), ROW.into()),
        ("readme.txt".to_owned(), b"text".to_vec()),
    ]);
    let mut archive = Archive::open(Cursor::new(zip.clone())).unwrap();
    let report = archive.inspect().unwrap();
    assert_eq!(report, archive.inspect_ahead().unwrap());
    assert_eq!(report.totals.rows, 2401);
    // A byte of the first member's data.
    let mut damaged = zip;
    damaged[4 << 20] ^= 0x40;
    let error = Archive::open(Cursor::new(damaged)).unwrap().inspect_ahead().unwrap_err();
    assert!(matches!(error, Error::Zip(error) if error.fault == ZipFault::Crc));
}
