//! The lines of a journal.

use ccfs_archive::IndexKind;
use ccfs_proto::auth::AccessKey;
use ccfs_proto::{Day, Endpoint, ResponseId, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

use crate::format::Format;
use crate::plan::Plan;
use crate::scheduler::{Fingerprint, Stored};
use crate::window::Window;

/// The version of the journal that this crate writes and reads.
pub(super) const VERSION: u32 = 2;

/// Maximum number of characters of a recorded reason.
const WHY_LIMIT: usize = 500;

/// The first line: the server and the settings that the folder belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) ccfs_pull: u32,
    pub(super) endpoint: String,
    pub(super) access_key: String,
    pub(super) kind: String,
    pub(super) zone: String,
    pub(super) account_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bucket: Option<String>,
}

impl Header {
    pub(super) fn new(plan: &Plan, endpoint: &Endpoint, access_key: &AccessKey) -> Self {
        Self {
            ccfs_pull: VERSION,
            endpoint: endpoint.to_string(),
            access_key: access_key.as_str().to_owned(),
            kind: IndexKind::as_str(plan.kind).to_owned(),
            zone: plan.zone.name().to_owned(),
            account_id: plan.account_id.clone(),
            bucket: plan.bucket.clone(),
        }
    }

    /// Whether another plan is about the same data, which may have moved to another server or key.
    pub(super) fn is_same_data(&self, other: &Self) -> bool {
        let Self { kind, zone, account_id, bucket, .. } = self;
        (kind, zone, account_id, bucket)
            == (&other.kind, &other.zone, &other.account_id, &other.bucket)
    }

    /// Returns the first setting that differs from the one now.
    pub(super) fn difference(&self, now: &Self) -> Option<Difference> {
        first_difference([
            ("kind of file", Some(&self.kind), Some(&now.kind)),
            ("tenant's time zone", Some(&self.zone), Some(&now.zone)),
            ("tenant space", self.account_id.as_ref(), now.account_id.as_ref()),
            ("bucket", self.bucket.as_ref(), now.bucket.as_ref()),
            ("server", Some(&self.endpoint), Some(&now.endpoint)),
            ("access key", Some(&self.access_key), Some(&now.access_key)),
        ])
    }
}

/// A setting that differs: its name, its former value, its value now.
pub(crate) type Difference = (&'static str, String, String);

/// Returns the first of these settings that differs.
pub(crate) fn first_difference<const N: usize>(
    settings: [(&'static str, Option<&String>, Option<&String>); N],
) -> Option<Difference> {
    let text = |value: Option<&String>| value.map_or("none", String::as_str).to_owned();
    let (what, before, now) = settings.into_iter().find(|(_, before, now)| before != now)?;
    Some((what, text(before), text(now)))
}

/// A converted file of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConvertedFile {
    /// Its format.
    pub format: Format,
    /// Its content.
    #[serde(flatten)]
    pub fingerprint: Fingerprint,
}

impl ConvertedFile {
    /// Creates a value from its parts.
    #[must_use]
    pub const fn new(format: Format, fingerprint: Fingerprint) -> Self {
        Self { format, fingerprint }
    }
}

/// One line of the journal: an event, or an intention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// The window is about to be requested. If no entry follows, the request may or may not have
    /// arrived.
    Asking {
        /// The window.
        #[serde(with = "text")]
        window: Window,
        /// When.
        #[serde(with = "text")]
        at: Timestamp,
    },
    /// The server accepted the request.
    Asked {
        /// The window.
        #[serde(with = "text")]
        window: Window,
        /// The job's id.
        #[serde(with = "text")]
        id: ResponseId,
        /// When the request was sent.
        #[serde(with = "text")]
        sent: Timestamp,
        /// When the response arrived.
        #[serde(with = "text")]
        at: Timestamp,
    },
    /// The server lost the job.
    Lost {
        /// The window.
        #[serde(with = "text")]
        window: Window,
        /// When that was detected.
        #[serde(with = "text")]
        at: Timestamp,
        /// Why it counts as lost.
        #[serde(serialize_with = "shortened")]
        why: String,
    },
    /// The window's file is on disk.
    Stored {
        /// The window.
        #[serde(with = "text")]
        window: Window,
        /// When.
        #[serde(with = "text")]
        at: Timestamp,
        /// The file.
        #[serde(flatten)]
        stored: Stored,
        /// The converted files, by format.
        converted: Vec<ConvertedFile>,
    },
    /// The window's file was converted later.
    Converted {
        /// The window.
        #[serde(with = "text")]
        window: Window,
        /// When.
        #[serde(with = "text")]
        at: Timestamp,
        /// The converted file.
        #[serde(flatten)]
        file: ConvertedFile,
    },
    /// The window's ZIP is about to be removed: all of its rows are in the converted files.
    ZipRemoved {
        /// The window.
        #[serde(with = "text")]
        window: Window,
        /// When.
        #[serde(with = "text")]
        at: Timestamp,
    },
    /// The server has no data for the window.
    NoData {
        /// The window.
        #[serde(with = "text")]
        window: Window,
        /// When the server reported that.
        #[serde(with = "text")]
        at: Timestamp,
    },
    /// The window failed in this run.
    Failed {
        /// The window.
        #[serde(with = "text")]
        window: Window,
        /// When it was given up.
        #[serde(with = "text")]
        at: Timestamp,
        /// Why.
        #[serde(serialize_with = "shortened")]
        why: String,
    },
    /// The folder's data now comes from another server or access key. Jobs at the former server
    /// are lost.
    Moved {
        /// When.
        #[serde(with = "text")]
        at: Timestamp,
        /// The endpoint.
        endpoint: String,
        /// The access key.
        access_key: String,
    },
    /// Earlier entries about these days no longer count.
    Forgotten {
        /// When.
        #[serde(with = "text")]
        at: Timestamp,
        /// The first day.
        #[serde(with = "text")]
        from: Day,
        /// The last day.
        #[serde(with = "text")]
        to: Day,
    },
}

fn shortened<S: Serializer>(why: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{why:.WHY_LIMIT$}"))
}

/// Serializes values as their `Display` text.
pub(crate) mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
