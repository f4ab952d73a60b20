//! Calls of an interface and their results.

use std::sync::Arc;

use bytes::Bytes;
use ccfs_proto::{Envelope, ResultCode, Timestamp};
use serde_json::Value;

use crate::jobs::Job;
use crate::state::State;

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
    /// Refuses what belongs to another access key.
    pub(super) fn check_owner(&self, owner: &str) -> Result<(), Refusal> {
        if owner == self.access_key {
            Ok(())
        } else {
            Err(ResultCode::OtherDevelopersRecord.into())
        }
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
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
