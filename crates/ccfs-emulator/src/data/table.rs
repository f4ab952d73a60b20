//! What the four kinds of CSV have in common.

use std::fmt;

use ccfs_proto::LocalTime;

/// Writes the records of one CSV, one after the other. Holds what they have in common, never the records.
pub(crate) trait Table {
    /// The end of a member's name: `agentSkillInfo`, say.
    fn suffix(&self) -> &'static str;

    /// The columns' names, in their order.
    fn columns(&self) -> &'static [&'static str];

    /// Appends the next record, without its line end; false when there is none left.
    fn write_next(&mut self, out: &mut Vec<u8>) -> bool;
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

/// What a file is about.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) records: Records,
    pub(crate) developer_id: String,
    pub(crate) account_id: String,
    /// Only this agent, when it was asked for.
    pub(crate) agent_id: Option<u64>,
    pub(crate) begin: LocalTime,
    pub(crate) end: LocalTime,
    /// Seconds that the tenant's clock is ahead of UTC.
    pub(crate) utc_offset: i32,
    pub(crate) rows: u64,
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

/// Agents 101, 102, …; every 40th has a number past 32 bits.
pub(crate) fn agent_number(nth: u64) -> u64 {
    if nth % 40 == 39 { 10_000_000_000 + nth } else { 101 + nth }
}
