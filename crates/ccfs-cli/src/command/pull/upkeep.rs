//! `--verify` and `--forget`, which do not contact the server.

use std::time::SystemTime;

use ccfs::Timestamp;
use ccfs::pull::CheckedFile;
use serde_json::json;

use super::args::zone;
use super::destination::Destination;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::{days, output, table};

pub(super) fn verify(settings: &Settings, destination: &Destination) -> Result<(), Failure> {
    let (mut files, mut faults, mut unprinted) = (0_u64, 0_u64, None);
    let check = |file: CheckedFile| {
        files += 1;
        let Some(fault) = file.fault else { return };
        faults += 1;
        let printed = if settings.json {
            output::json(
                &json!({"window": file.window.map(|window| window.to_string()), "file": file.path, "fault": fault.to_string()}),
            )
        } else {
            output::line(format_args!("{} {fault}", file.path.display()))
        };
        if let Err(failure) = printed {
            unprinted.get_or_insert(failure);
        }
    };
    match destination.bucket()? {
        None => ccfs::pull::verify(destination.folder(), check)?,
        Some(bucket) => ccfs::pull::verify_bucket(destination.folder(), bucket, check)?,
    }
    if let Some(failure) = unprinted {
        return Err(failure);
    }
    if settings.json {
        output::json(&json!({"summary": {"files": files, "faults": faults}}))?;
    } else {
        output::line(format_args!("{} checked", table::counted(files, "file")))?;
    }
    match faults {
        0 => Ok(()),
        count => Err(Failure::data(format_args!(
            "{} or changed; --again DAY..DAY requests them again",
            if count == 1 {
                "1 file is missing".into()
            } else {
                format!("{count} files are missing")
            }
        ))),
    }
}

pub(super) fn forget(
    settings: &Settings,
    destination: &Destination,
    range: &str,
) -> Result<(), Failure> {
    let (from, to) = days::range(range, "--forget", &zone(settings)?)?;
    let now = Timestamp::from(SystemTime::now());
    let windows = ccfs::pull::forget(destination.folder(), from, to, now)?;
    if settings.json {
        let windows: Vec<String> = windows.iter().map(ToString::to_string).collect();
        return output::json(&json!({"forgotten": windows}));
    }
    let count = table::counted(windows.len() as u64, "window");
    output::line(format_args!("{count} forgotten; files are kept"))
}
