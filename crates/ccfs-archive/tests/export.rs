//! Records are copied out as they would be written one by one.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::ControlFlow;

use ccfs_archive::{
    AgentOperation, AgentSkillChange, AnyRecord, AnyRecordRef, Call, Column, ColumnType, CopyError,
    Day, DeviceType, ExportFormat, IndexKind, LocalTime, OperateType, ReadOptions, RecordWriter,
    Recording, Records, SkillList, TaskStatus, Value,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;

fn records(csv: &str) -> Records<'_, AnyRecord> {
    Records::from_csv_with(csv.as_bytes(), IndexKind::AgentSkillInfo, &ReadOptions::new())
}

fn copied(csv: &str, format: ExportFormat, kind: Option<IndexKind>) -> String {
    let mut writer = RecordWriter::new(format, Vec::new());
    writer.copy(&mut records(csv), kind, |_| ControlFlow::Continue(())).unwrap();
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

const LOCAL_TIMES: [&str; 10] = [
    "operate_time",
    "operate_end_time",
    "begin_time",
    "end_time",
    "call_begin",
    "call_end",
    "wait_begin",
    "wait_end",
    "ack_begin",
    "ack_end",
];
const INTEGERS: [&str; 11] = [
    "sub_cc_no",
    "vdn",
    "operate_id",
    "operate_type",
    "operate_sn",
    "renew_flag",
    "month_of_year",
    "device_type",
    "device_no",
    "release_cause",
    "call_id_num",
];

const SPECIAL: &[&str] = &[
    "\"", "\\", "/", "\t", "\n", "\r", " ", "a", "\u{80}", "é", "话", "\u{2028}", "\u{feff}", "😀",
    ",", ";",
];

/// Text with everything that a cell may hold and that JSON or CSV writes differently, and codes as text.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        Just(String::new()),
        "[a-z0-9]{1,40}",
        prop::collection::vec(select(SPECIAL), 1..24).prop_map(|parts| parts.concat()),
        (-1..60i64).prop_map(|code| code.to_string()),
    ]
    .boxed()
}

/// Cells that a column accepts.
fn cell(kind: IndexKind, column: &'static str) -> BoxedStrategy<String> {
    // Two names are a number in one file and text in another.
    let is_integer = INTEGERS.contains(&column)
        || (column == "agent_id" && kind == IndexKind::AgentSkillInfo)
        || (column == "call_type" && kind == IndexKind::Call);
    if LOCAL_TIMES.contains(&column) || column == "update_time" {
        let time = (1..=9999u16, 1..=12u8, 1..=28u8, 0..24u8, 0..60u8, 0..60u8).prop_map(
            |(year, month, day, hour, minute, second)| {
                let day = Day::new(year, month, day).unwrap();
                LocalTime::new(day, hour, minute, second).unwrap().to_string()
            },
        );
        return prop_oneof![1 => Just(String::new()), 8 => time].boxed();
    }
    if is_integer {
        let integer = prop_oneof![0..60i64, -10..0i64, any::<i64>()].prop_map(|n| n.to_string());
        let padded = select(vec!["007", "-0", "-08", "00", "0000000000000000000000001"]);
        return prop_oneof![1 => Just(String::new()), 3 => integer, 1 => padded.prop_map(str::to_owned)]
            .boxed();
    }
    if column == "skill_list" {
        let part = select(vec![";", ",", " ", "1", "42", "\"", "\\", "话"]);
        return prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat()).boxed();
    }
    text()
}

/// A file of one row, which may lack cells or have more than there are columns.
fn file() -> impl Strategy<Value = (IndexKind, Vec<u8>)> {
    select(&IndexKind::ALL[..]).prop_flat_map(|kind| {
        let cells: Vec<_> = kind.columns().iter().map(|column| cell(kind, column.name())).collect();
        let length = prop_oneof![2 => Just(cells.len()), 1 => 9..=cells.len()];
        let extra = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(text(), 1..4)];
        (cells, length, extra).prop_map(move |(mut cells, length, extra)| {
            cells.truncate(length);
            if cells.len() == kind.columns().len() {
                cells.extend(extra);
            }
            let mut csv = csv::WriterBuilder::new()
                .quote_style(csv::QuoteStyle::Always)
                .from_writer(Vec::new());
            csv.write_record(cells).unwrap();
            (kind, csv.into_inner().unwrap())
        })
    })
}

fn column_names(record: AnyRecordRef<'_>) -> Vec<&'static str> {
    record.kind().columns().iter().map(Column::name).collect()
}

/// The cells that a CSV of the record has: at least one for each column.
fn cells(record: AnyRecordRef<'_>) -> Vec<String> {
    let (columns, cells) = (record.kind().columns(), record.row().cells());
    let cell = |index: usize| {
        let text = cells.get(index).unwrap_or_default();
        match columns.get(index).map(Column::column_type) {
            Some(ColumnType::List) => SkillList::new(text).iter().collect::<Vec<_>>().join(";"),
            _ => text.to_owned(),
        }
    };
    (0..columns.len().max(cells.len())).map(cell).collect()
}

/// Calls `check` with the record of a file, unless it is refused.
fn with_record(
    (kind, csv): &(IndexKind, Vec<u8>),
    check: impl FnOnce(AnyRecordRef<'_>) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let mut records =
        Records::<AnyRecord>::from_csv_with(csv.as_slice(), *kind, &ReadOptions::new());
    match records.next_record() {
        Ok(Some(record)) => check(record),
        _ => Err(TestCaseError::reject("the file is refused")),
    }
}

fn written(writer: RecordWriter<'_, Vec<u8>>, record: AnyRecordRef<'_>) -> String {
    let mut writer = writer;
    writer.write(record).unwrap();
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// An offset for some times, with seconds for some of those.
fn offset(time: LocalTime) -> Option<i32> {
    let offsets = [None, Some(0), Some(28_800), Some(-12_600), Some(29_143), Some(-43_200)];
    offsets[usize::from(time.second()) % offsets.len()]
}

fn offset_text(time: LocalTime) -> &'static str {
    let texts = ["", "+00:00", "+08:00", "-03:30", "+08:05:43", "-12:00"];
    texts[usize::from(time.second()) % texts.len()]
}

/// The columns that `names` adds for a record, and their values.
fn names(record: AnyRecordRef<'_>) -> Vec<(&'static str, Option<&'static str>)> {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
    match record.kind() {
        IndexKind::AgentSkillInfo => {
            let row = record.read_as::<AgentSkillChange>().unwrap();
            vec![("operate_type_name", row.operate_type().and_then(OperateType::name))]
        }
        IndexKind::AgentOprInfo => {
            let row = record.read_as::<AgentOperation>().unwrap();
            let code = number(row.op_type()).map(OperateType::from);
            vec![("op_type_name", code.and_then(OperateType::name))]
        }
        IndexKind::Record => {
            let row = record.read_as::<Recording>().unwrap();
            let status = number(row.task_status()).map(TaskStatus::from);
            let direction = number(row.call_type()).filter(|code| (0..2).contains(code));
            vec![
                ("task_status_name", status.and_then(TaskStatus::name)),
                ("call_type_name", direction.map(|code| if code == 0 { "in" } else { "out" })),
            ]
        }
        IndexKind::Call => {
            let row = record.read_as::<Call>().unwrap();
            vec![("device_type_name", row.device_type().and_then(DeviceType::name))]
        }
        _ => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/regressions/export.txt"))),
        ..ProptestConfig::with_cases(512)
    })]

    /// The writer's JSON is what `serde_json` makes of the record's `Serialize`.
    #[test]
    fn json_lines_are_those_of_serde_json(file in file()) {
        with_record(&file, |record| {
            let json = || RecordWriter::new(ExportFormat::Jsonl, Vec::new());
            prop_assert_eq!(written(json(), record), serde_json::to_string(&record).unwrap() + "\n");
            let mut expected = serde_json::to_string(&record).unwrap() + "\n";
            for (column, value) in LOCAL_TIMES.iter().filter_map(|column| Some((column, record.kind().column(column)?))) {
                if let Value::LocalTime(time) = record.value(value) {
                    let field = format!("\"{column}\":\"{}", time.iso());
                    expected = expected.replace(&field, &format!("{field}{}", offset_text(time)));
                }
            }
            prop_assert_eq!(written(json().offset(offset), record), expected);
            Ok(())
        })?;
    }

    /// Without options, the CSV is the cells as the `csv` crate writes them, with skill lists separated by semicolons.
    #[test]
    fn csv_is_that_of_the_csv_crate(file in file()) {
        with_record(&file, |record| {
            let terminator = csv::Terminator::Any(b'\n');
            let mut expected = csv::WriterBuilder::new().flexible(true).terminator(terminator).from_writer(Vec::new());
            expected.write_record(column_names(record)).unwrap();
            expected.write_record(cells(record)).unwrap();
            let expected = String::from_utf8(expected.into_inner().unwrap()).unwrap();
            prop_assert_eq!(written(RecordWriter::new(ExportFormat::Csv, Vec::new()), record), expected);
            Ok(())
        })?;
    }

    /// Names follow the known columns, and precede unknown cells, in both formats.
    #[test]
    fn names_follow_the_known_columns(file in file()) {
        with_record(&file, |record| {
            let json = written(RecordWriter::new(ExportFormat::Jsonl, Vec::new()).names(true), record);
            let plain = serde_json::to_string(&record).unwrap();
            let mut added = String::new();
            for (label, name) in names(record) {
                write!(added, ",\"{label}\":{}", serde_json::to_string(&name).unwrap()).unwrap();
            }
            let end = if record.row().cells().len() > column_names(record).len() {
                plain.rfind(",\"extra\":[").unwrap()
            } else {
                plain.len() - 1
            };
            prop_assert_eq!(json, format!("{}{added}{}\n", &plain[..end], &plain[end..]));
            Ok(())
        })?;
    }

    /// CSV has an offset after each local time, names after the known columns, and all other cells unchanged.
    #[test]
    fn csv_has_offsets_and_names(file in file()) {
        with_record(&file, |record| {
            let csv = RecordWriter::new(ExportFormat::Csv, Vec::new()).offset(offset).names(true);
            let csv = written(csv, record);
            let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(csv.as_bytes());
            let labels = names(record).into_iter().map(|(label, _)| label);
            let header: Vec<&str> = column_names(record).into_iter().chain(labels).collect();
            prop_assert_eq!(rows.headers().unwrap().iter().collect::<Vec<_>>(), header);
            let mut expected = Vec::new();
            for text in cells(record) {
                let column = column_names(record).get(expected.len()).copied().unwrap_or_default();
                let time = text.parse().ok().filter(|_| LOCAL_TIMES.contains(&column));
                expected.push(format!("{text}{}", time.map_or("", offset_text)));
            }
            let known = column_names(record).len();
            let named = names(record).into_iter().map(|(_, name)| name.unwrap_or_default().to_owned());
            expected.splice(known..known, named);
            let row = rows.records().next().unwrap().unwrap();
            prop_assert_eq!(row.iter().collect::<Vec<_>>(), expected);
            Ok(())
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/regressions/export.txt"))),
        ..ProptestConfig::with_cases(64)
    })]

    #[test]
    fn a_copy_is_what_was_written_one_by_one(ids in proptest::collection::vec("[0-9a-f]{1,8}", 0..20)) {
        let mut csv = String::new();
        for id in &ids {
            writeln!(csv, "{id},dev,acc,1,2").unwrap();
        }
        for format in [ExportFormat::Jsonl, ExportFormat::Csv] {
            let mut writer = RecordWriter::new(format, Vec::new());
            let mut rows = records(&csv);
            while let Some(record) = rows.next_record().unwrap() {
                writer.write(record).unwrap();
            }
            let expected = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(&copied(&csv, format, None), &expected);
            let of_its_kind = copied(&csv, format, Some(IndexKind::AgentSkillInfo));
            // The header is written even without records.
            prop_assert!(of_its_kind == expected || (ids.is_empty() && format == ExportFormat::Csv && of_its_kind.starts_with("id,")));
            let of_another = copied(&csv, format, Some(IndexKind::Call));
            prop_assert_eq!(of_another.lines().count(), usize::from(format == ExportFormat::Csv));
        }
    }
}

#[test]
fn progress_is_reported_and_may_stop_the_export() {
    let csv = "a,dev,acc,1\n".repeat(10_000);
    let (mut told, mut writer) = (Vec::new(), RecordWriter::new(ExportFormat::Jsonl, Vec::new()));
    let stopped = writer.copy(&mut records(&csv), None, |rows| {
        told.push(rows);
        if rows < 8000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(matches!(stopped, Err(CopyError::Stopped)));
    assert_eq!(told, [4096, 8192]);
    assert_eq!(String::from_utf8(writer.into_inner().unwrap()).unwrap().lines().count(), 8192);
}

#[test]
fn reading_and_writing_fail_apart() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let go_on = |_| ControlFlow::Continue(());
    let full = RecordWriter::new(ExportFormat::Jsonl, Full).copy(
        &mut records("a,dev,acc,1\n"),
        None,
        go_on,
    );
    assert!(
        matches!(full, Err(CopyError::Write(error)) if error.kind() == io::ErrorKind::StorageFull)
    );
    let mut writer = RecordWriter::new(ExportFormat::Jsonl, Vec::new());
    let bad = writer.copy(&mut records("a,dev,acc,1\nb,dev,acc,no number\n"), None, go_on);
    assert!(matches!(&bad, Err(CopyError::Read(ccfs_archive::Error::Row(_)))), "{bad:?}");
    assert_eq!(
        String::from_utf8(writer.into_inner().unwrap()).unwrap().lines().count(),
        1,
        "what came before is written"
    );
}
