//! The time, as drivers read it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ccfs_proto::{Now, Timestamp};

/// Where a driver gets the time from.
///
/// ```
/// use ccfs_driver::Clock;
/// use ccfs_proto::{Now, Timestamp};
///
/// /// A test's clock: it stands.
/// #[derive(Debug)]
/// struct Noon;
///
/// impl Clock for Noon {
///     fn now(&self) -> Now {
///         Now { wall: Timestamp::from_unix_millis(1_680_782_400_000), monotonic: std::time::Duration::ZERO }
///     }
///
///     fn pass(&self, _: std::time::Duration) -> bool {
///         true
///     }
/// }
///
/// assert_eq!(Noon.now().wall.to_string(), "2023-04-06T12:00:00.000Z");
/// ```
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

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Now {
        (**self).now()
    }

    fn pass(&self, duration: Duration) -> bool {
        (**self).pass(duration)
    }
}

/// The machine's clocks.
#[derive(Clone, Debug)]
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
