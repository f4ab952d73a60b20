//! The JSON around every request and most answers.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::json;
use crate::result_code::ResultCode;
use crate::result_data::ResultData;

/// The version that requests carry.
const VERSION: &str = "2.0";
/// Bytes of an envelope that [`Envelope::parse`] reads.
pub(crate) const DEFAULT_ENVELOPE_LIMIT: usize = 1024 * 1024;
/// Characters of a server's text that are shown.
const SHOWN: usize = 200;

/// A request's body: `{"request":{"version":"2.0"},"msgBody":…}`.
///
/// These bytes are both signed and sent; nothing may serialise them anew. It fails only when `msg_body` does, as a map does whose keys
/// are no texts. See `docs/protocol.md`, "Envelope".
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
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    code: ResultCode,
    description: String,
    data: Option<ResultData>,
    version: Option<String>,
}

impl Envelope {
    /// An envelope as a server writes it. Data that is `null` or `""` is none.
    #[must_use]
    pub fn new(code: ResultCode, description: impl Into<String>, data: Option<ResultData>) -> Self {
        Self {
            code,
            description: description.into(),
            data: data.filter(ResultData::is_some),
            version: None,
        }
    }

    /// Reads an envelope of up to 1 MiB. A byte order mark and white space around it are passed over.
    ///
    /// It fails with [`TooLarge`](EnvelopeError::TooLarge), with [`Json`](EnvelopeError::Json) for what is no object or has one of the
    /// fields twice or in another form, and with [`NoResultCode`](EnvelopeError::NoResultCode).
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        Self::parse_within(bytes, DEFAULT_ENVELOPE_LIMIT)
    }

    /// Reads an envelope of up to `limit` bytes. Whatever stands in it, it takes memory of a small multiple of its own size.
    pub fn parse_within(bytes: &[u8], limit: usize) -> Result<Self, EnvelopeError> {
        if bytes.len() > limit {
            return Err(EnvelopeError::TooLarge { limit });
        }
        let json = without_mark(bytes);
        // Derived structs would read an array's elements as their fields in order.
        if !json.trim_ascii_start().starts_with(b"{") {
            return Err(EnvelopeError::Json { line: 1, column: 1 });
        }
        let raw: Raw<'_> = serde_json::from_slice(json)
            .map_err(|error| EnvelopeError::Json { line: error.line(), column: error.column() })?;
        let (old_code, old_description, version) = match raw.response {
            Some(old) => (old.result_code, old.result_msg, old.version),
            None => (None, None, None),
        };
        let code = raw.result_code.or(old_code).ok_or(EnvelopeError::NoResultCode)?;
        let data = raw.result_data.map(|data| ResultData::within(json, data)).transpose()?;
        Ok(Self {
            code: code.0.as_str().into(),
            description: raw.result_desc.or(old_description).unwrap_or_default(),
            data: data.filter(ResultData::is_some),
            version,
        })
    }

    /// The result code.
    pub fn code(&self) -> &ResultCode {
        &self.code
    }

    /// The server's description of the result, as it came; empty when it sent none.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The result's data. `None` for `null`, `""` and an absent field, which all occur.
    pub fn data(&self) -> Option<&ResultData> {
        self.data.as_ref()
    }

    /// A text field of the data.
    pub fn data_text(&self, field: &str) -> Option<String> {
        self.data.as_ref()?.text(field)
    }

    /// The version in the older `response` object.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The JSON that a server sends, with the newer fields in the order of the reference.
    pub fn to_body(&self) -> Bytes {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(rename = "resultCode")]
            code: &'a str,
            #[serde(rename = "resultDesc")]
            description: &'a str,
            #[serde(rename = "resultData")]
            data: Option<&'a ResultData>,
        }
        let body = Body {
            code: self.code.as_str(),
            description: &self.description,
            data: self.data.as_ref(),
        };
        serde_json::to_vec(&body)
            .unwrap_or_else(|_| unreachable!("texts and JSON serialise"))
            .into()
    }
}

impl fmt::Debug for Envelope {
    /// Without the data, which is the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("code", &self.code)
            .field("has_data", &self.data.is_some())
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw<'a> {
    result_code: Option<Code>,
    result_desc: Option<String>,
    #[serde(borrow)]
    result_data: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "json::object")]
    response: Option<RawOld>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOld {
    version: Option<String>,
    result_code: Option<Code>,
    result_msg: Option<String>,
}

/// A code is a string; a bare number, which some gateways make of it, is taken as its digits.
struct Code(String);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;

        impl serde::de::Visitor<'_> for Form {
            type Value = Code;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a result code")
            }

            fn visit_str<E>(self, text: &str) -> Result<Code, E> {
                Ok(Code(text.to_owned()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Code, E> {
                Ok(Code(number.to_string()))
            }
        }

        from.deserialize_any(Form)
    }
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
    #[error(
        "the server's JSON answer is larger than the bound of {limit} bytes: raise that bound if the server is to be trusted"
    )]
    TooLarge {
        /// The bound in bytes.
        limit: usize,
    },
    /// Not JSON, cut off, or of another form.
    #[error("the server's answer is not the JSON that was expected (line {line}, column {column})")]
    Json {
        /// Where it stops making sense: the line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The `resultData` has another form than its reader wants.
    #[error(
        "the server's resultData has another form than was expected (its line {line}, column {column})"
    )]
    Data {
        /// Where it differs: the line of the data, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// JSON without a result code.
    #[error("the server's JSON answer has no resultCode: is this a CC-FS, or something before it?")]
    NoResultCode,
}
