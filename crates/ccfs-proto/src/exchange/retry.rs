//! What is retried, and after which wait.

use std::time::Duration;

use http::{HeaderMap, header};

use super::error::ErrorKind;
use super::policy::Policy;
use super::skew::http_date;
use crate::answer::Advice;
use crate::answer::AnswerError;
use crate::operation::Repeat;
use crate::time::Timestamp;

/// Whether a failed attempt may be followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    No,
    /// The connection failed.
    Broken,
    /// The server said "try later", and maybe when.
    Busy {
        after: Option<Duration>,
    },
}

/// The retry rules. `retry_after` is the header of the response, if there was one.
pub(super) fn rule(kind: &ErrorKind, repeat: Repeat, retry_after: Option<Duration>) -> Retry {
    let idempotent = repeat == Repeat::Idempotent;
    match kind {
        ErrorKind::Transport(failure) => match failure.kind() {
            kind if kind.is_permanent() => Retry::No,
            kind if kind.never_arrived() || idempotent => Retry::Broken,
            _ => Retry::No,
        },
        ErrorKind::Answer(AnswerError::Truncated { .. }) if idempotent => Retry::Broken,
        ErrorKind::Refused { refusal, .. } if matches!(refusal.status.as_u16(), 429 | 503) => {
            Retry::Busy { after: retry_after }
        }
        ErrorKind::ResultCode { advice: Advice::TryLater, .. } => {
            Retry::Busy { after: retry_after }
        }
        _ => Retry::No,
    }
}

/// The wait before the retry of that number, from 1.
///
/// It doubles each time, and half of it is jitter, so that clients that failed together do not come
/// back together. A `Retry-After` is obeyed without jitter.
pub(super) fn wait(retry: Retry, number: u32, policy: &Policy, jitter: u64) -> Duration {
    let base = match retry {
        Retry::Busy { after: Some(after) } => return after,
        Retry::Busy { after: None } => policy.busy_backoff,
        Retry::Broken | Retry::No => policy.backoff,
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
