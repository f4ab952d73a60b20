//! Properties of files as people have them: headers, padding, separators, charsets, cut rows, columns.
//!
//! All of them hold for each of the four kinds of index files.

use ccfs_archive::{
    AnyRecord, BadRow, Charset, Column, ColumnType, Error, FileFault, IndexKind, NoteKind,
    OnBadRow, ReadOptions, Records, RowFault, Value,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::FileFailurePersistence;

fn config() -> ProptestConfig {
    let regressions = FileFailurePersistence::Direct("tests/regressions/inputs.txt");
    ProptestConfig { failure_persistence: Some(Box::new(regressions)), ..ProptestConfig::default() }
}

/// A file: its kind and the cells of its rows, all typed cells of which hold values.
#[derive(Debug, Clone)]
struct File {
    kind: IndexKind,
    rows: Vec<Vec<String>>,
}

fn cell(column_type: ColumnType) -> BoxedStrategy<String> {
    match column_type {
        ColumnType::Text => "([a-z话é]([a-z话é ]{0,4}[a-z话é])?)?".boxed(),
        ColumnType::List => "([0-9a-z]{1,3}(;[0-9a-z]{1,3}){0,3})?".boxed(),
        ColumnType::Integer | ColumnType::Code => {
            (0..100_000i64).prop_map(|n| n.to_string()).boxed()
        }
        _ => (1..=12, 1..=28, 0..24)
            .prop_map(|(month, day, hour)| format!("2024-{month:02}-{day:02} {hour:02}:05:09"))
            .boxed(),
    }
}

fn file(rows: std::ops::Range<usize>) -> impl Strategy<Value = File> {
    select(IndexKind::ALL.to_vec()).prop_flat_map(move |kind| {
        let row: Vec<_> = kind.columns().iter().map(|column| cell(column.column_type())).collect();
        prop::collection::vec(row, rows.clone()).prop_map(move |mut rows: Vec<Vec<String>>| {
            for row in &mut rows {
                row[0].push('x');
            }
            File { kind, rows }
        })
    })
}

impl File {
    fn csv(&self) -> String {
        csv(&self.rows)
    }

    /// The records, one JSON object each.
    fn records(&self) -> Vec<serde_json::Value> {
        let read = read(self.csv().as_bytes(), self.kind, &ReadOptions::new());
        assert_eq!(
            (read.records.len(), &read.bad[..], &read.notes[..]),
            (self.rows.len(), &[][..], &[][..])
        );
        read.records
    }
}

fn csv(rows: &[Vec<String>]) -> String {
    rows.iter().map(|row| row.join(",") + "\r\n").collect()
}

#[derive(Debug, Default)]
struct Read {
    records: Vec<serde_json::Value>,
    bad: Vec<BadRow>,
    notes: Vec<NoteKind>,
    guessed: bool,
    refused: Option<FileFault>,
    charset: Option<Charset>,
}

fn read(csv: &[u8], kind: IndexKind, options: &ReadOptions) -> Read {
    let options = options.clone().on_bad_row(OnBadRow::Return);
    let mut records = Records::<AnyRecord>::from_csv_with(csv, kind, &options);
    let mut read = Read::default();
    loop {
        match records.next_record() {
            Ok(None) => break,
            Ok(Some(record)) => read.records.push(serde_json::to_value(record).unwrap()),
            Err(Error::Row(row)) => read.bad.push(row),
            Err(Error::NotIndexFile(refused)) => read.refused = Some(refused.fault),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(records.bad_rows().count(), read.bad.len() as u64);
    for note in records.notes() {
        match note.kind {
            NoteKind::GuessedCharset(_) => read.guessed = true,
            kind => read.notes.push(kind),
        }
    }
    read.charset = records.charset();
    read
}

/// A column's name as another program may write it.
fn disguised(name: &str, how: u8) -> String {
    match how {
        0 => name.to_uppercase(),
        1 => name.replace('_', " "),
        2 => format!(" {}", name.replace('_', "-")),
        3 => format!("\"{}\"", name.replace('_', "")),
        _ => name.to_owned(),
    }
}

proptest! {
    #![proptest_config(config())]

    /// A header maps columns, in any order, some of them, with unknown ones between them.
    #[test]
    fn a_header_maps_the_columns(
        file in file(1..4),
        order in prop::collection::vec((any::<Index>(), 0..6u8), 1..30),
        unknown in prop::collection::vec(any::<Index>(), 0..2),
    ) {
        let names: Vec<&str> = file.kind.columns().iter().map(ccfs_archive::Column::name).collect();
        let mut chosen: Vec<(usize, String)> = Vec::new();
        for (index, how) in order {
            let column = index.index(names.len());
            if chosen.iter().all(|(other, _)| *other != column) {
                chosen.push((column, disguised(names[column], how)));
            }
        }
        let mut header: Vec<String> = chosen.iter().map(|(_, name)| name.clone()).collect();
        let mut rows: Vec<Vec<String>> = file.rows.iter()
            .map(|row| chosen.iter().map(|&(column, _)| row[column].clone()).collect())
            .collect();
        let unknown: Vec<Index> = unknown.into_iter().take(chosen.len()).collect();
        for at in &unknown {
            let at = at.index(header.len() + 1);
            header.insert(at, "unbekannt".to_owned());
            for row in &mut rows {
                row.insert(at, "new".to_owned());
            }
        }
        // A row of empty cells is skipped.
        prop_assume!(rows.iter().all(|row| row.iter().any(|cell| !cell.is_empty())));
        // So is a row whose only value is in the first cell.
        prop_assume!(rows.iter().all(|row| row.len() < 8 || row[1..].iter().any(|cell| !cell.is_empty())));
        let text = csv(&[vec![header], rows].concat());
        let read = read(text.as_bytes(), file.kind, &ReadOptions::new());
        let notes: Vec<_> = (!unknown.is_empty()).then_some(NoteKind::UnknownNames(unknown.len())).into_iter().collect();
        prop_assert_eq!((read.refused, &read.bad[..], read.notes), (None, &[][..], notes));
        for (record, full) in read.records.iter().zip(file.records()) {
            for (index, name) in names.iter().enumerate() {
                let mapped = chosen.iter().any(|(column, _)| *column == index);
                let empty = if full[name].is_array() { serde_json::json!([]) } else { serde_json::Value::Null };
                prop_assert_eq!(&record[name], if mapped { &full[name] } else { &empty }, "{}", name);
            }
            let extra = record.get("extra").map_or(0, |extra| extra.as_array().unwrap().len());
            prop_assert_eq!(extra, unknown.len());
        }
        prop_assert_eq!(read.records.len(), file.rows.len());
    }

    /// A header with unknown names is skipped and reported.
    #[test]
    fn a_header_in_another_language_is_skipped(file in file(0..4)) {
        let header = vec!["列名".to_owned(); file.kind.columns().len()];
        let text = csv(&[vec![header], file.rows.clone()].concat());
        let read = read(text.as_bytes(), file.kind, &ReadOptions::new());
        prop_assert_eq!(read.records, file.records());
        prop_assert!(read.bad.is_empty());
        prop_assert_eq!(read.notes, [NoteKind::UnknownHeader]);
    }

    /// Blanks and tabs around cells change nothing.
    #[test]
    fn cells_are_trimmed(file in file(1..4), blanks in prop::collection::vec("[ \t]{0,2}", 1..9)) {
        let mut blanks = blanks.iter().cycle();
        let padded: Vec<Vec<String>> = file.rows.iter()
            .map(|row| row.iter().map(|cell| {
                format!("{}{cell}{}", blanks.next().unwrap(), blanks.next().unwrap())
            }).collect())
            .collect();
        let read = read(csv(&padded).as_bytes(), file.kind, &ReadOptions::new());
        prop_assert_eq!(read.records, file.records());
        prop_assert!(read.bad.is_empty() && read.notes.is_empty());
    }

    /// What surrounds the rows is skipped and reported once: marks, a separator line, empty rows, padding.
    #[test]
    fn what_surrounds_rows_is_skipped(
        file in file(1..4), marks in 0..3usize, separator in any::<bool>(), empty in 0..3usize,
        padding in prop_oneof![Just(String::new()), "\u{0}{1,600}", "\u{1a}", "\r\n\u{0}\r\n\u{1a}"], ends in any::<bool>(),
    ) {
        let columns = file.kind.columns().len();
        let mut text = "\u{feff}".repeat(marks);
        if separator {
            text.push_str("sep=,\r\n");
        }
        text.push_str(&file.csv());
        text.push_str(&[" ", &",".repeat(columns - 1), "\r\n"].concat().repeat(empty));
        // NULs that follow a row directly mean that it was cut.
        if !ends && empty == 0 && !padding.starts_with('\0') {
            text.truncate(text.len() - 2);
        }
        text.push_str(&padding);
        let read = read(text.as_bytes(), file.kind, &ReadOptions::new());
        prop_assert_eq!(read.records, file.records());
        prop_assert!(read.bad.is_empty(), "{:?}", read.bad);
        let bytes = padding.bytes().filter(|byte| matches!(byte, 0 | 0x1A)).count() as u64;
        let expected = [
            (marks > 1).then(|| NoteKind::RepeatedMarks(marks as u64 - 1)),
            separator.then_some(NoteKind::SeparatorLine),
            (empty > 0).then_some(NoteKind::EmptyRows(empty as u64)),
            (bytes > 0).then_some(NoteKind::Padding(bytes)),
        ];
        prop_assert_eq!(read.notes, expected.into_iter().flatten().collect::<Vec<_>>());
    }

    /// A row that was cut is a bad row, wherever it is, and no other row suffers.
    #[test]
    fn a_cut_row_is_a_bad_row(file in file(2..6), row in any::<Index>(), cells in any::<Index>()) {
        let (row, columns) = (row.index(file.rows.len()), file.kind.columns().len());
        let mut rows = file.rows.clone();
        let found = 1 + cells.index(columns - 1);
        rows[row].truncate(found);
        rows[row][0] = "x".to_owned();
        let read = read(csv(&rows).as_bytes(), file.kind, &ReadOptions::new());
        let mut records = file.records();
        records.remove(row);
        let first_typed = file.kind.columns().iter().position(|column| {
            !matches!(column.column_type(), ColumnType::Text | ColumnType::List)
        });
        if row == 0 && Some(found) <= first_typed {
            prop_assert_eq!(read.refused, Some(FileFault::NoTypedValue));
            prop_assert!(read.records.is_empty());
        } else {
            prop_assert_eq!(read.records, records);
            let [bad] = &read.bad[..] else { panic!("{:?}", read.bad) };
            prop_assert_eq!(bad.fault, RowFault::TooFewFields { found, expected: columns, separator: None });
            prop_assert_eq!(bad.at.line, Some(row as u64 + 1));
        }
    }

    /// Rows of an older release lack the same columns at the end, and are read.
    #[test]
    fn an_older_release_lacks_columns(file in file(1..5), lacking in any::<Index>()) {
        let columns = file.kind.columns();
        let typed = |column: &ccfs_archive::Column| !matches!(column.column_type(), ColumnType::Text | ColumnType::List);
        let needed = columns.iter().position(typed).unwrap() + 1;
        let kept = needed + lacking.index(columns.len() - needed);
        let rows: Vec<Vec<String>> = file.rows.iter().map(|row| row[..kept].to_vec()).collect();
        let read = read(csv(&rows).as_bytes(), file.kind, &ReadOptions::new());
        prop_assert_eq!(read.records.len(), rows.len());
        prop_assert!(read.bad.is_empty());
        prop_assert_eq!(read.notes, [NoteKind::OtherWidth { found: kept, expected: columns.len() }]);
        for (record, full) in read.records.iter().zip(file.records()) {
            for (index, column) in columns.iter().enumerate() {
                prop_assert!(index >= kept || record[column.name()] == full[column.name()]);
            }
        }
    }

    /// Another separator is named, and no record is made of it.
    #[test]
    fn another_separator_is_named(file in file(1..4), separator in select(vec![';', '\t', '|', '^', '，'])) {
        let line = |row: &Vec<String>| row.iter().map(|cell| cell.replace(';', " ")).collect::<Vec<_>>().join(&separator.to_string());
        let text: String = file.rows.iter().map(|row| line(row) + "\n").collect();
        let refused = read(text.as_bytes(), file.kind, &ReadOptions::new());
        prop_assert!(refused.records.is_empty());
        prop_assert_eq!(refused.refused, Some(FileFault::Separator(separator)));
        // In the middle of a file it is a bad row.
        let text = format!("{}{}\n{}", file.csv(), line(&file.rows[0]), file.csv());
        let mixed = read(text.as_bytes(), file.kind, &ReadOptions::new());
        prop_assert_eq!(mixed.records.len(), 2 * file.rows.len());
        let expected = file.kind.columns().len();
        prop_assert_eq!(mixed.bad[0].fault, RowFault::TooFewFields { found: 1, expected, separator: Some(separator) });
    }

    /// A control character makes its row bad, with its position, and no other row suffers.
    #[test]
    fn a_control_character_is_a_bad_row(file in file(2..5), row in any::<Index>(), column in any::<Index>(), control in select(vec!['\0', '\u{1}', '\u{7}', '\u{1a}', '\u{1b}', '\u{7f}'])) {
        let (row, column) = (row.index(file.rows.len()), column.index(file.kind.columns().len()));
        let mut rows = file.rows.clone();
        rows[row][column] = format!("a{control}b");
        let read = read(csv(&rows).as_bytes(), file.kind, &ReadOptions::new());
        let mut records = file.records();
        records.remove(row);
        prop_assert_eq!(read.records, records);
        let [bad] = &read.bad[..] else { panic!("{:?}", read.bad) };
        prop_assert_eq!((bad.fault, bad.at.line, bad.at.column), (RowFault::ControlCharacter, Some(row as u64 + 1), Some(column + 1)));
        prop_assert_eq!(bad.at.column_name, Some(file.kind.columns()[column].name()));
    }

    /// A projection equals reading all columns and selecting some; other columns are not checked.
    #[test]
    fn a_projection_selects(file in file(1..4), chosen in any::<u32>(), row in any::<Index>()) {
        let columns = file.kind.columns();
        let names: Vec<&str> = columns.iter().enumerate().filter(|(index, _)| chosen >> index & 1 == 1).map(|(_, column)| column.name()).collect();
        let mut rows = file.rows.clone();
        let row = row.index(rows.len());
        for (cell, column) in rows[row].iter_mut().zip(columns) {
            let typed = !matches!(column.column_type(), ColumnType::Text | ColumnType::List);
            if row > 0 && typed && !names.contains(&column.name()) {
                *cell = "not checked".to_owned();
            }
        }
        let options = ReadOptions::new().columns(names.iter().copied()).unwrap();
        let read = read(csv(&rows).as_bytes(), file.kind, &options);
        prop_assert!(read.bad.is_empty(), "{:?}", read.bad);
        prop_assert_eq!(read.records.len(), rows.len());
        for (record, full) in read.records.iter().zip(file.records()) {
            for column in columns {
                let (is, was) = (&record[column.name()], &full[column.name()]);
                let empty = is.is_null() || is.as_array().is_some_and(Vec::is_empty);
                prop_assert!(if names.contains(&column.name()) { is == was } else { empty }, "{}", column.name());
            }
        }
    }

    /// The value of each column is that of the record's JSON, and its type is that of the column.
    #[test]
    fn values_are_those_of_the_record(file in file(1..3)) {
        let text = file.csv();
        let mut records = Records::<AnyRecord>::from_csv_with(text.as_bytes(), file.kind, &ReadOptions::new()).named("m.csv");
        let mut line = 0;
        while let Some(record) = records.next_record().unwrap() {
            line += 1;
            prop_assert_eq!((record.row().member(), record.row().line()), (Some("m.csv"), line));
            let json = serde_json::to_value(record).unwrap();
            for (index, column) in record.kind().columns().iter().enumerate() {
                let (value, value_type) = match record.value(index) {
                    Value::Null => (serde_json::Value::Null, column.column_type()),
                    Value::Text(text) => (text.into(), ColumnType::Text),
                    Value::Integer(number) => (number.into(), ColumnType::Integer),
                    Value::Code(code) => (code.into(), ColumnType::Code),
                    Value::LocalTime(time) => (serde_json::to_value(time).unwrap(), ColumnType::LocalTime),
                    Value::UtcTime(time) => (serde_json::to_value(time).unwrap(), ColumnType::UtcTime),
                    Value::List(list) => (list.iter().collect::<Vec<_>>().into(), ColumnType::List),
                    other => panic!("{other:?}"),
                };
                prop_assert_eq!((&value, value_type), (&json[column.name()], column.column_type()));
                prop_assert!(column.is_nullable() || !value.is_null());
            }
            prop_assert_eq!(record.value(record.kind().columns().len()), Value::Null);
        }
    }

    /// Text is read in its charset, or the charset is reported as a guess.
    #[test]
    fn charsets_are_detected_or_guessed(file in file(1..4), text in "[啊阿哀座席外呼客户回访等待审批]{1,30}", charset in select(vec![Charset::Utf8, Charset::Gb18030, Charset::Utf16Le, Charset::Utf16Be])) {
        let mut file = file;
        let column = file.kind.columns().iter().position(|column| column.column_type() == ColumnType::Text).unwrap();
        file.rows.iter_mut().flatten().for_each(|cell| cell.retain(|char| char.is_ascii()));
        file.rows[0][column].clone_from(&text);
        let csv = file.csv();
        let bytes = match charset {
            Charset::Gb18030 => encoding_rs::GB18030.encode(&csv).0.into_owned(),
            Charset::Utf16Le => std::iter::once(0xFEFF).chain(csv.encode_utf16()).flat_map(u16::to_le_bytes).collect(),
            Charset::Utf16Be => std::iter::once(0xFEFF).chain(csv.encode_utf16()).flat_map(u16::to_be_bytes).collect(),
            _ => csv.clone().into_bytes(),
        };
        let detected = read(&bytes, file.kind, &ReadOptions::new());
        let guessed = detected.guessed;
        prop_assert!(guessed || detected.charset == Some(charset), "{:?}", detected);
        let different: std::collections::BTreeSet<char> = text.chars().collect();
        prop_assert!(!guessed || different.len() < 8, "{:?}", text);
        let forced = read(&bytes, file.kind, &ReadOptions::new().charset(charset));
        prop_assert_eq!((&forced.records[0][file.kind.columns()[column].name()], forced.guessed), (&serde_json::json!(text), false));
    }

    /// Damage to a few characters costs their rows, not the charset of the member.
    #[test]
    fn damage_does_not_change_the_charset(file in file(8..12), charset in select(vec![Charset::Utf8, Charset::Gb18030]), row in any::<Index>()) {
        let mut file = file;
        let row = row.index(file.rows.len());
        let column = file.kind.columns().iter().position(|column| column.column_type() == ColumnType::Text).unwrap();
        file.rows.iter_mut().flatten().for_each(|cell| cell.retain(|char| char.is_ascii()));
        for row in &mut file.rows {
            row[column] = "客户回访".to_owned();
        }
        let lines: Vec<Vec<u8>> = file.rows.iter().enumerate().map(|(index, cells)| {
            let line = cells.join(",");
            let mut bytes = if charset == Charset::Utf8 { line.into_bytes() } else { encoding_rs::GB18030.encode(&line).0.into_owned() };
            if index == row {
                let first = bytes.iter().position(|byte| !byte.is_ascii()).unwrap();
                bytes[first] = 0xFF;
            }
            [bytes, b"\n".to_vec()].concat()
        }).collect();
        let read = read(&lines.concat(), file.kind, &ReadOptions::new());
        prop_assert_eq!((read.charset, read.records.len(), read.bad.len()), (Some(charset), file.rows.len() - 1, 1));
        prop_assert_eq!((read.bad[0].fault, read.bad[0].at.line), (RowFault::NotText, Some(row as u64 + 1)));
    }

    /// A bad row carries its bytes on request, and no more than that.
    #[test]
    fn a_bad_row_carries_its_bytes(file in file(2..4), length in 0..60usize) {
        let column = file.kind.columns().iter().position(|column| column.column_type() == ColumnType::LocalTime).unwrap();
        let mut rows = file.rows.clone();
        rows[1][column] = "\"never, \"\"\"".to_owned();
        let read = read(csv(&rows).as_bytes(), file.kind, &ReadOptions::new().keep_bad_rows(length));
        let line = rows[1].join(",");
        let kept = (length > 0).then(|| &line.as_bytes()[..length.min(line.len())]);
        prop_assert_eq!((read.bad.len(), read.bad[0].raw()), (1, kept));
    }
}

fn refused(bytes: &[u8]) -> FileFault {
    let read = read(bytes, IndexKind::AgentSkillInfo, &ReadOptions::new());
    assert!(read.records.is_empty() && read.bad.is_empty(), "{read:?}");
    read.refused.unwrap()
}

#[test]
fn other_types_of_files_are_named() {
    let encoded = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    };
    let header = IndexKind::AgentSkillInfo.columns().iter().map(Column::name);
    let header = header.collect::<Vec<_>>().join(",");
    let rows = [header.clone(), format!("{header}\nr1,dev,acc,7\n"), "r1,dev\n".to_owned()];
    for text in rows.iter().flat_map(|text| [text.clone(), format!(" {text}")]) {
        for bytes in [encoded(&text, u16::to_le_bytes), encoded(&text, u16::to_be_bytes)] {
            assert_eq!(refused(&bytes), FileFault::Utf16, "{text}");
        }
    }
    for (bytes, fault) in [
        (&b"\x1f\x8b\x08\x00\x01\x02\x03"[..], FileFault::Gzip),
        (b"PK\x03\x04nested", FileFault::Zip),
        (b"%PDF-1.7\n1 0 obj\n", FileFault::Pdf),
        (b"\n <!DOCTYPE html>\n<html>", FileFault::Html),
        (b"<html><head><title>502</title></head></html>", FileFault::Html),
        (b"<?xml version=\"1.0\"?>\n<error/>", FileFault::Xml),
        (b"{\"resultCode\":\"0300016\",\"resultDesc\":\"x\",\"a\":1,\"b\":2}", FileFault::Json),
        (b"\x01\x02\x03\x04binary", FileFault::Binary),
        (b"\0\x01\0\x02binary", FileFault::Binary),
        (b"\0i\x01\x02", FileFault::Binary),
        (b"i\0\x01\x02", FileFault::Binary),
        (b"denied\n", FileFault::NoTypedValue),
        (b"sep=;\nr1;dev;acc;7\n", FileFault::Separator(';')),
        (b"id,developer_id,ID\n", FileFault::RepeatedColumn),
    ] {
        assert_eq!(refused(bytes), fault, "{}", bytes.escape_ascii());
    }
}

/// Silent misreads that were found with inputs from practice: each is an error, or a note.
#[test]
fn nothing_is_misread_in_silence() {
    let header = "id,developer_id,account_id,agent_id,service_no,skill_id,call_id,begin_time,end_time,op_type,op_object,op_cause,media_type,vdn_id,cc_id,agent_type,phone_no,callIn_out,location_id,logon_sn,skill_info_sn";
    let row = |n: u8| {
        format!(
            "{n},dev,acc,301,,7,c9,2025-03-04 09:00:0{n},2025-03-04 09:01:00,9,,lunch,5,8,1,4,77,in,1,9,3{n}"
        )
    };
    let (one, two) = (row(1), row(2));
    let opr = |csv: &str| read(csv.as_bytes(), IndexKind::AgentOprInfo, &ReadOptions::new());
    for (what, csv) in [
        ("two rows glued", format!("{one}\n{one}{two}\n{two}\n")),
        ("a comma in a cell", format!("{one}\n{}\n{two}\n", one.replace("lunch", "a, b"))),
        ("the same below a header", format!("{header}\n{}\n{two}\n", one.replace("lunch", "a, b"))),
        (
            "text after a quote",
            format!("{one}\n{}\n{two}\n", one.replace("lunch", "\"say \"hi\" ok\"")),
        ),
        (
            "quotes that are not closed",
            format!("{one}\n{0}\n{two}\n{0}\n", one.replace("lunch", "\"lunch")),
        ),
        ("a total, padded", format!("{one}\nTotal: 6 rows{}\n", ",".repeat(20))),
        ("a total of two cells, padded", format!("{one}\nTotal,6{}\n", ",".repeat(19))),
        ("a mark in the middle", format!("{one}\n\u{feff}{two}\n")),
        ("a mark after a tab", format!("\t\u{feff}{one}\n{two}\n")),
    ] {
        assert_eq!(opr(&csv).bad.len(), 1, "{what}: {:?}", opr(&csv));
    }
    // Empty rows at the start do not disable the check of the first rows.
    let blank = format!("{}\n", ",".repeat(20)).repeat(5);
    assert_eq!(
        opr(&format!("{blank}{}\n", one.replace(',', ";"))).refused,
        Some(FileFault::Separator(';'))
    );
    // A first row with an invalid date is not a header.
    let bad = opr(&format!("{}\n{two}\n", one.replace("2025-03-04", "0000-00-00")));
    assert_eq!((bad.bad.len(), bad.records.len(), bad.notes.len()), (1, 1, 0));
    let other =
        "developer,account_id,cc_id,wait_begin,wait_end,ack_begin,ack_end,device_type,device_no\n";
    assert_eq!(opr(other).refused, Some(FileFault::OtherKind(IndexKind::Call)));
    // Most columns of recordings are columns of call legs, too; all of them are columns of recordings.
    let names: Vec<_> =
        IndexKind::Record.columns().iter().map(ccfs_archive::Column::name).collect();
    let as_call = read(names.join(",").as_bytes(), IndexKind::Call, &ReadOptions::new());
    assert_eq!(as_call.refused, Some(FileFault::OtherKind(IndexKind::Record)));
    // A file of another width, and names that are unknown, are reported.
    let note = opr(one.rsplit_once(',').unwrap().0).notes;
    assert_eq!(note, [NoteKind::OtherWidth { found: 20, expected: 21 }]);
    let note = opr(&format!("{}\n{one}\n", header.replace("begin_time", "start"))).notes;
    assert_eq!(note, [NoteKind::UnknownNames(1)]);
    // A trailing comma on each line is not a column.
    let commas = opr(&format!("{one},\n{two},\n"));
    assert_eq!((commas.bad.len(), commas.records.len(), commas.notes.len()), (0, 2, 0));
    assert!(commas.records[0].get("extra").is_none());
}

#[test]
fn a_last_row_that_nuls_follow_is_a_bad_row() {
    for (end, records, bad) in
        [("\0\0", 1, 1), ("\n\0\0", 2, 0), ("\u{1a}", 2, 0), ("\n\u{1a}", 2, 0)]
    {
        let csv = format!("r1,dev,acc,7\nr2,dev,acc,8{end}");
        let read = read(csv.as_bytes(), IndexKind::AgentSkillInfo, &ReadOptions::new());
        assert_eq!((read.records.len(), read.bad.len()), (records, bad), "{end:?}");
    }
}

#[test]
fn a_blank_before_an_opening_quote_is_a_bad_row() {
    let csv = "r1,dev,acc,7\nr2, \"a,b\",acc,7\n\"r3\", \"c\",acc,7\nr4,\" d\",acc,7\n";
    let read = read(csv.as_bytes(), IndexKind::AgentSkillInfo, &ReadOptions::new());
    let faults: Vec<_> =
        read.bad.iter().map(|bad| (bad.fault, bad.at.line, bad.at.column)).collect();
    let fault = RowFault::MisplacedQuote;
    assert_eq!(faults, [(fault, Some(2), Some(2)), (fault, Some(3), Some(2))]);
    assert_eq!(read.records.len(), 2);
    assert_eq!(read.records[1]["developer_id"], "d");
}

#[test]
fn unknown_columns_cannot_be_chosen() {
    let error = ReadOptions::new().columns(["id", "no_such"]).unwrap_err();
    assert_eq!(error.to_string(), "no index file has a column \"no_such\"");
}
