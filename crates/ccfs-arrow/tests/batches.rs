//! Schemas, time zones, and the bounds of batches.

use std::sync::Arc;

use crate::support::config;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use ccfs_archive::{
    AgentSkillChange, AnyRecord, Call, ColumnType, IndexKind, LocalTime, ReadOptions, Records,
};
use ccfs_arrow::{BatchParser, Batches, Options, TIME_ZONE, schema};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use proptest::prelude::*;

/// The first row has a time, so that the file is an index file.
const CSV: &str = "r1,dev,acc,1,2,3,2015-02-08 20:23:30,4,1,1;2,sn,1,,0,2015-02-08 12:23:30,2\n";

fn skills(csv: &str) -> Records<'_, AgentSkillChange> {
    Records::from_csv(csv.as_bytes())
}

fn batches(csv: &str, options: &Options) -> Vec<RecordBatch> {
    let batches = Batches::new(skills(csv), IndexKind::AgentSkillInfo, options).unwrap();
    batches.map(Result::unwrap).collect()
}

#[test]
fn columns_are_those_of_the_file_and_the_documented_ones_after_them() {
    for kind in IndexKind::ALL {
        let options = Options::new().time_zone("Asia/Shanghai", |_| Some(8 * 3600));
        let schema = schema(kind, &options).unwrap();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let columns = kind.columns();
        let file: Vec<&str> = columns.iter().map(ccfs_archive::Column::name).collect();
        assert_eq!(names[..columns.len()], file);
        assert!(schema.fields().iter().all(|field| field.is_nullable()));
        let after = names[columns.len()..].join(" ");
        let expected = match kind {
            IndexKind::AgentSkillInfo => {
                "operate_time_utc operate_end_time_utc operate_type_name extra"
            }
            IndexKind::AgentOprInfo => "begin_time_utc end_time_utc op_type_name extra",
            IndexKind::Record => {
                "call_begin_utc call_end_utc task_status_name call_type_name extra"
            }
            _ => {
                "wait_begin_utc wait_end_utc ack_begin_utc ack_end_utc call_begin_utc call_end_utc device_type_name extra"
            }
        };
        assert_eq!(after, expected);
        assert_eq!(schema.metadata()[TIME_ZONE], "Asia/Shanghai");
        for (column, field) in columns.iter().zip(schema.fields()) {
            let expected = match column.column_type() {
                ColumnType::Integer | ColumnType::Code => DataType::Int64,
                ColumnType::List => {
                    DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)))
                }
                ColumnType::LocalTime => DataType::Timestamp(TimeUnit::Microsecond, None),
                ColumnType::UtcTime => {
                    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
                }
                _ => DataType::Utf8,
            };
            assert_eq!(field.data_type(), &expected, "{}", column.name());
        }
        let without = ccfs_arrow::schema(kind, &Options::new()).unwrap();
        let plain: Vec<_> =
            schema.fields().iter().filter(|field| !field.name().ends_with("_utc")).collect();
        assert_eq!(without.fields().iter().collect::<Vec<_>>(), plain);
        assert!(without.metadata().is_empty());
    }
}

#[test]
fn wrong_columns_and_kinds_are_refused() {
    let message = |names: &[&str]| {
        let options = Options::new().columns(names.iter().copied());
        let error = schema(IndexKind::AgentSkillInfo, &options).unwrap_err();
        assert!(matches!(error, ArrowError::SchemaError(_)), "{error}");
        error.to_string()
    };
    assert!(message(&["id", "id"]).contains("\"id\" is selected twice"));
    let unknown = message(&["operate_time_utc"]);
    assert!(
        unknown.contains("no column \"operate_time_utc\"") && unknown.contains("operate_time,")
    );

    let read = ReadOptions::new().columns(["agent_id"]).unwrap();
    let records =
        || Records::<AnyRecord>::from_csv_with(CSV.as_bytes(), IndexKind::AgentSkillInfo, &read);
    let refused = |options: &Options| {
        let error = Batches::new(records(), IndexKind::AgentSkillInfo, options).unwrap_err();
        assert!(matches!(error, ArrowError::InvalidArgumentError(_)), "{error}");
        error.to_string()
    };
    assert!(refused(&Options::new()).contains("\"id\" is needed but not read"));
    let name = Options::new().columns(["operate_type_name"]);
    assert!(refused(&name).contains("\"operate_type\" is needed"));
    let read = Options::new().columns(["agent_id", "extra"]);
    assert!(Batches::new(records(), IndexKind::AgentSkillInfo, &read).is_ok());

    let error = Batches::new(skills(CSV), IndexKind::Call, &Options::new()).unwrap_err();
    assert!(error.to_string().contains("does not read call"), "{error}");
    let error = BatchParser::<Call>::new(IndexKind::Record, &ReadOptions::new(), &Options::new());
    assert!(error.is_err());
}

#[test]
fn no_columns_still_count_rows() {
    let batches = batches(&CSV.repeat(3), &Options::new().columns([]));
    assert_eq!((batches[0].num_columns(), batches[0].num_rows()), (0, 3));
}

#[test]
fn an_empty_list_is_not_null() {
    let csv = CSV.replace("1;2", "");
    let batch = &batches(&csv, &Options::new())[0];
    for name in ["skill_list", "extra"] {
        let list = batch.column_by_name(name).unwrap();
        assert_eq!((list.null_count(), list.as_list::<i32>().value_length(0)), (0, 0), "{name}");
    }
}

#[test]
fn a_batch_ends_at_8_mib_of_text() {
    let csv = CSV.replace("dev", &"x".repeat(60_000)).repeat(300);
    let batches = batches(&csv, &Options::new().batch_rows(usize::MAX));
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 300);
    let most = 8 * 1024 * 1024 / 60_000 + 1;
    assert!(batches.len() == 3 && batches.iter().all(|batch| batch.num_rows() <= most));
}

#[test]
fn appending_a_record_allocates_nothing_but_the_growth_of_the_builders() {
    let csv = CSV.repeat(20_000);
    let options = Options::new().batch_rows(4096).time_zone("Asia/Shanghai", |_| Some(8 * 3600));
    let mut rows = 0;
    let allocated = allocation_counter::measure(|| {
        let batches = Batches::new(skills(&csv), IndexKind::AgentSkillInfo, &options).unwrap();
        rows = batches.map(|batch| batch.unwrap().num_rows()).sum();
    });
    assert_eq!(rows, 20_000);
    // About 400 for each of 5 batches of 20 columns.
    assert!(allocated.count_total < 4000, "{}", allocated.count_total);
}

#[test]
fn everything_can_be_sent_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Batches<'_, AnyRecord>>();
    is_send::<BatchParser<AnyRecord>>();
    let csv = CSV.repeat(10);
    let reader: Box<dyn RecordBatchReader + Send> = Box::new(
        Batches::new(
            Records::<AnyRecord>::from_csv_with(
                std::io::Cursor::new(csv.into_bytes()),
                IndexKind::AgentSkillInfo,
                &ReadOptions::new(),
            ),
            IndexKind::AgentSkillInfo,
            &Options::new(),
        )
        .unwrap(),
    );
    let rows = std::thread::spawn(|| reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>());
    assert_eq!(rows.join().unwrap(), 10);
}

#[test]
fn a_parser_reports_what_it_skipped_and_refuses_a_chunk_too_many() {
    let zip = crate::support::archive(&[
        ("20150208202330123456_agentSkillInfo.csv", CSV.repeat(3).as_bytes()),
        ("notes.txt", b"x"),
    ]);
    let options = Options::new().batch_rows(2);
    let kind = IndexKind::AgentSkillInfo;
    let mut parser =
        BatchParser::<AgentSkillChange>::new(kind, &ReadOptions::new(), &options).unwrap();
    assert_eq!(parser.schema(), schema(kind, &options).unwrap());
    parser.feed(&zip).unwrap();
    assert_eq!(parser.next_batch().unwrap().unwrap().num_rows(), 2);
    let error = parser.feed(&zip).unwrap_err();
    assert!(matches!(crate::support::archive_error(&error), ccfs_archive::Error::NotDrained));
    assert!(parser.next_batch().unwrap().is_none());
    parser.finish();
    assert_eq!(parser.next_batch().unwrap().unwrap().num_rows(), 1);
    assert!(parser.next_batch().unwrap().is_none());
    assert_eq!((parser.records().rows(), parser.records().skipped_members().count()), (3, 1));
}

/// The instants of one local time in `operate_time_utc`, in seconds.
fn instant(time: &str, zone: &TimeZone) -> Option<i64> {
    let csv = CSV.replace("2015-02-08 20:23:30", time);
    let batch = batches(&csv, &in_zone(zone)).remove(0);
    let column = batch.column_by_name("operate_time_utc").unwrap();
    let column = column.as_primitive::<TimestampMicrosecondType>();
    column.is_valid(0).then(|| column.value(0) / 1_000_000)
}

/// Options with the offsets of a time zone: that of the earlier instant in a repeated hour, and that before the change in
/// a skipped one.
fn in_zone(zone: &TimeZone) -> Options {
    let name = zone.iana_name().unwrap().to_owned();
    let zone = zone.clone();
    Options::new().time_zone(&name, move |time| {
        match zone.to_ambiguous_timestamp(DateTime::from(time)).offset() {
            AmbiguousOffset::Unambiguous { offset }
            | AmbiguousOffset::Gap { before: offset, .. }
            | AmbiguousOffset::Fold { before: offset, .. } => Some(offset.seconds()),
        }
    })
}

#[test]
fn a_repeated_hour_is_the_earlier_one_and_a_skipped_one_has_the_offset_before_it() {
    let zone = TimeZone::get("America/New_York").unwrap();
    for (local, utc) in [
        ("2023-03-12 01:59:59", "2023-03-12T06:59:59Z"),
        ("2023-03-12 02:30:00", "2023-03-12T07:30:00Z"),
        ("2023-03-12 03:00:00", "2023-03-12T07:00:00Z"),
        ("2023-11-05 00:59:59", "2023-11-05T04:59:59Z"),
        ("2023-11-05 01:00:00", "2023-11-05T05:00:00Z"),
        ("2023-11-05 01:59:59", "2023-11-05T05:59:59Z"),
        ("2023-11-05 02:00:00", "2023-11-05T07:00:00Z"),
    ] {
        let expected: jiff::Timestamp = utc.parse().unwrap();
        assert_eq!(instant(local, &zone), Some(expected.as_second()), "{local}");
    }
}

#[test]
fn a_time_without_an_offset_is_null_in_utc() {
    let options = Options::new().time_zone("Nowhere", |_| None);
    let batch = &batches(CSV, &options)[0];
    assert_eq!(batch.column_by_name("operate_time_utc").unwrap().null_count(), 1);
    assert_eq!(batch.column_by_name("operate_time").unwrap().null_count(), 0);
}

/// A local time within two hours of a change of the zone's offset.
fn near_a_change() -> impl Strategy<Value = (TimeZone, LocalTime)> {
    let names = ["America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"];
    (prop::sample::select(names.to_vec()), -2_000_000_000..1_700_000_000i64, -7200..7200i64)
        .prop_filter_map("a zone with a change after that time", |(name, after, seconds)| {
            let zone = TimeZone::get(name).unwrap();
            let change = zone.following(jiff::Timestamp::from_second(after).unwrap()).next()?;
            let local = change.offset().to_datetime(change.timestamp());
            let local: LocalTime = local.strftime("%Y-%m-%d %H:%M:%S").to_string().parse().unwrap();
            Some((zone, local.plus_seconds(seconds).unwrap()))
        })
}

proptest! {
    #![proptest_config(config("tests/regressions/batches.txt"))]

    /// The instant is the one that a calendar library finds, also in repeated and skipped hours.
    #[test]
    fn instants_are_those_of_a_calendar_library((zone, local) in near_a_change()) {
        let ambiguous = zone.to_ambiguous_timestamp(DateTime::from(local));
        let expected = ambiguous.compatible().unwrap().as_second();
        prop_assert_eq!(instant(&local.to_string(), &zone), Some(expected));
    }
}
