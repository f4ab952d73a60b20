//! Records are copied out as they would be written one by one.
#![cfg(feature = "json")]
#![allow(clippy::unwrap_used)]

use std::io::{self, Write};
use std::ops::ControlFlow;

use ccfs_archive::{
    AnyRecord, CopyError, ExportFormat, IndexKind, ReadOptions, RecordWriter, Records,
};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

fn records(csv: &str) -> Records<'_, AnyRecord> {
    Records::from_csv_with(csv.as_bytes(), IndexKind::AgentSkillInfo, &ReadOptions::new())
}

fn copied(csv: &str, format: ExportFormat, kind: Option<IndexKind>) -> String {
    let mut writer = RecordWriter::new(format, Vec::new());
    writer.copy(&mut records(csv), kind, |_| ControlFlow::Continue(())).unwrap();
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/regressions/export.txt"))),
        ..ProptestConfig::with_cases(64)
    })]

    #[test]
    fn a_copy_is_what_was_written_one_by_one(ids in proptest::collection::vec("[0-9a-f]{1,8}", 0..20)) {
        let csv: String = ids.iter().map(|id| format!("{id},dev,acc,1,2\n")).collect();
        for format in [ExportFormat::Jsonl, ExportFormat::Csv] {
            let mut writer = RecordWriter::new(format, Vec::new());
            let mut rows = records(&csv);
            while let Some(record) = rows.next_record().unwrap() {
                writer.write(record).unwrap();
            }
            let expected = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(&copied(&csv, format, None), &expected);
            let of_its_kind = copied(&csv, format, Some(IndexKind::AgentSkillInfo));
            // The header stands there even when no record does.
            prop_assert!(of_its_kind == expected || (ids.is_empty() && format == ExportFormat::Csv && of_its_kind.starts_with("id,")));
            let of_another = copied(&csv, format, Some(IndexKind::Call));
            prop_assert_eq!(of_another.lines().count(), usize::from(format == ExportFormat::Csv));
        }
    }
}

#[test]
fn who_watches_is_told_and_may_stop_it() {
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
