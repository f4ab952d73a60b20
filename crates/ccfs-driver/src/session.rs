//! What the calls of a client have in common at run time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccfs_proto::auth::AccessKey;
use ccfs_proto::exchange::{ClockSkew, RequestError};
use ccfs_proto::{Endpoint, Exchange, Operation, SinkKind};
use http::{HeaderMap, StatusCode};

use crate::call::Call;
use crate::clock::Clock;
use crate::config::Config;
use crate::proxy::{Proxy, ProxyError};

/// A [`Config`] in use, and what its calls have learned about the clock.
///
/// Clones share what is learned. A client creates its session; to share it between two backends,
/// create it with [`Session::new`] and give each a clone.
///
/// ```
/// use ccfs_driver::{Config, Session};
/// use ccfs_proto::Credentials;
///
/// let credentials = Credentials::from_text("my-app-id", String::from("my secret key"))?;
/// let session = Session::new(Config::new("https://10.1.2.3:8443".parse()?, credentials));
/// assert!(session.clock_skew().is_none(), "no call was made yet");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Session {
    config: Config,
    learned: Arc<Learned>,
}

#[derive(Debug, Default)]
struct Learned {
    /// Milliseconds that signatures are ahead of the local clock.
    correction: AtomicI64,
    skew: Mutex<Option<ClockSkew>>,
}

impl Session {
    /// Creates a session that has learned nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, learned: Arc::default() }
    }

    /// Returns the server's base URL.
    pub fn endpoint(&self) -> &Endpoint {
        &self.config.endpoint
    }

    /// Returns the access key of the account.
    pub fn access_key(&self) -> &AccessKey {
        self.config.credentials.access_key()
    }

    /// Returns how far the local clock is off, as the latest response showed it. See
    /// `docs/reliability.md`, "A wrong clock".
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        *self.learned.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For drivers.
impl Session {
    /// Returns the proxy to use, if any. Drivers ask once, when they create their HTTP client.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] if the proxy that the environment names cannot be used.
    pub fn proxy(&self) -> Result<Option<Proxy>, ProxyError> {
        self.config.resolve_proxy()
    }

    /// Returns how long establishing a connection may take.
    pub fn connect_timeout(&self) -> Duration {
        self.config.connect_timeout
    }

    /// Returns the clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.config.clock
    }

    /// Begins a call, with a span if the feature `tracing` is enabled.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the operation breaks the interface's rules.
    pub fn call<O: Operation>(
        &self,
        operation: O,
        sink: SinkKind,
    ) -> Result<(Call<'_>, Exchange<O>), RequestError> {
        Call::begin(self, operation, sink)
    }

    /// Creates an exchange for a driver that needs no [`Call`]. Pass it to [`end`](Self::end) when it
    /// is over.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the operation breaks the interface's rules.
    pub fn begin<O: Operation>(
        &self,
        operation: O,
        sink: SinkKind,
    ) -> Result<Exchange<O>, RequestError> {
        let exchange = self.config.exchange(operation, sink)?;
        Ok(exchange.assume_correction(self.learned.correction.load(Ordering::Relaxed)))
    }

    /// Passes the head of a response to the function set with [`Config::on_head`]. Drivers call it
    /// beside [`Exchange::on_head`].
    pub fn on_head(&self, status: StatusCode, headers: &HeaderMap) {
        if let Some(observe) = &self.config.on_head {
            observe(status, headers);
        }
    }

    /// Remembers what a finished call learned: the clock skew, and the correction of the clock if
    /// the call found one and `succeeded` with it.
    ///
    /// Otherwise every call with a wrong clock would send a bad signature, and those lock the
    /// address.
    pub fn end<O: Operation>(&self, exchange: &Exchange<O>, succeeded: bool) {
        if let Some(skew) = exchange.clock_skew() {
            *self.learned.skew.lock().unwrap_or_else(PoisonError::into_inner) = Some(skew);
        }
        // The correction with which a long call began may be outdated.
        if succeeded && exchange.has_corrected() {
            self.learned.correction.store(exchange.correction(), Ordering::Relaxed);
        }
    }
}

impl From<Config> for Session {
    fn from(config: Config) -> Self {
        Self::new(config)
    }
}
