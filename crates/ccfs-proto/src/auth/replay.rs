//! Accepting each signature once.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::time::Duration;

use crate::timestamp::Timestamp;

/// Remembers which signatures were accepted. Plug in a shared store where several receivers stand behind one address.
pub trait ReplayGuard {
    /// Whether `signature`, valid and signed at `signed_at`, comes for the first time; remembers it.
    fn is_new(&mut self, signature: &str, signed_at: Timestamp) -> bool;
}

/// A guard in memory, bounded in number and in age.
///
/// An entry older than the window (counted from the newest timestamp seen) is forgotten, and so is the oldest one when the bound
/// is reached. Use a [`Freshness`](crate::Freshness) whose past and future together are no longer than the window: then what is
/// forgotten for its age is refused for its age.
///
/// ```
/// use ccfs_proto::{Credentials, Freshness, RecentSignatures, RequestView, Signer, Timestamp, Verifier, VerifyError};
///
/// let (credentials, now) = (Credentials::from_text("ak", String::from("sk"))?, Timestamp::from_unix_millis(1_630_402_730_872));
/// let request = RequestView { method: "POST", path: "/callback", query: &[], headers: &[("host", "10.1.2.3")], body: b"{}" };
/// let authorization = Signer::new(&credentials).sign(request, now)?;
///
/// let verifier = Verifier::new(&credentials).freshness(Freshness::default());
/// let mut seen = RecentSignatures::default();
/// assert!(verifier.verify_once(authorization.to_str()?, request, now, &mut seen).is_ok());
/// assert_eq!(verifier.verify_once(authorization.to_str()?, request, now, &mut seen), Err(VerifyError::Replayed));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RecentSignatures {
    seen: HashSet<Box<str>>,
    order: VecDeque<(Timestamp, Box<str>)>,
    newest: Timestamp,
    capacity: usize,
    window: Duration,
}

impl RecentSignatures {
    /// Entries that the default guard holds, for an hour.
    pub const DEFAULT_CAPACITY: usize = 65_536;

    /// A guard for at most `capacity` signatures (at least one) signed within `window` of the newest.
    #[must_use]
    pub fn new(capacity: usize, window: Duration) -> Self {
        Self {
            seen: HashSet::new(),
            order: VecDeque::new(),
            newest: Timestamp::from_unix_millis(0),
            capacity: capacity.max(1),
            window,
        }
    }

    /// How many signatures are remembered now.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn forget_old(&mut self) {
        let window = i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX);
        while let Some((signed_at, _)) = self.order.front() {
            if self.order.len() <= self.capacity && self.newest.millis_since(*signed_at) <= window {
                break;
            }
            if let Some((_, signature)) = self.order.pop_front() {
                self.seen.remove(&signature);
            }
        }
    }
}

impl Default for RecentSignatures {
    /// [`DEFAULT_CAPACITY`](Self::DEFAULT_CAPACITY) signatures within an hour.
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY, Duration::from_secs(3600))
    }
}

impl ReplayGuard for RecentSignatures {
    fn is_new(&mut self, signature: &str, signed_at: Timestamp) -> bool {
        if !self.seen.insert(signature.into()) {
            return false;
        }
        self.newest = self.newest.max(signed_at);
        self.order.push_back((signed_at, signature.into()));
        self.forget_old();
        true
    }
}

impl fmt::Debug for RecentSignatures {
    /// Without the signatures: one that another receiver has not seen yet lets its reader repeat the request there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecentSignatures")
            .field("len", &self.len())
            .field("capacity", &self.capacity)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}
