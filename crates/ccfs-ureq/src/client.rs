//! The client and its downloads.

use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use ccfs_driver::{
    CheckFn, Error, Overwrite, Progress, ProgressFn, ProxyError, Session, WholeFile,
};
use ccfs_proto::Operation;
use ccfs_proto::answer::FileReceipt;
use ccfs_tls::{Trust, TrustError};
use ureq::Agent;

use crate::connect;
use crate::drive::drive;
use crate::sink::Sink;
use crate::wire::Wire;

/// A blocking client of a CC-FS server. Clones share connections and the session.
///
/// ```no_run
/// use ccfs_ureq::proto::{Credentials, QueryAgentSkillInfoData};
/// use ccfs_ureq::{Client, Config, Trust};
///
/// let credentials = Credentials::from_text("my-app-id", std::env::var("CCFS_SECRET_KEY")?)?;
/// let config = Config::new("https://10.1.2.3:8443".parse()?, credentials);
/// let client = Client::with_trust(config, &Trust::system().add_pem(&std::fs::read("ca.pem")?)?)?;
/// let (begin, end) = ("2023-04-05 00:00:00".parse()?, "2023-04-06 00:00:00".parse()?);
/// let job = client.call(QueryAgentSkillInfoData::new(begin, end, "https://10.9.8.7:9443/callback"))?;
/// println!("job {}", job.response_id);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    session: Session,
    wire: Wire,
}

impl Client {
    /// Creates a client that trusts the system's root certificates, from a
    /// [`Config`](ccfs_driver::Config) or a [`Session`] shared with another client.
    ///
    /// Reads the root certificates and, if the config does not set a proxy, the proxy variables of
    /// the environment. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if there are no root certificates, or the proxy cannot be used.
    pub fn new(session: impl Into<Session>) -> Result<Self, BuildError> {
        Self::with_trust(session, &Trust::system())
    }

    /// Creates a client that verifies servers against `trust` and presents its client certificate,
    /// if any. `trust` is ignored for `http` endpoints.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if `trust` or the proxy cannot be used.
    pub fn with_trust(session: impl Into<Session>, trust: &Trust) -> Result<Self, BuildError> {
        let session = session.into();
        let agent = connect::agent(
            session.proxy()?.as_ref(),
            trust.client_config_for(session.endpoint())?,
        )?;
        Ok(Self::with_http(session, agent))
    }

    /// Creates a client that uses the caller's agent, with its proxy, resolver, connection pool and
    /// TLS. The [`proxy`](ccfs_driver::Config::proxy) of the config is ignored.
    ///
    /// The client makes the other settings that the protocol needs on each request: it follows no
    /// redirects, returns error statuses as responses, adds no headers, and uses the timeouts of
    /// the config.
    #[must_use]
    pub fn with_http(session: impl Into<Session>, http: Agent) -> Self {
        let session = session.into();
        let wire = Wire { agent: http, connect_timeout: session.connect_timeout() };
        Self { session, wire }
    }

    /// Returns the session: the server, the account and the measured clock skew.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Calls an interface that answers with JSON. For interfaces that answer with a file use
    /// [`download`](Self::download); this method would discard the file.
    ///
    /// # Errors
    ///
    /// [`Error`] if the request is invalid, or the call fails after all retries.
    pub fn call<O: Operation>(&self, operation: O) -> Result<O::Answer, Error> {
        self.run(operation, Sink::Discard, None)
    }

    /// Prepares a call of an interface that answers with a file. Nothing is sent before
    /// [`to_file`](Download::to_file) or [`to_writer`](Download::to_writer).
    pub fn download<O: Operation<Answer = FileReceipt>>(&self, operation: O) -> Download<'_, O> {
        Download {
            client: self,
            operation,
            overwrite: Overwrite::default(),
            progress: None,
            check: None,
        }
    }

    fn run<O: Operation>(
        &self,
        operation: O,
        sink: Sink<'_>,
        progress: Option<ProgressFn<'_>>,
    ) -> Result<O::Answer, Error> {
        let (mut call, mut exchange) = self.session.call(operation, sink.kind())?;
        let result =
            call.span().in_scope(|| drive(&mut exchange, &self.wire, &mut call, sink, progress));
        call.end(&exchange, &result);
        result
    }
}

/// A download that is not started yet.
///
/// ```no_run
/// # fn example(client: &ccfs_ureq::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::ops::ControlFlow;
/// use ccfs_ureq::proto::DownloadAgentSkillInfoFile;
/// use ccfs_ureq::Overwrite;
///
/// let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse()?;
/// let receipt = client
///     .download(DownloadAgentSkillInfoFile::new(name))
///     .overwrite(Overwrite::Replace)
///     .progress(|progress| {
///         eprintln!("{} of {:?} bytes", progress.received, progress.declared);
///         ControlFlow::Continue(())
///     })
///     .to_file("skills.zip")?;
/// println!("{} bytes", receipt.bytes);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is downloaded before `to_file` or `to_writer`"]
pub struct Download<'a, O> {
    client: &'a Client,
    operation: O,
    overwrite: Overwrite,
    progress: Option<ProgressFn<'a>>,
    check: Option<CheckFn<'a>>,
}

impl<'a, O: Operation<Answer = FileReceipt>> Download<'a, O> {
    /// Sets what [`to_file`](Self::to_file) does if the file exists. Default:
    /// [`Overwrite::Refuse`], an error.
    pub fn overwrite(mut self, overwrite: Overwrite) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Calls `progress` before every step of the download. If it returns `ControlFlow::Break(())`,
    /// the download fails with [`Error::Stopped`] and no file is left. Default: nothing is called.
    pub fn progress(
        mut self,
        progress: impl FnMut(Progress) -> ControlFlow<()> + Send + 'a,
    ) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Calls `check` with the complete temporary file, before [`to_file`](Self::to_file) renames it
    /// to the target. If it fails, the download fails with [`Error::Rejected`] and no file is left.
    /// Default: only the length and a ZIP's end record are checked.
    pub fn check(
        mut self,
        check: impl FnOnce(File) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + 'a,
    ) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    /// Downloads to a file, which is written atomically. A download that breaks off is retried as
    /// the policy allows.
    ///
    /// # Errors
    ///
    /// [`Error`] if the download, the check or the file fails.
    pub fn to_file(self, path: impl Into<PathBuf>) -> Result<FileReceipt, Error> {
        let mut file = WholeFile::create(path, self.overwrite)?;
        let receipt = self.client.run(self.operation, Sink::File(&mut file), self.progress)?;
        file.commit_checked(receipt.bytes, self.check)?;
        Ok(receipt)
    }

    /// Downloads into `writer`, which cannot be rewound: if the download breaks off after `writer`
    /// received bytes, it is not retried, and the error contains their number.
    /// [`overwrite`](Self::overwrite) and [`check`](Self::check) are ignored.
    ///
    /// # Errors
    ///
    /// [`Error`] if the download or the writer fails.
    pub fn to_writer(self, mut writer: impl Write) -> Result<FileReceipt, Error> {
        self.client.run(self.operation, Sink::Writer(&mut writer), self.progress)
    }
}

impl<O: fmt::Debug> fmt::Debug for Download<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("operation", &self.operation)
            .field("overwrite", &self.overwrite)
            .finish_non_exhaustive()
    }
}

/// Why a client could not be created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The certificates cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The proxy cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}
