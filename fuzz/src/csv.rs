//! CSV files of any bytes.

use std::io::Read;

use ccfs_archive::{
    AnyRecord, Charset, ColumnType, ExportFormat, IndexKind, LimitKind, Limits, OnBadRow,
    ReadOptions, RecordWriter, Records, Value,
};

use crate::tape::{Cuts, Tape};

/// What reading holds beside the row at hand: buffers of 256 and 64 KiB, and what growing takes.
const MEMORY: u64 = 1 << 20;

/// A row's line and cells, or what is wrong with it.
type Rows = Vec<Result<(u64, Vec<String>), String>>;

/// The bytes are one for the kind and the options, four for the cuts, then the file.
///
/// Nothing panics, memory is bounded, every cut gives the same rows and errors, a caller that stops or skips sees the same
/// rows, rows are those of the `csv` crate, and records that are written are read back.
pub fn csv(input: &[u8]) {
    let mut tape = Tape::new(input);
    let flags = tape.byte();
    let cuts = Cuts::of(&mut tape);
    let bytes = tape.rest();
    let kind = IndexKind::ALL[usize::from(flags & 3)];
    let mut options = ReadOptions::new();
    if flags & 4 != 0 {
        options = options.limits(
            Limits::new()
                .with(LimitKind::RecordBytes, flags.into())
                .with(LimitKind::FieldBytes, 16),
        );
    }
    if flags & 8 != 0 {
        let charset = Charset::ALL[usize::from(flags >> 4 & 3)];
        options = options.charset(charset);
    }
    if flags & 64 != 0 {
        let every_second = kind.columns().iter().map(|column| column.name()).step_by(2);
        options = options.columns(every_second).expect("the names are known");
    }
    let whole = rows(bytes, Cuts::none(), kind, &options.clone().on_bad_row(OnBadRow::Return));
    let cut = rows(bytes, cuts, kind, &options.clone().on_bad_row(OnBadRow::Return));
    assert_eq!(cut, whole);
    stop_and_skip(bytes, kind, &options, &whole);
    if flags & 0b100_1100 == 0 && std::str::from_utf8(bytes).is_ok() {
        compare_with_csv(bytes, &whole, kind);
    }
    if flags & 64 == 0 {
        write_and_read(bytes, kind, &options);
    }
    map_and_trim(&whole, kind, usize::from(flags));

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

fn rows(bytes: &[u8], cuts: Cuts, kind: IndexKind, options: &ReadOptions) -> Rows {
    let mut records = Records::<AnyRecord>::from_csv_with(InPieces { bytes, cuts }, kind, options);
    let mut rows = Vec::new();
    loop {
        match records.next_record() {
            Ok(Some(record)) => {
                rows.push(Ok((record.row().line(), cells(record.row().cells().iter()))))
            }
            Ok(None) => return rows,
            Err(error) => rows.push(Err(error.to_string())),
        }
    }
}

fn cells<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<String> {
    cells.map(str::to_owned).collect()
}

/// A caller that stops sees the rows up to the first bad one; a caller that skips sees all good ones.
fn stop_and_skip(bytes: &[u8], kind: IndexKind, options: &ReadOptions, whole: &Rows) {
    let stopped = rows(bytes, Cuts::none(), kind, options);
    let first_bad = whole.iter().position(Result::is_err).map_or(whole.len(), |at| at + 1);
    assert_eq!(stopped, whole[..first_bad]);
    let skipped = rows(bytes, Cuts::none(), kind, &options.clone().on_bad_row(OnBadRow::Skip));
    let is_good = |row: &&Result<_, _>| row.is_ok();
    assert!(skipped.iter().filter(is_good).eq(whole.iter().filter(is_good)));
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

/// Good rows are rows of the `csv` crate, in order, without the blanks around cells. A header that maps columns is not
/// compared, and a joined skill list has fewer cells.
fn compare_with_csv(mut bytes: &[u8], ours: &Rows, kind: IndexKind) {
    while let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        bytes = rest;
    }
    while let Some(rest) = bytes.strip_suffix(b"\x1A") {
        bytes = rest;
    }
    let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let theirs: Vec<Vec<String>> = rows
        .records()
        .map(|row| {
            row.expect("text")
                .iter()
                .map(|cell| cell.trim_matches([' ', '\t']).to_owned())
                .collect()
        })
        .collect();
    let letters = |cell: &str| -> String {
        cell.chars().filter(|char| char.is_ascii_alphanumeric()).collect::<String>().to_lowercase()
    };
    let names: Vec<String> = kind.columns().iter().map(|column| letters(column.name())).collect();
    if theirs.iter().flatten().any(|cell| names.contains(&letters(cell))) {
        return;
    }
    let joined = |row: &[String]| row.join(",").replace([' ', '\t'], "");
    let mut theirs = theirs.iter();
    for (line, ours) in ours.iter().flatten() {
        // Surplus empty cells are dropped.
        let same = |theirs: &&Vec<String>| {
            (theirs.starts_with(ours) && theirs[ours.len()..].iter().all(String::is_empty))
                || (kind == IndexKind::AgentSkillInfo && joined(theirs) == joined(ours))
        };
        assert!(theirs.any(|row| same(&row)), "line {line}: {ours:?}");
    }
}

/// Whether a column holds numbers or dates.
fn is_typed(kind: IndexKind, at: usize) -> bool {
    !matches!(kind.columns()[at].column_type(), ColumnType::Text | ColumnType::List)
}

/// Writing a record loses nothing.
fn write_and_read(bytes: &[u8], kind: IndexKind, options: &ReadOptions) {
    // What a limit was lifted for may be too long for the default one.
    if bytes.len() as u64 > Limits::new().get(LimitKind::FieldBytes) {
        return;
    }
    let options = options.clone().on_bad_row(OnBadRow::Skip);
    let mut writer = RecordWriter::new(ExportFormat::Csv, Vec::new());
    let mut first = Vec::new();
    let mut records = Records::<AnyRecord>::from_csv_with(bytes, kind, &options);
    while let Ok(Some(record)) = records.next_record() {
        // Cells of unknown columns have no name in the header, and may pass for a skill list that commas have split.
        if record.row().cells().len() > kind.columns().len() {
            continue;
        }
        // In a file whose header lacks the columns of numbers and dates, a row needs no such value; in a written one it does.
        let has_value = |at: usize| record.value(at) != Value::Null;
        if !(0..kind.columns().len()).any(|at| is_typed(kind, at) && has_value(at)) {
            continue;
        }
        // In quotes, the first cell of a file may begin with a byte order mark; without them, no row may.
        if record.row().cells().get(0).is_some_and(|cell| cell.starts_with('\u{FEFF}')) {
            continue;
        }
        writer.write(record).expect("a Vec takes all");
        first.push(record.into_owned());
    }
    let written = writer.into_inner().expect("a Vec takes all");
    let again = Records::<AnyRecord>::from_csv_with(written.as_slice(), kind, &ReadOptions::new());
    assert_eq!(again.collect::<Result<Vec<_>, _>>().expect("written rows are good"), first);
}

/// Rows are the same if a header gives their columns another order, and if blanks surround their cells.
fn map_and_trim(rows: &Rows, kind: IndexKind, rotation: usize) {
    let columns = kind.columns();
    let order: Vec<usize> = (0..columns.len()).map(|at| (at + rotation) % columns.len()).collect();
    let mut expected = Vec::new();
    for (_, cells) in rows.iter().flatten() {
        let is_value = |(at, cell): (usize, &String)| !cell.is_empty() && is_typed(kind, at);
        if cells.len() <= columns.len() && cells.iter().enumerate().any(is_value) {
            let mut cells = cells.clone();
            cells.resize(columns.len(), String::new());
            expected.push(cells);
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = order.iter().map(|&at| columns[at].name().to_uppercase().replace('_', " "));
    writer.write_record(names).expect("a Vec takes all");
    for cells in &expected {
        let padded = order.iter().map(|&at| format!(" {}\t", cells[at]));
        writer.write_record(padded).expect("a Vec takes all");
    }
    let text = writer.into_inner().expect("a Vec takes all");
    let limits =
        Limits::new().with(LimitKind::RecordBytes, 1 << 30).with(LimitKind::FieldBytes, 1 << 30);
    let options = ReadOptions::new().limits(limits).charset(Charset::Utf8);
    let read: Rows = self::rows(&text, Cuts::none(), kind, &options);
    let read: Vec<_> = read.into_iter().map(|row| row.expect("a good row").1).collect();
    assert_eq!(read, expected);
}
