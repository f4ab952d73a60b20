//! What several tests need: random index files, and rows in a form that records and batches both have.
#![allow(dead_code, clippy::unwrap_used)]

use std::io::{Cursor, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use ccfs_archive::{
    AnyRecord, AnyRecordRef, Archive, ColumnType, Day, Error, IndexKind, LocalTime, OnBadRow,
    ReadOptions, Records, Timestamp, Value,
};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

pub(crate) fn config(regressions: &'static str) -> ProptestConfig {
    let regressions = FileFailurePersistence::Direct(regressions);
    ProptestConfig {
        // `ccfs-archive` tests the records themselves with more.
        cases: 128,
        failure_persistence: Some(Box::new(regressions)),
        ..ProptestConfig::default()
    }
}

/// An index file.
#[derive(Clone)]
pub(crate) struct IndexFile {
    pub(crate) kind: IndexKind,
    pub(crate) csv: Vec<u8>,
}

impl std::fmt::Debug for IndexFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.kind, String::from_utf8_lossy(&self.csv))
    }
}

impl IndexFile {
    pub(crate) fn name(&self) -> String {
        format!("20150208202330123456_{}.csv", self.kind)
    }

    pub(crate) fn zip(&self) -> Vec<u8> {
        archive(&[(&self.name(), &self.csv)])
    }
}

/// An archive made by the `zip` crate. Its members are not compressed, so that records come with each chunk of its bytes.
pub(crate) fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(data).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn kind() -> impl Strategy<Value = IndexKind> {
    prop::sample::select(&IndexKind::ALL)
}

/// A time that a cell can have.
pub(crate) fn time() -> impl Strategy<Value = LocalTime> {
    (1..=9999u16, 1..=12u8, 1..=28u8, 0..86_400i64).prop_map(|(year, month, day, second)| {
        Day::new(year, month, day).unwrap().midnight().plus_seconds(second).unwrap()
    })
}

/// A cell of a column, as text in CSV.
fn cell(column: ColumnType, faulty: bool) -> BoxedStrategy<String> {
    let number = prop_oneof![0..70i64, any::<i64>()].prop_map(|number| number.to_string());
    let good = match column {
        ColumnType::Integer | ColumnType::Code => number.boxed(),
        ColumnType::LocalTime | ColumnType::UtcTime => {
            time().prop_map(|time| time.to_string()).boxed()
        }
        ColumnType::List => {
            prop::collection::vec("[a-z0-9话]{0,3}", 0..4).prop_map(|ids| ids.join(";")).boxed()
        }
        _ => prop_oneof!["[a-z话]{1,8}", number, Just("\"a,\"\"b\nc\"".to_owned())].boxed(),
    };
    let bad = Just("?".to_owned());
    prop_oneof![8 => good, 3 => Just(String::new()), u32::from(faulty) => bad].boxed()
}

/// A file of any kind: with or without a header, with or without unknown columns. A `faulty` one may have bad rows.
pub(crate) fn file(faulty: bool) -> impl Strategy<Value = IndexFile> {
    (kind(), any::<bool>(), 0..3usize).prop_flat_map(move |(kind, has_header, extra)| {
        let first = usize::from(!has_header);
        let cells: Vec<_> =
            kind.columns().iter().map(|column| cell(column.column_type(), faulty)).collect();
        // Without a header, rows of agentSkillInfo that are too long are ambiguous.
        let extra = if has_header { extra } else { 0 };
        let row = (cells, prop::collection::vec("[a-z]{0,3}", extra..=extra));
        prop::collection::vec(row, first..20).prop_map(move |rows| {
            let mut csv = Vec::new();
            if has_header {
                let names = kind.columns().iter().map(|column| column.name().to_owned());
                line(&mut csv, names.chain((0..extra).map(|index| format!("new{index}"))));
            }
            for (mut cells, extra) in rows {
                // Each good row has a number or a time.
                let begins = ["operate_time", "begin_time", "call_begin", "wait_begin"];
                for (cell, column) in cells.iter_mut().zip(kind.columns()) {
                    if cell.is_empty() && begins.contains(&column.name()) {
                        "2015-02-08 20:23:30".clone_into(cell);
                    }
                }
                line(&mut csv, cells.into_iter().chain(extra));
            }
            IndexFile { kind, csv }
        })
    })
}

fn line(csv: &mut Vec<u8>, cells: impl Iterator<Item = String>) {
    csv.extend_from_slice(cells.collect::<Vec<_>>().join(",").as_bytes());
    csv.push(b'\n');
}

/// A value of a row. Times are microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Text(String),
    Integer(i64),
    Local(i64),
    Utc(i64),
    List(Vec<String>),
}

/// The outcome of reading: rows, and the messages of errors between them.
pub(crate) type Rows = Vec<Result<Vec<Cell>, String>>;

pub(crate) type Offset = fn(LocalTime) -> Option<i32>;

/// The row of a record with all columns of the schema.
pub(crate) fn row(record: AnyRecordRef<'_>, offset: Option<Offset>) -> Vec<Cell> {
    let (kind, columns) = (record.kind(), record.kind().columns());
    let micros = |time: LocalTime| Timestamp::from_utc(time).unix_millis() * 1000;
    let value = |index| match record.value(index) {
        Value::Null => Cell::Null,
        Value::Text(text) => Cell::Text(text.to_owned()),
        Value::Integer(number) | Value::Code(number) => Cell::Integer(number),
        Value::LocalTime(time) => Cell::Local(micros(time)),
        Value::UtcTime(time) => Cell::Utc(time.unix_millis() * 1000),
        Value::List(list) => Cell::List(list.iter().map(str::to_owned).collect()),
        _ => panic!("a new type of values"),
    };
    let utc = |index| match (record.value(index), offset) {
        (Value::LocalTime(time), Some(offset)) => {
            Some(offset(time).map_or(Cell::Null, |offset| {
                Cell::Utc(micros(time) - i64::from(offset) * 1_000_000)
            }))
        }
        (_, Some(_)) if columns[index].column_type() == ColumnType::LocalTime => Some(Cell::Null),
        _ => None,
    };
    let names = kind.code_names().iter().map(|names| {
        // From the text of the cell, not from its parsed value.
        let code = record.row().cells().get(names.column()).and_then(|text| text.parse().ok());
        code.and_then(|code| names.name(code))
            .map_or(Cell::Null, |name| Cell::Text(name.to_owned()))
    });
    let extra = record.row().cells().iter().skip(columns.len()).map(str::to_owned).collect();
    let values = (0..columns.len()).map(value);
    values
        .chain((0..columns.len()).filter_map(utc))
        .chain(names)
        .chain([Cell::List(extra)])
        .collect()
}

/// All rows of records.
pub(crate) fn rows_of<T: ccfs_archive::Record>(
    mut records: Records<'_, T>,
    offset: Option<Offset>,
) -> Rows {
    let mut rows = Vec::new();
    loop {
        match records.next_record() {
            Ok(None) => return rows,
            Ok(Some(record)) => rows.push(Ok(row(record.into(), offset))),
            Err(error) => rows.push(Err(error.to_string())),
        }
    }
}

/// All rows of batches.
pub(crate) fn rows_in(batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>) -> Rows {
    let mut rows = Vec::new();
    for batch in batches {
        match batch {
            Ok(batch) => rows.extend((0..batch.num_rows()).map(|row| Ok(cells(&batch, row)))),
            Err(error) => rows.push(Err(archive_error(&error).to_string())),
        }
    }
    rows
}

/// The error of the archive.
pub(crate) fn archive_error(error: &ArrowError) -> &Error {
    match error {
        ArrowError::ExternalError(source) => {
            source.downcast_ref().expect("an error of the archive")
        }
        other => panic!("{other}"),
    }
}

fn cells(batch: &RecordBatch, row: usize) -> Vec<Cell> {
    batch.columns().iter().map(|column| cell_of(column, row)).collect()
}

fn cell_of(column: &dyn Array, row: usize) -> Cell {
    if column.is_null(row) {
        return Cell::Null;
    }
    match column.data_type() {
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::Int64 => Cell::Integer(column.as_primitive::<Int64Type>().value(row)),
        DataType::Timestamp(_, zone) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            if zone.as_deref() == Some("UTC") { Cell::Utc(micros) } else { Cell::Local(micros) }
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            Cell::List(
                items.as_string::<i32>().iter().map(|item| item.unwrap().to_owned()).collect(),
            )
        }
        other => panic!("{other}"),
    }
}

/// Records of a CSV file. Reading continues after bad rows.
pub(crate) fn records(file: &IndexFile) -> Records<'_, AnyRecord> {
    let options = ReadOptions::new().on_bad_row(OnBadRow::Return);
    Records::from_csv_with(file.csv.as_slice(), file.kind, &options)
}

/// Cuts bytes into pieces.
pub(crate) fn pieces<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> =
        cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

pub(crate) fn open<'z>(
    zip: &'z [u8],
    options: &ReadOptions,
) -> Result<Archive<Cursor<&'z [u8]>>, Error> {
    Archive::open_with(Cursor::new(zip), options)
}

/// Some offset, and none in the years before 1000.
pub(crate) fn offset(time: LocalTime) -> Option<i32> {
    (time.day().year() >= 1000).then(|| if time.hour() < 12 { 8 * 3600 } else { -3 * 3600 - 17 })
}
