//! `ccfs doctor`: the report on stdout, and what it comes to as an exit code.

use ccfs::doctor::Verdict;
use clap::Args;

use crate::failure::{Failure, Kind};
use crate::output;
use crate::settings::Settings;

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// After a 401, make a second call in the other query line dialect; when that is not the cause, it is one more bad signature,
    /// and those lock the address
    #[arg(long)]
    pub(crate) try_dialects: bool,
}

pub(crate) fn run(settings: &Settings, args: &DoctorArgs) -> Result<(), Failure> {
    let report =
        settings.doctor()?.try_dialects(args.try_dialects).examine().map_err(Failure::usage)?;
    if settings.json {
        output::json(&report)?;
    } else {
        output::line(&report)?;
    }
    let kind = match report.verdict {
        Verdict::Well | Verdict::Unsigned => return Ok(()),
        Verdict::Network => Kind::Network,
        Verdict::Authentication => Kind::Authentication,
        _ => Kind::Refused,
    };
    let cause = report
        .findings
        .first()
        .map_or(String::from("the server does not answer as it should"), |finding| {
            finding.cause.to_string()
        });
    Err(Failure::new(kind, cause))
}
