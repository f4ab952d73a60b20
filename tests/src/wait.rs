//! Waits for conditions.

use std::thread;
use std::time::{Duration, Instant};

/// Limit of a wait: far longer than it takes on a slow machine under load, and short enough to end a test that hangs.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Polls the condition until it is true.
///
/// # Panics
///
/// If it is not true within [`TEST_TIMEOUT`].
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < TEST_TIMEOUT, "waited a minute in vain: {what}");
        // A yield alone would keep the core busy that the other thread needs.
        thread::sleep(Duration::from_millis(1));
    }
}
