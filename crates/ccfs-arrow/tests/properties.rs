//! Properties of schemas and batches that hold for all inputs.

use std::io::{self, Cursor, Read};

use crate::support::{
    IndexFile, Offset, Rows, archive, archive_error, config, file, kind, offset, open, pieces,
    records, row, rows_in, rows_of,
};
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::ArrowError;
use ccfs_archive::{
    AgentOperation, AgentSkillChange, AnyRecord, ArchiveParser, Call, Charset, Error, IndexKind,
    LimitKind, Limits, OnBadRow, ReadOptions, Record, Recording, Records,
};
use ccfs_arrow::{BatchBuilder, BatchParser, Batches, Cause, Options, schema};
use proptest::prelude::*;

fn with_zone(options: Options, zone: Option<Offset>) -> Options {
    match zone {
        Some(offset) => options.time_zone("Somewhere/Odd", offset),
        None => options,
    }
}

fn zone() -> impl Strategy<Value = Option<Offset>> {
    prop::option::of(Just(offset as Offset))
}

/// Rows of a CSV file as records of the type of its kind.
fn typed_rows(file: &IndexFile, options: &Options, zone: Option<Offset>) -> (Rows, Rows) {
    fn both<T: Record>(file: &IndexFile, options: &Options, zone: Option<Offset>) -> (Rows, Rows) {
        let read = ReadOptions::new().on_bad_row(OnBadRow::Return);
        let records = || Records::<T>::from_csv_with(file.csv.as_slice(), file.kind, &read);
        let batches = Batches::new(records(), file.kind, options).unwrap();
        (rows_in(batches), rows_of(records(), zone))
    }
    match file.kind {
        IndexKind::AgentSkillInfo => both::<AgentSkillChange>(file, options, zone),
        IndexKind::AgentOprInfo => both::<AgentOperation>(file, options, zone),
        IndexKind::Record => both::<Recording>(file, options, zone),
        IndexKind::Call => both::<Call>(file, options, zone),
        other => panic!("{other}"),
    }
}

/// All batches of an archive that is pushed in pieces, up to the first error after which reading cannot continue.
fn pushed<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    kind: IndexKind,
    read: &ReadOptions,
    options: &Options,
) -> Vec<Result<RecordBatch, ArrowError>> {
    let mut parser = BatchParser::<AnyRecord>::new(kind, read, options).unwrap();
    let mut batches = Vec::new();
    for piece in pieces.into_iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => parser.feed(piece).unwrap(),
            None => parser.finish(),
        }
        while let Some(batch) = parser.next_batch().transpose() {
            let is_last = batch.as_ref().is_err_and(|error| ends(archive_error(error), read));
            batches.push(batch);
            if is_last {
                return batches;
            }
        }
    }
    batches
}

/// All rows of an archive that is pushed in pieces, as `pushed`.
fn parsed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, read: &ReadOptions) -> Rows {
    let mut parser = ArchiveParser::<AnyRecord>::new(read);
    let mut rows = Vec::new();
    for piece in pieces.into_iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => parser.feed(piece).unwrap(),
            None => parser.finish(),
        }
        loop {
            match parser.next_record() {
                Ok(None) => break,
                Ok(Some(record)) => rows.push(Ok(row(record, None))),
                Err(error) => {
                    rows.push(Err(error.to_string()));
                    if ends(&error, read) {
                        return rows;
                    }
                }
            }
        }
    }
    rows
}

/// Whether reading cannot continue after an error.
fn ends(error: &Error, read: &ReadOptions) -> bool {
    !matches!(error, Error::Row(_)) || read.bad_row_action() != OnBadRow::Return
}

/// Batches and the messages of errors.
fn messages(
    batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>,
) -> Vec<Result<RecordBatch, String>> {
    batches.into_iter().map(|batch| batch.map_err(|error| error.to_string())).collect()
}

/// Any action on bad rows.
fn action() -> impl Strategy<Value = OnBadRow> {
    prop::sample::select(&[OnBadRow::Stop, OnBadRow::Skip, OnBadRow::Return])
}

proptest! {
    #![proptest_config(config("tests/regressions/properties.txt"))]

    /// Batches have the values of the records, in order, with the errors between them.
    #[test]
    fn batches_equal_the_records(file in file(true), batch_rows in 0..50usize, zone in zone()) {
        let options = with_zone(Options::new().batch_rows(batch_rows), zone);
        let batches = Batches::new(records(&file), file.kind, &options).unwrap();
        prop_assert_eq!(rows_in(batches), rows_of(records(&file), zone));
        let (batches, records) = typed_rows(&file, &options, zone);
        prop_assert_eq!(batches, records);
    }

    /// Batches that another thread converts are the same, with the errors between them.
    #[test]
    fn batches_ahead_are_the_same(file in file(true), batch_rows in 1..50usize, action in action(), taken in 0..50usize) {
        let options = Options::new().batch_rows(batch_rows);
        let read = ReadOptions::new().on_bad_row(action);
        let batches = || {
            let records = Records::<AnyRecord>::from_csv_with(Cursor::new(file.csv.clone()), file.kind, &read);
            Batches::new(records, file.kind, &options).unwrap()
        };
        let mut expected = batches();
        let mut ahead = batches().into_ahead().unwrap();
        prop_assert_eq!(ahead.schema(), expected.schema());
        prop_assert_eq!(messages(ahead.by_ref()), messages(expected.by_ref()));
        prop_assert!(ahead.next().is_none());
        let (ahead, expected) = (ahead.into_batches(), expected.records());
        prop_assert_eq!(ahead.records().rows(), expected.rows());
        prop_assert_eq!(ahead.records().bad_rows(), expected.bad_rows());
        // It may be stopped at any batch.
        let mut ahead = batches().into_ahead().unwrap();
        let some = messages(ahead.by_ref().take(taken));
        prop_assert_eq!(some, messages(batches().take(taken)));
        ahead.into_batches();
    }

    /// Records that the caller appends make the same batches; those of another kind are refused and change nothing.
    #[test]
    fn appended_records_make_the_same_batches(file in file(false), batch_rows in 1..50usize, zone in zone(), other in kind()) {
        let options = with_zone(Options::new().batch_rows(batch_rows), zone);
        let mut builder = BatchBuilder::new(file.kind, &options).unwrap();
        let mut strange = BatchBuilder::new(other, &options).unwrap();
        let (mut appended, mut records) = (Vec::new(), records(&file));
        while let Some(record) = records.next_record().unwrap() {
            appended.extend(builder.append(record).unwrap());
            prop_assert_eq!(strange.append(record).is_err(), other != file.kind);
        }
        appended.extend(builder.finish().unwrap());
        prop_assert_eq!(builder.finish().unwrap(), None);
        let batches = Batches::new(crate::support::records(&file), file.kind, &options).unwrap();
        prop_assert_eq!(appended, batches.map(Result::unwrap).collect::<Vec<_>>());
        prop_assert!(other == file.kind || strange.finish().unwrap().is_none());
    }

    /// A batch has the number of rows that the options say, except the last one and those before an error.
    #[test]
    fn batches_have_the_size_of_the_options(file in file(true), batch_rows in 1..50usize) {
        let options = Options::new().batch_rows(batch_rows);
        let batches: Vec<_> = Batches::new(records(&file), file.kind, &options).unwrap().collect();
        for pair in batches.windows(2) {
            if let [Ok(batch), Ok(_)] = pair {
                prop_assert_eq!(batch.num_rows(), batch_rows);
            }
        }
        for batch in batches.into_iter().flatten() {
            prop_assert!((1..=batch_rows).contains(&batch.num_rows()));
        }
    }

    /// A file, a stream and pushed chunks give the same batches, wherever the bytes are split.
    #[test]
    fn chunks_change_nothing(
        file in file(true),
        batch_rows in 1..20usize,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        zone in zone(),
        action in action(),
    ) {
        let zip = file.zip();
        let options = with_zone(Options::new().batch_rows(batch_rows), zone);
        // Without a charset, the first rows are held until it is detected.
        let read = ReadOptions::new().on_bad_row(action).charset(Charset::Utf8);
        let mut opened = open(&zip, &read).unwrap();
        let whole = messages(Batches::new(opened.records::<AnyRecord>(), file.kind, &options).unwrap());
        let records = Records::<AnyRecord>::from_stream(zip.as_slice(), &read);
        let streamed = Batches::new(records, file.kind, &options).unwrap();
        prop_assert_eq!(&messages(streamed), &whole);
        prop_assert_eq!(&messages(pushed(pieces(&zip, &cuts), file.kind, &read, &options)), &whole);
        prop_assert_eq!(&messages(pushed(zip.chunks(1), file.kind, &read, &options)), &whole);
    }

    /// Selecting columns gives the same as selecting them from whole batches, also if only they are read.
    #[test]
    fn a_projection_is_a_selection(
        file in file(false),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        zone in zone(),
    ) {
        let all = with_zone(Options::new(), zone);
        let full = schema(file.kind, &all).unwrap();
        let mut indexes: Vec<usize> = Vec::new();
        for index in picks.iter().map(|pick| pick.index(full.fields().len())) {
            if !indexes.contains(&index) {
                indexes.push(index);
            }
        }
        let some = all.clone().columns(indexes.iter().map(|&index| full.field(index).name().as_str()));
        let read = ReadOptions::new().columns(some.file_columns(file.kind).unwrap()).unwrap();
        let few = Records::<AnyRecord>::from_csv_with(file.csv.as_slice(), file.kind, &read);
        let select = |batch: RecordBatch| batch.project(&indexes).unwrap();
        let batches = |records, options: &Options| -> Vec<RecordBatch> {
            Batches::new(records, file.kind, options).unwrap().map(Result::unwrap).collect()
        };
        let expected: Vec<_> = batches(records(&file), &all).into_iter().map(select).collect();
        prop_assert_eq!(&batches(records(&file), &some), &expected);
        // Rows whose columns of numbers and times are all empty are bad, so some must be read.
        if rows_of(few, None).iter().all(Result::is_ok) {
            let few = Records::<AnyRecord>::from_csv_with(file.csv.as_slice(), file.kind, &read);
            prop_assert_eq!(&batches(few, &some), &expected);
        }
    }

    /// Any two files of a kind have the same schema, which is that of each batch.
    #[test]
    fn files_of_a_kind_have_one_schema(one in file(true), other in file(true), zone in zone()) {
        let options = with_zone(Options::new(), zone);
        for file in [&one, &other] {
            let batches = Batches::new(records(file), file.kind, &options).unwrap();
            let expected = schema(file.kind, &options).unwrap();
            prop_assert_eq!(batches.schema(), expected.clone());
            for batch in batches.flatten() {
                prop_assert_eq!(batch.schema(), expected.clone());
            }
        }
    }

    /// Errors are those of the records: a limit, a changed byte, a cut archive, bad rows.
    #[test]
    fn errors_are_those_of_the_archive(
        file in file(true),
        action in action(),
        limit in prop::option::of(1..3000u64),
        change in prop::option::of((any::<prop::sample::Index>(), 1..=255u8)),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut zip = file.zip();
        if let Some((at, flip)) = change {
            let at = at.index(zip.len());
            zip[at] ^= flip;
        }
        if let Some(cut) = cut {
            zip.truncate(cut.index(zip.len()));
        }
        let limits = limit.map_or(Limits::new(), |limit| Limits::new().with(LimitKind::MemberBytes, limit).with(LimitKind::RecordBytes, limit / 4));
        let read = ReadOptions::new().limits(limits).on_bad_row(action);
        let options = Options::new().batch_rows(7);
        if let Ok(mut archive) = open(&zip, &read) {
            let rows = rows_of(archive.records::<AnyRecord>(), None);
            let records = archive.records::<AnyRecord>();
            prop_assert_eq!(rows_in(Batches::new(records, file.kind, &options).unwrap()), rows);
        }
        let records = || Records::<AnyRecord>::from_stream(zip.as_slice(), &read);
        let rows = rows_of(records(), None);
        let batches = Batches::new(records(), file.kind, &options).unwrap();
        prop_assert_eq!(rows_in(batches), rows);
        // Where two limits are exceeded, the chunks decide which one is found first.
        let rows = parsed(zip.chunks(100), &read);
        prop_assert_eq!(rows_in(pushed(zip.chunks(100), file.kind, &read, &options)), rows);
    }

    /// Only the records of the kind are converted.
    #[test]
    fn other_kinds_are_skipped(files in prop::collection::vec(file(false), 1..4), kind in kind()) {
        let members: Vec<(String, &[u8])> = files.iter().enumerate()
            .map(|(index, file)| (format!("{index}{}", file.name()), file.csv.as_slice())).collect();
        let members: Vec<(&str, &[u8])> = members.iter().map(|(name, csv)| (name.as_str(), *csv)).collect();
        let zip = archive(&members);
        let mut archive = open(&zip, &ReadOptions::new()).unwrap();
        let batches = Batches::new(archive.records::<AnyRecord>(), kind, &Options::new()).unwrap();
        let expected: Rows = files.iter().filter(|file| file.kind == kind)
            .flat_map(|file| rows_of(records(file), None)).collect();
        prop_assert_eq!(rows_in(batches), expected);
    }
}

#[test]
fn a_panic_of_the_other_thread_is_an_error() {
    struct Panics;
    impl Read for Panics {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("a panic of the reader")
        }
    }
    let records = Records::<AgentSkillChange>::from_csv(Panics);
    let batches = Batches::new(records, IndexKind::AgentSkillInfo, &Options::new()).unwrap();
    let mut ahead = batches.into_ahead().unwrap();
    let error = ahead.next().unwrap().unwrap_err();
    assert!(matches!(Cause::from(error), Cause::Arrow(ArrowError::ExternalError(_))));
    assert!(ahead.next().is_none());
}
