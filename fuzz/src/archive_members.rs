//! Valid archives, and archives that were changed afterwards.

use std::io::{Cursor, Seek, Write};

use ccfs_archive::{AnyRecord, Error, IndexKind, Records};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::archive::{Hashes, hash, options, read_every_way};
use crate::tape::{Cuts, Tape};

const NAMES: [&str; 8] = [
    "agentSkillInfo.csv",
    "agentOprInfo.csv",
    "record.csv",
    "call.csv",
    "agentSkillInfo_1.CSV",
    "readme.txt",
    "folder/20150208202330123456_call.csv",
    "话.csv",
];

/// The bytes are four for the cuts, then the members, then changes: places and new bytes. The `zip` crate writes the archive, so that
/// checksums and sizes are right until they are changed.
///
/// Checks all that is checked for any archive, and that an unchanged archive gives the records of its files.
pub fn archive_members(input: &[u8]) {
    let mut tape = Tape::new(input);
    let cuts = Cuts::of(&mut tape);
    let members: Vec<Member<'_>> =
        (0..tape.byte() % 6).map(|index| Member::of(index, &mut tape)).collect();
    let streams = tape.byte() % 2 == 1;
    let mut bytes = if streams {
        written(ZipWriter::new_stream(Vec::new()), &members)
    } else {
        written_in_place(&members)
    };
    let expected = members.iter().map(Member::records).collect::<Result<Vec<_>, _>>();
    let made = bytes.clone();
    while !tape.is_empty() {
        let (place, value) = (usize::from(tape.number()), tape.byte());
        let place = place % bytes.len();
        bytes[place] = value;
    }
    let read = read_every_way(&bytes, cuts);
    if bytes == made {
        match (read, expected) {
            (Err(Error::NoMember { .. }), Ok(expected)) => assert_eq!(expected.concat().len(), 0),
            (read, Ok(expected)) => {
                assert_eq!(read.expect("what is written is read"), expected.concat())
            }
            (read, Err(_)) => assert!(read.is_err(), "a file is refused by itself only"),
        }
    }
}

struct Member<'a> {
    /// Each has another one.
    name: String,
    kind: Option<IndexKind>,
    method: CompressionMethod,
    large: bool,
    data: Vec<&'a [u8]>,
}

impl<'a> Member<'a> {
    fn of(index: u8, tape: &mut Tape<'a>) -> Self {
        let (name, flags) = (format!("{index}_{}", tape.pick(&NAMES)), tape.byte());
        let method =
            if flags & 1 == 0 { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let data = vec![tape.some(); usize::from(flags >> 2)];
        Self { kind: IndexKind::of_name(&name), name, method, large: flags & 2 != 0, data }
    }

    fn records(&self) -> Hashes {
        let Some(kind) = self.kind else { return Ok(Vec::new()) };
        let data = self.data.concat();
        let records = Records::<AnyRecord>::from_csv_with(data.as_slice(), kind, &options());
        records.map(|record| record.map(|record| hash(&record))).collect()
    }
}

fn written_in_place(members: &[Member<'_>]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    write(&mut writer, members);
    writer.finish().expect("a Vec takes all").into_inner()
}

fn written(
    mut writer: ZipWriter<zip::write::StreamWriter<Vec<u8>>>,
    members: &[Member<'_>],
) -> Vec<u8> {
    write(&mut writer, members);
    writer.finish().expect("a Vec takes all").into_inner()
}

fn write<W: Write + Seek>(writer: &mut ZipWriter<W>, members: &[Member<'_>]) {
    for member in members {
        let options =
            SimpleFileOptions::default().compression_method(member.method).large_file(member.large);
        writer.start_file(member.name.as_str(), options).expect("another name than the others");
        for data in &member.data {
            writer.write_all(data).expect("a Vec takes all");
        }
    }
}
