//! A running emulator.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use ccfs_proto::{Credentials, Endpoint, IndexFileName, Timestamp};
use tokio::sync::oneshot;

use crate::fault::Faults;
use crate::interface::INTERFACES;
use crate::jobs::Jobs;
use crate::library::{Recording, VoiceFile};
use crate::log::{CallbackAttempt, ReceivedRequest};
use crate::sha256_hex;
use crate::state::State;
use crate::tls::{Authority, Identity};

/// A running CC-FS emulator. Dropping it stops the server.
pub struct Emulator {
    pub(crate) address: SocketAddr,
    pub(crate) endpoint: Endpoint,
    pub(crate) authority: Option<Authority>,
    pub(crate) state: Arc<State>,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) thread: Option<JoinHandle<io::Result<()>>>,
}

impl Emulator {
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

    /// The SHA-256 of its certificate's DER, as 64 hex digits, which is the certificate's pin. `None` without TLS.
    pub fn certificate_sha256(&self) -> Option<String> {
        self.certificate_der().map(sha256_hex)
    }

    /// A certificate of its CA for a client, with its key; `None` without TLS.
    pub fn client_identity(&self) -> Option<&Identity> {
        self.authority.as_ref().map(|authority| &authority.client)
    }

    /// A certificate of its CA for `localhost`, `127.0.0.1` and `::1`, with its key: for a receiver of callbacks behind TLS, which the
    /// emulator then trusts. `None` without TLS; see [`Builder::callback_root`](crate::Builder::callback_root) for others.
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
    /// The log is limited in number ([`Builder::log_limit`](crate::Builder::log_limit)) and in bytes
    /// ([`Builder::log_byte_limit`](crate::Builder::log_byte_limit)); the oldest requests are dropped.
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.state.received.all()
    }

    /// Returns the callbacks, the oldest first. A callback is in the log once its answer has arrived
    /// or the attempt has failed. The limits are those of [`received`](Self::received).
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
