//! Rows of the two bills: calls, and recordings of calls.

use std::io::Write;

use super::curve::Curve;
use super::random::Random;
use super::table::{Subject, Table, agent_number};
use crate::library::Recording;

const RECORD_COLUMNS: [&str; 18] = [
    "developer",
    "account_id",
    "cc_id",
    "agent_id",
    "call_id",
    "caller_no",
    "callee_no",
    "call_begin",
    "call_end",
    "file_name",
    "task_status",
    "task_result",
    "original_file_name",
    "vdn_id",
    "call_type",
    "media_type",
    "user_wanted_skill_id",
    "current_skill_id",
];
const CALL_COLUMNS: [&str; 29] = [
    "developer",
    "account_id",
    "cc_id",
    "agent_id",
    "call_id",
    "caller_no",
    "callee_no",
    "wait_begin",
    "wait_end",
    "ack_begin",
    "ack_end",
    "call_begin",
    "call_end",
    "device_type",
    "device_no",
    "call_type",
    "release_cause",
    "call_id_num",
    "vdn_id",
    "pre_device_type",
    "pre_device_no",
    "skill_id",
    "current_skill_id",
    "device_in",
    "pre_device_in",
    "service_no",
    "leave_reason",
    "media_type",
    "sub_media_type",
];

/// Writes recordings; their names are those of the emulator's own, again and again.
pub(crate) struct Records {
    subject: Subject,
    curve: Curve,
    random: Random,
    recordings: Vec<Recording>,
    written: u64,
}

impl Records {
    pub(crate) fn new(subject: Subject, recordings: Vec<Recording>, random: Random) -> Self {
        Self {
            curve: Curve::new(subject.begin, subject.end),
            subject,
            random,
            recordings,
            written: 0,
        }
    }
}

impl Table for Records {
    fn suffix(&self) -> &'static str {
        "record"
    }

    fn columns(&self) -> &'static [&'static str] {
        &RECORD_COLUMNS
    }

    fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.written == self.subject.rows || self.recordings.is_empty() {
            return false;
        }
        let (subject, random) = (&self.subject, &mut self.random);
        let begin = self.curve.at(self.written, subject.rows);
        let index =
            usize::try_from(self.written % self.recordings.len() as u64).unwrap_or_default();
        let recording = &self.recordings[index];
        self.written += 1;
        let end = begin
            .plus_seconds(5 + i64::try_from(random.below(900)).unwrap_or_default())
            .unwrap_or(begin);
        let agent = subject.agent_id.unwrap_or_else(|| agent_number(random.below(40)));
        let (converted, result) = if random.one_in(3) { (1, "success") } else { (0, "") };
        let _ = write!(
            out,
            "{},{},{},{agent},{},1{:010},{},{begin},{end},{},{converted},{result},{},{},{},5,{skill},{skill}",
            subject.developer_id,
            subject.account_id,
            recording.cc_id,
            recording.call_id,
            random.below(10_000_000_000),
            400_000_000 + random.below(10),
            recording.file_name,
            recording.original_file_name,
            1 + agent % 3,
            random.below(2),
            skill = 1 + random.below(60),
        );
        true
    }
}

/// Writes calls.
pub(crate) struct Calls {
    subject: Subject,
    curve: Curve,
    random: Random,
    written: u64,
}

impl Calls {
    pub(crate) fn new(subject: Subject, random: Random) -> Self {
        Self { curve: Curve::new(subject.begin, subject.end), subject, random, written: 0 }
    }
}

impl Table for Calls {
    fn suffix(&self) -> &'static str {
        "call"
    }

    fn columns(&self) -> &'static [&'static str] {
        &CALL_COLUMNS
    }

    fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.written == self.subject.rows {
            return false;
        }
        let (subject, random) = (&self.subject, &mut self.random);
        let wait_begin = self.curve.at(self.written, subject.rows);
        self.written += 1;
        let mut after = |from: ccfs_proto::LocalTime, most: u64| {
            from.plus_seconds(i64::try_from(random.below(most)).unwrap_or_default()).unwrap_or(from)
        };
        let wait_end = after(wait_begin, 60);
        let ack_end = after(wait_end, 15);
        let call_end = after(ack_end, 900);
        let agent = subject.agent_id.unwrap_or_else(|| agent_number(random.below(40)));
        // 0 ended by the caller; the cause means something on a call's last leg only.
        let (leg, cause) = if random.one_in(6) { (1, 0) } else { (-1, random.below(4) * 256) };
        let _ = write!(
            out,
            "{},{},1,{agent},{}-{},1{:010},{},{wait_begin},{wait_end},{wait_end},{ack_end},{ack_end},{call_end},2,{},0,{cause},{leg},{},1,{queue},{queue},{queue},{agent},{queue},,{},5,0",
            subject.developer_id,
            subject.account_id,
            1_680_000_000 + random.below(100_000_000),
            random.below(10_000),
            random.below(10_000_000_000),
            400_000_000 + random.below(10),
            agent % 100_000,
            1 + agent % 3,
            random.below(4),
            queue = 1 + random.below(60),
        );
        true
    }
}
