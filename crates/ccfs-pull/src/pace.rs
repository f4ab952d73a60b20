//! How fast a pull goes, and how long it waits.

use std::time::Duration;

/// Concurrency, intervals and timeouts of a pull. Every setting has a default.
///
/// `docs/reliability.md`, "Pulling a range", explains what each of them does after which answer.
///
/// ```
/// use ccfs_pull::Pace;
///
/// assert_eq!(Pace::default().in_flight(2).in_flight, 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// Windows in flight at once, 1 to 64: requested and not stored yet. Default: 4. Zero counts as
    /// one.
    pub in_flight: usize,
    /// The time between the first two looks for a window's file; doubles with each look. Default: 2
    /// seconds.
    pub poll_interval: Duration,
    /// The longest time between two looks. Default: 60 seconds.
    pub max_poll_interval: Duration,
    /// The time after its request when a file that does not exist is lost, and requested again.
    /// Default: 2 hours.
    pub lost_after: Duration,
    /// How often one run requests the same window if the server loses it. Default: 3. Zero counts
    /// as one.
    pub max_requests: u32,
    /// The pause of the whole pull after "try later" or a failed connection; doubles while that
    /// continues. Default: 5 seconds.
    pub backoff: Duration,
    /// The longest such pause. Default: 5 minutes.
    pub max_backoff: Duration,
    /// How long that may continue without a good answer before the pull stops. Default: 30 minutes.
    pub outage_timeout: Duration,
    /// How long failures may continue before the server has answered for the first time. Default: 1
    /// minute.
    pub wait_for_server: Duration,
    /// How long to wait for a window's callback before looking for its file. `None` looks for files
    /// from the start. Default: `None`.
    pub callback_timeout: Option<Duration>,
}

impl Pace {
    /// The default time to wait for a callback: CC-FS calls a second time after 10 minutes.
    pub const CALLBACK_TIMEOUT: Duration = Duration::from_secs(11 * 60);
    /// The most windows in flight at once.
    pub const IN_FLIGHT_LIMIT: usize = 64;

    /// Sets [`in_flight`](Self#structfield.in_flight).
    #[must_use]
    pub fn in_flight(self, in_flight: usize) -> Self {
        Self { in_flight, ..self }
    }

    /// Sets [`poll_interval`](Self#structfield.poll_interval).
    #[must_use]
    pub fn poll_interval(self, poll_interval: Duration) -> Self {
        Self { poll_interval, ..self }
    }

    /// Sets [`max_poll_interval`](Self#structfield.max_poll_interval).
    #[must_use]
    pub fn max_poll_interval(self, max_poll_interval: Duration) -> Self {
        Self { max_poll_interval, ..self }
    }

    /// Sets [`lost_after`](Self#structfield.lost_after).
    #[must_use]
    pub fn lost_after(self, lost_after: Duration) -> Self {
        Self { lost_after, ..self }
    }

    /// Sets [`max_requests`](Self#structfield.max_requests).
    #[must_use]
    pub fn max_requests(self, max_requests: u32) -> Self {
        Self { max_requests, ..self }
    }

    /// Sets [`backoff`](Self#structfield.backoff).
    #[must_use]
    pub fn backoff(self, backoff: Duration) -> Self {
        Self { backoff, ..self }
    }

    /// Sets [`max_backoff`](Self#structfield.max_backoff).
    #[must_use]
    pub fn max_backoff(self, max_backoff: Duration) -> Self {
        Self { max_backoff, ..self }
    }

    /// Sets [`outage_timeout`](Self#structfield.outage_timeout).
    #[must_use]
    pub fn outage_timeout(self, outage_timeout: Duration) -> Self {
        Self { outage_timeout, ..self }
    }

    /// Sets [`wait_for_server`](Self#structfield.wait_for_server).
    #[must_use]
    pub fn wait_for_server(self, wait_for_server: Duration) -> Self {
        Self { wait_for_server, ..self }
    }

    /// Sets [`callback_timeout`](Self#structfield.callback_timeout).
    #[must_use]
    pub fn callback_timeout(self, callback_timeout: impl Into<Option<Duration>>) -> Self {
        Self { callback_timeout: callback_timeout.into(), ..self }
    }

    pub(crate) fn slots(&self) -> usize {
        self.in_flight.clamp(1, Self::IN_FLIGHT_LIMIT)
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            in_flight: 4,
            poll_interval: Duration::from_secs(2),
            max_poll_interval: Duration::from_secs(60),
            lost_after: Duration::from_secs(2 * 3600),
            max_requests: 3,
            backoff: Duration::from_secs(5),
            max_backoff: Duration::from_secs(5 * 60),
            outage_timeout: Duration::from_secs(30 * 60),
            wait_for_server: Duration::from_secs(60),
            callback_timeout: None,
        }
    }
}
