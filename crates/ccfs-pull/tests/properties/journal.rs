//! A journal gives back what was written, whatever became of its last line.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::sync::{Arc, Mutex};

use ccfs_archive::IndexKind;
use ccfs_proto::auth::AccessKey;
use ccfs_proto::{Endpoint, ResponseId, Timestamp};
use ccfs_pull::{
    Entry, Journal, JournalError, Known, Outcome, Plan, Storage, Stored, Window, Zone,
};
use proptest::prelude::*;

use crate::{cases, meaning};

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

fn open(path: &std::path::Path) -> Result<(Journal, BTreeMap<Window, Known>), JournalError> {
    Journal::open(path, &plan(), &endpoint(), &AccessKey::new("app").unwrap())
}

fn window(day: i64) -> Window {
    let begin: ccfs_proto::LocalTime = "2023-01-01 00:00:00".parse().unwrap();
    let begin = begin.plus_seconds(day * 86_400).unwrap();
    Window::new(begin, begin.plus_seconds(86_399).unwrap()).unwrap()
}

fn entry() -> impl Strategy<Value = Entry> {
    let at = (0_i64..4_000_000_000_000).prop_map(Timestamp::from_unix_millis);
    (0_i64..6, at, 0_u8..6, any::<u128>(), any::<[u64; 3]>(), "\\PC{0,600}").prop_map(
        |(day, at, kind, id, [bytes, rows, bad_rows], why)| {
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
                    let unread_members = (id % 3 > 0).then_some(bad_rows % 2);
                    Entry::Stored { window, at, bytes, rows, bad_rows, unread_members }
                }
                4 => Entry::NoData { window, at },
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

    /// Cut anywhere, as by a power cut, it knows what stood on the lines that are whole, and goes on from there.
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
        prop_assert_eq!(known, meaning(whole));
        journal.record(&next).unwrap();
        drop(journal);
        let all: Vec<Entry> = whole.iter().cloned().chain([next]).collect();
        prop_assert_eq!(open(&path).unwrap().1, meaning(&all));
    }

    /// A changed line is found, or is another line of a journal; it never panics, and a line that is none is named.
    #[test]
    fn a_changed_journal_is_told(entries in prop::collection::vec(entry(), 1..6), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
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
            prop_assert_eq!(fs::read(&path).unwrap(), bytes, "what is refused is left as it is");
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

/// Lines of older versions do not say whether all members were read, so that is unknown.
#[test]
fn a_line_of_an_older_version_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (mut journal, _) = open(&path).unwrap();
    let stored = Entry::Stored {
        window: window(0),
        at: Timestamp::from_unix_millis(0),
        bytes: 9,
        rows: 2,
        bad_rows: 1,
        unread_members: Some(0),
    };
    journal.record(&stored).unwrap();
    drop(journal);
    let text = fs::read_to_string(&path).unwrap();
    let older = text.replace(",\"unread_members\":0", "");
    assert_ne!(text, older);
    fs::write(&path, older).unwrap();
    let expected = Known::Complete(Outcome::Stored(Stored::new(9, 2, 1)));
    assert_eq!(open(&path).unwrap().1, BTreeMap::from([(window(0), expected)]));
}

#[test]
fn another_version_is_told_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    fs::write(&path, "{\"ccfs_pull\":2,\"something\":\"new\"}\n").unwrap();
    assert!(matches!(open(&path).unwrap_err(), JournalError::Version { version: 2, known: 1, .. }));
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
