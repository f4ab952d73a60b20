//! The time, as drivers read it.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use ccfs_proto::{Now, Timestamp};

/// Where a driver gets the time from.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Now;

    /// Lets `duration` pass without anybody sleeping, if this clock can, and says whether it did.
    ///
    /// A real clock cannot, and the driver sleeps. A test's clock moves itself forward, so that no test sleeps.
    fn pass(&self, duration: Duration) -> bool {
        let _ = duration;
        false
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic side begins now.
    #[must_use]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        Now { wall: Timestamp::from(SystemTime::now()), monotonic: self.started.elapsed() }
    }
}
