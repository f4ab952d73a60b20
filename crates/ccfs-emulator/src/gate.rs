//! Access control: signatures, and the lock after too many bad ones.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use ccfs_proto::auth::{AuthorizationHeader, Freshness, QueryLine};
use ccfs_proto::{Credentials, RequestView, Timestamp, Verifier};

use crate::lock;

/// Maximum number of addresses whose bad signatures are remembered.
const PEERS: usize = 4096;

/// When an address is locked out, by the emulator's clock.
///
/// CC-FS locks addresses, too, but publishes no numbers; the defaults are 10 bad signatures within 5 minutes, which lock for 10 minutes. See [Lockout and clock](ccfs_proto::protocol#lockout-and-clock).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// Number of bad signatures that lock the address; the next request gets 403.
    pub failures: u32,
    /// Period in which they are counted.
    pub within: Duration,
    /// Duration of the lock.
    pub lasts: Duration,
}

impl Default for Lockout {
    /// 10 bad signatures within 5 minutes lock for 10 minutes.
    fn default() -> Self {
        Self {
            failures: 10,
            within: Duration::from_secs(5 * 60),
            lasts: Duration::from_secs(10 * 60),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Gate {
    verifiers: HashMap<String, Verifier>,
    lockout: Option<Lockout>,
    peers: Mutex<HashMap<IpAddr, Peer>>,
}

#[derive(Debug, Default)]
struct Peer {
    failures: VecDeque<Timestamp>,
    locked_until: Option<Timestamp>,
}

impl Gate {
    pub(crate) fn new<'a>(
        keys: impl Iterator<Item = &'a Credentials>,
        lockout: Option<Lockout>,
        dialect: Option<QueryLine>,
        freshness: Option<Freshness>,
    ) -> Self {
        let verifier = |credentials: &Credentials| {
            let verifier = Verifier::new(credentials);
            let verifier = dialect.map_or(verifier.clone(), |only| verifier.query_line(only));
            freshness.map_or(verifier.clone(), |window| verifier.freshness(window))
        };
        let verifiers = keys
            .map(|credentials| {
                (credentials.access_key().as_str().to_owned(), verifier(credentials))
            })
            .collect();
        Self { verifiers, lockout, peers: Mutex::default() }
    }

    /// Whether the address is locked at `now`.
    pub(crate) fn is_locked(&self, peer: IpAddr, now: Timestamp) -> bool {
        lock(&self.peers)
            .get(&peer)
            .and_then(|peer| peer.locked_until)
            .is_some_and(|until| now < until)
    }

    /// The access key that signed the request; `None` if the signature is not valid.
    pub(crate) fn signer(
        &self,
        authorization: &str,
        request: RequestView<'_>,
        now: Timestamp,
    ) -> Option<String> {
        let key = AuthorizationHeader::parse(authorization).ok()?.access_key().as_str().to_owned();
        self.verifiers.get(&key)?.verify(authorization, request, now).ok().map(|_| key)
    }

    /// Unlocks every address.
    pub(crate) fn unlock(&self) {
        lock(&self.peers).clear();
    }

    /// Counts a bad signature of this address.
    pub(crate) fn count_failure(&self, address: IpAddr, now: Timestamp) {
        let Some(lockout) = self.lockout else { return };
        let mut peers = lock(&self.peers);
        if peers.len() >= PEERS && !peers.contains_key(&address) {
            return;
        }
        let peer = peers.entry(address).or_default();
        peer.failures.push_back(now);
        while peer
            .failures
            .front()
            .is_some_and(|&first| now.millis_since(first) > millis(lockout.within))
        {
            peer.failures.pop_front();
        }
        if peer.failures.len() >= usize::try_from(lockout.failures).unwrap_or(usize::MAX) {
            peer.locked_until = Some(now.plus_millis(millis(lockout.lasts)));
            peer.failures.clear();
        }
    }
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn gate() -> Gate {
        let lockout = Lockout {
            failures: 3,
            within: Duration::from_secs(60),
            lasts: Duration::from_secs(600),
        };
        Gate::new(std::iter::empty(), Some(lockout), None, None)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_700_000_000_000 + seconds * 1000)
    }

    #[test]
    fn the_third_bad_signature_within_a_minute_locks_for_ten() {
        let gate = gate();
        for second in [0, 1, 2] {
            assert!(!gate.is_locked(PEER, at(second)));
            gate.count_failure(PEER, at(second));
        }
        assert!(gate.is_locked(PEER, at(3)));
        assert!(gate.is_locked(PEER, at(601)));
        assert!(!gate.is_locked(PEER, at(602)));
        assert!(!gate.is_locked(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), at(3)));
    }

    #[test]
    fn slow_mistakes_do_not_lock_and_unlocking_forgets() {
        let gate = gate();
        for second in [0, 40, 80, 120, 160] {
            gate.count_failure(PEER, at(second));
            assert!(!gate.is_locked(PEER, at(second)));
        }
        gate.count_failure(PEER, at(161));
        assert!(gate.is_locked(PEER, at(162)));
        gate.unlock();
        assert!(!gate.is_locked(PEER, at(162)));
    }
}
