//! What is tried again, and after how long.

use std::time::Duration;

use http::{HeaderMap, header};

use super::error::{ErrorKind, TransportFailure};
use super::policy::Policy;
use super::skew::http_date;
use crate::classify::AnswerError;
use crate::operation::Repeat;
use crate::result_code::Advice;
use crate::timestamp::Timestamp;

/// Whether a failed attempt may be followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// It may not.
    No,
    /// It may: the connection failed.
    Broken,
    /// It may: the server said "try later", perhaps when.
    Busy { after: Option<Duration> },
}

/// The whole of the retry rules. `retry_after` is what the answer said, if there was one.
pub(super) fn again(kind: &ErrorKind, repeat: Repeat, retry_after: Option<Duration>) -> Again {
    let harmless = repeat == Repeat::Harmless;
    match kind {
        ErrorKind::Transport(TransportFailure::Tls(_) | TransportFailure::Protocol) => Again::No,
        ErrorKind::Transport(failure) if failure.never_arrived() || harmless => Again::Broken,
        ErrorKind::Answer(AnswerError::Truncated { .. }) if harmless => Again::Broken,
        ErrorKind::Refused { refusal, .. } if matches!(refusal.status.as_u16(), 429 | 503) => {
            Again::Busy { after: retry_after }
        }
        ErrorKind::ResultCode { advice: Advice::TryLater, .. } => {
            Again::Busy { after: retry_after }
        }
        _ => Again::No,
    }
}

/// How long to wait before attempt number `next` (2 is the first repetition).
///
/// Doubles each time, and half of it is jitter, so that callers which failed together do not come back together. A `Retry-After` is
/// obeyed as it stands.
pub(super) fn wait(again: Again, next: u32, policy: &Policy, jitter: u64) -> Duration {
    let base = match again {
        Again::Busy { after: Some(after) } => return after,
        Again::Busy { after: None } => policy.busy_backoff,
        Again::Broken | Again::No => policy.backoff,
    };
    let doubled = base
        .saturating_mul(1_u32.checked_shl(next.saturating_sub(2)).unwrap_or(u32::MAX))
        .min(policy.backoff_limit);
    let half = doubled / 2;
    let nanos = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
    half + Duration::from_nanos(((u128::from(nanos) * u128::from(jitter)) >> 64) as u64)
}

/// Reads `Retry-After`: seconds, or a date, which is taken against the server's own `Date` where it is there.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?;
    let text = value.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // Digits beyond all bounds still ask for a long wait.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let from = headers.get(header::DATE).and_then(http_date).unwrap_or(now);
    Some(Duration::from_millis(u64::try_from(http_date(value)?.millis_since(from)).unwrap_or(0)))
}
