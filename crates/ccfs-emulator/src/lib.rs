//! An emulator of CC-FS, the file server of Huawei's AICC call center: a real HTTP server on loopback, with TLS by default.
//!
//! This example works in any kind of test function:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use ccfs_emulator::{Emulator, Fault};
//! use ccfs_proto::{DownloadAgentSkillInfoFile, Operation, RequestView, Signer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::builder().plain().seed(7).start()?;
//! emulator.faults().add(Fault::Busy(1).at("downloadAgentSkillInfoFile").times(1));
//!
//! // Any client will do; this one is a socket.
//! let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse()?;
//! let request = DownloadAgentSkillInfoFile::new(name).request()?;
//! let host = emulator.endpoint().host_header();
//! let view = RequestView { method: "POST", path: &request.path, query: &[], headers: &[("host", &host)], body: &request.body };
//! let authorization = Signer::new(&emulator.credentials()).sign(view, emulator.now())?;
//! let head = format!(
//!     "POST {} HTTP/1.1\r\nhost: {host}\r\nauthorization: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
//!     request.path,
//!     authorization.to_str()?,
//!     request.body.len(),
//! );
//! let mut answers = Vec::new();
//! for _ in 0..2 {
//!     let mut stream = TcpStream::connect(emulator.address())?;
//!     stream.write_all(&[head.as_bytes(), &request.body].concat())?;
//!     let mut answer = String::new();
//!     stream.read_to_string(&mut answer)?;
//!     answers.push(answer);
//! }
//!
//! assert!(answers[0].starts_with("HTTP/1.1 503"), "the fault");
//! assert!(answers[1].contains("\"resultCode\":\"0300011\""), "nobody asked for that file");
//! let log = emulator.received();
//! assert_eq!((log[0].status, log[1].status), (Some(503), Some(200)));
//! # Ok(())
//! # }
//! ```
//!
//! `docs/emulator.md` in the repository has an example with a client of this workspace, and explains how to write rules
//! with faults.
//!
//! The emulator follows the published reference strictly: it checks every signature (401, and 403 after too many bad
//! ones), the envelope, the times, and the owner of the file, and answers with the documented result codes. It
//! generates index files from a seed, writes the ZIP as Java would, signs its callback, and calls again when the
//! receiver's answer has no body. Builder options set behaviour that the reference does not specify; see
//! [What is not published](ccfs_proto::protocol#what-is-not-published).
//!
//! Faults are injected by name ([`Fault`]), scripted per interface ([`Faults`]), and everything received is logged
//! ([`ReceivedRequest`]). It is for tests and development; it never stores anything on disk, connects only to the
//! callback URLs of its requests, and no library depends on it.
#![forbid(unsafe_code)]

mod answer;
mod builder;
mod callback;
mod data;
mod developer;
mod emulator;
mod fault;
mod gate;
mod interface;
mod jobs;
mod library;
mod log;
mod outgoing;
mod server;
mod start;
mod state;
mod thread;
mod tls;

pub use builder::Builder;
pub use data::{Shape, SkillSeparator};
pub use developer::Developer;
pub use emulator::Emulator;
pub use fault::{Fault, FaultError, FaultHelp, FaultRule, Faults};
pub use gate::Lockout;
pub use library::{Recording, VoiceFile};
pub use log::{CallbackAttempt, ReceivedRequest, SignatureVerdict};
pub use start::StartError;
pub use tls::{Identity, TlsVersions};

use sha2::{Digest, Sha256};

/// Locks the mutex, also after a panic in another thread: no panic leaves a value half-changed here.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// SHA-256 as 64 lower-case hex digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    format!("{:x}", bytes::Bytes::copy_from_slice(&Sha256::digest(bytes)))
}

/// Returns pairs of texts as [`RequestView`](ccfs_proto::RequestView) needs them.
pub(crate) fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
