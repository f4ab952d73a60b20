//! The shapes that a CSV file can have.

use crate::support::{ROW, changes_of_csv, read_pieces};
use ccfs_archive::{
    AgentSkillChange, AnyRecord, CallDirection, Charset, DeviceType, Error, IndexKind, LimitKind,
    Limits, OnBadRow, OperateType, ReadOptions, Records, RowFault, TaskStatus,
};

const HEADER: &str = "id,developer_id,account_id,sub_cc_no,vdn,agent_id,operate_time,operate_id,operate_type,skill_list,logon_sn,\
                      operate_sn,operate_end_time,renew_flag,update_time,month_of_year";

fn one(csv: &str) -> AgentSkillChange {
    let mut changes = changes_of_csv(csv.as_bytes()).unwrap();
    assert_eq!(changes.len(), 1, "{changes:?}");
    changes.remove(0)
}

fn fault(csv: &str) -> RowFault {
    let Err(Error::Row(row)) = changes_of_csv(csv.as_bytes()) else { panic!("{csv}") };
    row.fault
}

fn skills(row: &str) -> Vec<String> {
    one(row).skill_list
}

#[test]
fn every_column_is_read() {
    let change = one(ROW);
    assert_eq!(change.id.as_deref(), Some("a1"));
    assert_eq!(change.developer_id.as_deref(), Some("dev"));
    assert_eq!(change.account_id.as_deref(), Some("acc"));
    assert_eq!(
        (change.sub_cc_no, change.vdn, change.agent_id, change.operate_id),
        (Some(1), Some(2), Some(3), Some(4))
    );
    assert_eq!(change.operate_time.unwrap().to_string(), "2015-02-08 20:23:30");
    assert_eq!(change.operate_type, Some(OperateType::SIGN_IN));
    assert_eq!(change.skill_list, ["1", "2"]);
    assert_eq!(change.logon_sn.as_deref(), Some("sn"));
    assert_eq!(change.operate_sn, Some(1));
    assert_eq!(change.operate_end_time.unwrap().second(), 31);
    assert_eq!(change.renew_flag, Some(0));
    assert_eq!(change.update_time.unwrap().to_string(), "2015-02-08T12:23:30.000Z");
    assert_eq!(change.month_of_year, Some(2));
    assert!(change.extra.is_empty());
}

#[test]
fn line_ends_marks_and_headers_change_nothing() {
    let plain = vec![one(ROW), one(ROW)];
    for end in ["\n", "\r\n", "\r", "\n\n", "\r\n\r\n"] {
        for mark in ["", "\u{feff}"] {
            for header in ["", HEADER] {
                for last in ["", end] {
                    let gap = if header.is_empty() { "" } else { end };
                    let csv = format!("{mark}{header}{gap}{ROW}{end}{ROW}{last}");
                    assert_eq!(changes_of_csv(csv.as_bytes()).unwrap(), plain, "{csv:?}");
                }
            }
        }
    }
}

#[test]
fn nothing_at_all_is_no_record() {
    for csv in ["", "\n", "\r\n\r\n", "\u{feff}", HEADER, "\u{feff}id\n"] {
        assert!(changes_of_csv(csv.as_bytes()).unwrap().is_empty(), "{csv:?}");
    }
}

#[test]
fn quoted_cells_hold_commas_quotes_and_line_ends() {
    let change = one("\"a,\"\"b\"\"\r\nc\",dev,\"\",1\n");
    assert_eq!(change.id.as_deref(), Some("a,\"b\"\r\nc"));
    assert_eq!(change.account_id, None);
    assert_eq!(change.sub_cc_no, Some(1));
}

#[test]
fn empty_and_missing_cells_are_none_and_longer_rows_keep_theirs() {
    assert_eq!(
        one("a,,,1"),
        AgentSkillChange { id: Some("a".into()), sub_cc_no: Some(1), ..Default::default() }
    );
    assert_eq!(one(&format!("{ROW},new,\"x,y\"")).extra, ["new", "x,y"]);
}

#[test]
fn numbers_pass_32_bits() {
    let change = one("a,,,99999999999,4294967296,9223372036854775807,,-1,70000000000");
    assert_eq!((change.sub_cc_no, change.vdn), (Some(99_999_999_999), Some(1 << 32)));
    assert_eq!((change.agent_id, change.operate_id), (Some(i64::MAX), Some(-1)));
    assert_eq!(change.operate_type.map(OperateType::code), Some(70_000_000_000));
    for (cell, fault) in [
        ("9223372036854775808", RowFault::NumberTooBig),
        ("-99999999999999999999", RowFault::NumberTooBig),
        ("-", RowFault::NotANumber),
        ("1 2", RowFault::NotANumber),
        ("+1", RowFault::NotANumber),
        ("1234567890123456789x", RowFault::NotANumber),
        ("٣", RowFault::NotANumber),
    ] {
        let Err(Error::Row(row)) = changes_of_csv(format!("a,,,{cell}").as_bytes()) else {
            panic!("{cell}")
        };
        assert_eq!((row.fault, row.at.column), (fault, Some(4)), "{cell}");
    }
}

#[test]
fn skill_lists_take_both_separators() {
    let with = |list: &str| ROW.replace("1;2", list);
    assert_eq!(skills(&with("12;34;56")), ["12", "34", "56"]);
    assert_eq!(skills(&with("\"12,34, 56\"")), ["12", "34", "56"]);
    assert_eq!(skills(&with("12")), ["12"]);
    assert!(skills(&with("")).is_empty());
    assert!(skills(&with(";;")).is_empty());
}

#[test]
fn an_unquoted_list_is_joined_if_the_six_cells_after_it_fit() {
    for list in ["12,34", "12,34,56", "1,2,3,4,5,6,7,8,9", "a,,b"] {
        let change = one(&ROW.replace("1;2", list));
        let expected: Vec<&str> = list.split(',').filter(|id| !id.is_empty()).collect();
        assert_eq!(change.skill_list, expected, "{list}");
        assert_eq!(change.logon_sn.as_deref(), Some("sn"));
        assert!(change.extra.is_empty());
    }
    // The same after a header of 16 columns, and in a row with quotes elsewhere.
    let row = ROW.replace("1;2", "12,34").replace("a1", "\"a1\"");
    assert_eq!(skills(&format!("{HEADER}\n{row}")), ["12", "34"]);
    // Two rows without a line end between them, and a comma in another column, make no list.
    let glued = format!("{ROW}\n{ROW}{ROW}\n");
    assert!(matches!(changes_of_csv(glued.as_bytes()), Err(Error::Row(_))));
    assert!(matches!(changes_of_csv(ROW.replace(",sn,", ",s,n,").as_bytes()), Err(Error::Row(_))));
    // With an empty logon_sn, the unchanged row fits, too.
    assert_eq!(fault(&ROW.replace("1;2,sn", "12,34,56,")), RowFault::AmbiguousFields);
}

#[test]
fn a_row_of_a_newer_release_is_not_put_together() {
    // The six cells at the end do not fit.
    assert_eq!(one(&format!("{ROW},x")).extra, ["x"]);
    // Both the joined cells and the unchanged row fit: only a header can decide.
    let newer = format!("{ROW},2015-02-08 00:00:00,7");
    assert_eq!(fault(&newer), RowFault::AmbiguousFields);
    assert_eq!(one(&format!("{HEADER},new,newer\n{newer}")).extra.len(), 2);
    // The header says that the row is right, so the cell at fault is the one in the documented place.
    let csv = format!("{HEADER},new\n{}", ROW.replace("1;2", "12,34"));
    let Err(Error::Row(row)) = changes_of_csv(csv.as_bytes()) else { panic!() };
    assert_eq!((row.at.column, row.fault), (Some(12), RowFault::NotANumber));
}

#[test]
fn bad_dates_say_where_they_stand() {
    for (date, fault) in [
        ("2015-02-30 20:23:30", RowFault::NoSuchDate),
        ("2015-02-29 20:23:30", RowFault::NoSuchDate),
        ("1900-02-29 20:23:30", RowFault::NoSuchDate),
        ("2015-13-01 20:23:30", RowFault::NoSuchDate),
        ("2015-00-01 20:23:30", RowFault::NoSuchDate),
        ("2015-01-00 20:23:30", RowFault::NoSuchDate),
        ("0000-01-01 20:23:30", RowFault::NoSuchDate),
        ("2015-02-08 24:00:00", RowFault::NoSuchTime),
        ("2015-02-08 20:60:00", RowFault::NoSuchTime),
        ("2015-02-08 20:00:60", RowFault::NoSuchTime),
        ("2015-02-08", RowFault::NotADate),
        ("2015-02-08T20:23:30", RowFault::NotADate),
        ("2015/02/08 20:23:30", RowFault::NotADate),
        ("2015-02-08 20:23:3x", RowFault::NotADate),
        ("2015-02-08 20:23:301", RowFault::NotADate),
    ] {
        let csv = format!("{ROW}\n{}\n", ROW.replace("2015-02-08 20:23:31", date));
        let mut rows = Records::<AgentSkillChange>::from_csv(csv.as_bytes()).named("day.csv");
        assert!(rows.next_record().unwrap().is_some());
        let Err(Error::Row(row)) = rows.next_record() else { panic!("{date}") };
        assert_eq!(row.fault, fault, "{date}");
        assert!(
            row.to_string().starts_with("day.csv, line 2, column 13 (operate_end_time): "),
            "{row}"
        );
        assert!(rows.next_record().unwrap().is_none(), "nothing follows an error");
    }
    assert!(
        changes_of_csv(ROW.replace("2015-02-08 20:23:31", "2000-02-29 23:59:59").as_bytes())
            .is_ok()
    );
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let csv = "id,developer_id,account_id,sub_cc_no\r\n\r\n\"a\nb\r\nc\rd\",x,,1\r\n\re,,,x\n";
    let Err(Error::Row(row)) = changes_of_csv(csv.as_bytes()) else { panic!() };
    assert_eq!(row.at.line, Some(8));
}

#[test]
fn bad_rows_are_skipped_counted_and_reported() {
    let bad = ROW.replace("2015-02-08 20:23:30", "2015-02-30 20:23:30");
    let csv = format!("{ROW}\n{bad}\n{ROW}\n{}\n{ROW}", ROW.replace("dev", "d\u{0}"));
    let options = ReadOptions::new().on_bad_row(OnBadRow::Skip);
    let mut rows = Records::<AgentSkillChange>::from_csv_with(
        csv.as_bytes(),
        IndexKind::AgentSkillInfo,
        &options,
    );
    assert_eq!(rows.by_ref().map(Result::unwrap).count(), 3);
    assert_eq!((rows.rows(), rows.bad_rows().count()), (3, 2));
    let lines: Vec<_> = rows.bad_rows().first().iter().map(|row| row.at.line).collect();
    assert_eq!(lines, [Some(2), Some(4)]);
}

#[test]
fn only_some_bad_rows_are_kept() {
    let csv = "a,,,x\n".repeat(250);
    let options = ReadOptions::new().on_bad_row(OnBadRow::Skip);
    let mut rows = Records::<AgentSkillChange>::from_csv_with(
        csv.as_bytes(),
        IndexKind::AgentSkillInfo,
        &options,
    );
    assert!(rows.next_record().unwrap().is_none());
    assert_eq!((rows.bad_rows().count(), rows.bad_rows().first().len()), (250, 100));
}

#[test]
fn an_unclosed_quote_is_found() {
    let Err(Error::Row(row)) = changes_of_csv(format!("{ROW}\na,\"b\nc\n").as_bytes()) else {
        panic!()
    };
    assert_eq!((row.fault, row.at.line), (RowFault::UnclosedQuote, Some(2)));
}

#[test]
fn charsets_are_detected_and_can_be_forced() {
    let text = "a,话务员,中文,1\n".repeat(3);
    let (gb, _, _) = encoding_rs::GB18030.encode(&text);
    let read = |bytes: &[u8], forced: Option<Charset>| {
        let mut options = ReadOptions::new();
        if let Some(charset) = forced {
            options = options.charset(charset);
        }
        read_pieces::<AgentSkillChange>([bytes], IndexKind::AgentSkillInfo, &options)
    };
    let (from_utf8, charset) = read(text.as_bytes(), None);
    assert_eq!(charset, Some(Charset::Utf8));
    assert_eq!(from_utf8[0].as_ref().unwrap().developer_id.as_deref(), Some("话务员"));
    for forced in [None, Some(Charset::Gb18030)] {
        assert_eq!(read(&gb, forced), (from_utf8.clone(), Some(Charset::Gb18030)));
    }
    let (as_utf8, _) = read(&gb, Some(Charset::Utf8));
    assert!(
        as_utf8.iter().all(|row| row.as_ref().is_err_and(|error| error.contains("not valid in")))
    );
    // The first non-ASCII byte may be anywhere.
    let late = "b,,,1\n".repeat(5000);
    let (rows, charset) = read(&[late.as_bytes(), &gb].concat(), None);
    assert_eq!((rows.len(), charset), (5003, Some(Charset::Gb18030)));
    assert_eq!(rows[5000..], from_utf8);
}

#[test]
fn undecodable_bytes_cost_only_their_row() {
    let csv = [b"a,\xFF,c,1\n".as_slice(), b"b,d,e,2\n"].concat();
    for charset in [Charset::Utf8, Charset::Gb18030] {
        let options = ReadOptions::new().charset(charset);
        let (rows, _) =
            read_pieces::<AgentSkillChange>([csv.as_slice()], IndexKind::AgentSkillInfo, &options);
        assert!(
            rows[0]
                .as_ref()
                .is_err_and(|error| error.starts_with("line 1, column 2 (developer_id): ")),
            "{rows:?}"
        );
        assert_eq!(rows[1].as_ref().unwrap().id.as_deref(), Some("b"));
    }
}

#[test]
fn errors_hold_no_cell() {
    const SECRET: &str = "5551234";
    let bad = [
        format!("a,,,x{SECRET}"),
        format!("a,,,{SECRET}{SECRET}{SECRET}"),
        format!("a,,,,,,{SECRET}"),
        format!("a,\"{SECRET}"),
        format!("{SECRET};b;c"),
        format!("{SECRET}\u{1},b,c,1"),
    ];
    let not_text = [format!("a,{SECRET}").as_bytes(), b"\xFF,,1"].concat();
    for csv in bad.into_iter().map(String::into_bytes).chain([not_text]) {
        let error = changes_of_csv(&csv).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
    }
}

#[test]
fn the_other_three_files_are_read() {
    let read = |kind: IndexKind, csv: &str| -> AnyRecord {
        let mut records =
            Records::<AnyRecord>::from_csv_with(csv.as_bytes(), kind, &ReadOptions::new());
        records.next().unwrap().unwrap()
    };
    let cells = |count: usize, at: &[(usize, &str)]| {
        let mut cells: Vec<String> = (1..=count).map(|number| format!("c{number}")).collect();
        for (index, text) in at {
            cells[*index] = (*text).to_owned();
        }
        cells.join(",")
    };
    let (begin, end) = ("2015-02-08 20:23:30", "2015-02-08 20:24:30");
    let AnyRecord::AgentOprInfo(operation) =
        read(IndexKind::AgentOprInfo, &cells(21, &[(7, begin), (8, end), (9, "1")]))
    else {
        panic!()
    };
    assert_eq!(
        (operation.op_type.as_deref(), operation.skill_info_sn.as_deref()),
        (Some("1"), Some("c21"))
    );
    assert_eq!(operation.end_time.unwrap().to_string(), end);

    let csv = cells(18, &[(7, begin), (8, end), (10, "1"), (14, "0")]);
    let mut records = Records::<ccfs_archive::Recording>::from_csv(csv.as_bytes());
    let recording = records.next_record().unwrap().unwrap();
    assert_eq!(recording.current_skill_id(), Some("c18"));
    assert_eq!(recording.code(10).map(TaskStatus::from), Some(TaskStatus::TO_CONVERT));
    assert_eq!(recording.code(14).map(CallDirection::from), Some(CallDirection::IN));

    let numbers = [(13, "3"), (14, "12345"), (15, "1"), (16, "0"), (17, "-1")];
    let dates: Vec<(usize, &str)> = (7..13).map(|index| (index, begin)).chain(numbers).collect();
    let AnyRecord::Call(call) = read(IndexKind::Call, &cells(29, &dates)) else { panic!() };
    assert_eq!((call.device_type, call.call_id_num), (Some(DeviceType::IVR), Some(-1)));
    assert_eq!(call.sub_media_type.as_deref(), Some("c29"));
}

#[test]
fn json_is_as_scripts_expect_it() {
    let json = |csv: &str| serde_json::to_string(&one(csv)).unwrap();
    assert_eq!(
        json(ROW),
        "{\"id\":\"a1\",\"developer_id\":\"dev\",\"account_id\":\"acc\",\"sub_cc_no\":1,\"vdn\":2,\"agent_id\":3,\
         \"operate_time\":\"2015-02-08T20:23:30\",\"operate_id\":4,\"operate_type\":1,\"skill_list\":[\"1\",\"2\"],\"logon_sn\":\"sn\",\
         \"operate_sn\":1,\"operate_end_time\":\"2015-02-08T20:23:31\",\"renew_flag\":0,\"update_time\":\"2015-02-08T12:23:30Z\",\
         \"month_of_year\":2}"
    );
    assert_eq!(
        json("a,,,1"),
        "{\"id\":\"a\",\"developer_id\":null,\"account_id\":null,\"sub_cc_no\":1,\"vdn\":null,\"agent_id\":null,\
         \"operate_time\":null,\"operate_id\":null,\"operate_type\":null,\"skill_list\":[],\"logon_sn\":null,\"operate_sn\":null,\
         \"operate_end_time\":null,\"renew_flag\":null,\"update_time\":null,\"month_of_year\":null}"
    );
    assert!(json(&format!("{ROW},new")).ends_with(",\"month_of_year\":2,\"extra\":[\"new\"]}"));
}

/// Another process may read with them.
#[test]
fn options_are_the_same_after_serialization() {
    let limits = Limits::new().with(LimitKind::Members, 8).with(LimitKind::FieldBytes, 9);
    let options = ReadOptions::new()
        .limits(limits)
        .on_bad_row(OnBadRow::Skip)
        .charset(Charset::Gb18030)
        .columns(["agent_id"])
        .unwrap()
        .keep_bad_rows(10)
        .default_kind(IndexKind::Call);
    for options in [ReadOptions::new(), options] {
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<ReadOptions>(&text).unwrap(), options);
    }
}
