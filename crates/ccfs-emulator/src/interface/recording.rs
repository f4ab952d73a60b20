//! Recordings of calls: `downloadRecordFile`, `downloadRecord` and `getRecordFileUrlFromObs`.

use ccfs_proto::time::CalendarError;
use ccfs_proto::{Day, ResultCode};
use serde_json::json;

use super::call::{Call, Outcome, Refusal};
use super::fields::{MsgBody, only};
use super::generation;
use crate::library::{Recording, zipped};

const NAME_LIMIT: usize = 225;
const CALL_ID_LIMIT: usize = 25;
const CC_ID_LIMIT: usize = 64;

pub(super) fn download_file(call: &Call<'_>) -> Result<Outcome, Refusal> {
    const FIELD: &str = "fileName";
    let fields = call.msg_body()?;
    let name = fields.required(FIELD, NAME_LIMIT)?;
    only(FIELD, name, |c| c.is_ascii_alphanumeric() || "/.".contains(c))?;
    if name.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(ResultCode::PathNotCanonical.into());
    }
    // Eight digits in a name are a date.
    if name.split('/').any(|part| Day::from_digits(part) == Err(CalendarError::NoSuchDay)) {
        return Err(ResultCode::FileNameDate.into());
    }
    let recording = owned(call, ResultCode::FileNotFound, |it| it.file_name == name)?;
    Ok(Outcome::File(recording.wav().into()))
}

pub(super) fn download(call: &Call<'_>) -> Result<Outcome, Refusal> {
    let fields = call.msg_body()?;
    let name = fields.optional("fileName", NAME_LIMIT)?;
    let call_id = fields.optional("callId", CALL_ID_LIMIT)?;
    let cc_id = fields.optional("ccId", CC_ID_LIMIT)?;
    if let Some(cc_id) = cc_id {
        only("ccId", cc_id, |c| c.is_ascii_digit())?;
    }
    if let Some(name) = name {
        let recording = owned(call, ResultCode::FileNotFound, |it| it.original_file_name == name)?;
        return Ok(Outcome::File(recording.wav().into()));
    }
    let call_id = call_id.ok_or(ResultCode::FileNameOrCallIdNeeded)?;
    let of_call: Vec<&Recording> =
        call.state.library.recordings().iter().filter(|it| it.call_id == call_id).collect();
    let mut here = of_call.clone();
    here.retain(|it| it.cc_id == cc_id.unwrap_or("1"));
    match here.as_slice() {
        // The call belongs to another call center, which the request does not name.
        [] if cc_id.is_none() && !of_call.is_empty() => Err(ResultCode::CcIdNeeded.into()),
        [] => Err(ResultCode::NoData.into()),
        [first, rest @ ..] => {
            call.check_owner(&first.owner)?;
            let one_or_all = if rest.is_empty() { Ok(first.wav().into()) } else { zipped(&here) };
            Ok(Outcome::File(one_or_all.map_err(|_| ResultCode::CompressingFailed)?))
        }
    }
}

/// The URL does not work: it points to object storage, which the emulator does not include.
pub(super) fn url_from_obs(call: &Call<'_>) -> Result<Outcome, Refusal> {
    let fields = MsgBody::flat(call.body)?;
    let call_id = fields.required("callId", CALL_ID_LIMIT)?;
    generation::window(call, &fields)?;
    let recording = owned(call, ResultCode::NoData, |it| it.call_id == call_id)?;
    let expires = call.now.plus_millis(8 * 3600 * 1000).unix_millis() / 1000;
    let url = format!("https://obs.invalid{}?Expires={expires}", recording.file_name);
    Ok(Outcome::Data(json!({ "url": url })))
}

/// The first recording for which `is` is true, if it belongs to the caller; `missing` if there is no such recording.
pub(super) fn owned<'a>(
    call: &Call<'a>,
    missing: ResultCode,
    is: impl Fn(&Recording) -> bool,
) -> Result<&'a Recording, Refusal> {
    let found = call.state.library.recordings().iter().find(|&it| is(it)).ok_or(missing)?;
    call.check_owner(&found.owner)?;
    Ok(found)
}
