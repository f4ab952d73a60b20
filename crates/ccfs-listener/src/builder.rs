//! Options of a listener.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ccfs_driver::{Clock, SystemClock};
use ccfs_proto::Credentials;
use ccfs_proto::auth::Freshness;
use ccfs_proto::callback::{Callback, MemoryGuard, Receiver, ReplayGuard};
use rustls::ServerConfig;

use crate::connection::ConnectionError;
use crate::connections::ConnectionLimits;
use crate::handler::{Handler, MessageGuard};
use crate::listener::Listener;
use crate::queue::Queue;
use crate::rate_limit::RateLimit;
use crate::tls::{self, TlsError};

/// Timeouts are added to the current time, which must not overflow.
const TIMEOUT_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Options of a [`Listener`]. Each has a default.
#[must_use = "a builder does nothing until `bind` is called"]
pub struct ListenerBuilder {
    handler: Handler,
    limits: ConnectionLimits,
    tls: Option<Arc<ServerConfig>>,
}

impl Listener {
    /// Returns the options of a listener for callbacks that are signed with `credentials`.
    pub fn builder(credentials: &Credentials) -> ListenerBuilder {
        ListenerBuilder::new(credentials)
    }
}

impl ListenerBuilder {
    pub(crate) fn new(credentials: &Credentials) -> Self {
        let handler = Handler {
            receiver: Receiver::new(credentials),
            guard: Mutex::new(Box::new(MessageGuard(MemoryGuard::default()))),
            queue: Queue::new(1024),
            clock: Box::new(SystemClock::new()),
            path: None,
            body_limit: Callback::BODY_LIMIT,
            head_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(10),
            on_connection_error: None,
            connection_reports: RateLimit::default(),
            refusal_reports: RateLimit::default(),
        };
        let limits = ConnectionLimits { total: 1024, peer: 64 };
        Self { handler, limits, tls: None }
    }

    /// Sets how old or how far in the future a signature may be. Default: 15 minutes each.
    pub fn freshness(mut self, freshness: Freshness) -> Self {
        self.handler.receiver = self.handler.receiver.freshness(freshness);
        self
    }

    /// Accepts callbacks at this path only, with any query. It must begin with `/`. Default: any
    /// path.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.handler.path = Some(path.into());
        self
    }

    /// Sets the largest body, in bytes. Default and maximum: 64 KiB.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.handler.body_limit = bytes.min(Callback::BODY_LIMIT);
        self
    }

    /// Sets how many callbacks may wait in the queue, at least 1. If it is full, new callbacks are
    /// answered with 503, so that the server calls again. Default: 1,024.
    pub fn queue_limit(mut self, callbacks: usize) -> Self {
        self.handler.queue = Queue::new(callbacks);
        self
    }

    /// Sets how many connections may be open at the same time, at least 1. To accept a further one,
    /// the listener closes the oldest connection without a complete request head or, if there is
    /// none, the oldest one without a complete body. If all requests are complete, it closes the
    /// new connection. It does the same if the process has too many open files. Default: 1,024.
    pub fn connection_limit(mut self, connections: usize) -> Self {
        self.limits.total = connections.max(1);
        self
    }

    /// Sets how many connections of one address may be open at the same time, at least 1. A further
    /// one closes the oldest of that address, as with [`connection_limit`](Self::connection_limit).
    /// An IPv6 address counts with all of its /64 network. If all clients have the address of a
    /// proxy in front of the listener, set it to the same value as the connection limit. Default:
    /// 64.
    pub fn peer_connection_limit(mut self, connections: usize) -> Self {
        self.limits.peer = connections.max(1);
        self
    }

    /// Sets how long each of the TLS handshake and the request head may take, at most a day.
    /// Default: 5 seconds.
    pub fn head_timeout(mut self, timeout: Duration) -> Self {
        self.handler.head_timeout = timeout.min(TIMEOUT_LIMIT);
        self
    }

    /// Sets how long each of the request body and the answer may take, at most a day. Default:
    /// 10 seconds.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.handler.body_timeout = timeout.min(TIMEOUT_LIMIT);
        self
    }

    /// Sets the clock that measures the age of signatures, and the time between reports of
    /// connection errors and refusals. Default: the system clock.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.handler.clock = Box::new(clock);
        self
    }

    /// Sets where received jobs are remembered, for example a store that several listeners share.
    /// The guard is called on the listener's thread. Default: a [`MemoryGuard`].
    pub fn replay_guard<G>(mut self, guard: G) -> Self
    where
        G: ReplayGuard<Error: fmt::Display> + Send + 'static,
    {
        self.handler.guard = Mutex::new(Box::new(MessageGuard(guard)));
        self
    }

    /// Sets a function that is called when a connection ends before a complete request head, for
    /// example because the client does not trust the certificate, and when the listener closes a
    /// connection because of a limit. The listener calls it on its own thread, for each
    /// [`ConnectionFault`](crate::ConnectionFault) at most once a second by the
    /// [clock](Self::clock). It is not called for connections without any data, such as those of
    /// health checks. Default: nothing is called.
    pub fn on_connection_error(
        mut self,
        report: impl Fn(ConnectionError) + Send + Sync + 'static,
    ) -> Self {
        self.handler.on_connection_error = Some(Box::new(report));
        self
    }

    /// Serves TLS 1.2 and 1.3 with this certificate chain and its unencrypted private key, both in
    /// PEM. Default: plain HTTP, for a listener behind a proxy.
    ///
    /// # Errors
    ///
    /// The certificate or the key is malformed, or they do not belong together.
    pub fn tls(mut self, certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        self.tls = Some(tls::server(certificates, key)?);
        Ok(self)
    }

    /// Starts to listen at `address`. With port 0 the system chooses one; see
    /// [`Listener::address`].
    ///
    /// # Errors
    ///
    /// The system refuses the address or a new thread, or the [path](Self::path) is malformed
    /// ([`InvalidInput`](io::ErrorKind::InvalidInput)).
    pub fn bind(self, address: SocketAddr) -> io::Result<Listener> {
        let is_malformed = |path: &&String| !path.starts_with('/') || path.contains(['?', '#']);
        if let Some(path) = self.handler.path.as_ref().filter(is_malformed) {
            let message =
                format!("callback path {path:?} is malformed; it begins with / and has no query");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Listener::start(address, Arc::new(self.handler), self.tls, self.limits)
    }
}

impl fmt::Debug for ListenerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerBuilder")
            .field("receiver", &self.handler.receiver)
            .field("path", &self.handler.path)
            .field("body_limit", &self.handler.body_limit)
            .field("queue", &self.handler.queue)
            .field("limits", &self.limits)
            .field("head_timeout", &self.handler.head_timeout)
            .field("body_timeout", &self.handler.body_timeout)
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}
