//! The interfaces of CC-FS as typed operations, and the trait for custom ones.

use std::borrow::Cow;

mod any;
mod field;
mod fields;
mod file_name;
mod index_files;
mod interface;
mod ivr;
mod recording;
mod request;
mod wav;

pub use self::any::{AnyOperation, CallError};
pub use self::field::{FieldError, FieldProblem};
pub use self::file_name::{FileNameError, IndexFileName, ResponseId};
pub use self::index_files::{
    BillData, DownloadAgentOprInfoFile, DownloadAgentSkillInfoFile, DownloadBillFile,
    GenerationJob, QueryAgentOprInfoData, QueryAgentSkillInfoData, QueryBillData,
};
pub use self::interface::{FieldForm, Interface, InterfaceField};
pub use self::ivr::{
    FileHash, IvrDeleteFile, IvrDownloadFile, IvrGetFileHash, IvrUploadFile, UploadedFile,
};
pub use self::recording::{
    DownloadIvrRecordFile, DownloadOiapRecord, DownloadRecord, DownloadRecordFile,
    GetRecordFileUrlFromObs, PlayVoice, PlaybackToken, RecordingUrl, RequestPlayVoice,
};
pub use self::request::OperationRequest;
pub use self::wav::WavProblem;
pub use crate::answer::request_body;

use self::fields::Fields;
use crate::answer::{Advice, AnswerError, Envelope, Expected, FileReceipt, RawJson, ResultCode};

/// One call of an interface: the request, the expected answer, and whether it is retry-safe.
///
/// Implement it for an interface that this crate does not know, of CC-FS or of another service
/// that signs with auth-v2; an [`Exchange`](crate::Exchange) does the rest.
///
/// ```
/// # use std::borrow::Cow;
/// use ccfs_proto::answer::{AnswerError, Expected};
/// use ccfs_proto::operation::{FieldError, OperationRequest, Received, Repeat};
/// use ccfs_proto::{Operation, ResultCode};
///
/// /// Lists the names of agents on a CC-CMS server.
/// struct ListAgents;
///
/// impl Operation for ListAgents {
///     type Answer = Vec<String>;
///
///     fn interface(&self) -> Cow<'static, str> { "agents".into() }
///     fn repeat(&self) -> Repeat { Repeat::Idempotent }
///     fn expected(&self) -> Expected { Expected::Envelope }
///     fn is_success(&self, code: &ResultCode) -> bool { code.as_str() == "0100000" }
///
///     fn request(&self) -> Result<OperationRequest, FieldError> {
///         Ok(OperationRequest::get("/rest/cmsapp/v1/agents").query("limit", "10"))
///     }
///
///     fn answer(&self, received: Received) -> Result<Vec<String>, AnswerError> {
///         let envelope = received.into_envelope()?;
///         Ok(envelope.data().ok_or(AnswerError::field("resultData"))?.parse()?)
///     }
/// }
/// ```
pub trait Operation {
    /// The type of a successful answer.
    type Answer;

    /// Returns the interface's name as the reference spells it. The errors of an
    /// exchange begin with it.
    fn interface(&self) -> Cow<'static, str>;

    /// Checks the fields and builds the request. An exchange calls it once; all attempts send the
    /// same bytes.
    ///
    /// # Errors
    ///
    /// Fails when a field breaks the interface's rules.
    fn request(&self) -> Result<OperationRequest, FieldError>;

    /// Returns whether the request may be retried when it may have arrived.
    fn repeat(&self) -> Repeat;

    /// Returns the form of a successful answer. Any other form is an error, and
    /// [`answer`](Self::answer) is not called.
    fn expected(&self) -> Expected;

    /// Returns whether an envelope with this code is a success. Default: `0` only.
    fn is_success(&self, code: &ResultCode) -> bool {
        code.is_success()
    }

    /// Returns what a caller can do about the code of a failure. An exchange retries after
    /// [`Advice::TryLater`]. Default: [`ResultCode::advice`], the documented advice of CC-FS.
    fn advice(&self, code: &ResultCode) -> Advice {
        code.advice()
    }

    /// Returns what a code means, for error messages; empty if that is not known. Default:
    /// [`ResultCode::meaning`], the documented meaning at CC-FS; the codes of another service have
    /// other meanings.
    fn meaning(&self, code: &ResultCode) -> Cow<'static, str> {
        code.meaning().into()
    }

    /// Reads a successful answer: an envelope whose code is a success, plain JSON, or a complete
    /// file.
    ///
    /// # Errors
    ///
    /// Fails when the answer lacks what the operation needs: [`AnswerError::Field`], or
    /// [`AnswerError::Custom`] with a custom message.
    fn answer(&self, received: Received) -> Result<Self::Answer, AnswerError>;
}

/// Writes the methods of [`Operation`] that a wrapper passes on to the operation inside it: all
/// but `answer`, which differs.
macro_rules! delegate {
    ($this:ident => $inner:expr) => {
        fn interface(&$this) -> Cow<'static, str> {
            $inner.interface()
        }

        fn request(&$this) -> Result<OperationRequest, FieldError> {
            $inner.request()
        }

        fn repeat(&$this) -> Repeat {
            $inner.repeat()
        }

        fn expected(&$this) -> Expected {
            $inner.expected()
        }

        fn is_success(&$this, code: &ResultCode) -> bool {
            $inner.is_success(code)
        }

        fn advice(&$this, code: &ResultCode) -> Advice {
            $inner.advice(code)
        }

        fn meaning(&$this, code: &ResultCode) -> Cow<'static, str> {
            $inner.meaning(code)
        }
    };
}
use delegate;

/// Writes what follows from the list of all operations: their implementations of [`Operation`], the
/// table of interfaces, and calls by name. An operation has its answer and the function that reads
/// it.
macro_rules! operations {
    ($($name:ident => $answer:ty, $read:expr;)+) => {
        /// All interfaces of CC-FS, by topic.
        ///
        /// ```
        /// for interface in ccfs_proto::operation::INTERFACES {
        ///     println!("{:28} {}", interface.name, interface.about);
        /// }
        /// ```
        pub const INTERFACES: &[Interface] = &[$($name::INTERFACE),+];

        /// Returns the operation of the interface that the fields belong to.
        fn typed(fields: Fields) -> AnyOperation {
            match fields.interface.name {
                $(name if name == $name::INTERFACE.name => {
                    AnyOperation::from_operation($name(fields))
                })+
                name => unreachable!("{name} is in the list"),
            }
        }

        $(
            impl Operation for $name {
                type Answer = $answer;

                fn interface(&self) -> Cow<'static, str> {
                    self.0.interface.name.into()
                }

                fn request(&self) -> Result<OperationRequest, FieldError> {
                    self.0.request()
                }

                fn repeat(&self) -> Repeat {
                    self.0.interface.repeat
                }

                fn expected(&self) -> Expected {
                    self.0.interface.expected
                }

                fn answer(&self, received: Received) -> Result<$answer, AnswerError> {
                    $read(received)
                }
            }
        )+
    };
}

operations! {
    QueryAgentSkillInfoData => GenerationJob, GenerationJob::from_answer;
    DownloadAgentSkillInfoFile => FileReceipt, Received::into_file;
    QueryAgentOprInfoData => GenerationJob, GenerationJob::from_answer;
    DownloadAgentOprInfoFile => FileReceipt, Received::into_file;
    QueryBillData => GenerationJob, GenerationJob::from_answer;
    DownloadBillFile => FileReceipt, Received::into_file;
    DownloadRecordFile => FileReceipt, Received::into_file;
    DownloadRecord => FileReceipt, Received::into_file;
    GetRecordFileUrlFromObs => RecordingUrl, RecordingUrl::from_answer;
    RequestPlayVoice => PlaybackToken, PlaybackToken::from_answer;
    PlayVoice => FileReceipt, Received::into_file;
    DownloadOiapRecord => FileReceipt, Received::into_file;
    DownloadIvrRecordFile => FileReceipt, Received::into_file;
    IvrDownloadFile => FileReceipt, Received::into_file;
    IvrUploadFile => UploadedFile, UploadedFile::from_answer;
    IvrGetFileHash => FileHash, FileHash::from_answer;
    IvrDeleteFile => (), |received: Received| received.into_envelope().map(drop);
}

/// Whether an operation may be retried. `docs/reliability.md` in the repository lists each one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repeat {
    /// Retried after any temporary failure.
    Idempotent,
    /// Retried only when the request certainly never arrived, or the server
    /// answered "try later".
    NotIdempotent,
}

/// A successful answer, before the operation reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// An envelope whose code is a success.
    Envelope(Envelope),
    /// JSON without an envelope.
    Json(RawJson),
    /// A complete file, whose bytes went to the sink.
    File(FileReceipt),
}

impl Received {
    /// Returns the envelope.
    ///
    /// # Errors
    ///
    /// Fails when the answer is a file or plain JSON.
    pub fn into_envelope(self) -> Result<Envelope, AnswerError> {
        if let Self::Envelope(envelope) = self { Ok(envelope) } else { Err(self.unexpected()) }
    }

    /// Returns the JSON.
    ///
    /// # Errors
    ///
    /// Fails when the answer is a file or an envelope.
    pub fn into_json(self) -> Result<RawJson, AnswerError> {
        if let Self::Json(json) = self { Ok(json) } else { Err(self.unexpected()) }
    }

    /// Returns the file's receipt.
    ///
    /// # Errors
    ///
    /// Fails when the answer is an envelope or plain JSON.
    pub fn into_file(self) -> Result<FileReceipt, AnswerError> {
        let Self::File(receipt) = self else { return Err(AnswerError::SuccessWithoutFile) };
        Ok(receipt)
    }
    fn unexpected(&self) -> AnswerError {
        match self {
            Self::Envelope(_) => AnswerError::custom("answer is an envelope, not JSON"),
            Self::Json(_) => AnswerError::custom("answer is JSON without an envelope"),
            Self::File(receipt) => AnswerError::OtherFile { kind: receipt.kind },
        }
    }
}
