//! `queryAgentSkillInfoData`: starts the generation of an index file.

use ccfs_proto::{LocalTime, ResultCode};

use super::fields::{named, only};
use super::{Call, Fields, Interface, Kind, Outcome, Refusal};
use crate::data::{ArchivePlan, Subject};

/// Characters of a callback URL that are taken.
const URL_LIMIT: usize = 512;
const ID_LIMIT: usize = 20;
const DAY: u64 = 24 * 3600;

pub(super) struct QueryAgentSkillInfoData;

impl Interface for QueryAgentSkillInfoData {
    fn name(&self) -> &'static str {
        "queryAgentSkillInfoData"
    }

    fn kind(&self) -> Kind {
        Kind::Job
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        let settings = &call.state.settings;
        let fields = call.msg_body()?;
        let (begin, end) = (fields.time("beginTime")?, fields.time("endTime")?);
        let now = LocalTime::at_offset(call.now, settings.utc_offset);
        check_window(begin, end, now, settings.span_limit.as_secs())?;
        let account_id = fields.optional("accountId", ID_LIMIT)?.map(str::to_owned);
        let agent_id = fields.optional("agentId", ID_LIMIT)?;
        for (name, value) in [("accountId", account_id.as_deref()), ("agentId", agent_id)] {
            only(name, value.unwrap_or_default(), |c| c.is_ascii_alphanumeric() || "._-".contains(c))?;
        }
        let callback_url = callback_url(&fields)?;
        if account_id.as_deref().is_some_and(|account| !call.state.owns(call.access_key, account)) {
            return Err(ResultCode::AuthenticationFailed.into());
        }

        let plan = ArchivePlan {
            subject: Subject {
                developer_id: call.access_key.to_owned(),
                account_id: account_id.clone().unwrap_or_else(|| call.state.default_account(call.access_key)),
                agent_id: agent_id.and_then(|text| text.parse().ok()),
                begin,
                end,
                utc_offset: settings.utc_offset,
                rows: settings.rows,
            },
            shape: settings.shape,
            rows_per_member: settings.rows_per_member,
            asked: call.now,
            seed: settings.seed,
        };
        match call.state.jobs.start(call.access_key, account_id, plan) {
            Some(job) => Ok(Outcome::Job { job, callback_url }),
            None => Err(ResultCode::QueryFlowControl.into()),
        }
    }
}

fn check_window(begin: LocalTime, end: LocalTime, now: LocalTime, limit: u64) -> Result<(), Refusal> {
    let span = u64::try_from(end.seconds_since(begin)).map_err(|_| Refusal::from(ResultCode::BeginAfterEnd))?;
    if end > now {
        return Err(ResultCode::TimeInFuture.into());
    }
    if span > limit {
        let limit = if limit.is_multiple_of(DAY) { format!("{} days", limit / DAY) } else { format!("{limit} seconds") };
        return Err(Refusal::new(ResultCode::SpanTooLong, format!("the time span is longer than {limit}")));
    }
    Ok(())
}

/// The table and the examples of the reference spell the name in two ways; both are taken.
fn callback_url(fields: &impl Fields) -> Result<String, Refusal> {
    let name = if fields.value("callBackURL").is_none() && fields.value("callBackUrl").is_some() { "callBackUrl" } else { "callBackURL" };
    let text = fields.required(name, URL_LIMIT)?;
    let usable = text
        .parse::<http::Uri>()
        .is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty()));
    if usable { Ok(text.to_owned()) } else { Err(named(ResultCode::ParameterFormat, name, "must be a URL with http or https")) }
}
