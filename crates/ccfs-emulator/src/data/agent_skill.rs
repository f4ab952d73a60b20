//! Rows of agentSkillInfo: the operations of agents with the skills that they have.

use std::io::Write;

use super::plan::ArchivePlan;
use super::roster::{Agent, Purpose, Skills};
use super::shape::SkillSeparator;
use super::shift::local;
use super::state::State;
use super::table::{Table, write_end};

/// The operations of shifts, each with the skills that the agent has from then on.
pub(crate) const AGENT_SKILL_INFO: Table = Table {
    suffix: "agentSkillInfo",
    columns: "\
        id,developer_id,account_id,sub_cc_no,vdn,agent_id,operate_time,operate_id,operate_type,\
        skill_list,logon_sn,operate_sn,operate_end_time,renew_flag,update_time,month_of_year",
    states: |agent, period| agent.operations(period).map(State::of).collect(),
    write,
};

fn write(plan: &ArchivePlan, agent: &Agent, state: &State, out: &mut Vec<u8>) {
    let operation = &state.operation;
    let mut random = agent.random(Purpose::SkillRow, operation.at);
    let at = local(operation.at);
    let operator = if operation.by_supervisor { agent.supervisor } else { agent.number };
    // Writing into a Vec cannot fail.
    let _ = write!(
        out,
        "{:016x}{:016x},{},{},1,{},{},{at},{operator},{},{},{},{},",
        random.next(),
        random.next(),
        plan.developer_id,
        plan.account_id,
        agent.vdn(),
        agent.number,
        operation.code,
        skill_list(operation.skills, plan.shape.skill_separator),
        agent.sign_in_number(operation),
        operation.sequence,
    );
    write_end(operation.end, plan.generated, out);
    let written = if operation.end <= plan.generated { operation.end } else { operation.at };
    let stored = local(written + 2 - i64::from(plan.utc_offset));
    let _ = write!(out, ",{},{stored},{}", random.below(2), at.day().month());
}

fn skill_list(skills: Skills, separator: SkillSeparator) -> String {
    let ids: Vec<String> = skills.ids().map(|id| id.to_string()).collect();
    match separator {
        SkillSeparator::Semicolon => ids.join(";"),
        SkillSeparator::Comma if ids.len() > 1 => format!("\"{}\"", ids.join(",")),
        SkillSeparator::Comma | SkillSeparator::BareComma => ids.join(","),
    }
}
