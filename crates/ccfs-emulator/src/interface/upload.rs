//! Voice files of third parties: `ivr/uploadFile`, `ivr/getFileHash` and `ivr/deleteFile`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ccfs_proto::ResultCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::voice::{canonical, located};
use super::{Call, Fields, Interface, Kind, Outcome, Refusal};
use crate::data::check_wav;
use crate::library::VoiceFile;

/// Largest accepted file, in bytes: the published default.
const SIZE_LIMIT: usize = 5 * 1024 * 1024;
const PATH_LIMIT: usize = 225;

pub(super) struct IvrUploadFile;

impl Interface for IvrUploadFile {
    fn name(&self) -> &'static str {
        "ivr/uploadFile"
    }

    fn kind(&self) -> Kind {
        Kind::Data
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        let vdn_id = call
            .parameter("vdnId")
            .filter(|id| !id.is_empty())
            .ok_or(ResultCode::ParameterEmpty)?;
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
}

pub(super) struct IvrGetFileHash;

impl Interface for IvrGetFileHash {
    fn name(&self) -> &'static str {
        "ivr/getFileHash"
    }

    fn kind(&self) -> Kind {
        Kind::Data
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        let (_, file) = uploaded(call)?;
        let hash = Sha256::digest(&file.wav)
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        Ok(Outcome::Data(json!({ "hashValue": hash })))
    }
}

pub(super) struct IvrDeleteFile;

impl Interface for IvrDeleteFile {
    fn name(&self) -> &'static str {
        "ivr/deleteFile"
    }

    fn kind(&self) -> Kind {
        Kind::Data
    }

    /// Only uploaded files can be deleted.
    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        let (path, file) = uploaded(call)?;
        if !file.uploaded {
            return Err(ResultCode::DeletionFailed.into());
        }
        call.state.library.delete(&path);
        Ok(Outcome::Data(Value::Null))
    }
}

/// The file that `fileName` and `locationId` name, and its path.
fn uploaded(call: &Call<'_>) -> Result<(String, VoiceFile), Refusal> {
    let fields = call.msg_body()?;
    let path = fields.required("fileName", PATH_LIMIT)?;
    canonical(path)?;
    let location_id = match fields.value("locationId") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(_) => return Err(ResultCode::ParameterFormat.into()),
    };
    Ok((path.to_owned(), located(call, path, location_id.as_deref())?))
}
