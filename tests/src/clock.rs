//! A clock that a test owns.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ccfs_driver::Clock;
use ccfs_proto::{Now, Timestamp};

/// A clock that stands still until somebody waits on it; then it moves forward by the wait, and notes it. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    wall: Timestamp,
    elapsed: Duration,
    waits: Vec<Duration>,
}

impl ManualClock {
    /// A clock that stands at `wall`.
    #[must_use]
    pub fn at(wall: Timestamp) -> Self {
        Self { state: Arc::new(Mutex::new(State { wall, elapsed: Duration::ZERO, waits: Vec::new() })) }
    }

    /// The time on the wall.
    pub fn wall(&self) -> Timestamp {
        self.now().wall
    }

    /// Every wait so far.
    pub fn waits(&self) -> Vec<Duration> {
        self.state.lock().unwrap().waits.clone()
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
        let state = self.state.lock().unwrap();
        let millis = i64::try_from(state.elapsed.as_millis()).unwrap();
        Now { wall: state.wall.plus_millis(millis), monotonic: state.elapsed }
    }

    fn pass(&self, duration: Duration) -> bool {
        let mut state = self.state.lock().unwrap();
        state.elapsed += duration;
        state.waits.push(duration);
        true
    }
}
