//! What the emulator received and what it sent on its own.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Mutex;

use ccfs_proto::auth::AuthorizationHeader;
use ccfs_proto::{IndexFileName, ResultCode, Timestamp};
use serde_json::Value;

use crate::fault::Fault;
use crate::lock;

/// A request as received, and how it was answered.
///
/// `Debug` leaves out the query and the `msgBody`: one may hold a token, and the other is a body.
#[derive(Clone)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// When, by the emulator's clock.
    pub at: Timestamp,
    /// Address of the client.
    pub peer: SocketAddr,
    /// The method.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query as sent, without its `?`.
    pub query: Option<String>,
    /// Names (lower-case) and values in the order of arrival. The value of `authorization` is without the signature.
    pub headers: Vec<(String, String)>,
    /// The body's length in bytes.
    pub body_len: usize,
    /// The `msgBody` of the envelope; `None` if the body has none, or if the signature is missing or
    /// not valid: bodies of unknown senders are not parsed.
    pub msg_body: Option<Value>,
    /// The interface, if the path names one.
    pub interface: Option<&'static str>,
    /// The result of verifying its signature.
    pub signature: SignatureVerdict,
    /// The access key, if the signature is valid.
    pub access_key: Option<String>,
    /// The fault that was applied.
    pub fault: Option<Fault>,
    /// The status of the answer; `None` if there was no answer.
    pub status: Option<u16>,
    /// The result code of the answer, if it was an envelope.
    pub result_code: Option<ResultCode>,
}

/// The result of verifying a request's signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureVerdict {
    /// Not verified: the path or the method is unknown, the interface does not require a signature, or a fault answered first.
    #[default]
    NotChecked,
    /// The signature is valid.
    Accepted,
    /// The signature is missing or wrong, or its time is outside the allowed range.
    Refused,
    /// The address is locked, so the signature was not verified.
    Locked,
}

impl SignatureVerdict {
    /// A short name: `accepted`.
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
    /// One JSON object without line breaks, as `ccfs serve --log` writes it: time, client, request and outcome. It contains no header, no query and
    /// no body, and therefore no secret.
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
        f.debug_struct("ReceivedRequest")
            .field("at", &self.at)
            .field("peer", &self.peer)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &self.headers)
            .field("body_len", &self.body_len)
            .field("interface", &self.interface)
            .field("access_key", &self.access_key)
            .field("fault", &self.fault)
            .field("status", &self.status)
            .field("result_code", &self.result_code)
            .finish_non_exhaustive()
    }
}

/// One attempt to deliver a callback.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallbackAttempt {
    /// When, by the emulator's clock.
    pub at: Timestamp,
    /// The URL of the receiver.
    pub url: String,
    /// The file.
    pub file_name: IndexFileName,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The status of the receiver's answer.
    pub status: Option<u16>,
    /// The length of the body of the receiver's answer, in bytes. If it is 0, the emulator calls again.
    pub answer_len: usize,
    /// Why there was no answer.
    pub error: Option<String>,
}

impl ReceivedRequest {
    /// Approximate memory, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let texts = [&self.method, &self.path].into_iter().chain(&self.query);
        let headers = self.headers.iter().flat_map(|(name, value)| [name, value]);
        let text = |text: &String| size_of::<String>() + text.len();
        size_of::<Self>()
            + texts.chain(headers).map(text).sum::<usize>()
            + self.msg_body.as_ref().map_or(0, memory_of)
    }
}

fn memory_of(json: &Value) -> usize {
    let more = match json {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(memory_of).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| size_of::<String>() + name.len() + memory_of(value))
            .sum(),
    };
    size_of::<Value>() + more
}

impl CallbackAttempt {
    /// Approximate memory, in bytes.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + self.url.len() + self.error.as_ref().map_or(0, String::len)
    }
}

/// The newest entries, limited in number and memory. The newest one is always kept.
#[derive(Debug)]
pub(crate) struct Log<T> {
    inner: Mutex<Inner<T>>,
    limit: usize,
    byte_limit: usize,
}

#[derive(Debug)]
struct Inner<T> {
    /// Each with its memory.
    entries: VecDeque<(usize, T)>,
    bytes: usize,
}

impl<T: Clone> Log<T> {
    pub(crate) fn new(limit: usize, byte_limit: usize) -> Self {
        let inner = Inner { entries: VecDeque::new(), bytes: 0 };
        Self { inner: Mutex::new(inner), limit: limit.max(1), byte_limit }
    }

    pub(crate) fn push(&self, memory: usize, entry: T) {
        let mut inner = lock(&self.inner);
        inner.bytes += memory;
        inner.entries.push_back((memory, entry));
        while inner.entries.len() > 1
            && (inner.entries.len() > self.limit || inner.bytes > self.byte_limit)
        {
            inner.bytes -= inner.entries.pop_front().map_or(0, |(memory, _)| memory);
        }
    }

    pub(crate) fn all(&self) -> Vec<T> {
        lock(&self.inner).entries.iter().map(|(_, entry)| entry.clone()).collect()
    }

    pub(crate) fn clear(&self) {
        let mut inner = lock(&self.inner);
        inner.entries.clear();
        inner.bytes = 0;
    }
}

/// The parts of an `Authorization` header that a log may contain: all but the signature, which would let its reader repeat the request.
pub(crate) fn redacted(authorization: &str) -> String {
    AuthorizationHeader::parse(authorization).map_or_else(
        |_| "(not an auth-v2 header)".into(),
        |header| format!("{}/…", header.prefix()),
    )
}
