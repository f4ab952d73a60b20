//! Ports that stay free, or refuse connections, during a test.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A loopback port that the system does not assign to another process while this lives. A bound socket that does not listen reserves it.
#[derive(Debug)]
pub struct HeldPort {
    held: Option<TcpSocket>,
    address: SocketAddr,
}

impl HeldPort {
    /// A port at which no server listens.
    #[must_use]
    pub fn of_nobody() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self { address: socket.local_addr().unwrap(), held: Some(socket) }
    }

    /// A port for a server that is about to start. Linux allows listening beside the bound socket; elsewhere the port was free a moment ago.
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
