//! Numbers that look random and are the same for the same seed, on every machine and in every release.

/// `SplitMix64`: small, and fixed for good, which a dependency's generator is not.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Numbers for `seed` and a purpose, so that one purpose drawing more does not change another's.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        Self::of(seed, purpose.bytes().map(u64::from))
    }

    /// Numbers for `seed` and whatever else they depend on: an agent, a purpose, a time.
    pub(crate) fn of(seed: u64, parts: impl IntoIterator<Item = u64>) -> Self {
        let mut mixed = Self(seed);
        for part in parts {
            mixed.0 ^= part;
            mixed.0 = mixed.next();
        }
        mixed
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// 32 lower-case hex digits.
    pub(crate) fn hex32(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }
}
