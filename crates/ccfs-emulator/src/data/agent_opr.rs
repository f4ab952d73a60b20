//! Rows of agentOprInfo: the states of agents, with their calls.

use std::io::Write;

use super::plan::ArchivePlan;
use super::roster::{Agent, Purpose};
use super::shift::{SIGN_IN, local};
use super::state::State;
use super::table::{Table, write_end};

/// The states of agents.
pub(crate) const AGENT_OPR_INFO: Table = Table {
    suffix: "agentOprInfo",
    columns: "\
        id,developer_id,account_id,agent_id,service_no,skill_id,call_id,begin_time,end_time,\
        op_type,op_object,op_cause,media_type,vdn_id,cc_id,agent_type,phone_no,callIn_out,\
        location_id,logon_sn,skillInfo_sn",
    states: |agent, period| agent.states(period).collect(),
    write,
};

fn write(plan: &ArchivePlan, agent: &Agent, state: &State, out: &mut Vec<u8>) {
    let operation = &state.operation;
    let mut random = agent.random(Purpose::StateRow, state.at);
    // Writing into a Vec cannot fail.
    let _ = write!(
        out,
        "{:016x}{:016x},{},{},{},,",
        random.next(),
        random.next(),
        plan.developer_id,
        plan.account_id,
        agent.number,
    );
    let call = state.call.map(|call| (call.skill, call.details(agent)));
    if let Some((skill, details)) = &call {
        let _ = write!(out, "{skill},{}", details.id);
    } else {
        out.push(b',');
    }
    let _ = write!(out, ",{},", local(state.at));
    write_end(state.end, plan.generated, out);
    let _ = write!(out, ",{},", state.code);
    if operation.by_supervisor && state.code == operation.code {
        let _ = write!(out, "{}", agent.supervisor);
    }
    let _ = write!(out, ",{},5,{},1,4,", state.cause, agent.vdn());
    if let Some((_, details)) = &call {
        let _ = write!(out, "{},{}", details.caller, u8::from(details.outbound));
    } else {
        out.push(b',');
    }
    let _ = write!(out, ",1,{},", agent.sign_in_number(operation));
    // The operation number of the row in agentSkillInfo that has the skills.
    if state.code != SIGN_IN && !operation.skills.is_empty() {
        let _ = write!(out, "{}", operation.sequence);
    }
}
