//! Voice files by their paths: `downloadOiapRecord`, `downloadIVRRecordFile` and `ivr/downloadFile`.

use ccfs_proto::ResultCode;
use serde_json::Value;

use super::{Call, Fields, Interface, Kind, Outcome, Refusal};
use crate::library::VoiceFile;

const OIAP_LIMIT: usize = 127;
const PATH_LIMIT: usize = 225;

pub(super) struct DownloadOiapRecord;

impl Interface for DownloadOiapRecord {
    fn name(&self) -> &'static str {
        "downloadOiapRecord"
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        let fields = call.msg_body()?;
        let path = fields.required("fileName", usize::MAX)?;
        // This interface has its own result code for an invalid length.
        if path.chars().count() > OIAP_LIMIT {
            return Err(ResultCode::OiapFileNameLength.into());
        }
        by_path(call, path, call.parameter("locationId"))
    }
}

pub(super) struct DownloadIvrRecordFile;

impl Interface for DownloadIvrRecordFile {
    fn name(&self) -> &'static str {
        "downloadIVRRecordFile"
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        let fields = call.msg_body()?;
        by_path(call, fields.required("fileName", PATH_LIMIT)?, call.parameter("locationId"))
    }
}

pub(super) struct IvrDownloadFile;

impl Interface for IvrDownloadFile {
    fn name(&self) -> &'static str {
        "ivr/downloadFile"
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        let fields = call.msg_body()?;
        let path = fields.required("filePath", PATH_LIMIT)?;
        let is_directory = match fields.value("mode") {
            None | Some(Value::Null) => false,
            Some(mode) if mode.as_u64() == Some(1) || mode.as_str() == Some("1") => true,
            Some(_) => return Err(ResultCode::ParameterWrong.into()),
        };
        if !is_directory {
            return by_path(call, path, None);
        }
        canonical(path)?;
        match call.state.library.directory(path).as_slice() {
            [] => Err(ResultCode::FileNotFound.into()),
            [one] => handed_out(call, one.clone()),
            _ => Err(ResultCode::DirectoryHasSeveralFiles.into()),
        }
    }
}

/// The file with that path, at the given node, if any.
fn by_path(call: &Call<'_>, path: &str, location_id: Option<&str>) -> Result<Outcome, Refusal> {
    canonical(path)?;
    handed_out(call, located(call, path, location_id)?)
}

/// A voice file of the caller.
pub(super) fn located(
    call: &Call<'_>,
    path: &str,
    location_id: Option<&str>,
) -> Result<VoiceFile, Refusal> {
    if location_id == Some("") {
        return Err(ResultCode::LocationIdEmpty.into());
    }
    let file = call
        .state
        .library
        .voice(path)
        .filter(|file| location_id.is_none_or(|id| id == file.location_id));
    let file = file.ok_or(ResultCode::FileNotFound)?;
    if file.owner == call.access_key {
        Ok(file)
    } else {
        Err(ResultCode::OtherDevelopersRecord.into())
    }
}

pub(super) fn canonical(path: &str) -> Result<(), Refusal> {
    let bad = path.chars().any(char::is_control)
        || path.split(['/', '\\']).any(|part| matches!(part, "." | ".."));
    if bad { Err(ResultCode::FilePathInvalid.into()) } else { Ok(()) }
}

fn handed_out(call: &Call<'_>, file: VoiceFile) -> Result<Outcome, Refusal> {
    if file.owner == call.access_key {
        Ok(Outcome::File(file.wav))
    } else {
        Err(ResultCode::OtherDevelopersRecord.into())
    }
}
