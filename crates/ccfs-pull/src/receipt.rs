//! What a destination without a journal says about a window.

use ccfs_proto::{Endpoint, ResponseId};
use serde::{Deserialize, Serialize};

use crate::journal::{Difference, Entry, first_difference};
use crate::plan::Plan;
use crate::scheduler::{History, Known, Outcome};
use crate::window::Window;

/// The version of receipts that this crate writes and reads.
const VERSION: u32 = 1;

/// The record in a bucket of a complete window: a copy of the journal's line, with the settings
/// that distinguish it from data of other pulls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    #[serde(rename = "ccfs_receipt")]
    version: u32,
    server: String,
    kind: String,
    time_zone: String,
    account: Option<String>,
    /// The server's job; `None` if it answered the request with "no data".
    pub(crate) job: Option<String>,
    /// [`Entry::Stored`] or [`Entry::NoData`].
    pub(crate) entry: Entry,
}

impl Receipt {
    pub(crate) fn new(
        plan: &Plan,
        server: &Endpoint,
        job: Option<ResponseId>,
        entry: Entry,
    ) -> Self {
        Self {
            version: VERSION,
            server: server.to_string(),
            kind: plan.kind.as_str().to_owned(),
            time_zone: plan.zone.name().to_owned(),
            account: plan.account_id.clone(),
            job: job.map(|job| job.to_string()),
            entry,
        }
    }

    /// The window, if the entry is one of a complete window.
    pub(crate) fn window(&self) -> Option<Window> {
        match self.entry {
            Entry::Stored { window, .. } | Entry::NoData { window, .. } => Some(window),
            _ => None,
        }
    }

    /// The server's job.
    pub(crate) fn job_id(&self) -> Option<ResponseId> {
        self.job.as_ref()?.parse().ok()
    }

    /// Whether its files are those of a job.
    pub(crate) fn is_of(&self, job: Option<ResponseId>) -> bool {
        job.is_some() && self.job_id() == job
    }

    /// Whether its ZIP may be missing: all rows are in the converted files.
    pub(crate) fn may_lack_zip(&self) -> bool {
        matches!(&self.entry, Entry::Stored { stored, converted, .. } if stored.is_complete() && !converted.is_empty())
    }

    /// How the window ended.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.entry {
            Entry::Stored { stored, .. } => Outcome::Stored(stored),
            _ => Outcome::NoData,
        }
    }

    /// Whether the journal has the same files.
    pub(crate) fn is_about(&self, history: &History) -> bool {
        let converted = match &self.entry {
            Entry::Stored { converted, .. } => converted.as_slice(),
            _ => &[],
        };
        history.known == Known::Complete(self.outcome()) && history.converted == converted
    }

    /// Reads a receipt of this window. The error says what is wrong with it.
    pub(crate) fn from_json(bytes: &[u8], window: Window) -> Result<Self, String> {
        let receipt: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("it is not a receipt of version {VERSION}: {error}"))?;
        if receipt.version != VERSION {
            let version = receipt.version;
            return Err(format!("it has version {version}, supported is {VERSION}"));
        }
        match receipt.window() {
            Some(other) if other == window => Ok(receipt),
            Some(other) => Err(format!("it is about the period {other}")),
            None => Err("it does not say how the period ended".into()),
        }
    }

    /// Returns the first setting that differs from that of a pull.
    pub(crate) fn difference(&self, pull: &Self) -> Option<Difference> {
        first_difference([
            ("kind of file", Some(&self.kind), Some(&pull.kind)),
            ("tenant's time zone", Some(&self.time_zone), Some(&pull.time_zone)),
            ("tenant space", self.account.as_ref(), pull.account.as_ref()),
            ("server", Some(&self.server), Some(&pull.server)),
        ])
    }
}
