//! The client and its builder.

use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use ccfs_driver::{Clock, Error, Overwrite, Progress, Proxy, ProxyError, Session, WholeFile};
use ccfs_proto::{AccessKey, ClockSkew, Credentials, Endpoint, FileReceipt, Operation, Policy};
use ccfs_tls::{Trust, TrustError};
use ureq::Agent;
use ureq::http::{HeaderMap, StatusCode};

use crate::connect;
use crate::drive::{Wire, drive};
use crate::sink::{Discard, Once, Sink};

/// How long a connection may take to come about, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// A blocking client of one CC-FS. Clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    session: Session,
    wire: Wire,
}

impl Client {
    /// Begins a client of the server at `endpoint` for one account.
    #[must_use]
    pub fn builder(endpoint: Endpoint, credentials: Credentials) -> ClientBuilder {
        ClientBuilder {
            session: Session::new(endpoint, credentials),
            trust: Trust::system(),
            connect_timeout: CONNECT_TIMEOUT,
            agent: None,
        }
    }

    /// Calls an interface that answers with an envelope.
    pub fn call<O: Operation>(&self, operation: O) -> Result<O::Answer, Error> {
        self.run(operation, &mut Discard, None)
    }

    /// Prepares a call of an interface that answers with a file.
    pub fn download<O: Operation<Answer = FileReceipt>>(&self, operation: O) -> Download<'_, O> {
        Download { client: self, operation, overwrite: Overwrite::default(), progress: None, check: None }
    }

    /// The server.
    pub fn endpoint(&self) -> &Endpoint {
        self.session.endpoint()
    }

    /// The account.
    pub fn access_key(&self) -> &AccessKey {
        self.session.access_key()
    }

    /// How far this machine's clock is off, by the latest answer that showed it.
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.session.clock_skew()
    }

    fn run<O: Operation>(&self, operation: O, sink: &mut dyn Sink, progress: Option<ProgressFn<'_>>) -> Result<O::Answer, Error> {
        let (mut call, mut exchange) = self.session.call(operation, sink.kind())?;
        let result = call.span().in_scope(|| drive(&mut exchange, &self.wire, &mut call, sink, progress));
        call.end(&exchange, &result);
        result
    }
}

type CheckFn<'a> = Box<dyn FnOnce(File) -> Result<(), Box<dyn StdError + Send + Sync>> + 'a>;
pub(crate) type ProgressFn<'a> = Box<dyn FnMut(Progress) -> ControlFlow<()> + 'a>;

/// A download that is ready to start.
#[must_use = "nothing is downloaded before `to_file` or `to_writer`"]
pub struct Download<'a, O> {
    client: &'a Client,
    operation: O,
    overwrite: Overwrite,
    progress: Option<ProgressFn<'a>>,
    check: Option<CheckFn<'a>>,
}

impl<'a, O: Operation<Answer = FileReceipt>> Download<'a, O> {
    /// What to do when the file is there already. Default: leave it and fail.
    pub fn overwrite(mut self, overwrite: Overwrite) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Calls `progress` at every step; `ControlFlow::Break(())` stops the download, and nothing is left behind.
    pub fn progress(mut self, progress: impl FnMut(Progress) -> ControlFlow<()> + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Lets `check` read the whole file before [`to_file`](Self::to_file) puts it in place. When it says no, nothing is left behind.
    pub fn check(mut self, check: impl FnOnce(File) -> Result<(), Box<dyn StdError + Send + Sync>> + 'a) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    /// Downloads to a file that is there whole or not at all. A broken download is tried again within the policy.
    pub fn to_file(self, path: impl Into<PathBuf>) -> Result<FileReceipt, Error> {
        let mut file = WholeFile::create(path, self.overwrite)?;
        let receipt = self.client.run(self.operation, &mut file, self.progress)?;
        if let Some(check) = self.check {
            check(file.reopen().map_err(Error::Write)?).map_err(Error::Rejected)?;
        }
        file.commit(receipt.bytes)?;
        Ok(receipt)
    }

    /// Downloads into `writer`. What it took cannot be taken back: once it has bytes, a broken download is an error that says how many.
    pub fn to_writer(self, writer: impl Write) -> Result<FileReceipt, Error> {
        self.client.run(self.operation, &mut Once(writer), self.progress)
    }
}

impl<O: fmt::Debug> fmt::Debug for Download<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("operation", &self.operation).field("overwrite", &self.overwrite).finish_non_exhaustive()
    }
}

/// Makes a [`Client`].
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    session: Session,
    trust: Trust,
    connect_timeout: Duration,
    agent: Option<Agent>,
}

impl ClientBuilder {
    /// Sets the bounds of each call. Default: [`Policy::default`].
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.session = self.session.policy(policy);
        self
    }

    /// Sets whose certificates are trusted, and as whom to come. Default: the system's roots.
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Sets the proxy, or with `None` that there is none, whatever the environment says. Default: what the usual variables name for the
    /// endpoint when the client is made ([`Proxy::from_env`]).
    #[must_use]
    pub fn proxy(mut self, proxy: impl Into<Option<Proxy>>) -> Self {
        self.session = self.session.proxy(proxy.into());
        self
    }

    /// Sets how long a connection may take to come about, TLS included. Default: 15 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Takes an agent of the caller's: its proxies, resolver, pool and TLS count, and [`trust`](Self::trust) and [`proxy`](Self::proxy) do not.
    ///
    /// The protocol's own needs are set per request all the same: no redirects, statuses are not errors, no added headers, the
    /// timeouts of the exchange.
    #[must_use]
    pub fn agent(mut self, agent: Agent) -> Self {
        self.agent = Some(agent);
        self
    }

    /// Sets the clock. Default: the machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.session = self.session.clock(clock);
        self
    }

    /// Shows `observe` the status and the headers of every answer, before its body: for writing down what a gateway on the way adds.
    #[must_use]
    pub fn on_head(mut self, observe: impl Fn(StatusCode, &HeaderMap) + Send + Sync + 'static) -> Self {
        self.session = self.session.on_head(observe);
        self
    }

    /// Sets the source of random numbers for the waits between attempts. Default: the standard library's random hasher.
    #[must_use]
    pub fn jitter(mut self, source: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.session = self.session.jitter(source);
        self
    }

    /// Makes the client. Reads the environment's proxy and the system's roots where they count; sends nothing.
    pub fn build(self) -> Result<Client, BuildError> {
        let agent = match self.agent {
            Some(agent) => agent,
            None => connect::agent(self.session.route()?.as_ref(), self.trust.client_config_for(self.session.endpoint())?)?,
        };
        Ok(Client { session: self.session, wire: Wire { agent, connect_timeout: self.connect_timeout } })
    }
}

/// Why a client could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The certificates cannot be trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The proxy that the environment names cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}
