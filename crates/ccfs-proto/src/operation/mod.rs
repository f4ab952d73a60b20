//! The interfaces of CC-FS as typed operations.

use std::fmt;

use bytes::Bytes;
use http::Method;
use serde::Serialize;

/// The parts of an [`Operation`] that its row in the table of interfaces says.
macro_rules! as_in_table {
    () => {
        fn interface(&self) -> &'static str {
            Self::INTERFACE.name
        }

        fn repeat(&self) -> Repeat {
            Self::INTERFACE.repeat
        }

        fn expected(&self) -> Expected {
            Self::INTERFACE.expected
        }
    };
}

mod agent_operations;
mod agent_skill;
mod any;
mod base64;
mod bill;
mod field;
mod generation;
mod interface;
mod ivr;
mod node_recording;
mod playback;
mod recording;
mod upload;
mod wav;

pub use self::agent_operations::{DownloadAgentOprInfoFile, QueryAgentOprInfoData};
pub use self::agent_skill::{DownloadAgentSkillInfoFile, QueryAgentSkillInfoData};
pub use self::any::{AnyAnswer, AnyDownload, AnyOperation, CallError};
pub use self::bill::{BillData, DownloadBillFile, QueryBillData};
pub use self::field::{FieldError, FieldProblem};
pub use self::generation::GenerationJob;
pub use self::interface::{FieldForm, FieldPlace, INTERFACES, Interface, InterfaceField};
pub use self::ivr::{FileHash, IvrDeleteFile, IvrDownloadFile, IvrGetFileHash};
pub use self::node_recording::{DownloadIvrRecordFile, DownloadOiapRecord};
pub use self::playback::{PlayVoice, PlaybackToken, RequestPlayVoice};
pub use self::recording::{
    DownloadRecord, DownloadRecordFile, GetRecordFileUrlFromObs, RecordingUrl,
};
pub use self::upload::{IvrUploadFile, UploadedFile};
pub use self::wav::WavProblem;

use crate::classify::{AnswerError, Expected, FileReceipt};
use crate::envelope::{Envelope, request_body};

/// One call of an interface: what to send, what a good answer is, and whether sending it twice does harm.
///
/// Implement it to call an interface that this crate does not know; the exchange does the rest.
///
/// ```
/// use ccfs_proto::{AnswerError, Expected, FieldError, FieldProblem, FileKind, FileReceipt, Operation, OperationRequest, Received, Repeat};
///
/// /// An interface that a later release may bring: a ZIP of everything about one agent.
/// struct DownloadAgent(String);
///
/// impl Operation for DownloadAgent {
///     type Answer = FileReceipt;
///
///     fn interface(&self) -> &'static str {
///         "downloadAgent"
///     }
///
///     fn request(&self) -> Result<OperationRequest, FieldError> {
///         if self.0.is_empty() {
///             return Err(FieldError::new("agentId", FieldProblem::Missing));
///         }
///         let body = ccfs_proto::request_body(&[("agentId", &self.0)].into_iter().collect::<std::collections::BTreeMap<_, _>>());
///         Ok(OperationRequest::post(self.interface(), body.expect("texts serialise")))
///     }
///
///     fn repeat(&self) -> Repeat {
///         Repeat::Harmless
///     }
///
///     fn expected(&self) -> Expected {
///         Expected::File(&[FileKind::Zip])
///     }
///
///     fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
///         received.into_file()
///     }
/// }
///
/// assert_eq!(DownloadAgent(String::new()).request(), Err(FieldError::new("agentId", FieldProblem::Missing)));
/// let receipt = FileReceipt::new(FileKind::Zip, 22);
/// assert_eq!(DownloadAgent("1001".to_owned()).answer(Received::File(receipt)), Ok(receipt));
/// ```
pub trait Operation {
    /// What a good answer is turned into.
    type Answer;

    /// The interface's name, as the reference writes it. Errors begin with it.
    fn interface(&self) -> &'static str;

    /// Checks the fields and makes the request's parts. The exchange calls it once; all attempts send the same bytes.
    fn request(&self) -> Result<OperationRequest, FieldError>;

    /// Whether it may be sent again when it is not known whether it arrived.
    fn repeat(&self) -> Repeat;

    /// What a good answer is. Anything else is an error before [`answer`](Self::answer) is asked.
    fn expected(&self) -> Expected;

    /// Makes the answer out of what came: an envelope with code 0, or a file that is whole. An envelope without what must be in it is
    /// [`AnswerError::Field`].
    fn answer(&self, received: Received) -> Result<Self::Answer, AnswerError>;
}

/// One of several operations with the same answer, chosen while the program runs.
impl<O: Operation + ?Sized> Operation for Box<O> {
    type Answer = O::Answer;

    fn interface(&self) -> &'static str {
        (**self).interface()
    }

    fn request(&self) -> Result<OperationRequest, FieldError> {
        (**self).request()
    }

    fn repeat(&self) -> Repeat {
        (**self).repeat()
    }

    fn expected(&self) -> Expected {
        (**self).expected()
    }

    fn answer(&self, received: Received) -> Result<O::Answer, AnswerError> {
        (**self).answer(received)
    }
}

/// What an operation sends.
#[derive(Clone, PartialEq, Eq)]
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
        Self {
            method: Method::POST,
            path: format!("{}{interface}", Self::BASE_PATH),
            query: Vec::new(),
            body,
            signed: true,
        }
    }

    /// A `GET` without a signature and a body.
    #[must_use]
    pub fn unsigned_get(interface: &str) -> Self {
        Self { method: Method::GET, signed: false, ..Self::post(interface, Bytes::new()) }
    }

    /// Adds a parameter to the query: raw texts, which are percent-encoded when they are sent.
    #[must_use]
    pub fn query(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((key.into(), value.into()));
        self
    }

    /// Adds a number to the query, where there is one.
    fn query_if(self, key: &str, value: Option<u64>) -> Self {
        match value {
            Some(value) => self.query(key, value.to_string()),
            None => self,
        }
    }

    /// A signed `POST` with `msg_body` in the envelope.
    fn enveloped(interface: &str, msg_body: &impl Serialize) -> Self {
        Self::post(
            interface,
            request_body(msg_body)
                .unwrap_or_else(|_| unreachable!("structs of texts and numbers serialise")),
        )
    }

    /// A signed `POST` with `body` as it is, without the envelope.
    fn flat(interface: &str, body: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(body)
            .unwrap_or_else(|_| unreachable!("structs of texts and numbers serialise"));
        Self::post(interface, bytes.into())
    }
}

impl fmt::Debug for OperationRequest {
    /// Without the query's values, one of which is a token, and without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.query.iter().map(|(key, _)| key).collect();
        let mut shown = f.debug_struct("OperationRequest");
        shown.field("method", &self.method).field("path", &self.path).field("query_keys", &keys);
        shown.field("body_bytes", &self.body.len()).field("signed", &self.signed).finish()
    }
}

/// Whether an operation may be sent again. The repository's `docs/reliability.md` has the table of what is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repeat {
    /// As often as one likes: it reads.
    Harmless,
    /// Only when the request surely never arrived, or when the server itself said "try later": it starts a job.
    OnlyUnlessArrived,
}

/// What came as the answer to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
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
