//! Common parts of the three pairs of interfaces for index files.

use ccfs_proto::operation::FileNameError;
use ccfs_proto::{IndexFileName, LocalTime, ResultCode};

use super::call::{Call, Outcome, Refusal};
use super::fields::{MsgBody, named, only};
use crate::data::{ArchivePlan, Random, Records};

/// Maximum length of a callback URL, in characters.
const URL_LIMIT: usize = 512;
const ID_LIMIT: usize = 20;
const NAME_LIMIT: usize = 49;
const DAY: u64 = 24 * 3600;

/// Starts a job. The interface has checked its other fields before.
pub(super) fn start(
    call: &Call<'_>,
    fields: &MsgBody,
    records: Records,
) -> Result<Outcome, Refusal> {
    let settings = &call.state.settings;
    let (begin, end) = window(call, fields)?;
    let account_id = fields.optional("accountId", ID_LIMIT)?.map(str::to_owned);
    let agent_id = fields.optional("agentId", ID_LIMIT)?;
    for (name, value) in [("accountId", account_id.as_deref()), ("agentId", agent_id)] {
        only(name, value.unwrap_or_default(), |c| c.is_ascii_alphanumeric() || "._-".contains(c))?;
    }
    let callback_url = callback_url(fields)?;
    if account_id.as_deref().is_some_and(|account| !call.state.owns(call.access_key, account)) {
        return Err(ResultCode::AuthenticationFailed.into());
    }

    // With `same_files`, a file is generated as if at the end of its period.
    let late = LocalTime::at_offset(call.now, settings.utc_offset).seconds_since(end) * 1000
        + call.now.unix_millis() % 1000;
    let made = if settings.same_files { call.now.plus_millis(-late) } else { call.now };
    let account = account_id.clone().unwrap_or_else(|| call.state.default_account(call.access_key));
    let tenant = format!("{} {account}", call.access_key);
    let plan = ArchivePlan {
        records,
        developer_id: call.access_key.to_owned(),
        account_id: account,
        agent_id: agent_id.and_then(|text| text.parse().ok()),
        begin,
        end,
        utc_offset: settings.utc_offset,
        rows: settings.rows,
        rows_per_member: settings.rows_per_member,
        shape: settings.shape,
        asked: call.now,
        made,
        generated: LocalTime::at_offset(made, settings.utc_offset).naive_epoch_seconds(),
        recordings: call
            .state
            .library
            .recordings()
            .iter()
            .filter(|recording| recording.owner == call.access_key)
            .cloned()
            .collect(),
        tenant_seed: Random::new(settings.seed, &tenant).next(),
        seed: settings.seed,
    };
    match call.state.jobs.start(account_id, plan, settings.same_files) {
        Some(job) => Ok(Outcome::Job { job, callback_url }),
        None => Err(ResultCode::QueryFlowControl.into()),
    }
}

/// Returns the file of a job. The field with its name determines which records it must have.
pub(super) fn download(call: &Call<'_>, field: &str) -> Result<Outcome, Refusal> {
    let fields = call.msg_body()?;
    let name = fields.required(field, NAME_LIMIT)?;
    only(field, name, |c| c.is_ascii_alphanumeric() || "._-".contains(c))?;
    // A malformed date has a separate result code. Any other name without a job is a file that does not exist.
    if !has_date(name) || name.parse::<IndexFileName>() == Err(FileNameError::Date) {
        return Err(ResultCode::FileNameDate.into());
    }
    let job = call
        .state
        .jobs
        .find(name)
        .filter(|job| job.records().name_field() == field)
        .ok_or(ResultCode::FileNotFound)?;
    call.check_owner(job.owner())?;
    if job.is_ready(call.now) {
        Ok(Outcome::JobFile(job))
    } else {
        Err(ResultCode::FileNotFound.into())
    }
}

/// `beginTime` and `endTime`: in order, not in the future, not too far apart.
pub(super) fn window(call: &Call<'_>, fields: &MsgBody) -> Result<(LocalTime, LocalTime), Refusal> {
    let settings = &call.state.settings;
    let (begin, end) = (fields.time("beginTime")?, fields.time("endTime")?);
    let limit = settings.span_limit.as_secs();
    let span = u64::try_from(end.seconds_since(begin))
        .map_err(|_| Refusal::from(ResultCode::BeginAfterEnd))?;
    if end > LocalTime::at_offset(call.now, settings.utc_offset) {
        return Err(ResultCode::TimeInFuture.into());
    }
    if span > limit {
        let limit = if limit.is_multiple_of(DAY) {
            format!("{} days", limit / DAY)
        } else {
            format!("{limit} seconds")
        };
        return Err(Refusal::new(
            ResultCode::SpanTooLong,
            format!("the time span is longer than {limit}"),
        ));
    }
    Ok((begin, end))
}

/// The reference spells the field differently in the table and in the examples; both are accepted.
fn callback_url(fields: &MsgBody) -> Result<String, Refusal> {
    let name = if fields.value("callBackURL").is_none() && fields.value("callBackUrl").is_some() {
        "callBackUrl"
    } else {
        "callBackURL"
    };
    let text = fields.required(name, URL_LIMIT)?;
    let usable = text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    });
    if usable {
        Ok(text.to_owned())
    } else {
        Err(named(ResultCode::ParameterFormat, name, "must be a URL with http or https"))
    }
}

/// Returns whether the name begins with eight digits and a separator.
fn has_date(name: &str) -> bool {
    name.split_once('_')
        .is_some_and(|(date, _)| date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()))
}
