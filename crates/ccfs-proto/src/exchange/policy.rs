//! The bounds of an exchange.

use std::time::Duration;

use crate::auth::QueryLine;
use crate::timestamp::Precision;

/// How long, how often and how large one call may be. Every field has a default; change the ones that matter.
///
/// ```
/// use std::time::Duration;
/// use ccfs_proto::Policy;
///
/// let mut policy = Policy::default();
/// policy.attempts = 1;
/// policy.deadline = Duration::from_secs(30);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Attempts of one call, the first included. Default: 4. Zero counts as one.
    pub attempts: u32,
    /// The time that one call may take in all, waiting included. Default: 30 minutes.
    pub deadline: Duration,
    /// The longest silence: before the answer, and between two chunks of it. Default: 60 seconds.
    pub stall: Duration,
    /// The wait after a first broken attempt; it doubles with each further one. Default: half a second.
    pub backoff: Duration,
    /// The wait after a first "try later" without a `Retry-After`; it doubles with each further one. Default: 5 seconds.
    pub busy_backoff: Duration,
    /// The longest wait between attempts, also when `Retry-After` names a longer one (then the call fails at once).
    /// Default: 5 minutes.
    pub backoff_limit: Duration,
    /// How wrong the clock must be, by the server's `Date`, for one attempt with the corrected time after a 401. `None`
    /// switches the correction off. Default: 60 seconds.
    pub correct_skew_beyond: Option<Duration>,
    /// What stands for an absent query in the signature. Never changed by itself: bad signatures lock the address. Default:
    /// [`QueryLine::Omit`]. See `docs/protocol.md`, "Query line dialects".
    pub query_line: QueryLine,
    /// How fine the signature's time is written. Default: milliseconds.
    pub precision: Precision,
    /// The largest JSON answer in bytes. Default: 1 MiB.
    pub envelope_limit: usize,
    /// The largest file in bytes. Default: 16 GiB.
    pub file_limit: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: 4,
            deadline: Duration::from_secs(30 * 60),
            stall: Duration::from_secs(60),
            backoff: Duration::from_millis(500),
            busy_backoff: Duration::from_secs(5),
            backoff_limit: Duration::from_secs(5 * 60),
            correct_skew_beyond: Some(Duration::from_secs(60)),
            query_line: QueryLine::default(),
            precision: Precision::default(),
            envelope_limit: crate::envelope::DEFAULT_ENVELOPE_LIMIT,
            file_limit: 16 << 30,
        }
    }
}
