//! Rows of agentOprInfo: what agents did, with whom and on which call.

use std::io::Write;

use super::curve::Curve;
use super::random::Random;
use super::table::{Subject, Table, agent_number};

const COLUMNS: [&str; 21] = [
    "id",
    "developer_id",
    "account_id",
    "agent_id",
    "service_no",
    "skill_id",
    "call_id",
    "begin_time",
    "end_time",
    "op_type",
    "op_object",
    "op_cause",
    "media_type",
    "vdn_id",
    "cc_id",
    "agent_type",
    "phone_no",
    "callIn_out",
    "location_id",
    "logon_sn",
    "skillInfo_sn",
];
/// Talking, internal help, internal call, transfer out, hold, mute, idle, busy, rest, work, conference.
const OPERATIONS: [u8; 11] = [4, 40, 41, 46, 38, 32, 2, 3, 26, 27, 58];

/// Writes agent operations.
pub(crate) struct AgentOprInfo {
    subject: Subject,
    curve: Curve,
    random: Random,
    written: u64,
}

impl AgentOprInfo {
    pub(crate) fn new(subject: Subject, random: Random) -> Self {
        Self { curve: Curve::new(subject.begin, subject.end), subject, random, written: 0 }
    }
}

impl Table for AgentOprInfo {
    fn suffix(&self) -> &'static str {
        "agentOprInfo"
    }

    fn columns(&self) -> &'static [&'static str] {
        &COLUMNS
    }

    fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.written == self.subject.rows {
            return false;
        }
        let (subject, random) = (&self.subject, &mut self.random);
        let begin = self.curve.at(self.written, subject.rows);
        self.written += 1;
        let seconds = i64::try_from(random.below(600)).unwrap_or_default();
        let end = begin.plus_seconds(seconds).unwrap_or(begin).min(subject.end.max(begin));
        let agent = subject
            .agent_id
            .unwrap_or_else(|| agent_number(random.below((subject.rows / 50).clamp(3, 400))));
        let operation = OPERATIONS
            .get(usize::try_from(random.below(11)).unwrap_or_default())
            .copied()
            .unwrap_or(2);
        // What has no call has no number and no skill queue either.
        let (call, phone, skill) = if matches!(operation, 4 | 32 | 38 | 40 | 41 | 46 | 58) {
            let call =
                format!("{}-{}", 1_680_000_000 + random.below(100_000_000), random.below(10_000));
            (
                call,
                format!("1{:010}", random.below(10_000_000_000)),
                (1 + random.below(60)).to_string(),
            )
        } else {
            (String::new(), String::new(), String::new())
        };
        let day = begin.day();
        // Writing into a Vec cannot fail.
        let _ = write!(
            out,
            "{},{},{},{agent},,{skill},{call},{begin},{end},{operation},,{},5,{},1,4,{phone},{},1,{:04}{:02}{:02}{agent:012},{}",
            random.hex32(),
            subject.developer_id,
            subject.account_id,
            random.below(3),
            1 + agent % 3,
            random.below(2),
            day.year(),
            day.month(),
            day.day(),
            1 + random.below(4),
        );
        true
    }
}
