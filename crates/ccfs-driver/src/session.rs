//! The state that the calls of a client share.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccfs_proto::auth::AccessKey;
use ccfs_proto::exchange::ClockSkew;
use ccfs_proto::{Endpoint, Exchange, Operation};

use crate::clock::Clock;
use crate::config::Config;
use crate::proxy::{Proxy, ProxyError};

/// A [`Config`], and the state that calls with it share: the measured error of the local clock.
///
/// Clones share this state. A client creates its own session; to share one between two clients,
/// create it with [`Session::new`] and pass a clone to each.
///
/// ```
/// use ccfs_driver::{Config, Session};
/// use ccfs_proto::Credentials;
///
/// let credentials = Credentials::from_text("my-app-id", String::from("my secret key"))?;
/// let session = Session::new(Config::new("https://10.1.2.3:8443".parse()?, credentials));
/// assert!(session.clock_skew().is_none(), "no calls yet");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Session {
    pub(crate) config: Config,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Milliseconds that are added to the local clock when signing.
    correction: AtomicI64,
    skew: Mutex<Option<ClockSkew>>,
}

impl Session {
    /// Creates a session without a clock correction.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, state: Arc::default() }
    }

    /// Returns the server's base URL.
    pub fn endpoint(&self) -> &Endpoint {
        &self.config.endpoint
    }

    /// Returns the access key of the account.
    pub fn access_key(&self) -> &AccessKey {
        self.config.credentials.access_key()
    }

    /// Returns the clock skew measured by the latest call that could measure it, if any. See
    /// `docs/reliability.md`, "A wrong clock".
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        *self.state.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Methods for drivers.
impl Session {
    /// Returns the proxy to use, if any. Drivers call it once, when they create their HTTP client.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] if the proxy that the environment names cannot be used.
    pub fn proxy(&self) -> Result<Option<Proxy>, ProxyError> {
        self.config.resolve_proxy()
    }

    /// Returns how long establishing a connection may take, proxy and TLS included.
    pub fn connect_timeout(&self) -> Duration {
        self.config.connect_timeout
    }

    /// Returns the clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.config.clock
    }

    pub(crate) fn correction(&self) -> i64 {
        self.state.correction.load(Ordering::Relaxed)
    }

    /// Stores the clock skew that a finished call measured, and its clock correction if the call
    /// corrected the clock and the server accepted the signature.
    ///
    /// Later calls start with this correction. Without it each of them would first send an invalid
    /// signature, and the server locks addresses that send several.
    pub(crate) fn end<O: Operation>(&self, exchange: &Exchange<O>) {
        if let Some(skew) = exchange.clock_skew() {
            *self.state.skew.lock().unwrap_or_else(PoisonError::into_inner) = Some(skew);
        }
        // A call that did not correct the clock may have started with an outdated correction.
        if let Some(correction) = exchange.confirmed_correction() {
            self.state.correction.store(correction, Ordering::Relaxed);
        }
    }
}

impl From<Config> for Session {
    fn from(config: Config) -> Self {
        Self::new(config)
    }
}
