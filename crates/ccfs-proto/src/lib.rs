//! The protocol of CC-FS, the file server of Huawei's AICC call center, without I/O.
//!
//! This crate creates and signs requests (auth-v2), verifies signatures, classifies answers, and
//! drives one call or one callback as a state machine. It opens no socket, reads no clock, draws no
//! random number and spawns nothing: the caller passes the time and moves the bytes, in any
//! runtime. Ready-made drivers are `ccfs-ureq` (blocking) and `ccfs-reqwest` (async).
//!
//! # A call
//!
//! An [`Operation`] defines the request and the expected answer. An [`Exchange`] performs one call
//! of an operation: it signs every attempt, classifies the answer, retries what may be retried,
//! signs once more with the server's time if the local clock is wrong, and enforces the timeouts. A
//! driver does what [`poll`](Exchange::poll) returns and reports what happened.
//!
//! ```text
//!  new -->  Ready  <------------------------------------+
//!             |  poll: Send                             |
//!             v                                         |
//!        AwaitingHead ----- on_failure -----+           |  poll: Rewind,
//!             |  on_head                    |           |  poll: Wait
//!             v                             v           |
//!         Receiving ------- on_failure --> Failed ------+
//!             |  poll: Receive, on_body     |   another attempt is allowed
//!             |  poll: Write                |
//!             |  on_end                     |  no other attempt
//!             v                             v
//!           Over  <-------------------------+
//!             |  poll: Done
//!             v
//!         Finished
//! ```
//!
//! `on_body` and `on_end` lead to `Failed` as well, if the response is an error or not usable.
//!
//! ```
//! use std::time::Duration;
//!
//! use bytes::Bytes;
//! use ccfs_proto::{
//!     Credentials, DownloadAgentSkillInfoFile, Exchange, Now, Policy, SinkKind, Step,
//!     Timestamp,
//! };
//! use http::{HeaderMap, StatusCode};
//!
//! // What the server answers: first that it is busy (0300008), then the smallest ZIP.
//! let zip = [&b"PK\x05\x06"[..], &[0; 18]].concat();
//! let mut answers = [br#"{"resultCode":"0300008"}"#.to_vec(), zip].into_iter();
//! let wall = Timestamp::from_unix_millis(1_680_768_000_000);
//! let mut now = Now { wall, monotonic: Duration::ZERO };
//!
//! let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse()?;
//! let operation = DownloadAgentSkillInfoFile::new(name);
//! let credentials = Credentials::from_text("my-app-id", String::from("my secret key"))?;
//! let endpoint = "https://10.1.2.3:8443".parse()?;
//! let mut exchange = Exchange::new(operation, &endpoint, &credentials, &Policy::default())?
//!     .sink(SinkKind::Rewinds);
//!
//! let (mut body, mut file) = (None, Vec::new());
//! let receipt = loop {
//!     match exchange.poll(now)? {
//!         Step::Send { request, target, .. } => {
//!             // A driver connects to `target`, sends `request` and reads the head. If it
//!             // cannot connect: `exchange.on_failure(now, FailureKind::Connect)?`.
//!             assert!(request.headers().contains_key("authorization") && target.tls);
//!             body = answers.next().map(Bytes::from);
//!             exchange.on_head(now, StatusCode::OK, &HeaderMap::new())?;
//!         }
//!         Step::Receive { .. } => match body.take() {
//!             Some(piece) => exchange.on_body(now, piece)?,
//!             None => exchange.on_end(now)?,
//!         },
//!         Step::Write(bytes) => file.extend_from_slice(&bytes),
//!         Step::Rewind => file.clear(),
//!         Step::Wait(duration) => now.monotonic += duration,
//!         Step::Done(result) => break result?,
//!     }
//! };
//! assert_eq!((receipt.bytes, file.len(), exchange.attempts()), (22, 22, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The repository's `docs/embedding.md` explains what a driver must do at each step; its
//! `tests/examples` have drivers for `std::net`, tokio and smol.
//!
//! # Parts
//!
//! | task | items |
//! |---|---|
//! | drive a call | [`Exchange`], [`Step`], [`Now`], [`Policy`], [`SinkKind`], [`FailureKind`], [`ExchangeError`], [`ErrorKind`], others in [`exchange`] |
//! | call an interface | [`DownloadAgentSkillInfoFile`], [`QueryAgentSkillInfoData`], [`AnyOperation`], others in [`operation`] |
//! | call another auth-v2 service | [`Operation`] with [`OperationRequest`](operation::OperationRequest), [`Repeat`](operation::Repeat), [`Received`](operation::Received), [`Expected`](answer::Expected), [`AnswerError`](answer::AnswerError) |
//! | sign only | [`Signer`], [`RequestView`], [`exchange::PreparedRequest`] |
//! | verify signatures | [`Verifier`], others in [`auth`] |
//! | receive callbacks | [`callback`] |
//! | classify answers only | [`Classifier`], [`Envelope`], [`ResultCode`], others in [`answer`] |
//! | names and addresses | [`IndexFileName`], [`ResponseId`], [`Endpoint`], [`Credentials`] |
//! | times | [`Timestamp`] in UTC, [`LocalTime`] and [`Day`] in local time of the call center |
//! | rules and their sources | [`protocol`] |
#![forbid(unsafe_code)]
#![warn(clippy::missing_errors_doc)]

pub mod answer;
pub mod auth;
pub mod callback;
pub mod exchange;
mod json;
pub mod operation;
#[doc = include_str!("../docs/protocol.md")]
pub mod protocol {}
/// Times: [`Timestamp`] in UTC for signatures, [`LocalTime`] and [`Day`] in local time of the call
/// center for requests.
pub mod time {
    pub use ccfs_time::{CalendarError, Day, LocalTime, Precision, TimeText, Timestamp};
}
mod words;

pub use answer::{Classifier, Envelope, ResultCode};
pub use auth::{Credentials, RequestView, Signer, Verifier};
pub use exchange::{
    Endpoint, ErrorKind, Exchange, ExchangeError, FailureKind, Now, Policy, SinkKind, Step,
};
pub use operation::{
    AnyOperation, DownloadAgentSkillInfoFile, IndexFileName, Operation, QueryAgentSkillInfoData,
    ResponseId,
};
pub use time::{Day, LocalTime, Timestamp};
