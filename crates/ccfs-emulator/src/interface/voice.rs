//! Voice files by their paths: `downloadOiapRecord`, `downloadIVRRecordFile` and `ivr/downloadFile`.

use ccfs_proto::ResultCode;
use serde_json::Value;

use super::call::{Call, Outcome, Refusal};
use crate::library::VoiceFile;

const OIAP_LIMIT: usize = 127;
const PATH_LIMIT: usize = 225;

pub(super) fn download_oiap(call: &Call<'_>) -> Result<Outcome, Refusal> {
    let fields = call.msg_body()?;
    let path = fields.required("fileName", usize::MAX)?;
    // This interface has its own result code for an invalid length.
    if path.chars().count() > OIAP_LIMIT {
        return Err(ResultCode::OiapFileNameLength.into());
    }
    Ok(Outcome::File(located(call, path, call.parameter("locationId"))?.wav))
}

pub(super) fn download_ivr_record(call: &Call<'_>) -> Result<Outcome, Refusal> {
    let fields = call.msg_body()?;
    let path = fields.required("fileName", PATH_LIMIT)?;
    Ok(Outcome::File(located(call, path, call.parameter("locationId"))?.wav))
}

pub(super) fn download(call: &Call<'_>) -> Result<Outcome, Refusal> {
    let fields = call.msg_body()?;
    let path = fields.required("filePath", PATH_LIMIT)?;
    let is_directory = match fields.value("mode") {
        None | Some(Value::Null) => false,
        Some(mode) if mode.as_u64() == Some(1) || mode.as_str() == Some("1") => true,
        Some(_) => return Err(ResultCode::ParameterWrong.into()),
    };
    if !is_directory {
        return Ok(Outcome::File(located(call, path, None)?.wav));
    }
    check_path(path)?;
    match call.state.library.directory(path).as_slice() {
        [] => Err(ResultCode::FileNotFound.into()),
        [one] => {
            call.check_owner(&one.owner)?;
            Ok(Outcome::File(one.wav.clone()))
        }
        _ => Err(ResultCode::DirectoryHasSeveralFiles.into()),
    }
}

/// The caller's voice file with that path, at the given node, if any.
pub(super) fn located(
    call: &Call<'_>,
    path: &str,
    location_id: Option<&str>,
) -> Result<VoiceFile, Refusal> {
    check_path(path)?;
    if location_id == Some("") {
        return Err(ResultCode::LocationIdEmpty.into());
    }
    let file = call
        .state
        .library
        .voice(path)
        .filter(|file| location_id.is_none_or(|id| id == file.location_id))
        .ok_or(ResultCode::FileNotFound)?;
    call.check_owner(&file.owner)?;
    Ok(file)
}

fn check_path(path: &str) -> Result<(), Refusal> {
    let bad = path.chars().any(char::is_control)
        || path.split(['/', '\\']).any(|part| matches!(part, "." | ".."));
    if bad { Err(ResultCode::FilePathInvalid.into()) } else { Ok(()) }
}
