//! Sorting few things without an allocation.

use std::cmp::Ordering;

/// Up to `N` indices in an order, on the stack.
#[derive(Clone, Copy)]
pub(super) struct Order<const N: usize> {
    indices: [u8; N],
    len: usize,
}

impl<const N: usize> Order<N> {
    /// The indices below `len`, which is at most `N`, as they come.
    #[inline]
    pub(super) fn of(len: usize) -> Self {
        const { assert!(N <= 256, "indices are bytes") };
        #[allow(clippy::cast_possible_truncation)] // See the assertion.
        Self { indices: std::array::from_fn(|at| at as u8), len }
    }

    /// Sorted by insertion: mostly there are three, and they are in order.
    #[inline]
    pub(super) fn sorted(mut self, mut compare: impl FnMut(usize, usize) -> Ordering) -> Self {
        let indices = &mut self.indices[..self.len];
        for end in 1..indices.len() {
            let mut at = end;
            while at > 0 && compare(indices[at - 1].into(), indices[at].into()).is_gt() {
                indices.swap(at - 1, at);
                at -= 1;
            }
        }
        self
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.indices[..self.len]
    }
}
