//! The interfaces of CC-FS as typed operations.

mod agent_skill;
mod callback;
mod field;

use bytes::Bytes;
use http::Method;

pub use self::agent_skill::{DownloadAgentSkillInfoFile, GenerationJob, QueryAgentSkillInfoData};
pub use self::callback::{Callback, CallbackError};
pub use self::field::{FieldError, FieldProblem};

use crate::classify::{AnswerError, Expected, FileReceipt};
use crate::envelope::Envelope;

/// One call of an interface: what to send, what a good answer is, and whether sending it twice does harm.
///
/// Implement it to call an interface that this crate does not know; the exchange does the rest.
pub trait Operation {
    /// What a good answer is turned into.
    type Answer;

    /// The interface's name, as the reference writes it.
    fn interface(&self) -> &'static str;

    /// Checks the fields and makes the request's parts. The exchange calls it once; all attempts send the same bytes.
    fn request(&self) -> Result<OperationRequest, FieldError>;

    /// Whether it may be sent again when it is not known whether it arrived.
    fn repeat(&self) -> Repeat;

    /// What a good answer is.
    fn expected(&self) -> Expected;

    /// Makes the answer out of what came: an envelope with code 0, or a file that is whole.
    fn answer(&self, received: Received) -> Result<Self::Answer, AnswerError>;
}

/// What an operation sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRequest {
    /// The method.
    pub method: Method,
    /// The path behind the endpoint's prefix, with its leading slash: unreserved characters and slashes.
    pub path: String,
    /// Raw keys and values of the query.
    pub query: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Bytes,
    /// Whether the interface wants a signature.
    pub signed: bool,
}

impl OperationRequest {
    /// Where the interfaces stand below an endpoint.
    pub const BASE_PATH: &'static str = "/CCFS/resource/ccfs/";

    /// A signed `POST` to the interface of that name.
    #[must_use]
    pub fn post(interface: &str, body: Bytes) -> Self {
        Self { method: Method::POST, path: format!("{}{interface}", Self::BASE_PATH), query: Vec::new(), body, signed: true }
    }
}

/// Whether an operation may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repeat {
    /// As often as one likes: it reads.
    Harmless,
    /// Only when the request surely never arrived, or when the server itself said "try later": it starts a job.
    OnlyUnlessArrived,
}

/// What came as the answer to an operation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Received {
    /// An envelope with code 0.
    Envelope(Envelope),
    /// A whole file.
    File(FileReceipt),
}

impl Received {
    /// The envelope, for operations that answer with one.
    pub fn into_envelope(self) -> Result<Envelope, AnswerError> {
        match self {
            Self::Envelope(envelope) => Ok(envelope),
            Self::File(receipt) => Err(AnswerError::OtherFile { kind: receipt.kind }),
        }
    }

    /// The file, for operations that answer with one.
    pub fn into_file(self) -> Result<FileReceipt, AnswerError> {
        match self {
            Self::File(receipt) => Ok(receipt),
            Self::Envelope(_) => Err(AnswerError::SuccessWithoutFile),
        }
    }
}
