//! Voice files of third parties: `ivr/uploadFile`, `ivr/getFileHash` and `ivr/deleteFile`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ccfs_proto::ResultCode;
use serde_json::{Value, json};

use super::call::{Call, Outcome, Refusal};
use super::voice::located;
use crate::data::check_wav;
use crate::library::VoiceFile;
use crate::sha256_hex;

/// Largest accepted file, in bytes: the published default.
const SIZE_LIMIT: usize = 5 * 1024 * 1024;
const PATH_LIMIT: usize = 225;

pub(super) fn upload(call: &Call<'_>) -> Result<Outcome, Refusal> {
    let vdn_id =
        call.parameter("vdnId").filter(|id| !id.is_empty()).ok_or(ResultCode::ParameterEmpty)?;
    let vdn_id: u64 = vdn_id.parse().map_err(|_| ResultCode::ParameterWrong)?;
    let fields = call.msg_body()?;
    // A file has its own result code for an invalid size.
    let data = fields.required("data", usize::MAX)?;
    let wav = STANDARD.decode(data).map_err(|_| ResultCode::UploadUnreadable)?;
    check_wav(&wav, SIZE_LIMIT)?;
    match call.state.library.upload(call.access_key, vdn_id, wav.into()) {
        Some(path) => Ok(Outcome::Data(json!({ "fileName": path, "locationId": ["1"] }))),
        None => Err(ResultCode::ObjectStorageUploadFailed.into()),
    }
}

pub(super) fn hash(call: &Call<'_>) -> Result<Outcome, Refusal> {
    let (_, file) = uploaded(call)?;
    Ok(Outcome::Data(json!({ "hashValue": sha256_hex(&file.wav) })))
}

/// Only uploaded files can be deleted.
pub(super) fn delete(call: &Call<'_>) -> Result<Outcome, Refusal> {
    let (path, file) = uploaded(call)?;
    if !file.uploaded {
        return Err(ResultCode::DeletionFailed.into());
    }
    call.state.library.delete(&path);
    Ok(Outcome::Data(Value::Null))
}

/// The file that `fileName` and `locationId` name, and its path.
fn uploaded(call: &Call<'_>) -> Result<(String, VoiceFile), Refusal> {
    let fields = call.msg_body()?;
    let path = fields.required("fileName", PATH_LIMIT)?;
    let location_id = match fields.value("locationId") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(_) => return Err(ResultCode::ParameterFormat.into()),
    };
    Ok((path.to_owned(), located(call, path, location_id.as_deref())?))
}
