//! The properties of a pull: its windows, its journal, its scheduler.
#![allow(clippy::unwrap_used)]

#[path = "properties/journal.rs"]
mod journal;
#[path = "properties/scheduler.rs"]
mod scheduler;
#[path = "properties/windows.rs"]
mod windows;

use std::collections::BTreeMap;

use ccfs_pull::{Asked, Entry, Known, Outcome, Stored, Window};
use proptest::test_runner::{Config, FileFailurePersistence};

fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/regressions/properties.txt",
        ))),
        ..Config::default()
    }
}

/// What a list of entries means, said by other words than the library's.
fn meaning(entries: &[Entry]) -> BTreeMap<Window, Known> {
    let mut known = BTreeMap::new();
    for entry in entries {
        match entry {
            Entry::Asking { window, .. } | Entry::Lost { window, .. } => {
                drop(known.insert(*window, Known::Fresh));
            }
            Entry::Asked { window, id, sent, at } => {
                drop(known.insert(*window, Known::Asked(Asked::new(*id, *sent, *at))));
            }
            Entry::Stored { window, bytes, rows, bad_rows, unread_members, .. } => {
                let stored = Stored::new(*bytes, *rows, *bad_rows);
                let stored = unread_members.map_or(stored, |count| stored.unread_members(count));
                known.insert(*window, Known::Complete(Outcome::Stored(stored)));
            }
            Entry::NoData { window, .. } => {
                drop(known.insert(*window, Known::Complete(Outcome::NoData)));
            }
            _ => {}
        }
    }
    known
}
