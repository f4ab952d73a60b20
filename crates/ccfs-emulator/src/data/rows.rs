//! The rows of all agents of a tenant, in the order of their times.

use std::ops::Range;
use std::vec;

use super::roster::{AGENTS, Agent, index};
use super::shift::{Operation, Period};
use super::state::{Call, State};
use super::table::Subject;

/// Rows are generated an hour at a time, which bounds the memory that they take.
const HOUR: i64 = 3600;
/// Agents are added until there are enough rows, at most this many more agents than rows.
const MORE_AGENTS: u64 = 10_000;

/// What agents do, as far as a table has a row for it.
pub(crate) trait Event: Sized {
    /// The events of an agent that begin in a period, in their order.
    fn of(agent: &Agent, period: Period) -> Vec<Self>;

    fn at(&self) -> i64;
}

impl Event for Operation {
    fn of(agent: &Agent, period: Period) -> Vec<Self> {
        agent.operations(period).filter(|operation| period.contains(operation.at)).collect()
    }

    fn at(&self) -> i64 {
        self.at
    }
}

impl Event for State {
    fn of(agent: &Agent, period: Period) -> Vec<Self> {
        agent.states(period).filter(|state| period.contains(state.at)).collect()
    }

    fn at(&self) -> i64 {
        self.at
    }
}

impl Event for Call {
    fn of(agent: &Agent, period: Period) -> Vec<Self> {
        let calls =
            agent.states(period).filter_map(|state| state.call.filter(|call| call.at == state.at));
        calls.filter(|call| period.contains(call.at)).collect()
    }

    fn at(&self) -> i64 {
        self.at
    }
}

/// The events of a period with their agents.
///
/// If a number of rows was asked for, there are as many agents as have that many rows, and the last
/// of them has only the first of its rows.
pub(crate) struct Rows<E> {
    seed: u64,
    agents: Range<u32>,
    /// Rows that the last agent still has.
    of_last: usize,
    total: u64,
    /// The part of the period that follows `hour`.
    period: Period,
    hour: vec::IntoIter<(u32, E)>,
}

impl<E: Event> Rows<E> {
    pub(crate) fn new(subject: &Subject) -> Self {
        let period = Period {
            from: subject.begin.naive_epoch_seconds(),
            to: subject.end.naive_epoch_seconds(),
        };
        let limit = subject.rows.map_or(AGENTS, |rows| {
            u32::try_from(rows.saturating_add(MORE_AGENTS)).unwrap_or(u32::MAX)
        });
        let mut agents = match subject.agent_id {
            None => 0..limit,
            Some(id) => index(id).filter(|&id| id < limit).map_or(0..0, |id| id..id + 1),
        };
        let wanted = subject.rows.unwrap_or(u64::MAX);
        let (mut total, mut of_last) = (0, 0);
        for agent in agents.clone() {
            if total == wanted {
                agents.end = agent;
                break;
            }
            let rows = E::of(&Agent::new(subject.seed, agent), period).len();
            of_last = rows.min(usize::try_from(wanted - total).unwrap_or(usize::MAX));
            total += of_last as u64;
        }
        Self { seed: subject.seed, agents, of_last, total, period, hour: Vec::new().into_iter() }
    }

    /// The number of rows.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    fn next_hour(&mut self) -> Vec<(u32, E)> {
        let from = self.period.from;
        let hour = Period { from, to: self.period.to.min(from + HOUR - 1) };
        self.period.from = hour.to + 1;
        let mut rows = Vec::new();
        for index in self.agents.clone() {
            let mut events = E::of(&Agent::new(self.seed, index), hour);
            if index + 1 == self.agents.end {
                events.truncate(self.of_last);
                self.of_last -= events.len();
            }
            rows.extend(events.into_iter().map(|event| (index, event)));
        }
        rows.sort_by_key(|(_, event)| event.at());
        rows
    }
}

impl<E: Event> Iterator for Rows<E> {
    type Item = (Agent, E);

    fn next(&mut self) -> Option<(Agent, E)> {
        loop {
            if let Some((index, event)) = self.hour.next() {
                return Some((Agent::new(self.seed, index), event));
            }
            if self.period.from > self.period.to {
                return None;
            }
            self.hour = self.next_hour().into_iter();
        }
    }
}
