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
    /// Retries after a failed first attempt. Default: 3.
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
    /// How far the clock must be off, by the server's `Date`, for one retry with the corrected time
    /// after a 401. `None` disables the correction. Default: 60 seconds.
    pub skew_threshold: Option<Duration>,
    /// What the signature has in place of an absent query. Never changed after a 401, because bad
    /// signatures lock the address. Default: [`QueryLine::Omit`]. See
    /// [Query line dialects](crate::protocol#query-line-dialects).
    pub query_line: QueryLine,
    /// The precision of the signature's time. Default: milliseconds.
    pub precision: Precision,
    /// The largest JSON answer in bytes. Default: 1 MiB.
    pub envelope_limit: usize,
    /// The largest file in bytes. Default: 16 GiB.
    pub file_limit: u64,
}

impl Policy {
    /// Sets [`max_retries`](Self#structfield.max_retries).
    pub fn max_retries(self, max_retries: u32) -> Self {
        Self { max_retries, ..self }
    }

    /// Sets [`total_timeout`](Self#structfield.total_timeout).
    pub fn total_timeout(self, total_timeout: Duration) -> Self {
        Self { total_timeout, ..self }
    }

    /// Sets [`idle_timeout`](Self#structfield.idle_timeout).
    pub fn idle_timeout(self, idle_timeout: Duration) -> Self {
        Self { idle_timeout, ..self }
    }

    /// Sets [`backoff`](Self#structfield.backoff).
    pub fn backoff(self, backoff: Duration) -> Self {
        Self { backoff, ..self }
    }

    /// Sets [`busy_backoff`](Self#structfield.busy_backoff).
    pub fn busy_backoff(self, busy_backoff: Duration) -> Self {
        Self { busy_backoff, ..self }
    }

    /// Sets [`max_backoff`](Self#structfield.max_backoff).
    pub fn max_backoff(self, max_backoff: Duration) -> Self {
        Self { max_backoff, ..self }
    }

    /// Sets [`skew_threshold`](Self#structfield.skew_threshold).
    pub fn skew_threshold(self, skew_threshold: impl Into<Option<Duration>>) -> Self {
        Self { skew_threshold: skew_threshold.into(), ..self }
    }

    /// Sets [`query_line`](Self#structfield.query_line).
    pub fn query_line(self, query_line: QueryLine) -> Self {
        Self { query_line, ..self }
    }

    /// Sets [`precision`](Self#structfield.precision).
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Sets [`envelope_limit`](Self#structfield.envelope_limit).
    pub fn envelope_limit(self, envelope_limit: usize) -> Self {
        Self { envelope_limit, ..self }
    }

    /// Sets [`file_limit`](Self#structfield.file_limit).
    pub fn file_limit(self, file_limit: u64) -> Self {
        Self { file_limit, ..self }
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
