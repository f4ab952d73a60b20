//! The clock of a client.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ccfs_proto::{Now, Timestamp};

/// Clock that a driver reads the time from.
///
/// ```
/// use ccfs_driver::Clock;
/// use ccfs_proto::{Now, Timestamp};
///
/// /// A fixed clock for tests.
/// #[derive(Debug)]
/// struct Noon;
///
/// impl Clock for Noon {
///     fn now(&self) -> Now {
///         Now {
///             wall: Timestamp::from_unix_millis(1_680_782_400_000),
///             monotonic: std::time::Duration::ZERO,
///         }
///     }
///
///     fn wait(&self, _: std::time::Duration) -> bool {
///         true
///     }
/// }
///
/// assert_eq!(Noon.now().wall.to_string(), "2023-04-06T12:00:00.000Z");
/// ```
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Now;

    /// Waits for `duration` in place of the driver, and returns whether it did. Default: returns
    /// `false`, and the driver sleeps.
    ///
    /// A clock in tests moves its own time forward and returns `true` at once, so that no test
    /// sleeps. Async drivers call this on the runtime's thread, where it must not block.
    fn wait(&self, duration: Duration) -> bool {
        let _ = duration;
        false
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Now {
        (**self).now()
    }

    fn wait(&self, duration: Duration) -> bool {
        (**self).wait(duration)
    }
}

/// The system's wall clock and monotonic clock.
#[derive(Clone, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Creates a clock whose monotonic time starts at zero now.
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
