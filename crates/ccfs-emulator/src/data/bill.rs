//! Rows of the two bills: calls, and recordings of calls.

use std::io::Write;

use super::plan::ArchivePlan;
use super::roster::{Agent, signed};
use super::shift::{Period, local};
use super::state::{CallDetails, State};
use super::table::{Table, write_end};

/// Calls, each of one agent.
pub(crate) const CALLS: Table = Table {
    suffix: "call",
    columns: "\
        developer,account_id,cc_id,agent_id,call_id,caller_no,callee_no,wait_begin,wait_end,\
        ack_begin,ack_end,call_begin,call_end,device_type,device_no,call_type,release_cause,\
        call_id_num,vdn_id,pre_device_type,pre_device_no,skill_id,current_skill_id,device_in,\
        pre_device_in,service_no,leave_reason,media_type,sub_media_type",
    states: calls,
    write: write_call,
};

fn write_call(plan: &ArchivePlan, agent: &Agent, state: &State, out: &mut Vec<u8>) {
    let Some(call) = state.call else { return };
    let CallDetails { id, caller, callee, outbound, mut random } = call.details(agent);
    let begin = local(call.at);
    let ring = call.at - signed(random.below(10));
    let (wait_begin, wait_end) = (local(ring - signed(random.below(60))), local(ring));
    let _ = write!(
        out,
        "{},{},1,{},{id},{caller},{callee},{wait_begin},{wait_end},{wait_end},{begin},{begin},",
        plan.developer_id, plan.account_id, agent.number,
    );
    write_end(call.end, plan.generated, out);
    // The cause is valid for the last leg of a call only.
    let (leg, cause) = if random.one_in(6) { (1, 0) } else { (-1, random.below(4) * 256) };
    let _ = write!(
        out,
        ",2,{},{},{cause},{leg},{},1,{skill},{skill},{skill},{number},{skill},,{},5,0",
        agent.number % 100_000,
        u8::from(outbound),
        agent.vdn(),
        random.below(4),
        skill = call.skill,
        number = agent.number,
    );
}

/// The recordings of all calls. Their files are the few that the emulator has.
pub(crate) const RECORDINGS: Table = Table {
    suffix: "record",
    columns: "\
        developer,account_id,cc_id,agent_id,call_id,caller_no,callee_no,call_begin,call_end,\
        file_name,task_status,task_result,original_file_name,vdn_id,call_type,media_type,\
        user_wanted_skill_id,current_skill_id",
    states: calls,
    write: write_recording,
};

fn write_recording(plan: &ArchivePlan, agent: &Agent, state: &State, out: &mut Vec<u8>) {
    let Some(call) = state.call else { return };
    let CallDetails { id, caller, callee, outbound, mut random } = call.details(agent);
    let (converted, result) = if random.one_in(3) { (1, "success") } else { (0, "") };
    // Every developer has recordings.
    let index = random.below(plan.recordings.len() as u64);
    let recording = &plan.recordings[usize::try_from(index).unwrap_or_default()];
    let _ = write!(
        out,
        "{},{},{},{},{id},{caller},{callee},{},",
        plan.developer_id,
        plan.account_id,
        recording.cc_id,
        agent.number,
        local(call.at),
    );
    write_end(call.end, plan.generated, out);
    let _ = write!(
        out,
        ",{},{converted},{result},{},{},{},5,{skill},{skill}",
        recording.file_name,
        recording.original_file_name,
        agent.vdn(),
        u8::from(outbound),
        skill = call.skill,
    );
}

/// The states with which calls begin.
fn calls(agent: &Agent, period: Period) -> Vec<State> {
    let begins = |state: &State| state.call.is_some_and(|call| call.at == state.at);
    agent.states(period).filter(begins).collect()
}
