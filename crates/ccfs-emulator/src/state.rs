//! Shared state of all connections of an emulator.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ccfs_proto::auth::{Freshness, QueryLine};
use ccfs_proto::{Credentials, Timestamp};

use crate::data::{Random, Shape};
use crate::developer::Developer;
use crate::fault::Faults;
use crate::gate::Gate;
use crate::jobs::Jobs;
use crate::library::Library;
use crate::log::{CallbackAttempt, Log, ReceivedRequest};

/// Source of the time.
#[derive(Clone)]
pub(crate) struct Clock(pub(crate) Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Function that is called with each request.
#[derive(Clone)]
pub(crate) struct Watcher(pub(crate) Arc<dyn Fn(&ReceivedRequest) + Send + Sync>);

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}

/// Settings that do not change while the emulator runs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) rows: Option<u64>,
    pub(crate) rows_per_member: u64,
    pub(crate) shape: Shape,
    pub(crate) span_limit: Duration,
    pub(crate) utc_offset: i32,
    pub(crate) connection_limit: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) chunked: bool,
    /// Whether the bytes of a file depend only on the request, not on its time or on earlier requests.
    pub(crate) same_files: bool,
    pub(crate) errors_as_octet_stream: bool,
    pub(crate) dialect: Option<QueryLine>,
    pub(crate) freshness: Option<Freshness>,
    pub(crate) callback: CallbackSettings,
}

/// Settings of callbacks.
#[derive(Clone, Debug)]
pub(crate) struct CallbackSettings {
    pub(crate) name_key: String,
    pub(crate) attempts: u32,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    pub(crate) host_without_port: bool,
}

/// State that all connections share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    /// The path before `/CCFS`.
    pub(crate) prefix: String,
    pub(crate) developers: Vec<(Developer, Credentials)>,
    pub(crate) gate: Gate,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) library: Library,
    pub(crate) faults: Faults,
    pub(crate) received: Log<ReceivedRequest>,
    pub(crate) watcher: Option<Watcher>,
    pub(crate) callbacks: Log<CallbackAttempt>,
    /// For callback URLs with https.
    pub(crate) tls_client: Arc<rustls::ClientConfig>,
}

impl State {
    /// Records a request, and calls the watcher.
    pub(crate) fn log(&self, entry: ReceivedRequest) {
        if let Some(Watcher(tell)) = &self.watcher {
            tell(&entry);
        }
        self.received.push(entry);
    }

    pub(crate) fn credentials(&self, access_key: &str) -> Option<&Credentials> {
        self.developers
            .iter()
            .find(|(developer, _)| developer.access_key() == access_key)
            .map(|(_, credentials)| credentials)
    }

    /// Returns whether the tenant space belongs to the access key: it is in the key's list, or the list is empty and no other key has it.
    pub(crate) fn owns(&self, access_key: &str, account_id: &str) -> bool {
        let has = |developer: &Developer| {
            developer.accounts().iter().any(|account| account == account_id)
        };
        let Some((own, _)) =
            self.developers.iter().find(|(developer, _)| developer.access_key() == access_key)
        else {
            return false;
        };
        has(own)
            || (own.accounts().is_empty()
                && !self.developers.iter().any(|(developer, _)| has(developer)))
    }

    /// Returns the tenant space in a file if the request has none.
    pub(crate) fn default_account(&self, access_key: &str) -> String {
        let given =
            self.developers.iter().find(|(developer, _)| developer.access_key() == access_key);
        given.and_then(|(developer, _)| developer.accounts().first().cloned()).unwrap_or_else(
            || {
                let mut random = Random::new(self.settings.seed, access_key);
                format!("{}", 100_000_000 + random.below(900_000_000))
            },
        )
    }
}
