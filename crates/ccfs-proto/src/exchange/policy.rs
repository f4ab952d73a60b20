use std::time::Duration;

use crate::auth::QueryLine;
use crate::time::Precision;

/// Timeouts, retries and limits of one call. Every setting has a default.
///
/// ```
/// use std::time::Duration;
/// use ccfs_proto::Policy;
///
/// let policy = Policy::default().max_retries(0).total_timeout(Duration::from_secs(30));
/// assert_eq!(policy.idle_timeout, Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Policy {
    /// Retries after a failed first attempt; the attempt with a corrected clock, see
    /// [`skew_threshold`](Self::skew_threshold), is not one of them. Default: 3.
    pub max_retries: u32,
    /// The longest time that the whole call may take, waits included. Default: 30 minutes.
    pub total_timeout: Duration,
    /// The longest time without data, before the response and between two pieces of it. Default: 60
    /// seconds.
    pub idle_timeout: Duration,
    /// The wait before the first retry after a broken connection; doubles with each retry. Default:
    /// half a second.
    pub backoff: Duration,
    /// The wait before the first retry after "try later" without `Retry-After`; doubles with each
    /// retry. Default: 5 seconds.
    pub busy_backoff: Duration,
    /// The longest wait before a retry. A `Retry-After` that is longer ends the call. Default: 5
    /// minutes.
    pub max_backoff: Duration,
    /// After a 401, the call is retried once with the server's time if the local clock differs from
    /// the server's `Date` by more than this. `None` disables the correction. Default: 60 seconds.
    pub skew_threshold: Option<Duration>,
    /// How the signature represents an absent query. The other dialect is not tried after a 401,
    /// because bad signatures lock the address. Default: [`QueryLine::Omit`]. See
    /// [Query line dialects](crate::protocol#query-line-dialects).
    pub query_line: QueryLine,
    /// The precision of the signature's time. Default: milliseconds.
    pub precision: Precision,
    /// The largest JSON answer in bytes. Default: 1 MiB.
    pub envelope_limit: usize,
    /// The largest file in bytes. Default: 16 GiB.
    pub file_limit: u64,
}

/// Writes a setter by value for each of these fields.
macro_rules! setters {
    ($($field:ident: $type:ty,)+) => { $(
        #[doc = concat!(
            "Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").",
        )]
        pub fn $field(self, $field: $type) -> Self {
            Self { $field, ..self }
        }
    )+ };
}

impl Policy {
    setters! {
        max_retries: u32,
        total_timeout: Duration,
        idle_timeout: Duration,
        backoff: Duration,
        busy_backoff: Duration,
        max_backoff: Duration,
        skew_threshold: Option<Duration>,
        query_line: QueryLine,
        precision: Precision,
        envelope_limit: usize,
        file_limit: u64,
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_retries: 3,
            total_timeout: Duration::from_secs(30 * 60),
            idle_timeout: Duration::from_secs(60),
            backoff: Duration::from_millis(500),
            busy_backoff: Duration::from_secs(5),
            max_backoff: Duration::from_secs(5 * 60),
            skew_threshold: Some(Duration::from_secs(60)),
            query_line: QueryLine::default(),
            precision: Precision::default(),
            envelope_limit: crate::answer::DEFAULT_ENVELOPE_LIMIT,
            file_limit: 16 << 30,
        }
    }
}
