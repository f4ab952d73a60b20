//! The open connections: how many there may be, and which one is closed for a new one.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::connection::ConnectionFault;

/// How many connections may be open at the same time, each at least 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    pub(crate) total: usize,
    /// Connections from one address.
    pub(crate) peer: usize,
}

/// How much of its request has arrived. A connection with a whole request is never closed for
/// another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Progress {
    Nothing,
    Head,
    Request,
}

/// A connection that was closed because of a limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) peer: SocketAddr,
    pub(crate) fault: ConnectionFault,
}

/// The open connections.
#[derive(Debug)]
pub(crate) struct Connections {
    limits: ConnectionLimits,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// By number, so the oldest one is first.
    connections: BTreeMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    peer: SocketAddr,
    progress: Progress,
    /// Closes the connection when it is dropped.
    _close: oneshot::Sender<()>,
}

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default() })
    }

    /// Adds a connection. At a limit, the oldest one without a whole request is closed, or the new
    /// one if there is none.
    ///
    /// Returns the place of the connection and a receiver that ends when it is to be closed, and
    /// which connection was closed because of the limits.
    pub(crate) fn open(
        self: &Arc<Self>,
        peer: SocketAddr,
    ) -> (Option<(Place, oneshot::Receiver<()>)>, Option<Closed>) {
        let mut open = self.lock();
        let network = network(peer.ip());
        let same = |connection: &Connection| self::network(connection.peer.ip()) == network;
        let of_peer = open.connections.values().filter(|connection| same(connection)).count();
        let fault = if of_peer >= self.limits.peer {
            Some(ConnectionFault::PeerLimit)
        } else if open.connections.len() >= self.limits.total {
            Some(ConnectionFault::ConnectionLimit)
        } else {
            None
        };
        let closed = fault.map(|fault| {
            let is_chosen = |other: &Connection| fault != ConnectionFault::PeerLimit || same(other);
            (open.close_oldest(is_chosen), fault)
        });
        if let Some((None, fault)) = closed {
            return (None, Some(Closed { peer, fault }));
        }
        let closed = closed.and_then(|(peer, fault)| Some(Closed { peer: peer?, fault }));
        let number = open.next;
        open.next += 1;
        let (close, on_close) = oneshot::channel();
        let connection = Connection { peer, progress: Progress::Nothing, _close: close };
        open.connections.insert(number, connection);
        let place = Place { connections: Arc::clone(self), number, peer };
        (Some((place, on_close)), closed)
    }

    /// Closes the oldest connection without a whole request, if there is one.
    pub(crate) fn close_oldest(&self) -> Option<Closed> {
        let peer = self.lock().close_oldest(|_| true)?;
        Some(Closed { peer, fault: ConnectionFault::ConnectionLimit })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Closes the oldest of the chosen connections that have received the least, unless all have
    /// whole requests. Returns its peer.
    fn close_oldest(&mut self, is_chosen: impl Fn(&Connection) -> bool) -> Option<SocketAddr> {
        let incomplete = self.connections.iter().filter(|(_, connection)| {
            connection.progress < Progress::Request && is_chosen(connection)
        });
        let (&number, _) =
            incomplete.min_by_key(|(number, connection)| (connection.progress, **number))?;
        self.connections.remove(&number).map(|connection| connection.peer)
    }
}

/// The place of an open connection. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Arc<Connections>,
    number: u64,
    peer: SocketAddr,
}

impl Place {
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(crate) fn reached(&self, progress: Progress) {
        if let Some(connection) = self.connections.lock().connections.get_mut(&self.number) {
            connection.progress = progress;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().connections.remove(&self.number);
    }
}

/// Returns what counts as one address: an IPv4 address, or the /64 network that an IPv6 host may
/// choose its addresses from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn peer(address: &str) -> SocketAddr {
        SocketAddr::new(address.parse().unwrap(), 4000)
    }

    fn limits(total: usize, peer: usize) -> Arc<Connections> {
        Connections::new(ConnectionLimits { total, peer })
    }

    fn is_open(connection: &mut (Place, oneshot::Receiver<()>)) -> bool {
        connection.1.try_recv() == Err(oneshot::error::TryRecvError::Empty)
    }

    #[test]
    fn the_oldest_without_a_head_is_closed_first_then_without_a_body_then_the_new_one() {
        let connections = limits(3, 3);
        let open = |address| {
            let (opened, closed) = connections.open(peer(address));
            (opened.unwrap(), closed)
        };
        let [mut whole, mut head, mut nothing] =
            ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|address| {
                let (opened, closed) = open(address);
                assert_eq!(closed, None);
                opened
            });
        whole.0.reached(Progress::Request);
        head.0.reached(Progress::Head);

        let fault = ConnectionFault::ConnectionLimit;
        let (second, closed) = open("10.0.0.4");
        assert_eq!(closed, Some(Closed { peer: peer("10.0.0.3"), fault }));
        second.0.reached(Progress::Request);
        let (third, closed) = open("10.0.0.5");
        assert_eq!(closed, Some(Closed { peer: peer("10.0.0.2"), fault }));
        third.0.reached(Progress::Request);
        assert!(is_open(&mut whole) && !is_open(&mut head) && !is_open(&mut nothing));
        let (refused, closed) = connections.open(peer("10.0.0.6"));
        assert!(refused.is_none());
        assert_eq!(closed, Some(Closed { peer: peer("10.0.0.6"), fault }));
        assert_eq!(connections.close_oldest(), None);

        // Dropping a closed connection frees no second place.
        drop((head, nothing));
        assert!(connections.open(peer("10.0.0.6")).0.is_none());
        drop(whole);
        assert!(connections.open(peer("10.0.0.6")).0.is_some());
    }

    #[test]
    fn each_address_closes_its_own_connections() {
        let connections = limits(100, 2);
        for (first, same, other) in [
            ("10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"),
            ("2001:db8::1", "2001:db8::ffff:0:0:1", "2001:db8:0:1::1"),
        ] {
            let mut kept = connections.open(peer(other)).0.unwrap();
            let mut oldest = connections.open(peer(first)).0.unwrap();
            let mut second = connections.open(peer(same)).0.unwrap();
            let (third, closed) = connections.open(peer(first));
            let fault = ConnectionFault::PeerLimit;
            assert_eq!(closed, Some(Closed { peer: peer(first), fault }));
            assert!(third.is_some() && !is_open(&mut oldest));
            assert!(is_open(&mut kept) && is_open(&mut second));
        }
    }
}
