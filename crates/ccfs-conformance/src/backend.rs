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

/// What a client is made with. There is never a proxy on the way: the servers are on loopback, whatever the environment says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// The server.
    pub endpoint: Endpoint,
    /// The account.
    pub credentials: Credentials,
    /// The bounds.
    pub policy: Policy,
    /// The only CA that is trusted; `None` for plain HTTP.
    pub ca_pem: Option<String>,
    /// The time. Clients wait with [`Clock::wait`](ccfs_driver::Clock::wait), so that no test sleeps.
    pub clock: ManualClock,
}

impl Setup {
    /// A client of a server without TLS, within the default bounds, at the default time.
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

    /// A session of this account, within these bounds and on this clock, without a proxy. [`ca_pem`](Self::ca_pem) is left: trust is the HTTP client's.
    #[must_use]
    pub fn config(&self) -> Config {
        Config::new(self.endpoint.clone(), self.credentials.clone())
            .policy(self.policy.clone())
            .clock(self.clock.clone())
            .proxy(None)
            .connect_timeout(CONNECTING)
    }
}

/// A transport: creates clients. Several threads call it at once, each for one client, because scenarios that wait run in parallel.
pub trait Backend: Sync {
    /// A client with this setup. The suite plays one scenario with it, and may make several calls. Where no client can be made, panic: that is
    /// the scenario's verdict.
    fn client(&self, setup: &Setup) -> Box<dyn Client>;

    /// Whether it can speak TLS. Without, the suite is played over plain HTTP, and scenarios that are about TLS are not played.
    fn speaks_tls(&self) -> bool {
        true
    }

    /// How long a server waits for the client to act by itself: to give up after an idle timeout of two seconds, or to pass bytes on as they arrive. Then it
    /// closes the connection, and the scenario fails. A conforming transport never comes near the default of 30 seconds. Use more on a very slow machine, and
    /// less in tests of transports that do not conform.
    fn server_timeout(&self) -> Duration {
        SERVER_TIMEOUT
    }
}

/// A client under test. Every method drives one exchange to its end, and blocks until then.
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

    /// Downloads into a writer that takes bytes once.
    fn to_writer(
        &self,
        operation: DownloadAgentSkillInfoFile,
        writer: &mut (dyn Write + Send),
    ) -> Result<FileReceipt, Error>;

    /// Begins such a download to a file, and gives it up as soon as bytes of the body have come: by dropping the future, say. `false`, without doing
    /// anything, when the transport has no way to do so.
    fn cancel(&self, operation: DownloadAgentSkillInfoFile, path: &Path) -> bool {
        let _ = (operation, path);
        false
    }
}
