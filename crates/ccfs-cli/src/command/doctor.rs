//! `ccfs doctor`: the report on stdout, and what it comes to as an exit code.

use ccfs::doctor::Verdict;

use crate::args::DoctorArgs;
use crate::failure::{Failure, Kind};
use crate::output;
use crate::settings::Settings;

pub(crate) fn run(settings: &Settings, args: &DoctorArgs) -> Result<(), Failure> {
    let report = settings.doctor()?.try_dialects(args.try_dialects).examine().map_err(Failure::usage)?;
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
    let cause =
        report.findings.first().map_or(String::from("the server does not answer as it should"), |finding| finding.cause.to_string());
    Err(Failure::new(kind, cause))
}
