//! What several tests need.
#![allow(dead_code, clippy::unwrap_used)]

#[path = "../../../../tests/src/skipped.rs"]
pub(crate) mod skipped;

use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::process::Command;

use ccfs_archive::{
    AgentSkillChange, Archive, Charset, Error, IndexKind, LocalTime, OnBadRow, OperateType,
    ReadOptions, Record, Records, Timestamp,
};
use skipped::skipped;

/// A member name of an agentSkillInfo file.
pub(crate) const NAME: &str = "20150208202330123456_agentSkillInfo.csv";

/// A row in which every cell is filled.
pub(crate) const ROW: &str =
    "a1,dev,acc,1,2,3,2015-02-08 20:23:30,4,1,1;2,sn,1,2015-02-08 20:23:31,0,2015-02-08 12:23:30,2";

/// An archive made by the `zip` crate.
pub(crate) fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    archive_by(zip::CompressionMethod::Deflated, members)
}

/// An archive whose members are not compressed: inflating takes long in a debug build.
pub(crate) fn stored_archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    archive_by(zip::CompressionMethod::Stored, members)
}

fn archive_by(method: zip::CompressionMethod, members: &[(&str, &[u8])]) -> Vec<u8> {
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(data).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// An archive with data descriptors, as a writer that does not seek makes it.
pub(crate) fn archive_with_descriptors(members: &[(&str, &[u8])]) -> Vec<u8> {
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    let mut writer = zip::ZipWriter::new_stream(Vec::new());
    for (name, data) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(data).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A CSV file of owned records, with a header.
pub(crate) fn csv_of(records: &[AgentSkillChange]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let columns = IndexKind::AgentSkillInfo.columns();
    writer.write_record(columns.iter().map(ccfs_archive::Column::name)).unwrap();
    for record in records {
        let number = |number: Option<i64>| number.map(|n| n.to_string()).unwrap_or_default();
        let time = |time: Option<LocalTime>| time.map(|t| t.to_string()).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells = [
            text(&record.id),
            text(&record.developer_id),
            text(&record.account_id),
            number(record.sub_cc_no),
            number(record.vdn),
            number(record.agent_id),
            time(record.operate_time),
            number(record.operate_id),
            number(record.operate_type.map(OperateType::code)),
            record.skill_list.join(";"),
            text(&record.logon_sn),
            number(record.operate_sn),
            time(record.operate_end_time),
            number(record.renew_flag),
            time(record.update_time.map(Timestamp::utc)),
            number(record.month_of_year),
        ];
        writer.write_record(cells.iter().chain(&record.extra)).unwrap();
    }
    writer.into_inner().unwrap()
}

/// All changes of an archive, or the first error.
pub(crate) fn changes(zip: &[u8]) -> Result<Vec<AgentSkillChange>, Error> {
    changes_with(zip, &ReadOptions::new())
}

pub(crate) fn changes_with(
    zip: &[u8],
    options: &ReadOptions,
) -> Result<Vec<AgentSkillChange>, Error> {
    Archive::open_with(Cursor::new(zip), options)?.records().collect()
}

/// All changes of an archive that is read without seeking, or the first error.
pub(crate) fn streamed(zip: &[u8]) -> Result<Vec<AgentSkillChange>, Error> {
    Records::from_stream(zip, &ReadOptions::new()).collect()
}

/// All changes of a CSV file, or the first error.
pub(crate) fn changes_of_csv(csv: &[u8]) -> Result<Vec<AgentSkillChange>, Error> {
    Records::from_csv(csv).collect()
}

/// A reader that returns its bytes in these pieces.
pub(crate) struct InPieces<'a, I: Iterator<Item = &'a [u8]>> {
    piece: &'a [u8],
    pieces: I,
}

impl<'a, I: Iterator<Item = &'a [u8]>> InPieces<'a, I> {
    pub(crate) fn new(pieces: impl IntoIterator<IntoIter = I>) -> Self {
        Self { piece: &[], pieces: pieces.into_iter() }
    }
}

impl<'a, I: Iterator<Item = &'a [u8]>> std::io::Read for InPieces<'a, I> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            let Some(piece) = self.pieces.next() else { return Ok(0) };
            self.piece = piece;
        }
        self.piece.read(buffer)
    }
}

/// Records and bad rows, in order, of a CSV file that is read in pieces, and its charset.
pub(crate) fn read_pieces<'a, T: Record>(
    pieces: impl IntoIterator<Item = &'a [u8], IntoIter: Send>,
    kind: IndexKind,
    options: &ReadOptions,
) -> (Vec<Result<T, String>>, Option<Charset>) {
    let options = options.clone().on_bad_row(OnBadRow::Return);
    let mut rows = Records::<T>::from_csv_with(InPieces::new(pieces), kind, &options);
    let mut results = Vec::new();
    loop {
        match rows.next_record() {
            Ok(None) => break,
            Ok(Some(record)) => results.push(Ok(T::from_ref(record))),
            Err(error) => results.push(Err(error.to_string())),
        }
    }
    let charset = rows.charset();
    (results, charset)
}

/// A file of `tests/data`.
pub(crate) fn data(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "data", name].iter().collect()
}

/// A program that a test compares with, or `None` and a line on stdout that says why the test is skipped.
pub(crate) fn peer(program: &str) -> Option<Command> {
    let works =
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !works {
        skipped(format_args!("{program} is not on this machine"));
    }
    works.then(|| Command::new(program))
}
