//! Playing a recording: `requestPlayVoice` and `playVoice`.

use ccfs_proto::ResultCode;
use serde_json::json;

use super::call::{Call, Outcome, Refusal};
use super::fields::VERSION;
use super::recording::owned;

const NAME_LIMIT: usize = 225;
/// Not among the documented codes, but observed on real servers.
const TOKEN_EMPTY: &str = "010106";

pub(super) fn request(call: &Call<'_>) -> Result<Outcome, Refusal> {
    let fields = call.msg_body()?;
    let name = fields.required("fileName", NAME_LIMIT)?;
    // Names in some files have backslashes; clients must send slashes instead.
    if name.contains('\\') {
        return Err(ResultCode::IllegalCharacters.into());
    }
    owned(call, ResultCode::PlaybackFileNotFound, |it| it.original_file_name == name)?;
    Ok(Outcome::Data(json!({ "token": call.state.library.issue_token(name, call.now) })))
}

pub(super) fn play(call: &Call<'_>) -> Result<Outcome, Refusal> {
    if call.parameter("version") != Some(VERSION) {
        return Err(ResultCode::Version.into());
    }
    let time = call.parameter("t").ok_or(ResultCode::ParameterNull)?;
    if time.is_empty() || !time.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ResultCode::ParameterWrong.into());
    }
    let token = call
        .parameter("st")
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Refusal::new(TOKEN_EMPTY.into(), "Parameter token is empty."))?;
    let recording =
        call.state.library.played_by(token, call.now).ok_or(ResultCode::AuthenticationFailed)?;
    Ok(Outcome::File(recording.wav().into()))
}
