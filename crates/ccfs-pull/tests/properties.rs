//! The properties of a pull: its windows, its journal, its scheduler.

#[path = "properties/journal.rs"]
mod journal;
#[path = "properties/scheduler.rs"]
mod scheduler;
#[path = "properties/windows.rs"]
mod windows;

use std::collections::BTreeMap;

use ccfs_pull::{Asked, Entry, History, Known, Outcome, Window};
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

/// What the journal has of each window, computed in another way than by the library.
fn histories(entries: &[Entry]) -> BTreeMap<Window, History> {
    let mut histories = BTreeMap::new();
    for (window, known) in meaning(entries) {
        let mut history = History::from(known);
        let of_window = |entry: &&Entry| entry_window(entry) == Some(window);
        let since = |is_last: fn(&Entry) -> bool| {
            let entries: Vec<&Entry> = entries.iter().filter(of_window).collect();
            let at = entries.iter().rposition(|entry| is_last(entry));
            at.map_or(entries.clone(), |at| entries[at..].to_vec())
        };
        let of_file = since(|entry| matches!(entry, Entry::Stored { .. }));
        for entry in &of_file {
            match entry {
                Entry::Stored { stored, converted, .. } => {
                    history.stored = Some(*stored);
                    history.converted.clone_from(converted);
                }
                Entry::Converted { file, .. } => {
                    history.converted.retain(|other| other.format != file.format);
                    history.converted.push(*file);
                }
                Entry::ZipRemoved { .. } => history.zip_removed = true,
                _ => {}
            }
        }
        for entry in entries.iter().filter(of_window) {
            match entry {
                Entry::Asked { id, .. } => history.job = Some(*id),
                Entry::Stored { at, .. } | Entry::NoData { at, .. } => history.fetched = Some(*at),
                _ => {}
            }
        }
        let ends = |entry: &Entry| {
            !matches!(
                entry,
                Entry::Failed { .. }
                    | Entry::Asked { .. }
                    | Entry::Converted { .. }
                    | Entry::ZipRemoved { .. }
            )
        };
        history.failed = since(ends).iter().rev().find_map(|entry| match entry {
            Entry::Failed { why, .. } => Some(why.chars().take(500).collect()),
            _ => None,
        });
        histories.insert(window, history);
    }
    histories
}

fn entry_window(entry: &Entry) -> Option<Window> {
    match entry {
        Entry::Asking { window, .. }
        | Entry::Asked { window, .. }
        | Entry::Lost { window, .. }
        | Entry::Stored { window, .. }
        | Entry::Converted { window, .. }
        | Entry::ZipRemoved { window, .. }
        | Entry::NoData { window, .. }
        | Entry::Failed { window, .. } => Some(*window),
        _ => None,
    }
}

/// The state of each window.
fn meaning(entries: &[Entry]) -> BTreeMap<Window, Known> {
    let mut known = BTreeMap::new();
    let mut files = BTreeMap::new();
    for entry in entries {
        match entry {
            Entry::Asking { window, .. } | Entry::Lost { window, .. } => {
                drop(known.insert(*window, Known::Fresh));
            }
            Entry::Asked { window, id, sent, at } => {
                drop(known.insert(*window, Known::Asked(Asked::new(*id, *sent, *at))));
            }
            Entry::Stored { window, stored, .. } => {
                files.insert(*window, *stored);
                known.insert(*window, Known::Complete(Outcome::Stored(*stored)));
            }
            // The file of an earlier request stays.
            Entry::NoData { window, .. } => {
                let outcome =
                    files.get(window).map_or(Outcome::NoData, |file| Outcome::Stored(*file));
                drop(known.insert(*window, Known::Complete(outcome)));
            }
            other => {
                entry_window(other).map(|window| known.entry(window).or_insert(Known::Fresh));
            }
        }
    }
    known
}
