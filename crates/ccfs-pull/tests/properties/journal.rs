//! A journal returns what was written, whatever happened to its last line.

use std::fs;
use std::io;
use std::sync::{Arc, Mutex};

use ccfs_archive::IndexKind;
use ccfs_proto::auth::AccessKey;
use ccfs_proto::{Endpoint, ResponseId, Timestamp};
use ccfs_pull::{
    ConvertedFile, Entry, Fingerprint, Format, Histories, Journal, JournalError, Known, Outcome,
    Plan, Storage, Stored, Window, Zone,
};
use proptest::prelude::*;

use super::{cases, histories};

fn plan() -> Plan {
    Plan::new(
        IndexKind::AgentSkillInfo,
        Zone::named("Asia/Shanghai").unwrap(),
        "2023-04-01".parse().unwrap(),
        "2023-04-10".parse().unwrap(),
    )
}

fn endpoint() -> Endpoint {
    "https://10.1.2.3:8443".parse().unwrap()
}

fn open(path: &std::path::Path) -> Result<(Journal, Histories), JournalError> {
    open_as(path, &plan(), "app")
}

fn open_as(
    path: &std::path::Path,
    plan: &Plan,
    key: &str,
) -> Result<(Journal, Histories), JournalError> {
    let now = Timestamp::from_unix_millis(0);
    Journal::open(path, plan, &endpoint(), &AccessKey::new(key).unwrap(), now)
}

fn window(day: i64) -> Window {
    let begin: ccfs_proto::LocalTime = "2023-01-01 00:00:00".parse().unwrap();
    let begin = begin.plus_seconds(day * 86_400).unwrap();
    Window::new(begin, begin.plus_seconds(86_399).unwrap()).unwrap()
}

fn entry() -> impl Strategy<Value = Entry> {
    let at = (0_i64..4_000_000_000_000).prop_map(Timestamp::from_unix_millis);
    let file =
        (any::<u64>(), any::<[u8; 32]>()).prop_map(|(bytes, hash)| Fingerprint::new(bytes, hash));
    (0_i64..6, at, 0_u8..8, any::<u128>(), file, any::<[u64; 4]>(), "\\PC{0,600}").prop_map(
        |(day, at, kind, id, file, [rows, bad, unread, outside], why)| {
            let window = window(day);
            match kind {
                0 => Entry::Asking { window, at },
                1 => Entry::Asked {
                    window,
                    id: ResponseId::from_server(&format!("{id:032x}")).unwrap(),
                    sent: at,
                    at,
                },
                2 => Entry::Lost { window, at, why },
                3 => {
                    let mut stored = Stored::new(file, rows);
                    (stored.bad_rows, stored.unread_members) = (bad, unread);
                    stored.outside_rows = outside;
                    let converted = Format::ALL.map(|format| ConvertedFile::new(format, file));
                    let converted =
                        converted.into_iter().take(usize::try_from(rows % 3).unwrap()).collect();
                    Entry::Stored { window, at, stored, converted }
                }
                4 => Entry::NoData { window, at },
                5 => {
                    let format = Format::ALL[usize::try_from(rows % 3).unwrap()];
                    Entry::Converted { window, at, file: ConvertedFile::new(format, file) }
                }
                6 => Entry::ZipRemoved { window, at },
                _ => Entry::Failed { window, at, why },
            }
        },
    )
}

fn lines_in(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

proptest! {
    #![proptest_config(cases(32))]

    /// A journal that was truncated anywhere, as by a power cut, returns its complete lines and can be continued.
    #[test]
    fn a_cut_journal_knows_its_whole_lines(entries in prop::collection::vec(entry(), 0..12), cut in any::<prop::sample::Index>(), next in entry()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, known) = open(&path).unwrap();
        prop_assert!(known.is_empty());
        for entry in &entries {
            journal.record(entry).unwrap();
        }
        drop(journal);
        let bytes = fs::read(&path).unwrap();
        let len = cut.index(bytes.len() + 1);
        fs::write(&path, &bytes[..len]).unwrap();
        let lines = lines_in(&bytes[..len]);

        let (mut journal, known) = open(&path).unwrap();
        let whole = &entries[..lines.saturating_sub(1)];
        prop_assert_eq!(known, histories(whole));
        journal.record(&next).unwrap();
        drop(journal);
        let all: Vec<Entry> = whole.iter().cloned().chain([next]).collect();
        prop_assert_eq!(open(&path).unwrap().1, histories(&all));
    }

    /// A changed byte is detected, or the line is another valid one. Nothing panics, and the error has the number of a malformed line.
    #[test]
    fn a_changed_journal_is_reported(entries in prop::collection::vec(entry(), 1..6), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, _) = open(&path).unwrap();
        for entry in &entries {
            journal.record(entry).unwrap();
        }
        drop(journal);
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        fs::write(&path, &bytes).unwrap();
        let line = lines_in(&bytes[..at]) as u64 + 1;
        if let Err(error) = open(&path) {
            match error {
                JournalError::Line { line: told, .. } => prop_assert!(told == line || told == line + 1, "{} for {}", told, line),
                JournalError::OtherPlan { .. } | JournalError::Version { .. } => prop_assert_eq!(line, 1),
                other => prop_assert!(false, "{}", other),
            }
        }
    }

    /// No bytes make it panic.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        fs::write(&path, &bytes).unwrap();
        if open(&path).is_err() {
            prop_assert_eq!(fs::read(&path).unwrap(), bytes, "a refused journal is not changed");
        }
    }
}

#[test]
fn a_broken_line_in_the_middle_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (mut journal, _) = open(&path).unwrap();
    for day in 0..3 {
        journal
            .record(&Entry::NoData { window: window(day), at: Timestamp::from_unix_millis(0) })
            .unwrap();
    }
    drop(journal);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("no_data", "no_date", 2)).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, JournalError::Line { line: 2, .. }));
    assert!(
        error.to_string().contains("line 2 of") && error.to_string().contains("pull again"),
        "{error}"
    );
}

/// The days of a forgotten range are no longer known, whatever the windows.
#[test]
fn forgotten_days_are_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (mut journal, _) = open(&path).unwrap();
    let at = Timestamp::from_unix_millis(0);
    for day in 0..4 {
        journal.record(&Entry::NoData { window: window(day), at }).unwrap();
    }
    let (from, to) = ("2023-01-02".parse().unwrap(), "2023-01-03".parse().unwrap());
    journal.record(&Entry::Forgotten { at, from, to }).unwrap();
    drop(journal);
    let left: Vec<Window> = open(&path).unwrap().1.into_keys().collect();
    assert_eq!(left, [window(0), window(3)]);
}

/// A new key is accepted once that is said, and jobs of the former one are then lost.
#[test]
fn moved_data_is_accepted_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (mut journal, _) = open(&path).unwrap();
    let at = Timestamp::from_unix_millis(0);
    let id: ResponseId = "9239cb50a8384bb0ab503441bf089446".parse().unwrap();
    journal.record(&Entry::Asked { window: window(0), id, sent: at, at }).unwrap();
    journal.record(&Entry::NoData { window: window(1), at }).unwrap();
    drop(journal);
    let error = open_as(&path, &plan(), "new").unwrap_err();
    assert!(matches!(error, JournalError::OtherPlan { moves: true, .. }), "{error}");
    for _ in 0..2 {
        let (_, windows) = open_as(&path, &plan().moved(true), "new").unwrap();
        let known: Vec<Known> = windows.into_values().map(|history| history.known).collect();
        assert_eq!(known, [Known::Fresh, Known::Complete(Outcome::NoData)]);
    }
    open_as(&path, &plan(), "new").unwrap();
    assert!(open(&path).is_err(), "the former key is now the other one");
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches("\"moved\"").count(), 1, "{text}");
}

#[test]
fn another_version_is_reported_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    fs::write(&path, "{\"ccfs_pull\":1,\"something\":\"new\"}\n").unwrap();
    assert!(matches!(open(&path).unwrap_err(), JournalError::Version { version: 1, known: 2, .. }));
}

/// Storage that can be looked at, and that runs out.
#[derive(Clone, Debug, Default)]
struct Sheet {
    bytes: Arc<Mutex<Vec<u8>>>,
    synced: Arc<Mutex<usize>>,
}

impl Storage for Sheet {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        *self.synced.lock().unwrap() = self.bytes.lock().unwrap().len();
        Ok(())
    }
}

#[test]
fn every_line_is_on_the_disk_before_it_is_relied_on() {
    let sheet = Sheet::default();
    let mut journal = Journal::with_storage(std::path::Path::new("sheet"), sheet.clone());
    for day in 0..3 {
        journal
            .record(&Entry::Asking { window: window(day), at: Timestamp::from_unix_millis(0) })
            .unwrap();
        let written = sheet.bytes.lock().unwrap().len();
        assert_eq!(*sheet.synced.lock().unwrap(), written);
    }
}
