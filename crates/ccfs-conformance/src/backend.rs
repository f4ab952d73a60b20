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

/// What a connection may take: a machine that does much else is no fault of the transport.
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

/// A transport: makes clients. Several threads ask it at once, each for a client of its own: scenarios that wait are played side by side.
pub trait Backend: Sync {
    /// A client with this setup. The suite plays one scenario with it, and may make several calls. Where no client can be made, panic: that is
    /// the scenario's verdict.
    fn client(&self, setup: &Setup) -> Box<dyn Client>;

    /// Whether it can speak TLS. Without, the suite is played over plain HTTP, and scenarios that are about TLS are not played.
    fn speaks_tls(&self) -> bool {
        true
    }

    /// How long a server waits for what the client must do by itself: give up a silence of two seconds, say, or hand bytes on while they come. Then it
    /// closes, and the scenario has failed. No transport that conforms ever comes near the default of 30 seconds. A very slow machine may need more, and
    /// whoever shows that a wrong transport is found out needs less.
    fn server_timeout(&self) -> Duration {
        SERVER_TIMEOUT
    }
}

/// A client under test. Every method drives one exchange to its end, and blocks until then.
pub trait Client {
    /// Starts a generation.
    fn query(&self, operation: QueryAgentSkillInfoData) -> Result<GenerationJob, Error>;

    /// Downloads to a file that is there whole or not at all.
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
