//! The interfaces of the emulator. [`INTERFACES`] lists them; each file has those of one topic.

mod bill;
mod call;
mod fields;
mod generation;
mod playback;
mod recording;
mod upload;
mod voice;

pub(crate) use self::call::{Call, Outcome, Refusal};
use self::generation::{download, start};
use crate::data::Records;

/// All interfaces.
pub(crate) const INTERFACES: &[Interface] = &[
    job("queryAgentSkillInfoData", |call| start(call, &call.msg_body()?, Records::AgentSkillInfo)),
    file("downloadAgentSkillInfoFile", |call| download(call, "agentSkillInfoFileName")),
    job("queryAgentOprInfoData", |call| start(call, &call.msg_body()?, Records::AgentOprInfo)),
    file("downloadAgentOprInfoFile", |call| download(call, "agentOprInfoFileName")),
    job("queryBillData", bill::query),
    file("downloadBillFile", |call| download(call, "billFileName")),
    file("downloadRecordFile", recording::download_file),
    file("downloadRecord", recording::download),
    data("getRecordFileUrlFromObs", recording::url_from_obs),
    data("requestPlayVoice", playback::request),
    Interface { method: "GET", signed: false, ..file("playVoice", playback::play) },
    file("downloadOiapRecord", voice::download_oiap),
    file("downloadIVRRecordFile", voice::download_ivr_record),
    file("ivr/downloadFile", voice::download),
    data(UPLOAD, upload::upload),
    data("ivr/getFileHash", upload::hash),
    data("ivr/deleteFile", upload::delete),
];

/// The interface whose requests have large bodies.
pub(crate) const UPLOAD: &str = "ivr/uploadFile";

/// One interface of CC-FS.
pub(crate) struct Interface {
    /// The end of its path, after `/CCFS/resource/ccfs/`.
    pub(crate) name: &'static str,
    /// What it returns.
    pub(crate) kind: Kind,
    pub(crate) method: &'static str,
    /// Whether it requires a signature.
    pub(crate) signed: bool,
    /// Handles a call. The caller is already authenticated and allowed.
    pub(crate) call: Handler,
}

type Handler = fn(&Call<'_>) -> Result<Outcome, Refusal>;

const fn file(name: &'static str, call: Handler) -> Interface {
    Interface { name, kind: Kind::File, method: "POST", signed: true, call }
}

const fn job(name: &'static str, call: Handler) -> Interface {
    Interface { kind: Kind::Job, ..file(name, call) }
}

const fn data(name: &'static str, call: Handler) -> Interface {
    Interface { kind: Kind::Data, ..file(name, call) }
}

/// What an interface returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file.
    File,
    /// The id of a job that ends with a callback.
    Job,
    /// Data in an envelope.
    Data,
}

/// The interface of that name.
pub(crate) fn find(name: &str) -> Option<&'static Interface> {
    INTERFACES.iter().find(|interface| interface.name == name)
}
