//! Properties that hold for all inputs.

use std::io::Cursor;

use crate::support::{
    NAME, archive, archive_with_descriptors, changes, changes_of_csv, changes_with, csv_of,
    read_pieces, streamed,
};
use ccfs_archive::{
    AgentSkillChange, Archive, Charset, Error, IndexKind, LimitKind, Limits, OnBadRow, OperateType,
    ReadOptions, Recording, Records,
};
use ccfs_archive::{Day, LocalTime, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

fn config() -> ProptestConfig {
    let regressions = FileFailurePersistence::Direct("tests/regressions/properties.txt");
    ProptestConfig { failure_persistence: Some(Box::new(regressions)), ..ProptestConfig::default() }
}

/// Text of a cell: plain, or with everything that needs quotes. Blanks around it are not kept.
fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop_oneof![
        "[a-z0-9]{1,12}",
        "[a-c,\"\r\n;话]|[a-c,\"\r\n;话][a-c,\"\r\n;话 ]{0,6}[a-c,\"\r\n;话]"
    ])
}

/// A time that a cell can have: the years 1 to 9999.
fn time() -> impl Strategy<Value = LocalTime> {
    (1..=9999u16, 1..=12u8, 1..=31u8, 0..86_400i64).prop_filter_map(
        "a day that exists",
        |(year, month, day, second)| {
            Day::new(year, month, day).ok()?.midnight().plus_seconds(second)
        },
    )
}

fn tenant() -> impl Strategy<Value = Option<LocalTime>> {
    prop::option::of(time())
}

fn utc() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of(time().prop_map(Timestamp::from_utc))
}

fn int() -> impl Strategy<Value = Option<i64>> {
    prop::option::of(prop_oneof![0..100i64, 0..99_999_999_999i64, any::<i64>()])
}

prop_compose! {
    fn change()(
        id in text().prop_map(|id| id.or(Some("x".to_owned()))), developer_id in text(), account_id in text(), logon_sn in text(),
        (sub_cc_no, vdn, agent_id, operate_id, operate_sn, renew_flag, month_of_year) in (int(), int(), int(), int(), int(), int(), int().prop_map(|month| month.or(Some(1)))),
        (operate_time, operate_end_time, update_time) in (tenant(), tenant(), utc()),
        operate_type in int(),
        skill_list in prop::collection::vec("[a-z0-9话]{1,5}", 0..4),
        extra in Just(Vec::new()),
    ) -> AgentSkillChange {
        let operate_type = operate_type.map(OperateType::from);
        AgentSkillChange {
            id, developer_id, account_id, sub_cc_no, vdn, agent_id, operate_time, operate_id, operate_type, skill_list,
            logon_sn, operate_sn, operate_end_time, renew_flag, update_time, month_of_year, extra,
        }
    }
}

/// Bytes that look like CSV closely enough to reach every state of the parser.
fn csv_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-c0-9]{0,3}".prop_map(String::into_bytes),
        6 => prop::sample::select(vec![",", "\"", "\n", "\r", "\r\n", "\"\"", ";", " ", "\u{feff}", "话", "2015-02-08 20:23:30"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::sample::select(vec![&b"\xFF"[..], b"\xC4\xE3", b"\xEF\xBB", b"\x84\x31\x95\x33", b"\0"]).prop_map(<[u8]>::to_vec),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn pieces<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> =
        cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

proptest! {
    #![proptest_config(config())]

    /// The same records and the same bad rows come of every way of cutting the bytes, one byte at a time included.
    #[test]
    fn cuts_change_nothing(bytes in csv_like(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8), forced in prop::option::of(prop::sample::select(vec![Charset::Utf8, Charset::Gb18030])), record_bytes in 1..200u64) {
        let limits = Limits::new().with(LimitKind::RecordBytes, record_bytes).with(LimitKind::FieldBytes, record_bytes / 2);
        let mut options = ReadOptions::new().limits(limits);
        if let Some(charset) = forced {
            options = options.charset(charset);
        }
        let kind = IndexKind::AgentSkillInfo;
        let whole = read_pieces::<AgentSkillChange>([bytes.as_slice()], kind, &options);
        prop_assert_eq!(&read_pieces(pieces(&bytes, &cuts), kind, &options), &whole);
        prop_assert_eq!(&read_pieces(bytes.chunks(1), kind, &options), &whole);
    }

    /// Records come back from a CSV that another writer makes of them.
    #[test]
    fn records_come_back(records in prop::collection::vec(change(), 0..6)) {
        prop_assert_eq!(changes_of_csv(&csv_of(&records)).unwrap(), records);
    }

    /// A borrowed record has the same JSON as the record that it becomes.
    #[test]
    fn borrowed_and_owned_say_the_same(record in change()) {
        let csv = csv_of(&[record]);
        let mut rows = Records::<AgentSkillChange>::from_csv(csv.as_slice());
        let borrowed = rows.next_record().unwrap().unwrap();
        let owned = borrowed.into_owned();
        let json = serde_json::to_string(&borrowed).unwrap();
        prop_assert_eq!(json, serde_json::to_string(&owned).unwrap());
    }

    /// Rows are split as the `csv` crate splits them.
    #[test]
    fn rows_are_those_of_the_csv_crate(bytes in csv_like()) {
        let bytes = String::from_utf8_lossy(&bytes).into_owned().into_bytes();
        // The first rows are examined together: they fix the number of fields.
        let first = "d,a,c,g,i,r,e,2015-02-08 20:23:30\n";
        let bytes = [first.repeat(4).as_bytes(), first.trim_end().as_bytes(), b",", &bytes].concat();
        let options = ReadOptions::new().on_bad_row(OnBadRow::Return);
        let mut rows = Records::<Recording>::from_csv_with(bytes.as_slice(), IndexKind::Record, &options);
        let mut ours = Vec::new();
        loop {
            match rows.next_record() {
                Ok(None) => break,
                Ok(Some(record)) => {
                    let cells = record.row().cells();
                    prop_assert_eq!(cells.iter().len(), cells.len());
                    prop_assert!((0..cells.len()).all(|at| cells.get(at) == cells.iter().nth(at)));
                    ours.push(Some(cells.iter().map(str::to_owned).collect::<Vec<_>>()));
                }
                Err(_) => ours.push(None),
            }
        }
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes.as_slice());
        let trimmed = |cell: &str| cell.trim_matches([' ', '\t']).to_owned();
        let theirs: Vec<Vec<String>> = reader.records().map(|row| row.unwrap().iter().map(trimmed).collect()).collect();
        // Lines of padding and rows of empty cells are skipped.
        let is_skipped = |row: &Vec<String>| row.iter().all(|cell| cell.chars().all(|char| char == '\0'));
        let mut theirs = theirs.iter().filter(|row| !is_skipped(row));
        for ours in ours {
            let theirs = theirs.next();
            let Some(ours) = ours else { continue };
            // Surplus empty cells are dropped.
            let (same, surplus) = theirs.unwrap().split_at(ours.len());
            prop_assert!(ours == same && surplus.iter().all(String::is_empty), "{:?} {:?}", ours, theirs);
        }
        prop_assert_eq!(theirs.next(), None);
    }

    /// A changed byte is found out, or changes nothing that is read.
    #[test]
    fn a_changed_byte_changes_no_record(descriptors in any::<bool>(), records in prop::collection::vec(change(), 1..4), at in any::<prop::sample::Index>(), flip in 1..=255u8) {
        let csv = csv_of(&records);
        let members = [(NAME, csv.as_slice()), ("20150208202330123457_agentSkillInfo_1.csv", b"z,,,1")];
        let mut zip = if descriptors { archive_with_descriptors(&members) } else { archive(&members) };
        let before = changes(&zip).unwrap();
        let at = at.index(zip.len());
        zip[at] ^= flip;
        let (seeking, streaming) = (changes(&zip), streamed(&zip));
        prop_assert_eq!(seeking.is_ok(), streaming.is_ok(), "{:?} {:?}", seeking, streaming);
        for after in [seeking, streaming].into_iter().flatten() {
            prop_assert_eq!(&after, &before);
        }
    }

    /// No bytes make the reader panic, and none make it give more than the limits allow.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), marks in prop::collection::vec((any::<prop::sample::Index>(), 0..4usize), 0..4)) {
        let mut bytes = bytes;
        for (at, mark) in marks {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, *[b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06"][mark]);
        }
        let seeking = Archive::open(Cursor::new(&bytes)).and_then(|mut archive| archive.inspect());
        prop_assert_eq!(seeking.is_ok(), streamed(&bytes).is_ok());
        let _ = read_pieces::<AgentSkillChange>([bytes.as_slice()], IndexKind::AgentSkillInfo, &ReadOptions::new());
    }

    /// A limit stops exactly the archives that go over it.
    #[test]
    fn exceeded_limits_are_errors(length in 1..5000usize, limit in 1..5000u64) {
        let csv = ["x,,,1\n".repeat(length / 6).as_bytes(), &b"\n".repeat(length % 6)].concat();
        let zip = archive(&[(NAME, &csv)]);
        let options = ReadOptions::new().limits(Limits::new().with(LimitKind::MemberBytes, limit));
        for result in [changes_with(&zip, &options), Records::from_stream(zip.as_slice(), &options).collect()] {
            match result {
                Ok(_) => prop_assert!(length as u64 <= limit),
                Err(Error::Limit { kind, limit: told, .. }) => {
                    prop_assert!(length as u64 > limit);
                    prop_assert_eq!((kind, told), (LimitKind::MemberBytes, limit));
                }
                Err(other) => prop_assert!(false, "{}", other),
            }
        }
    }

    /// A code keeps its number, whether it has a name or not.
    #[test]
    fn codes_keep_their_number(code in any::<i64>(), small in 0..70i64) {
        prop_assert_eq!(OperateType::from(code).code(), code);
        prop_assert_eq!(OperateType::from(small).code(), small);
    }
}
