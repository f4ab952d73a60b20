//! Common parts of the four kinds of CSV.

use std::fmt;
use std::io::Write;

use ccfs_proto::{LocalTime, Timestamp};

use super::archive::ArchivePlan;
use super::roster::Agent;
use super::rows::Event;

/// One of the four kinds of CSV.
pub(crate) trait Table {
    /// The type of the events in its records.
    type Event: Event;
    /// The end of a member's name, such as `agentSkillInfo`.
    const SUFFIX: &'static str;
    /// The columns' names, separated by commas.
    const COLUMNS: &'static str;

    /// Appends a record without its line end.
    fn write(plan: &ArchivePlan, agent: &Agent, event: &Self::Event, out: &mut Vec<u8>);
}

/// Which records a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Records {
    AgentSkillInfo,
    AgentOprInfo,
    /// Bills; one of the two may be left out.
    Bill {
        calls: bool,
        records: bool,
    },
}

impl Records {
    /// The field of a request that has the name of such a file.
    pub(crate) fn name_field(self) -> &'static str {
        match self {
            Self::AgentSkillInfo => "agentSkillInfoFileName",
            Self::AgentOprInfo => "agentOprInfoFileName",
            Self::Bill { .. } => "billFileName",
        }
    }
}

/// Contents of a file: kind, tenant, period.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) records: Records,
    pub(crate) developer_id: String,
    pub(crate) account_id: String,
    /// The agent of the request, if it is for one agent.
    pub(crate) agent_id: Option<u64>,
    pub(crate) begin: LocalTime,
    pub(crate) end: LocalTime,
    /// UTC offset of the tenant's time zone, in seconds.
    pub(crate) utc_offset: i32,
    /// Number of records; `None` for those of a fixed number of agents.
    pub(crate) rows: Option<u64>,
    /// Determines the agents and all their operations.
    pub(crate) seed: u64,
    /// When the file is generated, in seconds of local time since 1970.
    pub(crate) generated: i64,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} {} {} {:?} {} {}",
            self.records, self.developer_id, self.account_id, self.agent_id, self.begin, self.end
        )
    }
}

/// Converts seconds of local time since 1970 to a local time.
pub(crate) fn local(seconds: i64) -> LocalTime {
    Timestamp::from_unix_millis(seconds.saturating_mul(1000)).utc()
}

/// Writes an end that is in the past when the file is generated; the cell of a later one is empty.
pub(crate) fn write_end(end: i64, generated: i64, out: &mut Vec<u8>) {
    if end <= generated {
        // Writing into a Vec cannot fail.
        let _ = write!(out, "{}", local(end));
    }
}
