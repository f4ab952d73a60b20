//! A running emulator.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use ccfs_proto::{Credentials, Endpoint, IndexFileName, Timestamp};
use rustls::ClientConfig;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::builder::Builder;
use crate::developer::Developer;
use crate::fault::Faults;
use crate::gate::Gate;
use crate::interface::INTERFACES;
use crate::jobs::Jobs;
use crate::library::{Library, Recording, VoiceFile};
use crate::log::{CallbackAttempt, Log, ReceivedRequest};
use crate::server;
use crate::start::StartError;
use crate::state::State;
use crate::tls::{self, Authority, Identity};
use crate::{BoxError, sha256_hex};

/// A running CC-FS emulator. Dropping it stops the server.
pub struct Emulator {
    address: SocketAddr,
    endpoint: Endpoint,
    authority: Option<Authority>,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Emulator {
    /// Options, all with defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts an emulator with the options of the builder.
    pub(crate) fn start(builder: Builder) -> Result<Self, StartError> {
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

    /// Stops the emulator and waits for its thread. Open connections are closed.
    pub fn shutdown(self) {
        drop(self);
    }
}

/// Addresses, certificates and keys.
impl Emulator {
    /// The base URL for clients.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The address that it listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its CA as PEM; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.authority.as_ref().map(|authority| authority.ca_pem.as_str())
    }

    /// Its certificate's DER; `None` without TLS.
    pub fn certificate_der(&self) -> Option<&[u8]> {
        self.authority.as_ref().map(|authority| authority.certificate.as_ref())
    }

    /// The SHA-256 of its certificate's DER, as 64 hex digits: what a pin is. `None` without TLS.
    pub fn certificate_sha256(&self) -> Option<String> {
        self.certificate_der().map(sha256_hex)
    }

    /// A certificate of its CA for a client, with its key; `None` without TLS.
    pub fn client_identity(&self) -> Option<&Identity> {
        self.authority.as_ref().map(|authority| &authority.client)
    }

    /// A certificate of its CA for `localhost`, `127.0.0.1` and `::1`, with its key: for a receiver of callbacks behind TLS, which the
    /// emulator then trusts. `None` without TLS; see [`Builder::callback_root`] for others.
    pub fn receiver_identity(&self) -> Option<&Identity> {
        self.authority.as_ref().map(|authority| &authority.receiver)
    }

    /// The main developer's access key.
    pub fn access_key(&self) -> &str {
        &self.state.developers[0].0.access_key
    }

    /// The main developer's secret key. The key of an emulator is not confidential.
    pub fn secret_key(&self) -> &str {
        &self.state.developers[0].0.secret_key
    }

    /// The main developer's keys, ready to sign and to verify.
    pub fn credentials(&self) -> Credentials {
        self.state.developers[0].1.clone()
    }

    /// The current time of its clock.
    pub fn now(&self) -> Timestamp {
        self.state.now()
    }

    /// The names of the interfaces that it supports.
    pub fn interfaces() -> impl Iterator<Item = &'static str> {
        INTERFACES.iter().map(|interface| interface.name)
    }
}

/// Logs, files and faults.
impl Emulator {
    /// Returns the requests, the oldest first. A request is in the log before its answer is sent.
    ///
    /// The log is limited in number ([`Builder::log_limit`]) and in bytes
    /// ([`Builder::log_byte_limit`]); the oldest requests are dropped.
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.state.received.all()
    }

    /// Returns the callbacks, the oldest first. One is in the log when its answer has arrived, or
    /// has failed to. The limits are those of [`received`](Self::received).
    pub fn callbacks(&self) -> Vec<CallbackAttempt> {
        self.state.callbacks.all()
    }

    /// Empties both logs.
    pub fn clear_logs(&self) {
        self.state.received.clear();
        self.state.callbacks.clear();
    }

    /// The files that were asked for so far, ready or not, sorted by name.
    pub fn files(&self) -> Vec<IndexFileName> {
        self.state.jobs.names()
    }

    /// The bytes of a file as they are sent when nothing goes wrong; `None` if the file was never requested.
    pub fn file(&self, name: &IndexFileName) -> Option<Vec<u8>> {
        let jobs = &self.state.jobs;
        jobs.find(name.as_str()).and_then(|job| jobs.file(&job).ok()).map(Vec::from)
    }

    /// Serves these bytes from now on instead of every index file; `None` serves the generated files again.
    pub fn serve_bytes(&self, bytes: impl Into<Option<Vec<u8>>>) {
        self.state.jobs.substitute(bytes.into().map(Into::into));
    }

    /// The recordings of calls that it has, for all developers.
    pub fn recordings(&self) -> &[Recording] {
        self.state.library.recordings()
    }

    /// The other voice files that it has now, by their paths.
    pub fn voice_files(&self) -> BTreeMap<String, VoiceFile> {
        self.state.library.voices()
    }

    /// Forgets every job and its file: from now on the file does not exist.
    pub fn lose_jobs(&self) {
        self.state.jobs.clear();
    }

    pub(crate) fn jobs(&self) -> Arc<Jobs> {
        Arc::clone(&self.state.jobs)
    }

    /// The script of faults.
    pub fn faults(&self) -> Faults {
        self.state.faults.clone()
    }

    /// Unlocks every address that bad signatures have locked.
    pub fn unlock(&self) {
        self.state.gate.unlock();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("endpoint", &self.endpoint).finish_non_exhaustive()
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
