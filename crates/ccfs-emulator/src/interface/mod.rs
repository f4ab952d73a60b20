//! The interfaces of the emulator. [`INTERFACES`] lists them; each file has those of one topic.

mod bill;
mod fields;
mod generation;
mod playback;
mod recording;
mod upload;
mod voice;

use std::sync::Arc;

use bytes::Bytes;
use ccfs_proto::{Envelope, ResultCode, Timestamp};
use serde_json::Value;

use self::fields::MsgBody;
use self::generation::{download, start};
use crate::data::Records;
use crate::jobs::Job;
use crate::state::State;

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

/// A call, as passed to an interface.
pub(crate) struct Call<'a> {
    pub(crate) state: &'a State,
    /// The time of this request's clock.
    pub(crate) now: Timestamp,
    /// The access key that signed; empty for interfaces that do not require a signature.
    pub(crate) access_key: &'a str,
    /// The raw query.
    pub(crate) query: &'a [(String, String)],
    pub(crate) body: &'a Bytes,
}

impl Call<'_> {
    /// The `msgBody` of the envelope, with the version checked.
    fn msg_body(&self) -> Result<MsgBody, Refusal> {
        MsgBody::parse(self.body)
    }

    /// Refuses what belongs to another access key.
    fn check_owner(&self, owner: &str) -> Result<(), Refusal> {
        if owner == self.access_key {
            Ok(())
        } else {
            Err(ResultCode::OtherDevelopersRecord.into())
        }
    }

    /// A parameter of the query.
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The successful result of an interface.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An envelope with this data.
    Data(Value),
    /// An envelope with the job's ID, followed by a callback to this URL.
    Job { job: Arc<Job>, callback_url: String },
    /// The job's file.
    JobFile(Arc<Job>),
    /// Another file.
    File(Bytes),
}

/// A result code other than success, with a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ResultCode,
    pub(crate) description: String,
}

impl Refusal {
    pub(crate) fn new(code: ResultCode, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }

    pub(crate) fn envelope(self) -> Envelope {
        Envelope::new(self.code, self.description, None)
    }
}

impl From<ResultCode> for Refusal {
    fn from(code: ResultCode) -> Self {
        let description = code.meaning();
        Self::new(code, description)
    }
}

/// The interface of that name.
pub(crate) fn find(name: &str) -> Option<&'static Interface> {
    INTERFACES.iter().find(|interface| interface.name == name)
}
