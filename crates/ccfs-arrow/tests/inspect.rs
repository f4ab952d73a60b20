//! Reports on Parquet files are those on the records, and damage is an error.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::File;
use std::io::{Seek, Write};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, StringArray};
use arrow_schema::ArrowError;
use ccfs_archive::{Column, IndexKind, ReadOptions, Report, Tally};
use ccfs_arrow::{Batches, Options, ParquetInfo, ParquetInspector, ParquetOptions, write_parquet};
use proptest::prelude::*;
use proptest::sample::Index;
use support::{IndexFile, config, file, offset, records, rows_of};

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

/// A file without bad rows, as Parquet.
fn parquet() -> impl Strategy<Value = (IndexFile, Vec<u8>)> {
    let good = |file: &IndexFile| rows_of(records(file), None).iter().all(Result::is_ok);
    (file(false).prop_filter("reading ends at a bad row", good), any::<bool>(), 1..20usize)
        .prop_map(|(file, has_zone, rows)| {
            let options = Options::new();
            let options =
                if has_zone { options.time_zone("Somewhere/Odd", offset) } else { options };
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

    /// A file with changed bytes is a file or an error.
    #[test]
    fn changed_bytes_are_no_panic(
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
            call().skip(2).map(|name| (name, texts())).collect(),
            "columns of call are missing: developer, account_id",
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
