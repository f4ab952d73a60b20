//! Counts what comes out of an archive against its limits.

use std::sync::Arc;

use crate::error::{Error, Position};
use crate::limits::{LimitKind, Limits, RATIO_FREE_BYTES};

/// Counts what comes out of an archive.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    limits: Limits,
    total: u64,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, total: 0 }
    }

    /// Counts what a member gave just now, having taken and given so much since it began.
    pub(crate) fn count(&mut self, now: usize, taken: u64, given: u64, member: &Arc<str>) -> Result<(), Error> {
        self.total += now as u64;
        let over = |kind: LimitKind, value: u64| value > self.limits.get(kind);
        let kind = if over(LimitKind::MemberBytes, given) {
            LimitKind::MemberBytes
        } else if over(LimitKind::TotalBytes, self.total) {
            LimitKind::TotalBytes
        } else if given > RATIO_FREE_BYTES && given > taken.saturating_mul(self.limits.get(LimitKind::Ratio)) {
            LimitKind::Ratio
        } else {
            return Ok(());
        };
        Err(Error::Limit { kind, value: self.limits.get(kind), at: Position::member(Some(Arc::clone(member))) })
    }
}
