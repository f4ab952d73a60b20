//! Formats of converted files.

use std::fmt;

use ccfs_archive::ExportFormat;
use serde::{Deserialize, Serialize};

/// Format of converted files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// JSON lines, in a file of the folder.
    Jsonl,
    /// CSV with a header row and the texts of its source, in a file of the folder.
    Csv,
    /// Parquet, with the schema of `ccfs-arrow`, in a folder that engines read as one table:
    /// `agent_skill_info/day=2026-11-01/20261101T000000_20261101T235959.parquet`.
    ///
    /// The table is `agent_skill_info`, `agent_opr_info`, `call` or `record`. With
    /// [`Plan::account_id`](crate::Plan::account_id), a folder `account=ID` is above that of the
    /// day; other characters of the id than ASCII letters, digits, `-`, `_` and `.` are
    /// percent-encoded. Needs the feature `parquet`.
    ///
    /// `day` is the day that was requested, in the time zone of the tenant, so a window has one
    /// day. A window of several days, from an earlier pull into the folder, is not converted: see
    /// [`PullEvent::SeveralDays`](crate::PullEvent::SeveralDays).
    Parquet,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Jsonl, Self::Csv, Self::Parquet];

    /// Returns the name, which is also the extension of its files: `jsonl`, `csv` or `parquet`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// The format of a text file; `None` for Parquet.
    pub(crate) const fn text(self) -> Option<ExportFormat> {
        match self {
            Self::Jsonl => Some(ExportFormat::Jsonl),
            Self::Csv => Some(ExportFormat::Csv),
            Self::Parquet => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
