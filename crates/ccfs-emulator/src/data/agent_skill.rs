//! Rows of agentSkillInfo: agents who sign in, work and sign out through the window that was asked for.

use std::io::Write;

use ccfs_proto::LocalTime;

use super::curve::Curve;
use super::random::Random;
use super::shape::SkillSeparator;
use super::table::{Subject, Table, agent_number};

/// The 16 columns, in their order.
const COLUMNS: [&str; 16] = [
    "id",
    "developer_id",
    "account_id",
    "sub_cc_no",
    "vdn",
    "agent_id",
    "operate_time",
    "operate_id",
    "operate_type",
    "skill_list",
    "logon_sn",
    "operate_sn",
    "operate_end_time",
    "renew_flag",
    "update_time",
    "month_of_year",
];

const SIGN_OUT: u8 = 0;
const SIGN_IN: u8 = 1;
const FORCED_SIGN_OUT: u8 = 29;
/// What a signed-in agent does, and how often: idle, busy, rest, work, hold, mute, talking, internal help, transfer, manual to
/// automatic, forced idle, forced busy, forced sign-out, sign-out.
const OPERATIONS: [(u8, u64); 14] = [
    (2, 30),
    (3, 14),
    (26, 8),
    (27, 20),
    (38, 6),
    (32, 4),
    (4, 5),
    (40, 2),
    (45, 3),
    (13, 1),
    (30, 1),
    (31, 1),
    (FORCED_SIGN_OUT, 1),
    (SIGN_OUT, 4),
];

/// Writes one row after the other; holds the agents' states, never the rows.
pub(crate) struct AgentSkillInfo {
    subject: Subject,
    separator: SkillSeparator,
    random: Random,
    curve: Curve,
    agents: Vec<Agent>,
    written: u64,
}

struct Agent {
    id: u64,
    skills: Vec<u32>,
    /// The sign-in under way and the number of its latest operation.
    session: Option<(String, u32)>,
}

impl AgentSkillInfo {
    pub(crate) fn new(subject: Subject, separator: SkillSeparator, mut random: Random) -> Self {
        let agents = match subject.agent_id {
            Some(id) => vec![Agent::new(id, &mut random)],
            None => (0..(subject.rows / 50).clamp(3, 400))
                .map(|nth| Agent::new(agent_number(nth), &mut random))
                .collect(),
        };
        let curve = Curve::new(subject.begin, subject.end);
        Self { subject, separator, random, curve, agents, written: 0 }
    }
}

impl Table for AgentSkillInfo {
    fn suffix(&self) -> &'static str {
        "agentSkillInfo"
    }

    fn columns(&self) -> &'static [&'static str] {
        &COLUMNS
    }

    fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.written == self.subject.rows {
            return false;
        }
        let at = self.curve.at(self.written, self.subject.rows);
        self.written += 1;
        let (subject, random) = (&self.subject, &mut self.random);
        let number = random.below(self.agents.len() as u64);
        let Some(agent) = usize::try_from(number).ok().and_then(|index| self.agents.get_mut(index))
        else {
            return false;
        };

        let operation = agent.next_operation(at, random);
        let seconds = 1 + i64::try_from(random.below(900)).unwrap_or_default();
        let end = at.plus_seconds(seconds).unwrap_or(at).min(subject.end.max(at));
        let stored = end.plus_seconds(2 - i64::from(subject.utc_offset)).unwrap_or(end);
        // A supervisor's number does not fit into 32 bits: the reference promises digits, not a size.
        let operator =
            if matches!(operation, 29..=31) { 42_949_672_960 + agent.id % 7 } else { agent.id };
        let (logon_sn, operate_sn) =
            agent.session.as_ref().map_or(("", 0), |(sn, count)| (sn.as_str(), *count));

        // Writing into a Vec cannot fail.
        let _ = write!(
            out,
            "{},{},{},1,{},{},{at},{operator},{operation},",
            random.hex32(),
            subject.developer_id,
            subject.account_id,
            1 + agent.id % 3,
            agent.id,
        );
        write_skills(&agent.skills, self.separator, out);
        let _ = write!(out, ",{logon_sn},{operate_sn},");
        // What is still going on has no end yet; its cell is empty.
        if !random.one_in(100) {
            let _ = write!(out, "{end}");
        }
        let _ = write!(out, ",{},{stored},{}", random.below(2), at.day().month());
        if matches!(operation, SIGN_OUT | FORCED_SIGN_OUT) {
            agent.session = None;
        }
        true
    }
}

impl Agent {
    fn new(id: u64, random: &mut Random) -> Self {
        let mut agent = Self { id, skills: Vec::new(), session: None };
        agent.change_skills(random);
        agent
    }

    fn change_skills(&mut self, random: &mut Random) {
        let count = random.below(6);
        let mut skills: Vec<u32> =
            (0..count).map(|_| 1 + u32::try_from(random.below(60)).unwrap_or_default()).collect();
        skills.sort_unstable();
        skills.dedup();
        self.skills = skills;
    }

    fn next_operation(&mut self, at: LocalTime, random: &mut Random) -> u8 {
        if let Some((_, count)) = &mut self.session {
            *count += 1;
            let operation = pick(random);
            if random.one_in(8) {
                self.change_skills(random);
            }
            operation
        } else {
            let day = at.day();
            let number = random.below(1_000_000_000_000);
            self.session = Some((
                format!("{:04}{:02}{:02}{number:012}", day.year(), day.month(), day.day()),
                1,
            ));
            SIGN_IN
        }
    }
}

fn pick(random: &mut Random) -> u8 {
    let total: u64 = OPERATIONS.iter().map(|(_, weight)| weight).sum();
    let mut left = random.below(total);
    for (operation, weight) in OPERATIONS {
        if left < weight {
            return operation;
        }
        left -= weight;
    }
    SIGN_OUT
}

fn write_skills(skills: &[u32], separator: SkillSeparator, out: &mut Vec<u8>) {
    let (between, quote) = match separator {
        SkillSeparator::Semicolon => (b';', false),
        SkillSeparator::Comma => (b',', skills.len() > 1),
        SkillSeparator::BareComma => (b',', false),
    };
    if quote {
        out.push(b'"');
    }
    for (nth, skill) in skills.iter().enumerate() {
        if nth > 0 {
            out.push(between);
        }
        let _ = write!(out, "{skill}");
    }
    if quote {
        out.push(b'"');
    }
}
