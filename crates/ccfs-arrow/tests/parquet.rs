//! Parquet files are read back as the records, and bounded, and broken off as errors.

use std::io::{self, Write};

use crate::support::{IndexFile, archive_error, config, file, offset, records, rows_in, rows_of};
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::ArrowError;
use ccfs_archive::{AgentSkillChange, AnyRecord, IndexKind, ReadOptions, Records};
use ccfs_arrow::{Batches, Options, ParquetOptions, ParquetWriter, write_parquet};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding, Type};
use parquet::file::metadata::ParquetMetaData;
use proptest::prelude::*;

const CSV: &str = "r1,dev,acc,1,2,3,2015-02-08 20:23:30,4,1,1;2,sn,1,,0,2015-02-08 12:23:30,2\n";

/// A row with another ID and other values, so that columns do not compress to nothing.
fn csv(rows: usize) -> String {
    (0..rows)
        .map(|row| {
            CSV.replace("r1", &format!("{:x}", row.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
                .replace("4,1,1;2", &format!("{row},1,{row};2"))
        })
        .collect()
}

fn skills<'c>(csv: &'c str, options: &Options) -> Batches<'c, AgentSkillChange> {
    let records = Records::from_csv(csv.as_bytes());
    Batches::new(records, IndexKind::AgentSkillInfo, options).unwrap()
}

fn zoned() -> Options {
    Options::new().time_zone("Somewhere/Odd", offset)
}

fn batches<'f>(file: &'f IndexFile, options: &Options) -> Batches<'f, AnyRecord> {
    Batches::new(records(file), file.kind, options).unwrap()
}

fn write(batches: impl RecordBatchReader, options: &ParquetOptions) -> Vec<u8> {
    let mut out = Vec::new();
    write_parquet(batches, &mut out, options).unwrap();
    out
}

fn open(file: Vec<u8>) -> parquet::errors::Result<ParquetRecordBatchReaderBuilder<bytes::Bytes>> {
    ParquetRecordBatchReaderBuilder::try_new(file.into())
}

fn metadata(file: Vec<u8>) -> ParquetMetaData {
    open(file).unwrap().metadata().as_ref().clone()
}

proptest! {
    #![proptest_config(config("tests/regressions/parquet.txt"))]

    /// What the `parquet` crate reads are the records, with the schema of the batches.
    #[test]
    fn files_are_read_back_as_the_records(
        file in file(false),
        batch_rows in 1..50usize,
        row_group_rows in 0..50usize,
        row_group_bytes in prop::sample::select(&[1, 1000, 100_000]),
    ) {
        let options = zoned().batch_rows(batch_rows);
        let rows = rows_of(records(&file), Some(offset));
        // Reading a file with bad rows ends at the first one.
        prop_assume!(rows.iter().all(Result::is_ok));
        let parquet_options = ParquetOptions::new().row_group_rows(row_group_rows).row_group_bytes(row_group_bytes);
        let written = write(batches(&file, &options), &parquet_options);
        let reader = open(written).unwrap();
        let schema = ccfs_arrow::schema(file.kind, &options).unwrap();
        prop_assert_eq!(reader.schema().fields(), schema.fields());
        prop_assert_eq!(rows_in(reader.build().unwrap()), rows);
    }

    /// The same records and options make the same bytes.
    #[test]
    fn the_same_input_makes_the_same_bytes(file in file(false), batch_rows in 1..50usize) {
        prop_assume!(rows_of(records(&file), None).iter().all(Result::is_ok));
        let options = zoned().batch_rows(batch_rows);
        let once = write(batches(&file, &options), &ParquetOptions::new());
        prop_assert_eq!(once, write(batches(&file, &options), &ParquetOptions::new()));
    }

    /// An output that fails after any number of bytes is an error that has the output's, and leaves no Parquet file.
    #[test]
    fn an_output_that_fails_is_an_error(file in file(false), room in any::<prop::sample::Index>(), row_group_rows in 1..20usize) {
        prop_assume!(rows_of(records(&file), None).iter().all(Result::is_ok));
        let options = ParquetOptions::new().row_group_rows(row_group_rows);
        let whole = write(batches(&file, &zoned()), &options).len();
        let mut out = Full { bytes: Vec::new(), room: room.index(whole) };
        let error = write_parquet(batches(&file, &zoned()), &mut out, &options).unwrap_err();
        prop_assert_eq!(io_error(&error).kind(), io::ErrorKind::StorageFull);
        prop_assert!(open(out.bytes).is_err());
    }
}

/// An output that accepts so many bytes.
struct Full {
    bytes: Vec<u8>,
    room: usize,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(self.room - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..length]);
        if length == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(length) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn io_error(error: &ArrowError) -> &io::Error {
    match error {
        ArrowError::ExternalError(source) => source.downcast_ref().expect("an I/O error"),
        other => panic!("{other:?}"),
    }
}

/// Also if only the footer is missing.
#[test]
fn taking_the_output_back_keeps_its_error() {
    let whole = write(skills(CSV, &Options::new()), &ParquetOptions::new());
    for missing in 0..9 {
        let out = Full { bytes: Vec::new(), room: whole.len() - missing };
        let batches = skills(CSV, &Options::new());
        let mut writer =
            ParquetWriter::new(out, &batches.schema(), &ParquetOptions::new()).unwrap();
        batches.for_each(|batch| writer.write(&batch.unwrap()).unwrap());
        match writer.into_inner() {
            Ok(out) => assert_eq!((missing, out.bytes), (0, whole.clone())),
            Err(error) => assert_eq!(io_error(&error).kind(), io::ErrorKind::StorageFull),
        }
    }
}

#[test]
fn an_output_that_cannot_be_flushed_is_an_error() {
    struct NoFlush;
    impl Write for NoFlush {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::Other.into())
        }
    }
    let error =
        write_parquet(skills(CSV, &Options::new()), NoFlush, &ParquetOptions::new()).unwrap_err();
    assert_eq!(io_error(&error).kind(), io::ErrorKind::Other);
}

#[test]
fn a_source_that_fails_is_its_error_and_leaves_no_file() {
    let bad = format!("{}r,dev,acc,x\n", csv(10));
    let mut out = Vec::new();
    let options = ParquetOptions::new().row_group_rows(2);
    let error = write_parquet(skills(&bad, &Options::new()), &mut out, &options).unwrap_err();
    assert!(matches!(archive_error(&error), ccfs_archive::Error::Row(_)));
    assert!(out.len() > 4 && open(out).is_err());

    let zip = IndexFile { kind: IndexKind::AgentSkillInfo, csv: csv(10).into_bytes() }.zip();
    let cut = &zip[..zip.len() - 30];
    let records = Records::<AgentSkillChange>::from_stream(cut, &ReadOptions::new());
    let batches = Batches::new(records, IndexKind::AgentSkillInfo, &Options::new()).unwrap();
    let mut out = Vec::new();
    let error = write_parquet(batches, &mut out, &ParquetOptions::new()).unwrap_err();
    assert!(matches!(archive_error(&error), ccfs_archive::Error::Zip(_)));
    assert!(open(out).is_err());
}

#[test]
fn a_batch_of_another_schema_is_refused() {
    let calls = ccfs_arrow::schema(IndexKind::Call, &Options::new()).unwrap();
    let mut writer = ParquetWriter::new(Vec::new(), &calls, &ParquetOptions::new()).unwrap();
    let batch: RecordBatch = skills(CSV, &Options::new()).next().unwrap().unwrap();
    assert!(writer.write(&batch).is_err());
    assert_eq!(writer.rows(), 0);
}

#[test]
fn the_metadata_is_as_documented() {
    let entries = |options: &Options, parquet_options: &ParquetOptions| {
        let metadata = metadata(write(skills(CSV, options), parquet_options));
        let mut entries: Vec<(String, String)> = metadata
            .file_metadata()
            .key_value_metadata()
            .unwrap()
            .iter()
            .map(|entry| (entry.key.clone(), entry.value.clone().unwrap()))
            .filter(|(key, _)| key != "ARROW:schema")
            .collect();
        entries.sort();
        entries
    };
    let version = ("ccfs.version", env!("CARGO_PKG_VERSION"));
    let owned = |entries: &[(&str, &str)]| -> Vec<(String, String)> {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    assert_eq!(entries(&Options::new(), &ParquetOptions::new()), owned(&[version]));
    let (begin, end) =
        ("2026-11-01 00:00:00".parse().unwrap(), "2026-11-01 23:59:59".parse().unwrap());
    let all = ParquetOptions::new().period(begin, end).source_sha256([0xA0; 32]);
    let hash = "a0".repeat(32);
    let expected = [
        ("ccfs.period", "2026-11-01T00:00:00/2026-11-01T23:59:59"),
        ("ccfs.source_sha256", &hash),
        ("ccfs.time_zone", "Somewhere/Odd"),
        version,
    ];
    assert_eq!(entries(&zoned(), &all), owned(&expected));
}

#[test]
fn columns_are_compressed_and_have_statistics_and_repeated_texts_have_dictionaries() {
    let metadata = metadata(write(skills(&csv(5000), &zoned()), &ParquetOptions::new()));
    for column in metadata.row_group(0).columns() {
        let name = column.column_path().string();
        // Random ids do not compress.
        let compression =
            if name == "id" { Compression::UNCOMPRESSED } else { Compression::SNAPPY };
        assert_eq!(column.compression(), compression, "{name}");
        assert!(column.statistics().is_some(), "{name}");
        let has_dictionary =
            column.encodings().any(|encoding| encoding == Encoding::RLE_DICTIONARY);
        let is_text = column.column_type() == Type::BYTE_ARRAY;
        assert_eq!(has_dictionary, is_text && name != "id", "{name}");
        assert!(!name.starts_with("skill_list") || name == "skill_list.list.element");
    }
}

#[test]
fn row_groups_are_bounded_in_rows_and_bytes() {
    let csv = csv(20_000);
    let groups = |options: &ParquetOptions| -> Vec<(i64, i64)> {
        let batches = skills(&csv, &Options::new().batch_rows(500));
        let metadata = metadata(write(batches, options));
        let groups = metadata.row_groups().iter();
        groups.map(|group| (group.num_rows(), group.compressed_size())).collect()
    };
    let rows: Vec<i64> =
        groups(&ParquetOptions::new().row_group_rows(6000)).iter().map(|group| group.0).collect();
    assert_eq!(rows, [6000, 6000, 6000, 2000]);
    let by_bytes = groups(&ParquetOptions::new().row_group_bytes(100_000));
    assert!(by_bytes.len() > 3, "{by_bytes:?}");
    assert!(by_bytes.iter().all(|group| group.1 <= 110_000), "{by_bytes:?}");
}

#[test]
fn memory_does_not_grow_with_the_number_of_rows() {
    let options = ParquetOptions::new().row_group_rows(5000);
    let [short, long] = [20_000, 80_000].map(|rows| {
        let csv = csv(rows);
        let measured = allocation_counter::measure(|| {
            let rows = write_parquet(skills(&csv, &zoned()), io::sink(), &options).unwrap();
            assert!(rows >= 20_000);
        });
        measured.bytes_max
    });
    // The footer has an entry for each row group.
    assert!(long < short + short / 4, "{short} {long}");
}
