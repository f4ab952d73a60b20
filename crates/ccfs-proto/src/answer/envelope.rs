use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{AnswerError, EnvelopeError, RawJson, ResultCode};
use crate::json::{self, Readable, without_mark};
use crate::words::lossy_text;

/// A longer text, in bytes, is not a result code.
const CODE_LIMIT: usize = 64;
/// The default limit of an envelope, in bytes.
pub(crate) const DEFAULT_ENVELOPE_LIMIT: usize = 1024 * 1024;

/// Creates the body of a request: `{"request":{"version":"2.0"},"msgBody":…}`.
///
/// Sign and send these bytes unchanged. See [Envelope](crate::protocol#envelope).
///
/// # Errors
///
/// Fails when `msg_body` cannot be serialized, such as a map whose keys are not texts.
///
/// ```
/// use ccfs_proto::operation::request_body;
///
/// let body = request_body(&serde_json::json!({"fileName": "a"}))?;
/// assert_eq!(&body[..], br#"{"request":{"version":"2.0"},"msgBody":{"fileName":"a"}}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn request_body<T: Serialize + ?Sized>(msg_body: &T) -> Result<Bytes, serde_json::Error> {
    let mut body = br#"{"request":{"version":"2.0"},"msgBody":"#.to_vec();
    serde_json::to_writer(&mut body, msg_body)?;
    body.push(b'}');
    Ok(body.into())
}

/// A server's JSON answer: `{"resultCode":…,"resultDesc":…,"resultData":…}`.
///
/// The older `response:{version,resultCode,resultMsg}` may be next to these or replace them; when
/// both are present, the newer fields count. See [Envelope](crate::protocol#envelope).
///
/// ```
/// use ccfs_proto::{Envelope, ResultCode};
///
/// let answer = br#"{"resultCode":"0","resultData":{"node": "a", "usedBytes": 5242880}}"#;
/// let envelope = Envelope::parse(answer)?;
/// assert_eq!(envelope.code(), &ResultCode::Success);
/// let data = envelope.data().expect("the envelope has data");
/// assert_eq!(data.text("node").as_deref(), Some("a"));
/// assert_eq!(data.parse::<serde_json::Value>()?["usedBytes"], 5_242_880);
/// # Ok::<(), ccfs_proto::answer::EnvelopeError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    code: ResultCode,
    description: String,
    data: Option<RawJson>,
}

impl Envelope {
    /// Creates an envelope as a server writes it. Data that is `null` or `""` counts as absent.
    pub fn new(code: ResultCode, description: impl Into<String>, data: Option<RawJson>) -> Self {
        Self { code, description: description.into(), data: data.filter(RawJson::is_some) }
    }

    /// Reads an envelope of at most 1 MiB. A byte order mark and white space around it are ignored.
    ///
    /// Some servers send GBK instead of UTF-8. What is not UTF-8 in the description becomes `U+FFFD`.
    /// Data with such bytes is an error if the code is [`Success`](ResultCode::Success), and
    /// otherwise absent.
    ///
    /// # Errors
    ///
    /// Fails when it is [`TooLarge`](EnvelopeError::TooLarge), has no
    /// [`resultCode`](EnvelopeError::NoResultCode), or is not a [`Json`](EnvelopeError::Json)
    /// object with each field once and in the right form.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        Self::parse_within(bytes, DEFAULT_ENVELOPE_LIMIT)
    }

    /// Reads an envelope of at most `limit` bytes. It needs memory of a small multiple of its size.
    ///
    /// # Errors
    ///
    /// Fails as [`parse`](Self::parse) does.
    pub fn parse_within(bytes: &[u8], limit: usize) -> Result<Self, EnvelopeError> {
        if bytes.len() > limit {
            return Err(EnvelopeError::TooLarge { limit });
        }
        let json = without_mark(bytes);
        // A derived struct would read an array's elements as its fields in order.
        if !json.trim_ascii_start().starts_with(b"{") {
            return Err(EnvelopeError::Json { line: 1, column: 1 });
        }
        let text = lossy_text(json);
        let raw: Raw<'_> = serde_json::from_str(&text)?;
        let old = raw.response.unwrap_or_default();
        // The data was only skipped: a number may be out of range, or the nesting too deep.
        if raw.result_data.is_some_and(|data| serde_json::from_str::<Readable>(data.get()).is_err())
        {
            // Read from the start, for the position in the whole answer.
            serde_json::from_str::<Readable>(&text)?;
        }
        let code = raw.result_code.or(old.result_code).and_then(json::text_or_number);
        let code = code.filter(|code| code.len() <= CODE_LIMIT);
        let code: ResultCode = code.ok_or(EnvelopeError::NoResultCode)?.as_str().into();
        let description = raw.result_desc.or(old.result_msg).and_then(json::text_or_number);
        let description = description.unwrap_or_default();
        let mut data = raw.result_data;
        if matches!(text, Cow::Owned(_)) {
            // Damaged data is not handed out.
            data = data.filter(|data| !data.get().contains(char::REPLACEMENT_CHARACTER));
            if code == ResultCode::Success && data.is_none() && raw.result_data.is_some() {
                serde_json::from_slice::<Readable>(json)?;
            }
        }
        let data = data.map(RawJson::of_checked);
        Ok(Self::new(code, description, data))
    }

    /// Returns the result code.
    pub fn code(&self) -> &ResultCode {
        &self.code
    }

    /// Returns the server's description of the result, unchanged; empty if it sent none.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the result's data. `None` for `null`, `""` and an absent field, which all occur.
    pub fn data(&self) -> Option<&RawJson> {
        self.data.as_ref()
    }

    /// Returns a text field of the data that must not be empty.
    pub(crate) fn required_text(&self, field: &'static str) -> Result<String, AnswerError> {
        let text =
            self.data.as_ref().and_then(|data| data.text(field)).filter(|text| !text.is_empty());
        text.ok_or(AnswerError::field(field))
    }

    /// Returns the JSON that a server sends, with the newer fields in the order of the reference.
    pub fn to_body(&self) -> Bytes {
        let text = |text: &str| Value::from(text).to_string();
        let data = self.data.as_ref().map_or("null", RawJson::as_str);
        format!(
            r#"{{"resultCode":{},"resultDesc":{},"resultData":{data}}}"#,
            text(self.code.as_str()),
            text(&self.description),
        )
        .into()
    }
}

impl fmt::Debug for Envelope {
    /// Omits the data, which is the body.
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
    #[serde(borrow)]
    result_code: Option<&'a RawValue>,
    #[serde(borrow)]
    result_desc: Option<&'a RawValue>,
    #[serde(borrow)]
    result_data: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "json::object")]
    response: Option<RawOld<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOld<'a> {
    #[serde(borrow)]
    result_code: Option<&'a RawValue>,
    #[serde(borrow)]
    result_msg: Option<&'a RawValue>,
}
