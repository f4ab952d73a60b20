//! The laws of a pull: its windows, its journal, its machine.
#![allow(clippy::unwrap_used)]

#[path = "laws/journal.rs"]
mod journal;
#[path = "laws/scheduler.rs"]
mod scheduler;
#[path = "laws/windows.rs"]
mod windows;

use proptest::test_runner::{Config, FileFailurePersistence};

fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/regressions/laws.txt"))), ..Config::default() }
}
