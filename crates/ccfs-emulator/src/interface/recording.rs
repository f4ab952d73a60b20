//! Recordings of calls: `downloadRecordFile`, `downloadRecord` and `getRecordFileUrlFromObs`.

use ccfs_proto::time::CalendarError;
use ccfs_proto::{Day, ResultCode};
use serde_json::json;

use super::fields::{MsgBody, only};
use super::{Call, Fields, Interface, Kind, Outcome, Refusal, generation};
use crate::library::{Recording, zipped};

const NAME_LIMIT: usize = 225;
const CALL_ID_LIMIT: usize = 25;
const CC_ID_LIMIT: usize = 64;

pub(super) struct DownloadRecordFile;

impl Interface for DownloadRecordFile {
    fn name(&self) -> &'static str {
        "downloadRecordFile"
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        const FIELD: &str = "fileName";
        let fields = call.msg_body()?;
        let name = fields.required(FIELD, NAME_LIMIT)?;
        only(FIELD, name, |c| c.is_ascii_alphanumeric() || "/.".contains(c))?;
        if name.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(ResultCode::PathNotCanonical.into());
        }
        if name.split('/').any(is_no_date) {
            return Err(ResultCode::FileNameDate.into());
        }
        let found =
            call.state.library.recordings().iter().find(|recording| recording.file_name == name);
        Ok(Outcome::File(owned(call, found.ok_or(ResultCode::FileNotFound)?)?.wav().into()))
    }
}

pub(super) struct DownloadRecord;

impl Interface for DownloadRecord {
    fn name(&self) -> &'static str {
        "downloadRecord"
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        let fields = call.msg_body()?;
        let name = fields.optional("fileName", NAME_LIMIT)?;
        let call_id = fields.optional("callId", CALL_ID_LIMIT)?;
        let cc_id = fields.optional("ccId", CC_ID_LIMIT)?;
        if let Some(cc_id) = cc_id {
            only("ccId", cc_id, |c| c.is_ascii_digit())?;
        }
        let all = call.state.library.recordings();
        if let Some(name) = name {
            let found = all
                .iter()
                .find(|recording| recording.original_file_name == name)
                .ok_or(ResultCode::FileNotFound)?;
            return Ok(Outcome::File(owned(call, found)?.wav().into()));
        }
        let call_id = call_id.ok_or(ResultCode::FileNameOrCallIdNeeded)?;
        let of_call: Vec<&Recording> =
            all.iter().filter(|recording| recording.call_id == call_id).collect();
        let here: Vec<&Recording> = of_call
            .iter()
            .copied()
            .filter(|recording| recording.cc_id == cc_id.unwrap_or("1"))
            .collect();
        match here.as_slice() {
            // The call belongs to another call center, which the request does not name.
            [] if cc_id.is_none() && !of_call.is_empty() => Err(ResultCode::CcIdNeeded.into()),
            [] => Err(ResultCode::NoData.into()),
            [one] => Ok(Outcome::File(owned(call, one)?.wav().into())),
            [first, ..] => {
                owned(call, first)?;
                Ok(Outcome::File(zipped(&here).map_err(|_| ResultCode::CompressingFailed)?))
            }
        }
    }
}

pub(super) struct GetRecordFileUrlFromObs;

impl Interface for GetRecordFileUrlFromObs {
    fn name(&self) -> &'static str {
        "getRecordFileUrlFromObs"
    }

    fn kind(&self) -> Kind {
        Kind::Data
    }

    /// The URL does not work: it points to object storage, which the emulator does not include.
    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        let fields = MsgBody::flat(call.body)?;
        let call_id = fields.required("callId", CALL_ID_LIMIT)?;
        generation::window(call, &fields)?;
        let found =
            call.state.library.recordings().iter().find(|recording| recording.call_id == call_id);
        let recording = owned(call, found.ok_or(ResultCode::NoData)?)?;
        let expires = call.now.plus_millis(8 * 3600 * 1000).unix_millis() / 1000;
        Ok(Outcome::Data(
            json!({ "url": format!("https://obs.invalid{}?Expires={expires}", recording.file_name) }),
        ))
    }
}

/// Eight digits in a name are a date.
fn is_no_date(part: &str) -> bool {
    Day::from_digits(part) == Err(CalendarError::NoSuchDay)
}

fn owned<'a>(call: &Call<'_>, recording: &'a Recording) -> Result<&'a Recording, Refusal> {
    if recording.owner == call.access_key {
        Ok(recording)
    } else {
        Err(ResultCode::OtherDevelopersRecord.into())
    }
}
