//! Handles tests whose reference tool is missing. Crates that this package depends on include this file by its path.
#![allow(unreachable_pub)] // As such, it is one test file's own.

/// Reports that a test is skipped, and why. With `CCFS_TESTS_NEED_TOOLS` set, the test fails instead.
#[track_caller]
pub fn skipped(why: impl std::fmt::Display) {
    assert!(
        std::env::var_os("CCFS_TESTS_NEED_TOOLS").is_none(),
        "{why}, and CCFS_TESTS_NEED_TOOLS is set"
    );
    println!("skipped: {why}");
}
