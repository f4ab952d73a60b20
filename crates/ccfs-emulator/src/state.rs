//! Shared state of all connections of an emulator.

use std::sync::Arc;

use ccfs_proto::{Credentials, Timestamp};

use crate::builder::Builder;
use crate::data::Random;
use crate::developer::Developer;
use crate::fault::Faults;
use crate::gate::Gate;
use crate::jobs::Jobs;
use crate::library::Library;
use crate::log::{CallbackAttempt, Log, ReceivedRequest};

/// State that all connections share.
pub(crate) struct State {
    pub(crate) settings: Builder,
    /// The path before `/CCFS`.
    pub(crate) prefix: String,
    pub(crate) developers: Vec<(Developer, Credentials)>,
    pub(crate) gate: Gate,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) library: Library,
    pub(crate) faults: Faults,
    pub(crate) received: Log<ReceivedRequest>,
    pub(crate) callbacks: Log<CallbackAttempt>,
    /// For callback URLs with https.
    pub(crate) tls_client: Arc<rustls::ClientConfig>,
}

impl State {
    /// The current time.
    pub(crate) fn now(&self) -> Timestamp {
        (self.settings.clock)()
    }

    /// Records a request, and calls the watcher.
    pub(crate) fn log(&self, entry: ReceivedRequest) {
        if let Some(tell) = &self.settings.watcher {
            tell(&entry);
        }
        self.received.push(entry.memory(), entry);
    }

    /// The developer account with that access key.
    pub(crate) fn developer(&self, access_key: &str) -> Option<&(Developer, Credentials)> {
        self.developers.iter().find(|(developer, _)| developer.access_key == access_key)
    }

    /// Returns whether the tenant space belongs to the access key: it is in the key's list, or the list is empty and no other key has it.
    pub(crate) fn owns(&self, access_key: &str, account_id: &str) -> bool {
        let has =
            |developer: &Developer| developer.accounts.iter().any(|account| account == account_id);
        self.developer(access_key).is_some_and(|(own, _)| {
            has(own) || (own.accounts.is_empty() && !self.developers.iter().any(|(it, _)| has(it)))
        })
    }

    /// Returns the tenant space in a file if the request has none.
    pub(crate) fn default_account(&self, access_key: &str) -> String {
        let first = self.developer(access_key).and_then(|(own, _)| own.accounts.first().cloned());
        first.unwrap_or_else(|| {
            let mut random = Random::new(self.settings.seed, access_key);
            (100_000_000 + random.below(900_000_000)).to_string()
        })
    }
}
