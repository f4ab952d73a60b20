//! CSV files of any bytes.

use std::io::Read;

use ccfs_archive::{
    AnyRecord, Charset, CsvWriter, Error, IndexKind, LimitKind, Limits, OnBadRow, ReadOptions,
    RecordParser, RecordRef, Records,
};

use crate::tape::{Cuts, Tape};

/// What reading holds beside the row at hand: buffers of 256 and 64 KiB, and what growing takes.
const MEMORY: u64 = 1 << 20;

/// A row's line and cells, or what is wrong with it.
type Rows = Vec<Result<(u64, Vec<String>), String>>;

/// The bytes are one for the file and the options, four for the cuts, then the file.
///
/// Nothing panics, memory stays within a bound, every cut gives the same rows and errors, pulling gives what pushing gives, rows are
/// those of the `csv` crate, and records that are written are read back.
pub fn csv(input: &[u8]) {
    let mut tape = Tape::new(input);
    let flags = tape.byte();
    let cuts = Cuts::of(&mut tape);
    let bytes = tape.rest();
    let kind = IndexKind::ALL[usize::from(flags & 3)];
    let mut options = ReadOptions::new();
    if flags & 4 != 0 {
        options = options.limits(Limits::new().record_bytes(flags.into()).field_bytes(16));
    }
    if flags & 8 != 0 {
        options = options.charset(if flags & 16 == 0 { Charset::Gb18030 } else { Charset::Utf8 });
    }
    let whole = push([bytes], kind, &options);
    assert_eq!(push(cuts.pieces(bytes), kind, &options), whole);
    assert_eq!(pull(bytes, cuts, kind, &options), whole);
    if flags & 0b1100 == 0 && std::str::from_utf8(bytes).is_ok() {
        compare_with_csv(bytes, &whole, kind);
    }
    write_and_read(bytes, kind, &options);

    let memory = allocation_counter::measure(|| {
        let mut rows = Records::<AnyRecord>::from_csv_with(
            bytes,
            kind,
            &options.clone().on_bad_row(OnBadRow::Skip),
        );
        while let Ok(Some(_)) = rows.next_record() {}
    });
    assert!(
        memory.bytes_max <= MEMORY + 8 * bytes.len() as u64,
        "{} bytes of memory",
        memory.bytes_max
    );
}

fn push<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    kind: IndexKind,
    options: &ReadOptions,
) -> Rows {
    let mut parser = RecordParser::<AnyRecord>::with_options(kind, options);
    let mut rows = Vec::new();
    for piece in pieces.into_iter().map(Some).chain([None]) {
        let mut fed = match piece {
            Some(piece) => parser.feed(piece),
            None => parser.finish(),
        };
        loop {
            match fed.next_record() {
                Ok(Some(record)) => {
                    rows.push(Ok((record.row().line(), cells(record.row().cells().iter()))))
                }
                Ok(None) => break,
                Err(error) => rows.push(Err(error.to_string())),
            }
        }
    }
    rows
}

fn cells<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<String> {
    cells.map(str::to_owned).collect()
}

/// The same by pulling: with stops the rows up to the first bad one, and by passing over bad rows all good ones.
fn pull(bytes: &[u8], cuts: Cuts, kind: IndexKind, options: &ReadOptions) -> Rows {
    let reader = |bytes| InPieces { bytes, cuts };
    let mut stopping = Records::<AnyRecord>::from_csv_with(reader(bytes), kind, options);
    let mut rows = Rows::new();
    loop {
        match stopping.next_record() {
            Ok(Some(record)) => {
                rows.push(Ok((record.row().line(), cells(record.row().cells().iter()))))
            }
            Ok(None) => return rows,
            Err(Error::Row(_)) => break,
            Err(error) => {
                rows.push(Err(error.to_string()));
                return rows;
            }
        }
    }
    assert!(matches!(stopping.next_record(), Ok(None)), "a record after an error");
    let mut skipping = Records::<AnyRecord>::from_csv_with(
        reader(bytes),
        kind,
        &options.clone().on_bad_row(OnBadRow::Skip),
    );
    let mut good = Vec::new();
    let end = loop {
        match skipping.next_record() {
            Ok(Some(record)) => {
                good.push((record.row().line(), cells(record.row().cells().iter())))
            }
            Ok(None) => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    // The bad rows themselves are those of pushing: only their number is told here.
    let pushed = push([bytes], kind, options);
    assert!(
        pushed.iter().filter_map(|row| row.as_ref().ok()).eq(&good),
        "skipping gives other rows"
    );
    let bad = pushed.len() - good.len() - usize::from(end.is_some());
    assert_eq!(skipping.bad_rows().count(), bad as u64);
    assert!(pushed.starts_with(&rows) && pushed[rows.len()].is_err());
    if let Some(end) = end {
        assert_eq!(pushed.last(), Some(&Err(end)));
    }
    pushed
}

/// A reader that gives its bytes in pieces.
struct InPieces<'a> {
    bytes: &'a [u8],
    cuts: Cuts,
}

impl Read for InPieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.bytes.len().min(buffer.len());
        // An empty piece would be the end.
        let length = if left == 0 { 0 } else { self.cuts.next(left).max(1) };
        let (piece, rest) = self.bytes.split_at(length);
        buffer[..length].copy_from_slice(piece);
        self.bytes = rest;
        Ok(length)
    }
}

/// Bad rows are not compared, and a skill list that was put together is not taken apart again.
fn compare_with_csv(bytes: &[u8], ours: &Rows, kind: IndexKind) {
    let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let theirs: Vec<Vec<String>> =
        rows.records().map(|row| cells(row.expect("text").iter())).collect();
    let header = theirs.len().checked_sub(ours.len()).expect("no more rows than there are");
    assert!(header == 0 || (header == 1 && theirs[0][0] == kind.columns()[0]));
    for (ours, theirs) in ours.iter().zip(&theirs[header..]) {
        let Ok((_, ours)) = ours else { continue };
        let repaired = kind == IndexKind::AgentSkillInfo
            && ours.len() < theirs.len()
            && ours.join(",") == theirs.join(",");
        assert!(ours == theirs || repaired, "{ours:?} and {theirs:?}");
    }
}

/// What a record says is not lost by writing it.
fn write_and_read(bytes: &[u8], kind: IndexKind, options: &ReadOptions) {
    let records = |bytes: &[u8], options: &ReadOptions| -> Vec<AnyRecord> {
        let records = Records::<AnyRecord>::from_csv_with(
            bytes,
            kind,
            &options.clone().on_bad_row(OnBadRow::Skip),
        );
        records.map_while(Result::ok).collect()
    };
    // What a bound was lifted for may be too long for the default one.
    if bytes.len() as u64 > Limits::new().get(LimitKind::FieldBytes) {
        return;
    }
    let first = records(bytes, options);
    let mut writer = CsvWriter::new(Vec::new());
    for record in &first {
        writer.write(record).expect("a Vec takes all");
    }
    let written = writer.into_inner().expect("a Vec takes all");
    assert_eq!(records(&written, &ReadOptions::new()), first);
}
