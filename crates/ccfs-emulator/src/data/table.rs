//! Common parts of the four kinds of CSV.

use std::io::Write;

use super::plan::ArchivePlan;
use super::roster::Agent;
use super::shift::{Period, local};
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

/// Writes an end that is in the past when the file is generated; the cell of a later one is empty.
pub(crate) fn write_end(end: i64, generated: i64, out: &mut Vec<u8>) {
    if end <= generated {
        // Writing into a Vec cannot fail.
        let _ = write!(out, "{}", local(end));
    }
}
