//! The rows of all agents of a tenant, in the order of their times.

use super::plan::ArchivePlan;
use super::roster::{AGENTS, Agent, index};
use super::shift::Period;
use super::state::State;

/// Rows are generated an hour at a time, which bounds the memory that they take.
const HOUR: u16 = 3600;
/// Agents are added until there are enough rows, at most this many more agents than rows.
const MORE_AGENTS: u64 = 10_000;

/// Returns the number of rows of a table, and the states that they record, with their agents.
///
/// If a number of rows was asked for, there are as many agents as have that many rows, and the last
/// of them has only the first of its rows.
pub(crate) fn rows(
    plan: &ArchivePlan,
    states: fn(&Agent, Period) -> Vec<State>,
) -> (u64, impl Iterator<Item = (Agent, State)>) {
    let begin_in = move |agent: &Agent, period: Period| {
        states(agent, period).into_iter().filter(move |state| period.contains(state.at))
    };
    let seed = plan.tenant_seed;
    let (from, to) = (plan.begin.naive_epoch_seconds(), plan.end.naive_epoch_seconds());
    let limit = plan
        .rows
        .map_or(AGENTS, |rows| u32::try_from(rows.saturating_add(MORE_AGENTS)).unwrap_or(u32::MAX));
    let mut agents = match plan.agent_id {
        None => 0..limit,
        Some(id) => index(id).filter(|&id| id < limit).map_or(0..0, |id| id..id + 1),
    };
    let wanted = plan.rows.unwrap_or(u64::MAX);
    let (mut total, mut of_last) = (0, 0);
    for agent in agents.clone() {
        if total == wanted {
            agents.end = agent;
            break;
        }
        let rows = begin_in(&Agent::new(seed, agent), Period { from, to }).count();
        of_last = rows.min(usize::try_from(wanted - total).unwrap_or(usize::MAX));
        total += of_last as u64;
    }
    let rows = (from..=to).step_by(HOUR.into()).flat_map(move |from| {
        let hour = Period { from, to: to.min(from + i64::from(HOUR) - 1) };
        let mut rows = Vec::new();
        for index in agents.clone() {
            let agent = Agent::new(seed, index);
            let is_last = index + 1 == agents.end;
            let (limit, before) = (if is_last { of_last } else { usize::MAX }, rows.len());
            rows.extend(begin_in(&agent, hour).take(limit).map(|state| (agent, state)));
            if is_last {
                of_last -= rows.len() - before;
            }
        }
        rows.sort_by_key(|(_, state)| state.at);
        rows
    });
    (total, rows)
}
