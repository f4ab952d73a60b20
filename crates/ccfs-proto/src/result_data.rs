//! What an envelope carries.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::envelope::EnvelopeError;
use crate::json::{self, Readable};

/// The `resultData` of an envelope: JSON, kept as the server wrote it.
///
/// It was looked through when the envelope was read, so it is whole. No tree is made of it before somebody asks for one: a megabyte of
/// odd JSON would become a hundred of them. `Debug` does not show it, because it may hold a token or a URL that is one. Two are equal
/// when their texts are.
///
/// ```
/// use ccfs_proto::Envelope;
///
/// #[derive(serde::Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// struct Usage {
///     used_bytes: u64,
/// }
///
/// let envelope = Envelope::parse(br#"{"resultCode":"0","resultData":{"node": "a", "usedBytes": 5242880}}"#)?;
/// let data = envelope.data().expect("there is some");
/// assert_eq!(data.text("node").as_deref(), Some("a"));
/// assert_eq!(data.parse::<Usage>()?.used_bytes, 5_242_880);
/// assert_eq!(data.as_str(), r#"{"node": "a", "usedBytes": 5242880}"#);
/// # Ok::<(), ccfs_proto::EnvelopeError>(())
/// ```
#[derive(Clone)]
pub struct ResultData(Box<RawValue>);

impl ResultData {
    /// The JSON's text, with its white space.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Reads it as a type of the caller's, or as a [`serde_json::Value`]. It fails with [`Data`](EnvelopeError::Data) when it has another
    /// form than that type.
    pub fn parse<'de, T: Deserialize<'de>>(&'de self) -> Result<T, EnvelopeError> {
        let other_form = |error: serde_json::Error| EnvelopeError::Data {
            line: error.line(),
            column: error.column(),
        };
        serde_json::from_str(self.as_str()).map_err(other_form)
    }

    /// The text in a field of it; `None` when it is no object, has no such field, or the field holds something else. Where a field stands
    /// several times, the last one counts.
    pub fn text(&self, field: &str) -> Option<String> {
        json::text(self.field(field)?)
    }

    /// The JSON in a field of it.
    pub(crate) fn field(&self, name: &str) -> Option<&RawValue> {
        json::field(&self.0, name)
    }

    /// Data out of an envelope's JSON that can be read. What was only passed over may have a number out of range, half a character, or
    /// more depth than is taken.
    pub(crate) fn within(envelope: &[u8], data: &RawValue) -> Result<Self, EnvelopeError> {
        match serde_json::from_str::<Readable>(data.get()) {
            Ok(_) => Ok(Self(data.to_owned())),
            Err(error) => {
                let before = &envelope[..data.get().as_ptr().addr() - envelope.as_ptr().addr()];
                let (lines, last) = before
                    .split(|&byte| byte == b'\n')
                    .fold((0, 0), |(lines, _), line| (lines + 1, line.len()));
                let before = if error.line() == 1 { last } else { 0 };
                Err(EnvelopeError::Json {
                    line: lines - 1 + error.line(),
                    column: before + error.column(),
                })
            }
        }
    }

    /// `null` and `""` both stand for no data.
    pub(crate) fn is_some(&self) -> bool {
        !matches!(self.as_str(), "null" | "\"\"")
    }
}

impl From<Value> for ResultData {
    fn from(value: Value) -> Self {
        Self(
            serde_json::value::to_raw_value(&value)
                .unwrap_or_else(|_| unreachable!("a tree of JSON serialises")),
        )
    }
}

impl Serialize for ResultData {
    /// As JSON in JSON, by `serde_json` alone.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl PartialEq for ResultData {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ResultData {}

impl fmt::Debug for ResultData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResultData({} bytes)", self.as_str().len())
    }
}
