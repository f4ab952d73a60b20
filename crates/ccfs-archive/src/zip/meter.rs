//! Counts decompressed bytes against the limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Position};
use crate::limits::{LimitKind, Limits, RATIO_FREE_BYTES};

/// Counts the decompressed bytes of an archive. Clones share one count.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    pub(super) limits: Limits,
    total: Arc<AtomicU64>,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, total: Arc::default() }
    }

    /// Counts `now` more bytes of a member that has read `taken` and written `given` bytes so far.
    pub(crate) fn count(
        &self,
        now: usize,
        taken: u64,
        given: u64,
        member: &Arc<str>,
    ) -> Result<(), Error> {
        let total = self.total.fetch_add(now as u64, Ordering::Relaxed) + now as u64;
        let over = |kind: LimitKind, value: u64| value > self.limits.get(kind);
        let kind = if over(LimitKind::MemberBytes, given) {
            LimitKind::MemberBytes
        } else if over(LimitKind::TotalBytes, total) {
            LimitKind::TotalBytes
        } else if given > RATIO_FREE_BYTES
            && given > taken.saturating_mul(self.limits.get(LimitKind::Ratio))
        {
            LimitKind::Ratio
        } else {
            return Ok(());
        };
        Err(Error::Limit {
            kind,
            limit: self.limits.get(kind),
            at: Position::member(Some(Arc::clone(member))),
        })
    }
}
