//! Operations of an agent in a shift, except calls: signing in, breaks, changes of skills, signing out.

use ccfs_proto::{LocalTime, Timestamp};

use super::roster::{Agent, DAY, Purpose, Skills, signed};

pub(crate) const SIGN_OUT: u8 = 0;
pub(crate) const SIGN_IN: u8 = 1;
pub(crate) const IDLE: u8 = 2;
pub(crate) const BUSY: u8 = 3;
pub(crate) const REST: u8 = 26;
pub(crate) const FORCED_SIGN_OUT: u8 = 29;
pub(crate) const FORCED_IDLE: u8 = 30;
pub(crate) const FORCED_BUSY: u8 = 31;

/// Causes of operations, as published for agentOprInfo. 200 to 250 are those that a tenant defines.
pub(crate) const NO_CAUSE: i16 = -1;
const AT_WILL: i16 = 1;
const NO_ANSWER: i16 = 2;
const CALL_REJECTED: i16 = 7;
const TENANT_CAUSES: i16 = 200;
const SIGNED_OUT: i16 = 258;

/// Seconds of a shift without the agent's lateness, and of its eight parts. A part has at most one break or change.
const LENGTH: i64 = 8 * PART;
const PART: i64 = 3825;
/// The parts in which skills change, then instead of the break.
const CHANGE_PARTS: [i64; 6] = [1, 2, 3, 5, 6, 7];
/// Seconds that an agent may be late, and may stay longer.
const LATE: u64 = 600;

/// Times in seconds of local time since 1970, both included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Period {
    pub(crate) fn contains(self, at: i64) -> bool {
        (self.from..=self.to).contains(&at)
    }
}

/// Converts seconds of local time since 1970 to a local time.
pub(crate) fn local(seconds: i64) -> LocalTime {
    Timestamp::from_unix_millis(seconds.saturating_mul(1000)).utc()
}

/// An operation between signing in and signing out. It lasts until the next one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) at: i64,
    pub(crate) end: i64,
    pub(crate) code: u8,
    pub(crate) cause: i16,
    pub(crate) by_supervisor: bool,
    /// The agent's skills from this operation on.
    pub(crate) skills: Skills,
    /// Counts the operations of a shift from 1.
    pub(crate) sequence: u8,
    pub(crate) signed_in: i64,
}

impl Agent {
    /// The operations of all shifts that overlap a period.
    pub(crate) fn operations(&self, period: Period) -> impl Iterator<Item = Operation> {
        let longest = LENGTH + 2 * signed(LATE);
        // A night shift begins on the day before.
        (self.shift_from(period.from.div_euclid(DAY) - 1)..)
            .take_while(move |&shift| self.scheduled(shift) <= period.to)
            .filter(move |&shift| self.scheduled(shift) + longest >= period.from)
            .flat_map(|shift| self.shift(shift))
    }

    /// Sequence number of the sign-in that an operation belongs to: the day and the agent.
    pub(crate) fn sign_in_number(&self, operation: &Operation) -> String {
        let day = local(operation.signed_in).day();
        format!("{:04}{:02}{:02}{:012}", day.year(), day.month(), day.day(), self.number)
    }

    /// The operations of a shift.
    fn shift(&self, shift: i64) -> Vec<Operation> {
        let mut random = self.random(Purpose::Shift, shift);
        let begin = self.scheduled(shift) + signed(random.below(LATE));
        let changes = self.changes(shift);
        let change_part = CHANGE_PARTS[usize::try_from(random.below(6)).unwrap_or_default()];
        let mut plan = Plan { skills: self.skills_before(shift), operations: Vec::new() };
        plan.push(begin, SIGN_IN, NO_CAUSE);
        for part in 1..8 {
            let start = begin + part * PART;
            let at = start + signed(random.below(1200));
            match part {
                _ if part == change_part && !changes.is_empty() => {
                    let at = start + signed(random.below(3500));
                    plan.skills = plan.skills.toggled(changes);
                    match random.below(6) {
                        0 => plan.push(at, IDLE, NO_CAUSE),
                        1..3 => plan.push(at, FORCED_IDLE, NO_CAUSE),
                        _ => plan.pause(at, FORCED_BUSY, NO_CAUSE, 60 + random.below(240)),
                    }
                }
                2 => plan.pause(at, REST, 0, 600 + random.below(300)),
                4 => plan.pause(at, REST, 0, 1500 + random.below(900)),
                6 => {
                    let cause = TENANT_CAUSES + i16::try_from(random.below(4)).unwrap_or_default();
                    plan.pause(at, BUSY, cause, 300 + random.below(1200));
                }
                3 | 5 if random.one_in(3) => {
                    let cause = match random.below(3) {
                        0 => AT_WILL,
                        1 => NO_ANSWER,
                        _ => CALL_REJECTED,
                    };
                    plan.pause(at, BUSY, cause, 60 + random.below(240));
                }
                _ => {}
            }
        }
        let (code, cause) =
            if random.one_in(40) { (FORCED_SIGN_OUT, NO_CAUSE) } else { (SIGN_OUT, SIGNED_OUT) };
        plan.push(begin + LENGTH + signed(random.below(LATE)), code, cause);
        plan.operations
    }
}

/// The operations of a shift so far.
struct Plan {
    skills: Skills,
    operations: Vec<Operation>,
}

impl Plan {
    fn push(&mut self, at: i64, code: u8, cause: i16) {
        if let Some(last) = self.operations.last_mut() {
            last.end = at;
        }
        let (sequence, signed_in) =
            self.operations.last().map_or((1, at), |last| (last.sequence + 1, last.signed_in));
        self.operations.push(Operation {
            at,
            end: at,
            code,
            cause,
            by_supervisor: matches!(code, FORCED_SIGN_OUT..=FORCED_BUSY),
            skills: self.skills,
            sequence,
            signed_in,
        });
    }

    /// An operation after which the agent is idle again.
    fn pause(&mut self, at: i64, code: u8, cause: i16, seconds: u64) {
        self.push(at, code, cause);
        self.push(at + signed(seconds), IDLE, NO_CAUSE);
    }
}
