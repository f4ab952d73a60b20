//! Checks the options of an emulator and starts it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use ccfs_proto::auth::KeyError;
use ccfs_proto::exchange::EndpointError;
use ccfs_proto::{Credentials, Endpoint};
use rustls::ClientConfig;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::BoxError;
use crate::builder::Builder;
use crate::data::MEMBERS_LIMIT;
use crate::developer::Developer;
use crate::emulator::Emulator;
use crate::fault::Faults;
use crate::gate::Gate;
use crate::jobs::Jobs;
use crate::library::Library;
use crate::log::Log;
use crate::server;
use crate::state::State;
use crate::tls::{self, Authority};

/// Maximum number of records in a file.
const ROWS_LIMIT: u64 = 50_000_000;
/// Maximum offset of a local time from UTC, in seconds.
const OFFSET_LIMIT: u32 = 18 * 3600;

impl Builder {
    /// Starts the emulator on a separate thread, and returns when it listens. May be called from blocking and async tests.
    ///
    /// # Errors
    ///
    /// An option is invalid ([`Limit`](StartError::Limit), [`Key`](StartError::Key), [`SameAccessKey`](StartError::SameAccessKey),
    /// [`PathPrefix`](StartError::PathPrefix); [`Tls`](StartError::Tls) for a malformed CA), or the system refuses the address or the thread
    /// ([`Bind`](StartError::Bind), [`Thread`](StartError::Thread)).
    pub fn start(self) -> Result<Emulator, StartError> {
        let rows = self.rows.unwrap_or_default();
        let limits = [
            (rows <= ROWS_LIMIT, "rows", "at most 50,000,000"),
            (self.rows_per_member > 0, "rows_per_member", "at least 1"),
            (
                rows.div_ceil(self.rows_per_member.max(1)) <= MEMBERS_LIMIT,
                "rows_per_member",
                "so large that a file has at most 10,000 members",
            ),
            (
                self.utc_offset.unsigned_abs() <= OFFSET_LIMIT,
                "utc_offset",
                "at most 18 hours (64,800 seconds) either way",
            ),
        ];
        match limits.into_iter().find(|(kept, ..)| !kept) {
            Some((_, option, limit)) => Err(StartError::Limit { option, limit }),
            None => Emulator::start(self),
        }
    }
}

impl Emulator {
    /// Starts an emulator with the options of the builder.
    fn start(builder: Builder) -> Result<Self, StartError> {
        let at = builder.bind;
        let bind = |source| StartError::Bind { address: at, source };
        let listener = TcpListener::bind(at).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let endpoint = endpoint(&builder, address)?;

        let (authority, acceptor, tls_client) = tls(&builder, address).map_err(StartError::Tls)?;
        let state = Arc::new(state(builder, endpoint.prefix(), tls_client)?);
        let (stop, stopped) = oneshot::channel();
        let thread =
            spawn(listener, acceptor, Arc::clone(&state), stopped).map_err(StartError::Thread)?;
        Ok(Self { address, endpoint, authority, state, stop: Some(stop), thread: Some(thread) })
    }
}

/// The URL for clients on this machine: loopback if the server listens at all addresses.
fn endpoint(builder: &Builder, address: SocketAddr) -> Result<Endpoint, StartError> {
    let reachable = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => {
            SocketAddr::from((Ipv4Addr::LOCALHOST, v4.port()))
        }
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            SocketAddr::from((Ipv6Addr::LOCALHOST, v6.port()))
        }
        other => other,
    };
    let scheme = if builder.plain { "http" } else { "https" };
    let prefix = builder.path_prefix.trim_matches('/');
    let slash = if prefix.is_empty() { "" } else { "/" };
    Ok(format!("{scheme}://{reachable}{slash}{prefix}").parse()?)
}

/// The CA and the acceptor, if the server uses TLS, and the configuration for calling receivers.
type Tls = (Option<Authority>, Option<TlsAcceptor>, Arc<ClientConfig>);

fn tls(builder: &Builder, address: SocketAddr) -> Result<Tls, BoxError> {
    let (mut authority, mut acceptor) = (None, None);
    if !builder.plain {
        let made = Authority::new(address, &builder.certificate_names, builder.expired)?;
        let config = made.server(builder.tls_versions, builder.client_certificates)?;
        (authority, acceptor) = (Some(made), Some(TlsAcceptor::from(config)));
    }
    let client = tls::client(authority.as_ref(), &builder.callback_roots)?;
    Ok((authority, acceptor, client))
}

fn state(
    builder: Builder,
    prefix: &str,
    tls_client: Arc<ClientConfig>,
) -> Result<State, StartError> {
    let main = builder.developer.clone().unwrap_or_else(|| Developer::from_seed(builder.seed));
    let mut developers: Vec<(Developer, Credentials)> = Vec::new();
    for developer in std::iter::once(main).chain(builder.more_developers.clone()) {
        if developers.iter().any(|(other, _)| other.access_key == developer.access_key) {
            return Err(StartError::SameAccessKey);
        }
        let credentials = developer.credentials()?;
        developers.push((developer, credentials));
    }
    let faults = Faults::default();
    for rule in &builder.faults {
        faults.add(rule.clone());
    }
    let keys = developers.iter().map(|(_, credentials)| credentials);
    let access_keys = developers.iter().map(|(developer, _)| developer.access_key.as_str());
    let new_jobs = || Arc::new(Jobs::new(builder.seed, builder.jobs_limit, builder.ready_after));
    Ok(State {
        prefix: prefix.to_owned(),
        gate: Gate::new(keys, builder.lockout, builder.dialect, builder.freshness),
        jobs: builder.jobs.clone().unwrap_or_else(new_jobs),
        library: Library::new(builder.seed, access_keys),
        developers,
        faults,
        received: Log::new(builder.log_limit, builder.log_byte_limit),
        callbacks: Log::new(builder.log_limit, builder.log_byte_limit),
        tls_client,
        settings: builder,
    })
}

/// Runs the server on a separate thread, so that it works inside and outside of any event loop.
fn spawn(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    state: Arc<State>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<JoinHandle<io::Result<()>>> {
    let (ready, started) = mpsc::channel();
    let run = move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let listener = {
            let _guard = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let _ = ready.send(());
        runtime.block_on(async {
            tokio::select! {
                // An error means that the handle was dropped: stop as well.
                _ = stopped => {}
                () = server::serve(listener, tls, state) => {}
            }
        });
        // Not waiting for a file in progress: no client will request it.
        runtime.shutdown_background();
        Ok(())
    };
    let thread = std::thread::Builder::new().name("ccfs-emulator".into()).spawn(run)?;
    if started.recv().is_err() {
        thread.join().unwrap_or(Ok(()))?;
        return Err(io::Error::other("the thread ended before it served"));
    }
    Ok(thread)
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The emulator cannot listen on the address.
    #[error("cannot listen at {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The value of an option exceeds a limit.
    #[error("{option} must be {limit}")]
    Limit {
        /// The option.
        option: &'static str,
        /// The limit, in words.
        limit: &'static str,
    },
    /// A key of a developer account is malformed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Two developer accounts have the same access key.
    #[error("two developer accounts have the same access key")]
    SameAccessKey,
    /// The path prefix is not valid in an endpoint.
    #[error("the path prefix does not fit into an endpoint: {0}")]
    PathPrefix(#[from] EndpointError),
    /// A certificate could not be generated, or a CA certificate for callbacks could not be read.
    #[error("cannot set up TLS: {0}")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The thread or its event loop could not be created.
    #[error("cannot start the emulator's thread: {0}")]
    Thread(#[source] std::io::Error),
}
