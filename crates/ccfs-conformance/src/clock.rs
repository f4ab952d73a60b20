//! A clock that a test controls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ccfs_driver::Clock;
use ccfs_proto::{Now, Timestamp};

/// A clock that moves only when a client waits on it: it advances by the wait and records it. Clones share the same clock.
#[derive(Clone, Debug)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    wall: Timestamp,
    elapsed: Duration,
    waits: Vec<Duration>,
    /// The instant from which it also moves with the machine's clock.
    ticking: Option<Instant>,
}

impl State {
    fn elapsed(&self) -> Duration {
        self.elapsed + self.ticking.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

impl ManualClock {
    /// Creates a clock with the time `wall`.
    #[must_use]
    pub fn at(wall: Timestamp) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                wall,
                elapsed: Duration::ZERO,
                waits: Vec::new(),
                ticking: None,
            })),
        }
    }

    /// Creates a clock with the default time that also moves with the machine's clock, for scenarios about real time.
    #[must_use]
    pub fn ticking() -> Self {
        let clock = Self::default();
        clock.lock().ticking = Some(Instant::now());
        clock
    }

    /// The wall-clock time.
    pub fn wall(&self) -> Timestamp {
        self.now().wall
    }

    /// All waits so far.
    pub fn waits(&self) -> Vec<Duration> {
        self.lock().waits.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    /// 2023-04-06T08:00:00Z.
    fn default() -> Self {
        Self::at(Timestamp::from_unix_millis(1_680_768_000_000))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Now {
        let state = self.lock();
        let elapsed = state.elapsed();
        Now {
            wall: state.wall.plus_millis(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)),
            monotonic: elapsed,
        }
    }

    fn wait(&self, duration: Duration) -> bool {
        let mut state = self.lock();
        state.elapsed += duration;
        state.waits.push(duration);
        true
    }
}
