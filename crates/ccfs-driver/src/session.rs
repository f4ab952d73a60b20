//! What calls to one server have in common.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccfs_proto::{
    AccessKey, ClockSkew, Credentials, Endpoint, Exchange, Operation, Policy, RequestError,
    SinkKind,
};
use http::{HeaderMap, StatusCode};

use crate::call::Call;
use crate::clock::{Clock, SystemClock};
use crate::proxy::{Proxy, ProxyError};

/// How long a connection may take to come about, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// A server, an account, and how to call it; what a client is made of. `ccfs-ureq`, `ccfs-reqwest` and `ccfs` re-export it.
///
/// All settings have a default, which stands with each. A session remembers what its calls learned about the clock, and clones share that: both
/// backends may be given clones of one, and a clone may be set otherwise.
///
/// ```
/// use std::time::Duration;
/// use ccfs_driver::Session;
/// use ccfs_proto::{Credentials, Policy};
///
/// let credentials = Credentials::from_text("my-app-id", String::from("my secret key"))?;
/// let mut policy = Policy::default();
/// policy.attempts = 2;
/// let session = Session::new("https://10.1.2.3:8443".parse()?, credentials)
///     .policy(policy)
///     .proxy(None)
///     .connect_timeout(Duration::from_secs(5));
/// assert!(session.clock_skew().is_none(), "nothing was called yet");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Session {
    endpoint: Endpoint,
    credentials: Credentials,
    policy: Policy,
    clock: Arc<dyn Clock>,
    jitter: Arc<dyn Fn() -> u64 + Send + Sync>,
    way: Way,
    connect_timeout: Duration,
    on_head: Option<Arc<HeadFn>>,
    memory: Arc<Memory>,
}

type HeadFn = dyn Fn(StatusCode, &HeaderMap) + Send + Sync;

/// How to get to the server.
#[derive(Clone, Debug, Default)]
enum Way {
    /// As the environment says when a client is made.
    #[default]
    Environment,
    Direct,
    Through(Proxy),
}

#[derive(Default)]
struct Memory {
    correction: AtomicI64,
    skew: Mutex<Option<ClockSkew>>,
}

impl Session {
    /// Calls of the server at `endpoint` for one account. Sends nothing.
    #[must_use]
    pub fn new(endpoint: Endpoint, credentials: Credentials) -> Self {
        Self {
            endpoint,
            credentials,
            policy: Policy::default(),
            clock: Arc::new(SystemClock::new()),
            jitter: Arc::new(random),
            way: Way::default(),
            connect_timeout: CONNECT_TIMEOUT,
            on_head: None,
            memory: Arc::default(),
        }
    }

    /// Sets the bounds of each call: attempts, waits, deadlines, sizes. Default: [`Policy::default`]. See `docs/reliability.md`, "What is tried again".
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the clock. Default: the machine's, [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the source of random numbers for the waits between attempts, each out of all of `u64`. Default: the standard library's random hasher.
    #[must_use]
    pub fn jitter(mut self, source: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.jitter = Arc::new(source);
        self
    }

    /// Sets the proxy, or with `None` that there is none, whatever the environment says. Default: what the usual variables name for the
    /// endpoint when a client is made ([`Proxy::from_env`]).
    #[must_use]
    pub fn proxy(mut self, proxy: impl Into<Option<Proxy>>) -> Self {
        self.way = proxy.into().map_or(Way::Direct, Way::Through);
        self
    }

    /// Sets how long a connection may take to come about, proxy and TLS included. Default: 15 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Shows `observe` the status and the headers of every answer, before its body: for writing down what a gateway on the way adds. Default: nobody
    /// is shown them.
    #[must_use]
    pub fn on_head(
        mut self,
        observe: impl Fn(StatusCode, &HeaderMap) + Send + Sync + 'static,
    ) -> Self {
        self.on_head = Some(Arc::new(observe));
        self
    }

    /// The server.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The account.
    pub fn access_key(&self) -> &AccessKey {
        self.credentials.access_key()
    }

    /// How far this machine's clock is off, by the latest answer that showed it. See `docs/reliability.md`, "A wrong clock".
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        *self.memory.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What drivers ask. Who calls through a ready-made client needs none of it.
impl Session {
    /// The proxy that calls go through. Drivers ask when they make their client: an endpoint is one host, so it is decided once.
    pub fn route(&self) -> Result<Option<Proxy>, ProxyError> {
        match &self.way {
            Way::Environment => Proxy::from_env(&self.endpoint),
            Way::Direct => Ok(None),
            Way::Through(proxy) => Ok(Some(proxy.clone())),
        }
    }

    /// How long a connection may take to come about.
    pub fn connect_within(&self) -> Duration {
        self.connect_timeout
    }

    /// The clock that drivers of this session read.
    pub fn driver_clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Begins a call as the house's drivers drive it: with an eye on it, and a span where the feature `tracing` is on.
    pub fn call<O: Operation>(
        &self,
        operation: O,
        sink: SinkKind,
    ) -> Result<(Call<'_>, Exchange<O>), RequestError> {
        Call::begin(self, operation, sink)
    }

    /// Begins a call whose driver needs neither.
    pub fn begin<O: Operation>(
        &self,
        operation: O,
        sink: SinkKind,
    ) -> Result<Exchange<O>, RequestError> {
        let jitter = Arc::clone(&self.jitter);
        let exchange = Exchange::new(operation, &self.endpoint, &self.credentials, &self.policy)?;
        Ok(exchange
            .sink(sink)
            .jitter(move || jitter())
            .assume_correction(self.memory.correction.load(Ordering::Relaxed)))
    }

    /// The head of an answer is there. Drivers say so beside [`Exchange::on_head`].
    pub fn saw_head(&self, status: StatusCode, headers: &HeaderMap) {
        if let Some(observe) = &self.on_head {
            observe(status, headers);
        }
    }

    /// Remembers what a finished call learned: the skew, and the correction when the call found one and `succeeded` with it.
    ///
    /// Without that memory every call with a wrong clock would cost a bad signature, and those lock the address.
    pub fn end<O: Operation>(&self, exchange: &Exchange<O>, succeeded: bool) {
        if let Some(skew) = exchange.clock_skew() {
            *self.memory.skew.lock().unwrap_or_else(PoisonError::into_inner) = Some(skew);
        }
        // One that it began with may be an old one by now, for it was a long call.
        if succeeded && exchange.has_corrected() {
            self.memory.correction.store(exchange.correction(), Ordering::Relaxed);
        }
    }
}

/// A number that nobody foresees: the standard library seeds each hasher at random.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("endpoint", &self.endpoint)
            .field("credentials", &self.credentials)
            .field("policy", &self.policy)
            .field("way", &self.way)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}
