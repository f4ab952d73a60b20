//! Common parts of the four kinds of CSV.

use std::io::Write;

use ccfs_proto::{LocalTime, Timestamp};

use super::archive::ArchivePlan;
use super::roster::Agent;
use super::shift::Period;
use super::state::State;

/// One of the four kinds of CSV.
pub(crate) struct Table {
    /// The end of a member's name, such as `agentSkillInfo`.
    pub(crate) suffix: &'static str,
    /// The columns' names, separated by commas.
    pub(crate) columns: &'static str,
    /// The states of an agent in a period that have a row.
    pub(crate) states: fn(&Agent, Period) -> Vec<State>,
    /// Appends a record without its line end.
    pub(crate) write: fn(&ArchivePlan, &Agent, &State, &mut Vec<u8>),
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
