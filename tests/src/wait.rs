//! Waiting for what can be seen.

use std::thread;
use std::time::{Duration, Instant};

/// How long what a test waits for may take: far longer than it does on a slow machine under load, and short enough for a test that hangs.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Looks until it is so.
///
/// # Panics
///
/// When it is not within [`TEST_TIMEOUT`].
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < TEST_TIMEOUT, "waited a minute in vain: {what}");
        // A yield alone would keep a core from who is waited for.
        thread::sleep(Duration::from_millis(1));
    }
}
