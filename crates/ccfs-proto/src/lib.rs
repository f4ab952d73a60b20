//! The protocol of CC-FS, the file server of Huawei's AICC call center, without any I/O.
//!
//! This crate builds and signs requests (auth-v2), verifies signatures, tells answers apart, and drives one call as a state machine.
//! It never opens a socket, reads a clock, sleeps, draws a random number or spawns: whoever embeds it passes the time and moves
//! the bytes, in whatever runtime they like. Ready-made drivers are `ccfs-ureq` (blocking) and `ccfs-reqwest` (async).
//!
//! # The whole protocol in one example
//!
//! An [`Operation`] says what to send and what a good answer is. An [`Exchange`] turns it into one call: it signs every attempt
//! afresh, tells answers apart, retries what may be retried, corrects a wrong clock once, and keeps the deadline. A driver does
//! what [`poll`](Exchange::poll) says and reports what happened:
//!
//! ```text
//!                  poll: Send                on_head                   on_end
//!   new ──► Ready ───────────► AwaitingHead ───────► Receiving ─────────────────► Over ──► poll: Done
//!             ▲                     │                 │   ▲  │                      ▲
//!             │                     │ on_failure      │   └──┘ poll: Receive, on_body│
//!             │                     │                 │          poll: Write          │
//!             │                     ▼                 ▼                              │
//!             │                   failed: is another attempt allowed? ───── no ───────┘
//!             │                     │ yes
//!             │   poll: Wait        ▼
//!             └────────── Waiting ◄── Rewinding (poll: Rewind), when a file had begun
//! ```
//!
//! ```
//! use std::collections::VecDeque;
//! use std::time::Duration;
//!
//! use bytes::Bytes;
//! use ccfs_proto::{
//!     Credentials, DownloadAgentSkillInfoFile, Exchange, Now, Operation, Policy, SinkKind, Step, Timestamp, FailureKind,
//! };
//! use http::{HeaderMap, StatusCode};
//!
//! /// What a network would do: here it is written down. The first attempt finds the server busy.
//! let mut network = VecDeque::from([
//!     (StatusCode::OK, vec![&br#"{"resultCode":"0300008","resultDesc":"try later"}"#[..]]),
//!     (StatusCode::OK, vec![b"PK\x05\x06".as_slice(), &[0; 18]]), // the smallest ZIP, in two pieces
//! ]);
//! /// What a clock would say.
//! let mut clock = Now { wall: Timestamp::from_unix_millis(1_680_768_000_000), monotonic: Duration::ZERO };
//!
//! let operation = DownloadAgentSkillInfoFile::new("20230406_9239cb50a8384bb0ab503441bf089446.zip".parse()?);
//! let credentials = Credentials::from_text("my-app-id", String::from("my secret key"))?;
//! let mut exchange = Exchange::new(operation, &"https://10.1.2.3:8443".parse()?, &credentials, &Policy::default())?
//!     .sink(SinkKind::Rewinds);
//!
//! let mut file = Vec::new();
//! let mut body = VecDeque::new();
//! let receipt = loop {
//!     match exchange.poll(clock)? {
//!         Step::Send { request, .. } => {
//!             assert!(request.headers()["authorization"].to_str()?.starts_with("auth-v2/my-app-id/2023-04-06T08:00:0"));
//!             match network.pop_front() {
//!                 Some((status, chunks)) => {
//!                     body = chunks.into();
//!                     exchange.on_head(clock, status, &HeaderMap::new())?;
//!                 }
//!                 None => exchange.on_failure(clock, FailureKind::Connect)?,
//!             }
//!         }
//!         Step::Receive { .. } => match body.pop_front() {
//!             Some(chunk) => exchange.on_body(clock, Bytes::from_static(chunk))?,
//!             None => exchange.on_end(clock)?,
//!         },
//!         Step::Write(bytes) => file.extend_from_slice(&bytes),
//!         Step::Rewind => file.clear(),
//!         Step::Wait(duration) => clock.monotonic += duration,
//!         Step::Done(result) => break result?,
//!     }
//! };
//! assert_eq!((receipt.bytes, file.len(), exchange.attempts()), (22, 22, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `examples/own_operation.rs` calls an interface that is not known here. The repository's `docs/embedding.md` says what a driver must do at
//! each step; `tests/examples` there has this loop over a plain socket, in tokio and in smol.
//!
//! # What else is here
//!
//! | for | take |
//! |---|---|
//! | a signature alone | [`Signer`], [`PreparedRequest`] |
//! | checking a signature, receiving callbacks | [`Verifier`], [`callback`] |
//! | telling an answer apart alone | [`Classifier`], [`Envelope`], [`RawJson`], [`ResultCode`] |
//! | every interface of CC-FS | the operations, [`INTERFACES`], [`AnyOperation`] |
//! | names and places | [`IndexFileName`], [`ResponseId`], [`Endpoint`] |
//! | times | [`Timestamp`] for UTC, [`LocalTime`] and [`Day`] for the tenant's clock |
#![forbid(unsafe_code)]

mod auth;
mod base64;
mod calendar;
pub mod callback;
mod classify;
mod endpoint;
mod envelope;
pub mod exchange;
mod file_name;
mod json;
mod operation;
mod operation_request;
mod raw_json;
mod result_code;
mod timestamp;
mod wav;
mod words;

pub use auth::{
    AccessKey, AuthorizationHeader, AuthorizationHeaderError, Credentials, Difference, Freshness,
    KeyError, QueryLine, RequestView, SecretKey, Signer, SigningSteps, Verified, Verifier,
    VerifyError, ViewError, decode_query,
};
pub use calendar::{CalendarError, Day, LocalTime};
pub use callback::{Callback, CallbackError};
pub use classify::{
    AnswerError, Classified, Classifier, Expected, FileBytes, FileKind, FileReceipt, HttpRefusal,
    LooksLike,
};
pub use endpoint::{Endpoint, EndpointError, Scheme};
pub use envelope::{Envelope, EnvelopeError, request_body};
pub use exchange::{
    ClockSkew, ErrorKind, Exchange, ExchangeError, FailureKind, Now, OutOfTurn, Policy,
    PreparedRequest, RequestError, SinkKind, Step, Target, TlsFailure, TransportFailure,
};
pub use file_name::{FileNameError, IndexFileName, ResponseId};
pub use operation::{
    AnyAnswer, AnyDownload, AnyOperation, BillData, CallError, DownloadAgentOprInfoFile,
    DownloadAgentSkillInfoFile, DownloadBillFile, DownloadIvrRecordFile, DownloadOiapRecord,
    DownloadRecord, DownloadRecordFile, FieldError, FieldForm, FieldPlace, FieldProblem, FileHash,
    GenerationJob, GetRecordFileUrlFromObs, INTERFACES, Interface, InterfaceField, IvrDeleteFile,
    IvrDownloadFile, IvrGetFileHash, IvrUploadFile, Operation, PlayVoice, PlaybackToken,
    QueryAgentOprInfoData, QueryAgentSkillInfoData, QueryBillData, Received, RecordingUrl, Repeat,
    RequestPlayVoice, UploadedFile,
};
pub use operation_request::OperationRequest;
pub use raw_json::RawJson;
pub use result_code::{Advice, ResultCode};
pub use timestamp::{Precision, Timestamp, TimestampError, TimestampText};
pub use wav::WavProblem;
