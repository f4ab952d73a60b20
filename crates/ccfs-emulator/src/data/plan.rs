//! The values that determine a file.

use ccfs_proto::{LocalTime, Timestamp};

use super::shape::Shape;
use crate::library::Recording;

/// All values that determine the bytes of an index file.
#[derive(Clone, Debug)]
pub(crate) struct ArchivePlan {
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
    /// Maximum number of records in a member; further records are in the next member.
    pub(crate) rows_per_member: u64,
    pub(crate) shape: Shape,
    /// Time of the request.
    pub(crate) asked: Timestamp,
    /// Time of generation, for the names of members.
    pub(crate) made: Timestamp,
    /// The same in seconds of local time since 1970.
    pub(crate) generated: i64,
    /// The recordings that rows of record name.
    pub(crate) recordings: Vec<Recording>,
    /// Determines the agents and all their operations.
    pub(crate) tenant_seed: u64,
    /// Determines the rest.
    pub(crate) seed: u64,
}

impl ArchivePlan {
    /// The contents of the file: kind, tenant, period.
    pub(crate) fn contents(&self) -> String {
        format!(
            "{:?} {} {} {:?} {} {}",
            self.records, self.developer_id, self.account_id, self.agent_id, self.begin, self.end
        )
    }
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
