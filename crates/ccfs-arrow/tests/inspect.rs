//! Reports on Parquet files are those on the records, and damage is an error.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;

use crate::support::{IndexFile, config, file, offset, records, rows_of};
use arrow_array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::ArrowError;
use ccfs_archive::{Column, IndexKind, LocalTime, ReadOptions, Report, Tally};
use ccfs_arrow::{Batches, Options, ParquetInfo, ParquetInspector, ParquetOptions, write_parquet};
use proptest::prelude::*;
use proptest::sample::Index;

fn on_disk(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn inspect(bytes: &[u8]) -> Result<(ParquetInfo, Tally), ArrowError> {
    let mut inspector = ParquetInspector::open(on_disk(bytes))?;
    let mut tally = Tally::default();
    while inspector.count_batch(&mut tally)? {}
    Ok((inspector.info().clone(), tally))
}

fn written(file: &IndexFile, options: &Options, parquet: &ParquetOptions) -> Vec<u8> {
    let mut out = Vec::new();
    let batches = Batches::new(records(file), file.kind, options).unwrap();
    write_parquet(batches, &mut out, parquet).unwrap();
    out
}

/// A file without bad rows.
fn good_file() -> impl Strategy<Value = IndexFile> {
    let good = |file: &IndexFile| rows_of(records(file), None).iter().all(Result::is_ok);
    file(false).prop_filter("reading ends at a bad row", good)
}

/// A file without bad rows, as Parquet.
fn parquet() -> impl Strategy<Value = (IndexFile, Vec<u8>)> {
    (good_file(), any::<bool>(), 1..20usize).prop_map(|(file, has_zone, rows)| {
        let options = Options::new();
        let options = if has_zone { options.time_zone("Somewhere/Odd", offset) } else { options };
        let written = written(&file, &options, &ParquetOptions::new().row_group_rows(rows));
        (file, written)
    })
}

proptest! {
    #![proptest_config(config("tests/regressions/inspect.txt"))]

    /// The counts are those of a report on the records.
    #[test]
    fn counts_are_those_of_the_records((file, bytes) in parquet()) {
        let (info, tally) = inspect(&bytes).unwrap();
        let report = Report::of_csv(&*file.csv, &file.name(), file.kind, &ReadOptions::new()).unwrap();
        prop_assert_eq!(&tally, &report.totals);
        prop_assert_eq!((info.kind, info.rows, info.bytes), (file.kind, tally.rows, bytes.len() as u64));
    }

    /// Columns that are not counted may be missing.
    #[test]
    fn other_columns_may_be_missing(file in good_file(), selected in any::<u64>()) {
        let (time, operation) = Tally::columns(file.kind);
        let is_selected = |index: usize| selected >> index & 1 == 1 || index == time || Some(index) == operation;
        let names = file.kind.columns().iter().map(Column::name);
        let selected = names.enumerate().filter(|(index, _)| is_selected(*index));
        let options = Options::new().columns(selected.map(|(_, name)| name));
        let (info, tally) = inspect(&written(&file, &options, &ParquetOptions::new())).unwrap();
        let report = Report::of_csv(&*file.csv, &file.name(), file.kind, &ReadOptions::new()).unwrap();
        prop_assert_eq!((info.kind, &tally), (file.kind, &report.totals));
    }

    /// A file with changed bytes is a file or an error.
    #[test]
    fn changed_bytes_do_not_panic(
        (_, mut bytes) in parquet(),
        changes in prop::collection::vec((any::<Index>(), any::<bool>(), any::<u8>()), 1..6),
    ) {
        for (at, at_end, byte) in changes {
            // The footer has most of what can be wrong.
            let from = if at_end { bytes.len().saturating_sub(2000) } else { 0 };
            let at = from + at.index(bytes.len() - from);
            bytes[at] = byte;
        }
        let _ = inspect(&bytes);
    }

    /// A file that is cut is an error.
    #[test]
    fn cut_files_are_errors((_, bytes) in parquet(), at in any::<Index>()) {
        let error = inspect(&bytes[..at.index(bytes.len())]).unwrap_err();
        prop_assert!(matches!(error, ArrowError::ParquetError(_)), "{error:?}");
    }
}

/// A column by its name.
type Named<'n> = (&'n str, ArrayRef);

fn other(columns: Vec<Named<'_>>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let schema = batch.schema();
    let mut out = Vec::new();
    let batches = RecordBatchIterator::new([Ok(batch)], schema);
    write_parquet(batches, &mut out, &ParquetOptions::new()).unwrap();
    out
}

#[test]
fn files_with_other_columns_are_refused() {
    let ids = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let texts = || Arc::new(StringArray::from(vec!["a"])) as ArrayRef;
    let names = |kind: IndexKind| kind.columns().iter().map(Column::name);
    let call = || names(IndexKind::Call);
    for (columns, reason) in [
        (vec![("x", ids()), ("id", texts())], "its columns are not those of an index file"),
        (
            call().filter(|name| *name != "wait_begin").map(|name| (name, texts())).collect(),
            "it has no column wait_begin of call, which is counted",
        ),
        (
            call().map(|name| (name, ids())).collect(),
            "column developer of call is Int64, expected Utf8",
        ),
    ] {
        match inspect(&other(columns)) {
            Err(ArrowError::SchemaError(text)) => assert_eq!(text, reason),
            result => panic!("{result:?}"),
        }
    }
}

#[test]
fn times_outside_of_the_calendar_are_errors() {
    let last = "9999-12-31 23:59:59".parse::<LocalTime>().unwrap().naive_epoch_seconds();
    let counted = |micros: i64| {
        let times = TimestampMicrosecondArray::from(vec![0, micros]);
        let codes = Int64Array::from(vec![1, 1]);
        let columns: Vec<Named<'_>> =
            vec![("operate_time", Arc::new(times)), ("operate_type", Arc::new(codes))];
        let mut inspector = ParquetInspector::open(on_disk(&other(columns))).unwrap();
        let mut tally = Tally::default();
        let counted = inspector.count_batch(&mut tally);
        // It does not go on after an error.
        assert_eq!(inspector.count_batch(&mut tally).is_err(), counted.is_err());
        counted.map(|_| tally.latest.unwrap().to_string()).map_err(|error| error.to_string())
    };
    assert_eq!(counted(last * 1_000_000 + 999_999).unwrap(), "9999-12-31 23:59:59");
    for micros in [(last + 1) * 1_000_000, i64::MIN, i64::MAX] {
        let message = format!("column operate_time has the time {micros}, in microseconds since");
        assert!(counted(micros).unwrap_err().contains(&message));
    }
}

#[test]
fn long_footers_are_refused() {
    // The footer is not read, so its bytes can be missing.
    let file = |length: u64, footer: u64| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"PAR1").unwrap();
        file.set_len(length - 8).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(&u32::try_from(footer).unwrap().to_le_bytes()).unwrap();
        file.write_all(b"PAR1").unwrap();
        ParquetInspector::open(file).unwrap_err()
    };
    let limit = ParquetInspector::MAX_FOOTER_BYTES;
    match file(limit + 100, limit + 1) {
        ArrowError::NotYetImplemented(text) => {
            assert_eq!(text, "its footer is 16777217 bytes long, limit 16777216");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(file(limit + 100, limit), ArrowError::ParquetError(_)));
    assert!(matches!(file(limit + 8, limit + 1), ArrowError::ParquetError(_)));
}

#[test]
fn reading_does_not_go_on_after_an_error() {
    let file = IndexFile { kind: IndexKind::AgentSkillInfo, csv: b"r1,dev,acc,7\n".repeat(20_000) };
    let mut bytes = written(&file, &Options::new(), &ParquetOptions::new());
    let end = bytes.len() - 8;
    let footer = u32::from_le_bytes(bytes[end..end + 4].try_into().unwrap());
    bytes[4..end - footer as usize].fill(0xFF);
    let mut inspector = ParquetInspector::open(on_disk(&bytes)).unwrap();
    let mut tally = Tally::default();
    let mut errors = (0..5).map(|_| inspector.count_batch(&mut tally).unwrap_err().to_string());
    assert!(errors.next().is_some_and(|error| !error.contains("before")));
    assert!(errors.all(|error| error.ends_with("reading it has failed before")));
}

#[test]
fn other_compressions_are_refused() {
    let file = IndexFile { kind: IndexKind::AgentSkillInfo, csv: b"r1,dev,acc,7\n".to_vec() };
    let bytes = written(&file, &Options::new(), &ParquetOptions::new());
    // The number of Zstandard in the place of that of Snappy.
    let changed = (0..bytes.len()).map(|at| [&bytes[..at], &[6 * 2], &bytes[at + 1..]].concat());
    let refused = changed.filter_map(|bytes| match inspect(&bytes) {
        Err(ArrowError::NotYetImplemented(text)) => Some(text),
        _ => None,
    });
    let refused: Vec<String> = refused.collect();
    assert!(!refused.is_empty());
    assert!(
        refused.iter().all(|text| text == "it is compressed with ZSTD; only Snappy is supported")
    );
}

#[test]
fn the_footer_is_reported() {
    let csv =
        b"r1,dev,acc,1,2,3,2015-02-08 20:23:30,4,1,1;2,sn,1,,0,2015-02-08 12:23:30,2\n".to_vec();
    let file = IndexFile { kind: IndexKind::AgentSkillInfo, csv };
    let (info, _) = inspect(&written(&file, &Options::new(), &ParquetOptions::new())).unwrap();
    assert_eq!((info.row_groups, info.period, info.time_zone), (1, None, None));
    assert_eq!(info.version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    let period = ("2015-02-08 00:00:00".parse().unwrap(), "2015-02-08 23:59:59".parse().unwrap());
    let options = ParquetOptions::new().period(period.0, period.1).source_sha256([0xA0; 32]);
    let zoned = Options::new().time_zone("Somewhere/Odd", offset);
    let (info, _) = inspect(&written(&file, &zoned, &options)).unwrap();
    assert_eq!((info.period, info.time_zone.as_deref()), (Some(period), Some("Somewhere/Odd")));
    assert_eq!(info.source_sha256, Some("a0".repeat(32)));
}

#[test]
fn memory_does_not_grow_with_the_number_of_rows() {
    let [short, long] = [40_000, 160_000].map(|rows| {
        let csv = "r1,dev,acc,1,2,3,2015-02-08 20:23:30,4,1,1;2,sn,1,,0,2015-02-08 12:23:30,2\n";
        let file = IndexFile { kind: IndexKind::AgentSkillInfo, csv: csv.repeat(rows).into() };
        let bytes = written(&file, &Options::new(), &ParquetOptions::new().row_group_rows(40_000));
        let file = on_disk(&bytes);
        let measured = allocation_counter::measure(|| {
            let mut inspector = ParquetInspector::open(file.try_clone().unwrap()).unwrap();
            let mut tally = Tally::default();
            while inspector.count_batch(&mut tally).unwrap() {}
            assert_eq!(tally.rows, rows as u64);
        });
        measured.bytes_max
    });
    // The footer has an entry for each row group.
    assert!(long < short + short / 4, "{short} {long}");
}
