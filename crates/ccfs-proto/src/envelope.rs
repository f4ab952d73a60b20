//! The JSON around every request and most answers.

use std::fmt;

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::result_code::ResultCode;

/// The version that requests carry.
const VERSION: &str = "2.0";
/// Bytes of an envelope that [`Envelope::parse`] reads.
pub(crate) const DEFAULT_ENVELOPE_LIMIT: usize = 1024 * 1024;
/// Characters of a server's text that are shown.
const SHOWN: usize = 200;

/// A request's body: `{"request":{"version":"2.0"},"msgBody":…}`.
///
/// These bytes are both signed and sent; nothing may serialise them anew. See `docs/protocol.md`, "Envelope".
///
/// ```
/// use ccfs_proto::request_body;
///
/// let body = request_body(&serde_json::json!({"fileName": "a"}))?;
/// assert_eq!(&body[..], br#"{"request":{"version":"2.0"},"msgBody":{"fileName":"a"}}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn request_body<T: Serialize + ?Sized>(msg_body: &T) -> Result<Bytes, serde_json::Error> {
    #[derive(Serialize)]
    struct Body<'a, T: ?Sized> {
        request: Header,
        #[serde(rename = "msgBody")]
        msg_body: &'a T,
    }
    #[derive(Serialize)]
    struct Header {
        version: &'static str,
    }
    serde_json::to_vec(&Body { request: Header { version: VERSION }, msg_body }).map(Bytes::from)
}

/// A server's JSON answer: `{"resultCode":…,"resultDesc":…,"resultData":…}`.
///
/// The older `response:{version,resultCode,resultMsg}` may stand beside these or instead of them; where both are there, the newer
/// fields count. See `docs/protocol.md`, "Envelope".
///
/// ```
/// use ccfs_proto::{Envelope, ResultCode};
///
/// let envelope = Envelope::parse(br#"{"resultCode":"0300011","resultDesc":"no such file","resultData":""}"#)?;
/// assert_eq!(envelope.code(), &ResultCode::FileNotFound);
/// assert!(envelope.data().is_none());
/// # Ok::<(), ccfs_proto::EnvelopeError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Envelope {
    code: ResultCode,
    description: String,
    data: Option<Value>,
    version: Option<String>,
}

impl Envelope {
    /// An envelope as a server writes it.
    #[must_use]
    pub fn new(code: ResultCode, description: impl Into<String>, data: Option<Value>) -> Self {
        Self { code, description: description.into(), data: data.filter(is_data), version: None }
    }

    /// Reads an envelope of up to 1 MiB. A byte order mark and white space around it are passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        Self::parse_within(bytes, DEFAULT_ENVELOPE_LIMIT)
    }

    /// Reads an envelope of up to `limit` bytes.
    pub fn parse_within(bytes: &[u8], limit: usize) -> Result<Self, EnvelopeError> {
        if bytes.len() > limit {
            return Err(EnvelopeError::TooLarge { limit });
        }
        // Derived structs would read an array's elements as their fields in order.
        if !without_mark(bytes).trim_ascii_start().starts_with(b"{") {
            return Err(EnvelopeError::Json { line: 1, column: 1 });
        }
        let raw: Raw = serde_json::from_slice(without_mark(bytes))
            .map_err(|error| EnvelopeError::Json { line: error.line(), column: error.column() })?;
        let (old_code, old_description, version) = match raw.response {
            Some(old) => (old.result_code, old.result_msg, old.version),
            None => (None, None, None),
        };
        let code = raw.result_code.or(old_code).ok_or(EnvelopeError::NoResultCode)?;
        Ok(Self {
            code: ResultCode::from_text(&code.0),
            description: raw.result_desc.or(old_description).unwrap_or_default(),
            data: raw.result_data.filter(is_data),
            version,
        })
    }

    /// The result code.
    pub fn code(&self) -> &ResultCode {
        &self.code
    }

    /// The server's description of the result; empty when it sent none.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The result's data. `None` for `null`, `""` and an absent field, which all occur.
    pub fn data(&self) -> Option<&Value> {
        self.data.as_ref()
    }

    /// A text field of the data.
    pub fn data_text(&self, field: &str) -> Option<&str> {
        self.data.as_ref()?.get(field)?.as_str()
    }

    /// The version in the older `response` object.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The JSON that a server sends.
    pub fn to_json(&self) -> Value {
        serde_json::json!({
            "resultCode": self.code.as_str(),
            "resultDesc": self.description,
            "resultData": self.data,
        })
    }
}

impl fmt::Debug for Envelope {
    /// Without the data, which is the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope").field("code", &self.code).field("has_data", &self.data.is_some()).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    result_code: Option<Code>,
    result_desc: Option<String>,
    result_data: Option<Value>,
    #[serde(default, deserialize_with = "object")]
    response: Option<RawOld>,
}

/// An object or `null`: serde would take an array for a struct, too.
fn object<'de, D: Deserializer<'de>>(from: D) -> Result<Option<RawOld>, D::Error> {
    let fields: Option<serde_json::Map<String, Value>> = Deserialize::deserialize(from)?;
    fields.map(|fields| serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)).transpose()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOld {
    version: Option<String>,
    result_code: Option<Code>,
    result_msg: Option<String>,
}

/// A code is a string; a bare number, which some gateways make of it, is taken as its digits.
#[derive(Deserialize)]
#[serde(from = "CodeForm")]
struct Code(String);

#[derive(Deserialize)]
#[serde(untagged)]
enum CodeForm {
    Text(String),
    Number(u64),
}

impl From<CodeForm> for Code {
    fn from(form: CodeForm) -> Self {
        match form {
            CodeForm::Text(text) => Self(text),
            CodeForm::Number(number) => Self(number.to_string()),
        }
    }
}

/// `null` and `""` both stand for no data.
fn is_data(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

/// The bytes behind a UTF-8 byte order mark.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// Text of a server for a person's eyes: at most 200 characters, none of them a control character.
pub(crate) fn shown(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = text.chars().take(SHOWN).map(clean).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}

/// Why bytes are no envelope. Never holds any of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Larger than the bound.
    #[error("the server's JSON answer is larger than the bound of {limit} bytes")]
    TooLarge {
        /// The bound in bytes.
        limit: usize,
    },
    /// Not JSON, cut off, or of another shape.
    #[error("the server's answer is not the JSON that was expected (line {line}, column {column})")]
    Json {
        /// Where it stops making sense: the line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// JSON without a result code.
    #[error("the server's JSON answer has no resultCode: is this a CC-FS, or something before it?")]
    NoResultCode,
}
