//! What is retried, and after which wait.

use std::time::Duration;

use http::{HeaderMap, header};

use super::error::ErrorKind;
use super::policy::Policy;
use super::skew::http_date;
use crate::answer::{Advice, AnswerError};
use crate::operation::Repeat;
use crate::time::Timestamp;

/// How long to wait before another attempt.
#[derive(Clone, Copy)]
pub(super) enum Wait {
    /// As the server asked.
    Exactly(Duration),
    /// This long at first, and twice as long each time.
    Doubling(Duration),
}

/// The retry rules: `None` if there must not be another attempt. `retry_after` is the header of the
/// response, if there was one.
pub(super) fn rule(
    kind: &ErrorKind,
    repeat: Repeat,
    retry_after: Option<Duration>,
    policy: &Policy,
) -> Option<Wait> {
    let idempotent = repeat == Repeat::Idempotent;
    let broken = Some(Wait::Doubling(policy.backoff));
    let busy = Some(retry_after.map_or(Wait::Doubling(policy.busy_backoff), Wait::Exactly));
    match kind {
        ErrorKind::Transport(failure) if failure.kind().is_permanent() => None,
        ErrorKind::Transport(failure) if idempotent || failure.kind().never_arrived() => broken,
        ErrorKind::Answer(AnswerError::Truncated { .. }) if idempotent => broken,
        ErrorKind::Refused { refusal, .. } if matches!(refusal.status.as_u16(), 429 | 503) => busy,
        ErrorKind::ResultCode { advice: Advice::TryLater, .. } => busy,
        _ => None,
    }
}

/// The wait before the retry of that number, from 1.
///
/// Half of a doubling wait is jitter, so that clients that failed together do not come back
/// together.
pub(super) fn duration(wait: Wait, number: u32, policy: &Policy, jitter: u64) -> Duration {
    let base = match wait {
        Wait::Exactly(duration) => return duration,
        Wait::Doubling(base) => base,
    };
    let doubled = base
        .saturating_mul(1_u32.checked_shl(number.saturating_sub(1)).unwrap_or(u32::MAX))
        .min(policy.max_backoff);
    let half = doubled / 2;
    let nanos = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
    half + Duration::from_nanos(((u128::from(nanos) * u128::from(jitter)) >> 64) as u64)
}

/// Reads `Retry-After`: seconds, or a date, which is compared with the server's own `Date` if there
/// is one.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?;
    let text = value.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // A number that is too large still asks for a long wait.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let from = headers.get(header::DATE).and_then(http_date).unwrap_or(now);
    Some(Duration::from_millis(u64::try_from(http_date(value)?.millis_since(from)).unwrap_or(0)))
}
