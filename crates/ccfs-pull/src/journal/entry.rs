//! The lines of a journal.

use ccfs_archive::IndexKind;
use ccfs_proto::auth::AccessKey;
use ccfs_proto::{Endpoint, ResponseId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::window::Window;

/// The version of the journal that this crate writes and reads.
pub(super) const VERSION: u32 = 1;

/// The first line: the server and the settings that the folder belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) ccfs_pull: u32,
    pub(super) endpoint: String,
    pub(super) access_key: String,
    pub(super) kind: String,
    pub(super) zone: String,
    pub(super) window_days: u8,
    pub(super) account_id: Option<String>,
    pub(super) convert: Option<String>,
    pub(super) keep_zip: bool,
}

impl Header {
    pub(super) fn new(plan: &Plan, endpoint: &Endpoint, access_key: &AccessKey) -> Self {
        Self {
            ccfs_pull: VERSION,
            endpoint: endpoint.to_string(),
            access_key: access_key.as_str().to_owned(),
            kind: IndexKind::as_str(plan.kind).to_owned(),
            zone: plan.zone.name().to_owned(),
            window_days: plan.window_days,
            account_id: plan.account_id.clone(),
            convert: plan.convert.map(|format| format.as_str().to_owned()),
            keep_zip: plan.keep_zip || plan.convert.is_none(),
        }
    }

    /// Returns the first setting that differs: its name, its value in the journal, its value now.
    pub(super) fn difference(&self, now: &Self) -> Option<(&'static str, String, String)> {
        let option = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".into());
        let pairs = [
            ("server", self.endpoint.clone(), now.endpoint.clone()),
            ("access key", self.access_key.clone(), now.access_key.clone()),
            ("kind of file", self.kind.clone(), now.kind.clone()),
            ("tenant's time zone", self.zone.clone(), now.zone.clone()),
            (
                "number of days in a window",
                self.window_days.to_string(),
                now.window_days.to_string(),
            ),
            ("tenant space", option(&self.account_id), option(&now.account_id)),
            ("conversion", option(&self.convert), option(&now.convert)),
            ("choice to keep the ZIP files", self.keep_zip.to_string(), now.keep_zip.to_string()),
        ];
        pairs.into_iter().find(|(_, before, now)| before != now)
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
        #[serde(with = "time")]
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
        #[serde(with = "time")]
        sent: Timestamp,
        /// When the response arrived.
        #[serde(with = "time")]
        at: Timestamp,
    },
    /// The server lost the job.
    Lost {
        /// The window.
        #[serde(with = "text")]
        window: Window,
        /// When that was detected.
        #[serde(with = "time")]
        at: Timestamp,
        /// Why it counts as lost.
        why: String,
    },
    /// The window's file is on disk.
    Stored {
        /// The window.
        #[serde(with = "text")]
        window: Window,
        /// When.
        #[serde(with = "time")]
        at: Timestamp,
        /// Size of the ZIP in bytes.
        bytes: u64,
        /// Records of the wanted kind.
        rows: u64,
        /// Rows of the wanted kind that could not be read.
        bad_rows: u64,
        /// Members with data that were not read. Absent in lines of older versions.
        #[serde(default)]
        unread_members: Option<u64>,
    },
    /// The server has no data for the window.
    NoData {
        /// The window.
        #[serde(with = "text")]
        window: Window,
        /// When the server reported that.
        #[serde(with = "time")]
        at: Timestamp,
    },
    /// The window failed in this run.
    Failed {
        /// The window.
        #[serde(with = "text")]
        window: Window,
        /// When it was given up.
        #[serde(with = "time")]
        at: Timestamp,
        /// Why.
        why: String,
    },
}

/// Serializes values as their `Display` text.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Serializes times in UTC, in the format of signatures.
mod time {
    use ccfs_proto::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    // serde passes a reference.
    #[expect(clippy::trivially_copy_pass_by_ref)]
    pub(super) fn serialize<S: Serializer>(
        value: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse::<Timestamp>().map_err(D::Error::custom)
    }
}
