//! `ccfs doctor`: prints the report on stdout, and returns its verdict as an exit code.

use std::path::Path;

use ccfs::doctor::{Mark, Step, Verdict};
use ccfs::pull::Zone;
use clap::Args;

use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::{output, reading};

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// After a 401, make a second call in the other query line dialect; if the dialect is not the cause, that is one more bad
    /// signature, and those lock the address
    #[arg(long)]
    pub(crate) try_dialects: bool,
}

pub(crate) fn run(settings: &Settings, args: &DoctorArgs) -> Result<(), Failure> {
    let mut report =
        settings.doctor()?.try_dialects(args.try_dialects).examine().map_err(Failure::usage)?;
    let zone = settings.time_zone();
    report.steps.push(zone_step(&zone));
    report.steps.extend(settings.secret_key_file().and_then(key_file_step));
    if settings.json {
        output::json(&report)?;
    } else {
        output::line(&report)?;
    }
    let kind = match report.verdict {
        Verdict::Well | Verdict::Unsigned => return zone.map(drop),
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

fn zone_step(zone: &Result<Option<Zone>, Failure>) -> Step {
    const NAME: &str = "time zone";
    match zone {
        Ok(Some(zone)) => Step::new(NAME, Mark::Ok, zone.name()),
        Ok(None) => Step::new(
            NAME,
            Mark::Skipped,
            "not set; ccfs pull requires it: --tz Asia/Shanghai, or CCFS_TZ",
        ),
        Err(failure) => Step::new(NAME, Mark::Fail, &*failure.message),
    }
}

/// Checks that no other user can read the secret key.
fn key_file_step(path: &Path) -> Option<Step> {
    let step = match reading::open_to_others(path) {
        Some(warning) => Step::new("key file", Mark::Warn, warning),
        None if cfg!(unix) && path.exists() => {
            let text = format!("{} is accessible to its owner only", path.display());
            Step::new("key file", Mark::Ok, text)
        }
        None => return None,
    };
    Some(step)
}
