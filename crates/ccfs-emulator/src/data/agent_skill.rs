//! Rows of agentSkillInfo: the operations of agents with the skills that they have.

use std::io::Write;

use super::archive::ArchivePlan;
use super::roster::{Agent, Purpose, Skills};
use super::shape::SkillSeparator;
use super::shift::Operation;
use super::table::{Table, local, write_end};

/// The operations of shifts, each with the skills that the agent has from then on.
pub(crate) struct AgentSkillInfo;

impl Table for AgentSkillInfo {
    type Event = Operation;
    const SUFFIX: &'static str = "agentSkillInfo";
    const COLUMNS: &'static str = "\
        id,developer_id,account_id,sub_cc_no,vdn,agent_id,operate_time,operate_id,operate_type,\
        skill_list,logon_sn,operate_sn,operate_end_time,renew_flag,update_time,month_of_year";

    fn write(plan: &ArchivePlan, agent: &Agent, operation: &Operation, out: &mut Vec<u8>) {
        let subject = &plan.subject;
        let mut random = agent.random(Purpose::SkillRow, operation.at);
        let at = local(operation.at);
        let operator = if operation.by_supervisor { agent.supervisor } else { agent.number };
        // Writing into a Vec cannot fail.
        let _ = write!(
            out,
            "{:016x}{:016x},{},{},1,{},{},{at},{operator},{},",
            random.next(),
            random.next(),
            subject.developer_id,
            subject.account_id,
            agent.vdn(),
            agent.number,
            operation.code,
        );
        write_skills(operation.skills, plan.shape.skill_separator, out);
        let _ = write!(out, ",{},{},", agent.sign_in_number(operation), operation.sequence);
        write_end(operation.end, subject.generated, out);
        let written = if operation.end <= subject.generated { operation.end } else { operation.at };
        let stored = local(written + 2 - i64::from(subject.utc_offset));
        let _ = write!(out, ",{},{stored},{}", random.below(2), at.day().month());
    }
}

fn write_skills(skills: Skills, separator: SkillSeparator, out: &mut Vec<u8>) {
    let (between, quote) = match separator {
        SkillSeparator::Semicolon => (b';', false),
        SkillSeparator::Comma => (b',', skills.ids().nth(1).is_some()),
        SkillSeparator::BareComma => (b',', false),
    };
    if quote {
        out.push(b'"');
    }
    for (nth, skill) in skills.ids().enumerate() {
        if nth > 0 {
            out.push(between);
        }
        let _ = write!(out, "{skill}");
    }
    if quote {
        out.push(b'"');
    }
}
