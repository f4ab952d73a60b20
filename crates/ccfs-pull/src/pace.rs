//! How fast a pull goes, and how long it waits.

use std::time::Duration;

/// Concurrency, intervals and timeouts of a pull. Every setting has a default.
///
/// `docs/reliability.md`, "Pulling a range", explains which of them apply after which answer.
///
/// ```
/// use ccfs_pull::Pace;
///
/// let pace = Pace { in_flight: 2, ..Pace::default() };
/// assert_eq!(pace.max_requests, 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Windows in flight at once, 1 to 64: requested and not stored yet. Default: 4. Zero counts as
    /// one.
    pub in_flight: usize,
    /// The time between the first two polls for a window's file; doubles with each poll. Default: 2
    /// seconds.
    pub poll_interval: Duration,
    /// The longest time between two polls. Default: 60 seconds.
    pub max_poll_interval: Duration,
    /// A file that does not exist this long after its request counts as lost, and is requested
    /// again. Default: 2 hours.
    pub lost_after: Duration,
    /// How often one run requests the same window if the server loses it. Default: 3. Zero counts
    /// as one.
    pub max_requests: u32,
    /// The pause of the whole pull after "try later" or a failed connection; doubles while such
    /// failures continue. Default: 5 seconds.
    pub backoff: Duration,
    /// The longest such pause. Default: 5 minutes.
    pub max_backoff: Duration,
    /// How long such failures may continue without a proper answer before the pull stops. Default:
    /// 30 minutes.
    pub outage_timeout: Duration,
    /// Replaces `outage_timeout` until the server has answered for the first time. Default: 1
    /// minute.
    pub wait_for_server: Duration,
    /// How long to wait for a window's callback before polling for its file. `None` polls from the
    /// start. Default: `None`.
    pub callback_timeout: Option<Duration>,
}

impl Pace {
    /// The default time to wait for a callback: CC-FS calls a second time after 10 minutes.
    pub const CALLBACK_TIMEOUT: Duration = Duration::from_secs(11 * 60);
    /// The most windows in flight at once.
    pub const IN_FLIGHT_LIMIT: usize = 64;

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
