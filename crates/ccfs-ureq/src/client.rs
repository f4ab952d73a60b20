//! The client and its downloads.

use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use ccfs_driver::{Error, Overwrite, Progress, ProxyError, Session, WholeFile};
use ccfs_proto::{FileReceipt, Operation};
use ccfs_tls::{Trust, TrustError};
use ureq::Agent;

use crate::connect;
use crate::drive::{Wire, drive};
use crate::sink::{Discard, Once, Sink};

/// A blocking client of one CC-FS. Clones share connections, and what is learned about the clock.
///
/// ```no_run
/// use ccfs_ureq::proto::{Credentials, QueryAgentSkillInfoData};
/// use ccfs_ureq::{Client, Session, Trust};
///
/// let credentials = Credentials::from_text("my-app-id", std::env::var("CCFS_SECRET_KEY")?)?;
/// let session = Session::new("https://10.1.2.3:8443".parse()?, credentials);
/// let client = Client::with_trust(session, &Trust::system().add_pem(&std::fs::read("ca.pem")?)?)?;
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
    /// A client that trusts the system's roots.
    ///
    /// Reads them, and the environment's proxy where the session names none; sends nothing.
    pub fn new(session: Session) -> Result<Self, BuildError> {
        Self::with_trust(session, &Trust::system())
    }

    /// A client that believes the servers that `trust` says, and comes as whom it says. Over http it does not count.
    ///
    /// Reads the system's roots where they count, and the environment's proxy where the session names none; sends nothing.
    pub fn with_trust(session: Session, trust: &Trust) -> Result<Self, BuildError> {
        let agent = connect::agent(
            session.route()?.as_ref(),
            trust.client_config_for(session.endpoint())?,
        )?;
        Ok(Self::with_http(session, agent))
    }

    /// A client over an agent of the caller's: its proxies, resolver, pool and TLS count, and the session's [`proxy`](Session::proxy) does not.
    ///
    /// The protocol's own needs are set per request all the same: no redirects, statuses are not errors, no added headers, the
    /// timeouts of the exchange and of the session.
    #[must_use]
    pub fn with_http(session: Session, http: Agent) -> Self {
        let wire = Wire { agent: http, connect_timeout: session.connect_within() };
        Self { session, wire }
    }

    /// The session: the server, the account, and how far this machine's clock is off.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Calls an interface that answers with an envelope. For one that answers with a file there is [`download`](Self::download); here its bytes would
    /// be counted and thrown away.
    pub fn call<O: Operation>(&self, operation: O) -> Result<O::Answer, Error> {
        self.run(operation, &mut Discard, None)
    }

    /// Prepares a call of an interface that answers with a file. Nothing is sent before [`to_file`](Download::to_file) or
    /// [`to_writer`](Download::to_writer).
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
        sink: &mut dyn Sink,
        progress: Option<ProgressFn<'_>>,
    ) -> Result<O::Answer, Error> {
        let (mut call, mut exchange) = self.session.call(operation, sink.kind())?;
        let result =
            call.span().in_scope(|| drive(&mut exchange, &self.wire, &mut call, sink, progress));
        call.end(&exchange, &result);
        result
    }
}

type CheckFn<'a> = Box<dyn FnOnce(File) -> Result<(), Box<dyn StdError + Send + Sync>> + 'a>;
pub(crate) type ProgressFn<'a> = Box<dyn FnMut(Progress) -> ControlFlow<()> + 'a>;

/// A download that is ready to start.
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
    /// Sets what [`to_file`](Self::to_file) does when the file is there already. Default: [`Overwrite::Refuse`], leave it and fail.
    pub fn overwrite(mut self, overwrite: Overwrite) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Calls `progress` at every step. `ControlFlow::Break(())` stops the download with [`Error::Stopped`]; of a file nothing is left behind. Default:
    /// nothing is called.
    pub fn progress(mut self, progress: impl FnMut(Progress) -> ControlFlow<()> + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Lets `check` read the whole file before [`to_file`](Self::to_file) puts it in place. When it says no, that is [`Error::Rejected`], and nothing is
    /// left behind. Default: the length and a ZIP's end are checked, as always, and no more.
    pub fn check(
        mut self,
        check: impl FnOnce(File) -> Result<(), Box<dyn StdError + Send + Sync>> + 'a,
    ) -> Self {
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

    /// Downloads into `writer`. What it took cannot be taken back: once it has bytes, a broken download is an error that says how many. There is no
    /// file here, so [`overwrite`](Self::overwrite) and [`check`](Self::check) do not count.
    pub fn to_writer(self, writer: impl Write) -> Result<FileReceipt, Error> {
        self.client.run(self.operation, &mut Once(writer), self.progress)
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

/// Why a client could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The certificates cannot be trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The proxy that the environment names, or the session, cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}
