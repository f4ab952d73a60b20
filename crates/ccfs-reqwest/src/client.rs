//! The client and its downloads.

use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::PathBuf;

use ccfs_driver::{
    CheckFn, Error, Overwrite, Progress, ProgressFn, Proxy, ProxyError, Session, WholeFile,
};
use ccfs_proto::Operation;
use ccfs_proto::answer::FileReceipt;
use ccfs_tls::{Trust, TrustError};
use tokio::io::AsyncWrite;

use crate::drive::{Wire, drive};
use crate::sink::{FileSink, Sink};

/// An async client of a CC-FS server. Clones share connections and the session.
///
/// ```no_run
/// use ccfs_reqwest::proto::{Credentials, QueryAgentSkillInfoData};
/// use ccfs_reqwest::{Client, Config, Trust};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let credentials = Credentials::from_text("my-app-id", std::env::var("CCFS_SECRET_KEY")?)?;
/// let config = Config::new("https://10.1.2.3:8443".parse()?, credentials);
/// let client = Client::with_trust(config, &Trust::system().add_pem(&std::fs::read("ca.pem")?)?)?;
/// let (begin, end) = ("2023-04-05 00:00:00".parse()?, "2023-04-06 00:00:00".parse()?);
/// let job = client.call(QueryAgentSkillInfoData::new(begin, end, "https://10.9.8.7:9443/callback")).await?;
/// println!("job {}", job.response_id);
/// # Ok(())
/// # }
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
        // reqwest's own reading of the environment differs from `Proxy::from_env`.
        let http = reqwest::Client::builder().no_proxy();
        let proxy = session.proxy()?;
        let http = match &proxy {
            Some(proxy) => http.proxy(reqwest_proxy(proxy)?),
            None => http,
        };
        let http = http
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(session.connect_timeout())
            .tls_backend_preconfigured(trust.client_config_for(session.endpoint())?)
            .build()
            .map_err(|_| BuildError::Http)?;
        Ok(Self { session, wire: Wire { http, proxy } })
    }

    /// Creates a client that uses the caller's [`reqwest::Client`], with its proxy, resolver,
    /// connection pool, TLS and connect timeout. [`proxy`](ccfs_driver::Config::proxy) and
    /// [`connect_timeout`](ccfs_driver::Config::connect_timeout) of the config are ignored.
    ///
    /// Build it with `redirect(Policy::none())` and `retry(reqwest::retry::never())`, because
    /// reqwest does not allow to set them per request. Otherwise it would send signatures to
    /// the target of a redirect, and repeat requests that must be sent once.
    #[must_use]
    pub fn with_http(session: impl Into<Session>, http: reqwest::Client) -> Self {
        Self { session: session.into(), wire: Wire { http, proxy: None } }
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
    pub async fn call<O: Operation>(&self, operation: O) -> Result<O::Answer, Error> {
        self.run(operation, Sink::Discard, None).await
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

    async fn run<O: Operation>(
        &self,
        operation: O,
        sink: Sink<'_>,
        progress: Option<ProgressFn<'_>>,
    ) -> Result<O::Answer, Error> {
        let (mut call, mut exchange) = self.session.call(operation, sink.kind())?;
        let result = call
            .span()
            .instrument(drive(&mut exchange, &self.session, &self.wire, &mut call, sink, progress))
            .await;
        call.end(&exchange, &result);
        result
    }
}

/// A download that is not started yet.
///
/// ```no_run
/// # async fn example(client: &ccfs_reqwest::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::ops::ControlFlow;
/// use ccfs_reqwest::proto::DownloadAgentSkillInfoFile;
/// use ccfs_reqwest::Overwrite;
///
/// let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse()?;
/// let receipt = client
///     .download(DownloadAgentSkillInfoFile::new(name))
///     .overwrite(Overwrite::Replace)
///     .progress(|progress| {
///         eprintln!("{} of {:?} bytes", progress.received, progress.declared);
///         ControlFlow::Continue(())
///     })
///     .to_file("skills.zip")
///     .await?;
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
    check: Option<CheckFn<'static>>,
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

    /// Calls `check` with the complete temporary file, on a thread for blocking work, before
    /// [`to_file`](Self::to_file) renames it to the target. If it fails, the download fails with
    /// [`Error::Rejected`] and no file is left. Default: only the length and a ZIP's end record are
    /// checked.
    pub fn check(
        mut self,
        check: impl FnOnce(File) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + 'static,
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
    pub async fn to_file(self, path: impl Into<PathBuf>) -> Result<FileReceipt, Error> {
        let mut file = FileSink::new(WholeFile::create(path, self.overwrite)?);
        let receipt = self.client.run(self.operation, Sink::File(&mut file), self.progress).await?;
        file.commit(receipt.bytes, self.check).await?;
        Ok(receipt)
    }

    /// Downloads into `writer`, which cannot be rewound: if the download breaks off after `writer`
    /// received bytes, it is not retried, and the error contains their number.
    /// [`overwrite`](Self::overwrite) and [`check`](Self::check) are ignored.
    ///
    /// # Errors
    ///
    /// [`Error`] if the download or the writer fails.
    pub async fn to_writer(
        self,
        mut writer: impl AsyncWrite + Unpin + Send,
    ) -> Result<FileReceipt, Error> {
        self.client.run(self.operation, Sink::Writer(&mut writer), self.progress).await
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

fn reqwest_proxy(proxy: &Proxy) -> Result<reqwest::Proxy, BuildError> {
    let http = reqwest::Proxy::all(proxy.to_string()).map_err(|_| BuildError::Http)?;
    // The header value is wiped; reqwest would put a user name and password into a URL.
    Ok(match proxy.authorization() {
        Some(authorization) => http.custom_http_auth(authorization),
        None => http,
    })
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
    /// reqwest rejected the settings, which is a bug.
    #[error("reqwest rejected the settings; please report it, and use Client::with_http meanwhile")]
    Http,
}
