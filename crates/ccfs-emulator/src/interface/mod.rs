//! The interfaces, one file each. A new one is a file with a type that implements [`Interface`], and a line in [`INTERFACES`].

mod agent_operations;
mod agent_skill;
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
use http::Method;
use serde_json::Value;

use self::fields::{Fields, MsgBody};
use crate::jobs::Job;
use crate::state::State;

/// All of them.
const INTERFACES: &[&dyn Interface] = &[
    &agent_skill::QueryAgentSkillInfoData,
    &agent_skill::DownloadAgentSkillInfoFile,
    &agent_operations::QueryAgentOprInfoData,
    &agent_operations::DownloadAgentOprInfoFile,
    &bill::QueryBillData,
    &bill::DownloadBillFile,
    &recording::DownloadRecordFile,
    &recording::DownloadRecord,
    &recording::GetRecordFileUrlFromObs,
    &playback::RequestPlayVoice,
    &playback::PlayVoice,
    &voice::DownloadOiapRecord,
    &voice::DownloadIvrRecordFile,
    &voice::IvrDownloadFile,
    &upload::IvrUploadFile,
    &upload::IvrGetFileHash,
    &upload::IvrDeleteFile,
];

/// One interface of CC-FS.
pub(crate) trait Interface: Sync {
    /// The last segment of its path, after `/CCFS/resource/ccfs/`.
    fn name(&self) -> &'static str;

    /// What it returns.
    fn kind(&self) -> Kind;

    fn method(&self) -> Method {
        Method::POST
    }

    /// Returns whether it requires a signature.
    fn signed(&self) -> bool {
        true
    }

    /// Handles a call. The caller is already authenticated and allowed.
    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal>;
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
pub(crate) fn find(name: &str) -> Option<&'static dyn Interface> {
    INTERFACES.iter().copied().find(|interface| interface.name() == name)
}

/// The names of all interfaces of the emulator.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    INTERFACES.iter().map(|interface| interface.name())
}
