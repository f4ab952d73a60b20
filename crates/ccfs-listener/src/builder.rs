//! What a listener can be told before it listens.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ccfs_driver::{Clock, SystemClock};
use ccfs_proto::{Credentials, Freshness, RecentSignatures, ReplayGuard, Verifier};
use rustls::ServerConfig;

use crate::desk::Desk;
use crate::listener::Listener;
use crate::queue::Queue;
use crate::tls::{self, TlsError};

/// Options of a [`Listener`]; each has a default.
#[must_use = "a builder does nothing until `bind` is called"]
pub struct ListenerBuilder {
    verifier: Verifier,
    freshness: Freshness,
    path: Option<String>,
    body_limit: usize,
    queue_limit: usize,
    connection_limit: usize,
    patience: Duration,
    clock: Box<dyn Clock>,
    guard: Option<Box<dyn ReplayGuard + Send>>,
    tls: Option<Arc<ServerConfig>>,
}

impl ListenerBuilder {
    /// The default of [`body_limit`](Self::body_limit): 64 KiB, all that [`Callback::parse`](ccfs_proto::Callback::parse) takes.
    pub const BODY_LIMIT: usize = 64 * 1024;
    /// The default of [`queue_limit`](Self::queue_limit).
    pub const QUEUE_LIMIT: usize = 1024;
    /// The default of [`connection_limit`](Self::connection_limit).
    pub const CONNECTION_LIMIT: usize = 64;
    /// The default of [`patience`](Self::patience): 10 seconds.
    pub const PATIENCE: Duration = Duration::from_secs(10);

    pub(crate) fn new(credentials: &Credentials) -> Self {
        Self {
            verifier: Verifier::new(credentials),
            freshness: Freshness::default(),
            path: None,
            body_limit: Self::BODY_LIMIT,
            queue_limit: Self::QUEUE_LIMIT,
            connection_limit: Self::CONNECTION_LIMIT,
            patience: Self::PATIENCE,
            clock: Box::new(SystemClock::new()),
            guard: None,
            tls: None,
        }
    }

    /// How far a callback's time may be from the clock. Default: a quarter of an hour either way.
    pub fn freshness(mut self, window: Freshness) -> Self {
        self.freshness = window;
        self
    }

    /// Takes callbacks at this path only, which begins with `/`, whatever query follows it. Default: at any path.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Bytes of a body that are read. Default: [`BODY_LIMIT`](Self::BODY_LIMIT).
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Callbacks that may wait to be taken, at least one. When as many wait, further ones are answered with 503 and not remembered, so the server calls
    /// again and nothing is lost. Default: [`QUEUE_LIMIT`](Self::QUEUE_LIMIT).
    pub fn queue_limit(mut self, callbacks: usize) -> Self {
        self.queue_limit = callbacks;
        self
    }

    /// Connections that are served at once, at least one; others wait for theirs. Default: [`CONNECTION_LIMIT`](Self::CONNECTION_LIMIT).
    pub fn connection_limit(mut self, connections: usize) -> Self {
        self.connection_limit = connections;
        self
    }

    /// How long a caller may take for each of: the TLS handshake, its head, its body, taking the answer. A day at most. Default:
    /// [`PATIENCE`](Self::PATIENCE).
    pub fn patience(mut self, patience: Duration) -> Self {
        // It is added to the time, and a clock ends somewhere.
        self.patience = patience.min(Duration::from_secs(24 * 60 * 60));
        self
    }

    /// The clock that says how old a callback is. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Where signatures that were accepted are remembered: a shared store, where several listeners stand behind one address. Default: in memory, for as
    /// long as [`freshness`](Self::freshness) would let one in again.
    pub fn replay_guard(mut self, guard: impl ReplayGuard + Send + 'static) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }

    /// Speaks TLS 1.2 and 1.3, with this certificate (and the chain behind it) and its unencrypted key, both as PEM. Default: plain HTTP, for a listener
    /// behind a proxy.
    pub fn tls(mut self, certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        self.tls = Some(tls::server(certificates, key)?);
        Ok(self)
    }

    /// Listens at `address`; at port 0, where the system chooses ([`Listener::address`]).
    ///
    /// Fails when the system says no, and with [`InvalidInput`](io::ErrorKind::InvalidInput) when the [path](Self::path) is one that no request can have.
    pub fn bind(self, address: SocketAddr) -> io::Result<Listener> {
        if let Some(path) =
            self.path.as_ref().filter(|path| !path.starts_with('/') || path.contains(['?', '#']))
        {
            let wrong = format!(
                "the path {path:?} is that of no request: it begins with / and goes without a query"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, wrong));
        }
        let guard = self.guard.unwrap_or_else(|| {
            let window = self.freshness.past.saturating_add(self.freshness.future);
            Box::new(RecentSignatures::new(RecentSignatures::DEFAULT_CAPACITY, window))
        });
        let queue = Queue::new(self.queue_limit);
        let mut desk = Desk::new(self.verifier.freshness(self.freshness), guard, self.clock, queue);
        (desk.path, desk.body_limit, desk.patience) = (self.path, self.body_limit, self.patience);
        Listener::start(address, Arc::new(desk), self.tls, self.connection_limit.max(1))
    }
}

impl fmt::Debug for ListenerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerBuilder")
            .field("verifier", &self.verifier)
            .field("freshness", &self.freshness)
            .field("path", &self.path)
            .field("body_limit", &self.body_limit)
            .field("queue_limit", &self.queue_limit)
            .field("connection_limit", &self.connection_limit)
            .field("patience", &self.patience)
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}
