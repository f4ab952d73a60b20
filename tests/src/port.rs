//! Ports that stay as they are found.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port of loopback that the system gives to nobody else while this lives, and where nobody listens: a socket is bound to it, and does not.
#[derive(Debug)]
pub struct HeldPort {
    held: Option<TcpSocket>,
    address: SocketAddr,
}

impl HeldPort {
    /// Where nobody listens.
    #[must_use]
    pub fn of_nobody() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self { address: socket.local_addr().unwrap(), held: Some(socket) }
    }

    /// Where somebody is going to listen who is told the port. Linux allows that beside a bound socket; elsewhere it is a port that was free a moment ago.
    #[must_use]
    pub fn to_listen_on() -> Self {
        let port = Self::of_nobody();
        Self { held: port.held.filter(|_| cfg!(target_os = "linux")), ..port }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
