//! The states of an agent, one after the other, and the calls that the agent answers.

use super::random::Random;
use super::roster::{Agent, DAY, Purpose, signed};
use super::shift::{FORCED_IDLE, IDLE, NO_CAUSE, Operation, Period, SIGN_IN};

const TALKING: u8 = 4;
const WORK: u8 = 27;
const MUTE: u8 = 32;
const HOLD: u8 = 38;
const INTERNAL_HELP: u8 = 40;
/// What interrupts talking, and how often in relation to the others.
const INTERRUPTIONS: [u8; 5] = [HOLD, HOLD, HOLD, MUTE, INTERNAL_HELP];

/// How many calls arrive in each hour of the day, in relation to the others.
const CALLS: [u64; 24] =
    [1, 1, 1, 1, 1, 1, 2, 6, 20, 32, 34, 30, 18, 26, 34, 36, 30, 24, 12, 8, 6, 4, 2, 1];
/// Average seconds between two calls of an agent in an hour with the value 1.
const IDLE_SECONDS: u64 = 1800;
const SIGN_IN_SECONDS: i64 = 3;

/// A state of an agent. The states of a shift follow one another without gaps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    pub(crate) at: i64,
    pub(crate) end: i64,
    pub(crate) code: u8,
    pub(crate) cause: i16,
    /// The operation during which the agent is in this state.
    pub(crate) operation: Operation,
    pub(crate) call: Option<Call>,
}

impl State {
    /// The first state during an operation.
    pub(crate) fn of(operation: Operation) -> Self {
        let Operation { at, end, code, cause, .. } = operation;
        Self { at, end, code, cause, operation, call: None }
    }
}

/// A call that an agent answers, or makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) at: i64,
    pub(crate) end: i64,
    pub(crate) skill: u64,
}

/// What the bills say about a call besides its times.
pub(crate) struct CallDetails {
    pub(crate) id: String,
    /// Number of the customer.
    pub(crate) caller: u64,
    /// Number that the customer called.
    pub(crate) callee: u64,
    pub(crate) outbound: bool,
    /// Random numbers for the rest.
    pub(crate) random: Random,
}

impl Call {
    pub(crate) fn details(&self, agent: &Agent) -> CallDetails {
        let mut random = agent.random(Purpose::CallDetails, self.at);
        CallDetails {
            // An agent has one call at a time.
            id: format!("{}-{}", self.at, agent.number),
            caller: 10_000_000_000 + random.below(10_000_000_000),
            callee: 400_000_000 + random.below(10),
            outbound: random.one_in(8),
            random,
        }
    }
}

impl Agent {
    /// The states of all shifts that overlap a period.
    pub(crate) fn states(&self, period: Period) -> impl Iterator<Item = State> {
        self.operations(period)
            .filter(move |operation| operation.at <= period.to && operation.end >= period.from)
            .flat_map(|operation| self.states_of(operation))
    }

    fn states_of(&self, operation: Operation) -> Vec<State> {
        let first = State::of(operation);
        match first.code {
            SIGN_IN => {
                let signed_in = first.at + SIGN_IN_SECONDS;
                let idle = State { at: signed_in, code: IDLE, ..first };
                [vec![State { end: signed_in, ..first }], self.answer_calls(idle)].concat()
            }
            IDLE | FORCED_IDLE => self.answer_calls(first),
            _ => vec![first],
        }
    }

    /// Divides the time that an agent is available into waiting for calls, calls and the work after them.
    fn answer_calls(&self, available: State) -> Vec<State> {
        let mut random = self.random(Purpose::Calls, available.at);
        let mut states = Vec::new();
        let mut idle = available;
        // An agent without skills gets no calls.
        while let Some(skill) = available.operation.skills.pick(&mut random) {
            let hour = usize::try_from(idle.at.rem_euclid(DAY) / 3600).unwrap_or_default();
            let wait = 10 + random.below(2 * IDLE_SECONDS / CALLS[hour]);
            let talk = 20 + random.below(240) + random.below(240);
            let interrupted = if random.one_in(5) { 10 + random.below(80) } else { 0 };
            let work = 10 + random.below(60);
            let at = idle.at + signed(wait);
            let call = Call { at, end: at + signed(talk + interrupted), skill };
            let next = call.end + signed(work);
            if next >= available.end {
                break;
            }
            states.push(State { end: at, ..idle });
            let talking =
                State { at, end: call.end, code: TALKING, cause: 0, call: Some(call), ..idle };
            if interrupted > 0 {
                let from = at + 10 + signed(random.below(talk - 10));
                let to = from + signed(interrupted);
                let code = INTERRUPTIONS[usize::try_from(random.below(5)).unwrap_or_default()];
                states.push(State { end: from, ..talking });
                states.push(State { at: from, end: to, code, cause: NO_CAUSE, ..talking });
                states.push(State { at: to, ..talking });
            } else {
                states.push(talking);
            }
            states.push(State { at: call.end, end: next, code: WORK, cause: 0, ..idle });
            idle = State { at: next, code: IDLE, cause: NO_CAUSE, ..idle };
        }
        states.push(idle);
        states
    }
}
