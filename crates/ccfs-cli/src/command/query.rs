//! `ccfs query`: asks the server to generate an index file.

use std::time::SystemTime;

use ccfs::proto::Operation;
use ccfs::{LocalTime, QueryAgentSkillInfoData, Timestamp};
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::settings::Settings;
use crate::{backend, message, output};

#[derive(Args, Debug)]
pub(crate) struct QueryArgs {
    /// Begin, "yyyy-MM-dd HH:mm:ss" in the time zone of the call center
    #[arg(long, value_name = "TIME")]
    pub(crate) begin: String,
    /// End, at most three days after the begin
    #[arg(long, value_name = "TIME")]
    pub(crate) end: String,
    /// URL that the server calls when the file is ready
    #[arg(long, value_name = "URL")]
    pub(crate) callback: String,
    /// Request only the data of this tenant space
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// Request only the data of this agent
    #[arg(long, value_name = "ID")]
    pub(crate) agent: Option<String>,
}

/// Returns the flag of an interface's field.
fn flag(field: &str) -> &str {
    match field {
        "beginTime" => "--begin",
        "endTime" => "--end",
        "callBackURL" => "--callback",
        "accountId" => "--account",
        "agentId" => "--agent",
        other => other,
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    response_id: &'a str,
    file_name: &'a str,
}

pub(crate) fn run(settings: &Settings, args: QueryArgs) -> Result<(), Failure> {
    let time = |flag: &str, text: &str| {
        let time = text.parse::<LocalTime>();
        time.map_err(|error| Failure::usage(format_args!("{flag}: {error}")))
    };
    let (begin, end) = (time("--begin", &args.begin)?, time("--end", &args.end)?);
    let mut query = QueryAgentSkillInfoData::new(begin, end, args.callback);
    if let Some(account) = args.account {
        query = query.account_id(account);
    }
    if let Some(agent) = args.agent {
        query = query.agent_id(agent);
    }
    query.request().map(drop).map_err(|error| {
        Failure::usage(format_args!("{}: {}", flag(&error.field), error.problem))
    })?;
    let zone = settings.time_zone()?;
    let job = backend::call(settings, query)?;
    let now = Timestamp::from(SystemTime::now());
    let day = zone.as_ref().map_or_else(|| now.utc_day(), |zone| zone.local(now).day());
    let name = job.file_name(day);
    if zone.is_none() {
        message::note(format_args!(
            "The day in the file name is today's in UTC; the server uses its own. Set --tz to its zone, or take the name from the callback."
        ));
    }
    if settings.json {
        return output::json(&Answer {
            response_id: job.response_id.as_str(),
            file_name: name.as_str(),
        });
    }
    output::line(format_args!("response id  {}", job.response_id))?;
    output::line(format_args!("file name    {name}"))
}
