//! What the emulator received and what it sent on its own.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Mutex;

use ccfs_proto::auth::AuthorizationHeader;
use ccfs_proto::{IndexFileName, ResultCode, Timestamp};

use crate::fault::Fault;
use crate::lock;

/// A request as it came, and how it was answered.
///
/// `Debug` leaves out the query and the `msgBody`: one may hold a token, and the other is a body.
#[derive(Clone)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// When, by the emulator's clock.
    pub at: Timestamp,
    /// From where.
    pub peer: SocketAddr,
    /// The method.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query as sent, without its `?`.
    pub query: Option<String>,
    /// Names (lower-case) and values in the order of arrival. Of `authorization` everything but the signature.
    pub headers: Vec<(String, String)>,
    /// The body's length in bytes.
    pub body_len: usize,
    /// The `msgBody` of the envelope; `None` when the body has none.
    pub msg_body: Option<serde_json::Value>,
    /// The interface, when the path names one.
    pub interface: Option<&'static str>,
    /// What became of its signature.
    pub signature: SignatureVerdict,
    /// The access key whose signature was right.
    pub access_key: Option<String>,
    /// The fault that struck.
    pub fault: Option<Fault>,
    /// The status that was answered; `None` when there was no answer.
    pub status: Option<u16>,
    /// The result code that was answered, when the answer was an envelope.
    pub result_code: Option<ResultCode>,
}

/// What became of a request's signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureVerdict {
    /// Nobody looked at it: the path or the method is of no interface, the interface wants none, or a fault answered first.
    #[default]
    NotChecked,
    /// It is right.
    Accepted,
    /// There is none, or it is wrong, or of another time.
    Refused,
    /// The address is locked: it was not looked at.
    Locked,
}

impl SignatureVerdict {
    /// In a word or two: `accepted`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotChecked => "not checked",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Locked => "locked",
        }
    }
}

impl fmt::Display for SignatureVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ReceivedRequest {
    /// One JSON object without line breaks, as `ccfs serve --log` writes it: when, from where, what for, and what became of it. No header, no query and
    /// no body stands in it, so it holds no secret.
    ///
    /// `{"at":"2023-04-06T08:00:00.000Z","peer":"127.0.0.1:40000","method":"POST","path":"/CCFS/…","interface":"…","signature":"accepted",
    /// "access_key":"…","body_bytes":114,"fault":"busy:1","status":503,"result_code":null}`
    pub fn to_json_line(&self) -> String {
        #[derive(serde::Serialize)]
        struct Line<'a> {
            at: String,
            peer: SocketAddr,
            method: &'a str,
            path: &'a str,
            interface: Option<&'a str>,
            signature: &'a str,
            access_key: Option<&'a str>,
            body_bytes: usize,
            fault: Option<String>,
            status: Option<u16>,
            result_code: Option<&'a str>,
        }
        let line = Line {
            at: self.at.to_string(),
            peer: self.peer,
            method: &self.method,
            path: &self.path,
            interface: self.interface,
            signature: self.signature.as_str(),
            access_key: self.access_key.as_deref(),
            body_bytes: self.body_len,
            fault: self.fault.as_ref().map(ToString::to_string),
            status: self.status,
            result_code: self.result_code.as_ref().map(ResultCode::as_str),
        };
        serde_json::to_string(&line).unwrap_or_else(|_| unreachable!("texts and numbers serialise"))
    }

    /// The value of the header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ReceivedRequest");
        shown
            .field("at", &self.at)
            .field("peer", &self.peer)
            .field("method", &self.method)
            .field("path", &self.path);
        shown
            .field("headers", &self.headers)
            .field("body_len", &self.body_len)
            .field("interface", &self.interface);
        shown
            .field("access_key", &self.access_key)
            .field("fault", &self.fault)
            .field("status", &self.status);
        shown.field("result_code", &self.result_code).finish_non_exhaustive()
    }
}

/// One attempt to tell a developer that a file is there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallbackAttempt {
    /// When, by the emulator's clock.
    pub at: Timestamp,
    /// Where to.
    pub url: String,
    /// The file.
    pub file_name: IndexFileName,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// The status that the receiver answered.
    pub status: Option<u16>,
    /// The length of the receiver's answer: without a body the emulator calls again.
    pub answer_len: usize,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// The newest entries, up to a bound.
#[derive(Debug)]
pub(crate) struct Log<T> {
    entries: Mutex<VecDeque<T>>,
    limit: usize,
}

impl<T: Clone> Log<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { entries: Mutex::default(), limit: limit.max(1) }
    }

    pub(crate) fn push(&self, entry: T) {
        let mut entries = lock(&self.entries);
        if entries.len() >= self.limit {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(crate) fn all(&self) -> Vec<T> {
        lock(&self.entries).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        lock(&self.entries).clear();
    }
}

/// What of an `Authorization` header may stand in a log: all but the signature, which lets its reader repeat the request.
pub(crate) fn redacted(authorization: &str) -> String {
    AuthorizationHeader::parse(authorization).map_or_else(
        |_| "(not an auth-v2 header)".into(),
        |header| format!("{}/…", header.prefix()),
    )
}
