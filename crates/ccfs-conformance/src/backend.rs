//! A transport under test.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use ccfs_driver::{Config, Error, Overwrite};
use ccfs_proto::answer::FileReceipt;
use ccfs_proto::operation::GenerationJob;
use ccfs_proto::{
    Credentials, DownloadAgentSkillInfoFile, Endpoint, Policy, QueryAgentSkillInfoData,
};

use crate::clock::ManualClock;
use crate::server::SERVER_TIMEOUT;

/// The connect timeout: generous, because a busy machine is not the transport's fault.
const CONNECTING: Duration = Duration::from_secs(60);

/// Settings of a client. Clients must not use a proxy, whatever the environment says: the servers are on loopback.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// Base URL of the server.
    pub endpoint: Endpoint,
    /// Keys of the account.
    pub credentials: Credentials,
    /// Timeouts, limits and retries.
    pub policy: Policy,
    /// The only CA that is trusted; `None` for plain HTTP.
    pub ca_pem: Option<String>,
    /// The clock. Clients wait with [`Clock::wait`](ccfs_driver::Clock::wait), so that no test sleeps.
    pub clock: ManualClock,
}

impl Setup {
    /// Settings for a server without TLS, with default limits and the default time.
    #[must_use]
    pub fn new(endpoint: Endpoint, credentials: Credentials) -> Self {
        Self {
            endpoint,
            credentials,
            policy: Policy::default(),
            ca_pem: None,
            clock: ManualClock::default(),
        }
    }

    /// Returns a config with these settings and without a proxy. It leaves out [`ca_pem`](Self::ca_pem): the HTTP client configures trust.
    #[must_use]
    pub fn config(&self) -> Config {
        Config::new(self.endpoint.clone(), self.credentials.clone())
            .policy(self.policy.clone())
            .clock(self.clock.clone())
            .proxy(None)
            .connect_timeout(CONNECTING)
    }
}

/// A transport: creates clients. Several threads call it at once, each for one client, because scenarios run in parallel.
pub trait Backend: Sync {
    /// Creates a client with this setup. The suite runs one scenario with it, and may make several calls. If no client can be created, panic: the panic becomes
    /// the scenario's verdict.
    fn client(&self, setup: &Setup) -> Box<dyn Client>;

    /// Returns whether the transport supports TLS. If not, the suite uses plain HTTP, and skips scenarios about TLS.
    fn speaks_tls(&self) -> bool {
        true
    }

    /// How long a server waits for the client to give up by itself after an idle timeout of two seconds. Then it closes the connection, and the scenario
    /// fails. A conforming transport never comes near the default of 30 seconds. Use more on a very slow machine, and less in tests of transports that do
    /// not conform.
    fn server_timeout(&self) -> Duration {
        SERVER_TIMEOUT
    }
}

/// A client under test. Every method runs one exchange to its end, and blocks until then.
pub trait Client {
    /// Starts a generation.
    fn query(&self, operation: QueryAgentSkillInfoData) -> Result<GenerationJob, Error>;

    /// Downloads to a file that is written atomically.
    fn to_file(
        &self,
        operation: DownloadAgentSkillInfoFile,
        path: &Path,
        overwrite: Overwrite,
    ) -> Result<FileReceipt, Error>;

    /// Downloads into a writer that cannot be rewound.
    fn to_writer(
        &self,
        operation: DownloadAgentSkillInfoFile,
        writer: &mut (dyn Write + Send),
    ) -> Result<FileReceipt, Error>;

    /// Begins a download to a file, and cancels it after some bytes of the body have arrived, such as by dropping the future. Returns `false`, without doing
    /// anything, if the transport cannot cancel a download.
    fn cancel(&self, operation: DownloadAgentSkillInfoFile, path: &Path) -> bool {
        let _ = (operation, path);
        false
    }
}
