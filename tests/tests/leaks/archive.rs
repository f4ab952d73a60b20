//! Types of `ccfs-archive`. `Debug` of a record shows its values; an error about a file contains no text of it.

use std::io::{Cursor, Write};

use ccfs::archive::{
    AgentOperation, AgentSkillChange, AnyRecord, AnyRecordRef, Archive, ArchiveParser, Call,
    CallDirection, Charset, DeviceType, ExportFormat, IndexKind, Limits, LocalTime, OnBadRow,
    OperateType, ReadOptions, Record, RecordWriter, Recording, Records, TaskStatus, Timestamp,
};
use ccfs_tests::{Rendered, Secrets};

/// Every way to read `zip`, and what is said of what cannot be read.
pub(crate) fn render(shown: &mut Rendered, secrets: &mut Secrets, zip: &[u8]) {
    let row = "MARKER-cell-of-an-id,dev,acc,1,2,3,MARKER-cell-of-a-time,4\n";
    secrets.add("a cell", "MARKER-cell-of-an-id");
    secrets.add("a cell", "MARKER-cell-of-a-time");
    for record in Records::<AgentSkillChange>::from_csv(row.as_bytes()) {
        let error = record.unwrap_err();
        shown.error(&error);
        let ccfs::archive::Error::Row(bad) = error else { panic!("{error}") };
        shown.both(&bad);
        shown.both(&bad.fault);
        shown.both(&bad.at);
    }
    let refused = Records::<AgentSkillChange>::from_csv("MARKER-cell-of-an-id;dev".as_bytes());
    let error = refused.into_iter().next().unwrap().unwrap_err();
    shown.error(&error);
    let ccfs::archive::Error::NotIndexFile(refused) = error else { panic!("{error}") };
    shown.both(&refused);
    shown.both(&refused.fault);
    shown.both(&ReadOptions::new().columns(["no_such"]).unwrap_err());
    let padded = "r1,MARKER-cell-of-an-id,acc,7\n\0\0".as_bytes();
    let mut padded = Records::<AgentSkillChange>::from_csv(padded);
    assert!(padded.by_ref().all(|record| record.is_ok()));
    shown.both(&padded.notes()[0]);
    shown.both(&padded.notes()[0].kind);
    shown.both(padded.skipped_members());
    shown.debug(&IndexKind::AgentSkillInfo.columns()[0]);
    shown.debug(&IndexKind::AgentSkillInfo.code_names()[0]);
    let options = ReadOptions::new().keep_bad_rows(100);
    let mut kept = Records::<AgentSkillChange>::from_csv_with(
        row.as_bytes(),
        IndexKind::AgentSkillInfo,
        &options,
    );
    shown.error(&kept.next_record().unwrap_err());
    let options =
        ReadOptions::new().on_bad_row(OnBadRow::Skip).charset(Charset::Utf8).limits(Limits::new());
    shown.debug(&options);
    shown.debug(&Limits::new());
    let mut skipping = Records::<AgentSkillChange>::from_csv_with(
        row.as_bytes(),
        IndexKind::AgentSkillInfo,
        &options,
    );
    assert!(skipping.next_record().unwrap().is_none());
    shown.debug(skipping.bad_rows());
    shown.debug(&skipping);

    let mut archive = Archive::open(Cursor::new(zip)).unwrap();
    shown.debug(&archive);
    shown.debug(&archive.members());
    let report = archive.inspect().unwrap();
    shown.debug(&report);
    shown.debug(&report.members[0]);
    shown.debug(&report.totals);
    for damaged in [&zip[..zip.len() / 2], &[&zip[..40], &[0; 40], &zip[80..]].concat()] {
        let error = match Archive::open(Cursor::new(damaged)) {
            Err(error) => error,
            Ok(mut archive) => archive.inspect().unwrap_err(),
        };
        shown.error(&error);
        let ccfs::archive::Error::Zip(error) = error else { panic!("{error}") };
        shown.error(&error);
        shown.both(&error.fault);
    }
    let mut parser = ArchiveParser::<AgentSkillChange>::new(&ReadOptions::new());
    shown.debug(&parser);
    parser.feed(&zip[..100]).unwrap();
    shown.error(&parser.feed(&zip[100..]).unwrap_err());
    shown.debug(&parser);
    let mut writer = RecordWriter::new(ExportFormat::Csv, Vec::new());
    shown.debug(&writer);
    let mut rows = Records::<AnyRecord>::from_csv_with(
        row.as_bytes(),
        IndexKind::AgentSkillInfo,
        &ReadOptions::new(),
    );
    shown
        .error(&writer.copy(&mut rows, None, |_| std::ops::ControlFlow::Continue(())).unwrap_err());

    arrow(shown, row);
    records::<AgentSkillChange>(shown, IndexKind::AgentSkillInfo);
    records::<AgentOperation>(shown, IndexKind::AgentOprInfo);
    records::<Call>(shown, IndexKind::Call);
    records::<Recording>(shown, IndexKind::Record);
    records::<AnyRecord>(shown, IndexKind::AgentSkillInfo);
    let list = ccfs::archive::SkillList::new("1;2");
    shown.debug(&list);
    let (local, utc): (LocalTime, Timestamp) =
        ("2023-04-06 00:00:00".parse().unwrap(), "2023-04-06T00:00:00Z".parse().unwrap());
    shown.both(&local);
    shown.both(&utc);
    shown.both(&OperateType::from(1));
    shown.both(&CallDirection::from(0));
    shown.both(&TaskStatus::from(0));
    shown.both(&DeviceType::from(1));
    shown.both(&OperateType::from(-7));
}

/// Conversion to Arrow and Parquet.
fn arrow(shown: &mut Rendered, row: &str) {
    use ccfs::arrow::{
        BatchBuilder, BatchParser, Batches, Cause, Options, ParquetInspector, ParquetOptions,
        ParquetWriter,
    };
    let (kind, read, options) = (IndexKind::AgentSkillInfo, ReadOptions::new(), Options::default());
    shown.debug(&options);
    shown.debug(&ParquetOptions::default());
    let mut parser = BatchParser::<AnyRecord>::new(kind, &read, &options).unwrap();
    parser.feed(row.as_bytes()).unwrap();
    parser.finish();
    shown.error(&parser.next_batch().unwrap_err());
    shown.debug(&parser);
    let records = Records::<AnyRecord>::from_csv_with(row.as_bytes(), kind, &read);
    let mut batches = Batches::new(records, kind, &options).unwrap();
    let error = batches.next().unwrap().unwrap_err();
    shown.error(&error);
    shown.debug(&Cause::from(error));
    shown.debug(&batches);
    let records =
        Records::<AnyRecord>::from_csv_with(std::io::Cursor::new(row.to_owned()), kind, &read);
    shown.debug(&Batches::new(records, kind, &options).unwrap().into_ahead().unwrap());
    let writer = ParquetWriter::new(Vec::new(), &parser.schema(), &ParquetOptions::default());
    shown.debug(&writer.unwrap());
    let on_disk = |bytes: &[u8]| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    };
    shown.error(&ParquetInspector::open(on_disk(row.as_bytes())).unwrap_err());
    let row = "MARKER-cell-of-an-id,dev,MARKER-cell-of-a-time,7\n";
    let records = Records::<AnyRecord>::from_csv_with(row.as_bytes(), kind, &read);
    let mut bytes = Vec::new();
    let batches = Batches::new(records, kind, &options).unwrap();
    ccfs::arrow::write_parquet(batches, &mut bytes, &ParquetOptions::default()).unwrap();
    let inspector = ParquetInspector::open(on_disk(&bytes)).unwrap();
    shown.debug(&inspector);
    shown.debug(inspector.info());
    let mut builder = BatchBuilder::new(kind, &options).unwrap();
    let mut records = Records::<AnyRecord>::from_csv_with(row.as_bytes(), kind, &read);
    let record = records.next_record().unwrap().unwrap();
    assert!(builder.append(record).unwrap().is_none());
    shown.debug(&builder);
}

/// A record of each kind, borrowed and owned, from a row whose typed cells are `1` or a date.
fn records<T: Record>(shown: &mut Rendered, kind: IndexKind) {
    use ccfs::archive::ColumnType;
    let cells = kind.columns().iter().map(|column| match column.column_type() {
        ColumnType::LocalTime | ColumnType::UtcTime => "2023-04-06 00:00:00",
        ColumnType::Integer | ColumnType::Code => "1",
        _ => "",
    });
    let row = format!("{},extra\n", cells.collect::<Vec<_>>().join(","));
    let mut records = Records::<T>::from_csv_with(row.as_bytes(), kind, &ReadOptions::new());
    shown.debug(&records);
    let record = records.next_record().unwrap().unwrap();
    shown.debug(&record);
    let any: AnyRecordRef<'_> = record.into();
    shown.debug(&any.row());
    shown.debug(&any.row().cells());
    shown.debug(&any.value(3));
    shown.debug(&T::from_ref(record));
}
