//! The protocol of CC-FS, the file server of Huawei's AICC call center, without any I/O.
//!
//! This crate builds and signs requests (auth-v2), verifies signatures, tells answers apart, and drives one call as a state machine.
//! It never opens a socket, reads a clock, sleeps, draws a random number or spawns: whoever embeds it passes the time and moves
//! the bytes, in whatever runtime they like. Ready-made drivers are `ccfs-ureq` (blocking) and `ccfs-reqwest` (async).
#![forbid(unsafe_code)]

mod auth;
mod calendar;
mod classify;
mod endpoint;
mod envelope;
mod exchange;
mod file_name;
mod operation;
mod receiver;
mod result_code;
mod timestamp;

pub use auth::{
    AccessKey, AuthorizationHeader, AuthorizationHeaderError, Credentials, Difference, Freshness, KeyError, QueryLine, RecentSignatures,
    ReplayGuard, RequestView, SecretKey, Signer, SigningSteps, Verified, Verifier, VerifyError, ViewError,
};
pub use calendar::{CalendarError, Day, LocalTime};
pub use classify::{AnswerError, Classified, Classifier, Expected, FileBytes, FileKind, FileReceipt, HttpRefusal, LooksLike};
pub use endpoint::{Endpoint, EndpointError, Scheme};
pub use envelope::{Envelope, EnvelopeError, request_body};
pub use exchange::{
    ClockSkew, ErrorKind, Exchange, ExchangeError, Now, OutOfTurn, Policy, PreparedRequest, RequestError, SinkKind, Step, TransportFailure,
};
pub use file_name::{FileNameError, IndexFileName, ResponseId};
pub use operation::{
    AnyAnswer, AnyOperation, BillData, CallError, Callback, CallbackError, DownloadAgentOprInfoFile, DownloadAgentSkillInfoFile,
    DownloadBillFile, DownloadIvrRecordFile, DownloadOiapRecord, DownloadRecord, DownloadRecordFile, FieldError, FieldForm, FieldPlace,
    FieldProblem, FileHash, GenerationJob, GetRecordFileUrlFromObs, INTERFACES, Interface, InterfaceField, IvrDeleteFile, IvrDownloadFile,
    IvrGetFileHash, IvrUploadFile, Operation, OperationRequest, PlayVoice, PlaybackToken, QueryAgentOprInfoData, QueryAgentSkillInfoData,
    QueryBillData, Received, RecordingUrl, Repeat, RequestPlayVoice, UploadedFile, WavProblem,
};
pub use receiver::{ReceiveError, Reception};
pub use result_code::{Advice, ResultCode};
pub use timestamp::{Precision, Timestamp, TimestampError, TimestampText};
