use std::fmt;

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::EnvelopeError;
use crate::json::{self, without_mark};

/// JSON as the server wrote it: the `resultData` of an envelope, or a whole answer.
///
/// It is valid JSON, checked when it was received. It is kept as text, because a parsed tree can
/// take a hundred times as much memory. `Debug` does not show it, because it may contain a token.
/// [`Envelope`](super::Envelope) has an example.
#[derive(Clone, PartialEq, Eq)]
pub struct RawJson(Box<str>);

impl RawJson {
    /// Reads complete JSON. A byte order mark and white space around it are ignored.
    ///
    /// # Errors
    ///
    /// Fails with [`Json`](EnvelopeError::Json) when the bytes are not valid JSON.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        Ok(Self::of_checked(json::checked(without_mark(bytes))?))
    }

    pub(crate) fn of_checked(json: &RawValue) -> Self {
        Self(json.get().into())
    }

    /// Returns the JSON's text, with its white space.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Deserializes the JSON as a `T`, for example a custom type or a [`serde_json::Value`].
    ///
    /// # Errors
    ///
    /// Fails with [`Data`](EnvelopeError::Data) when the JSON does not fit the type.
    pub fn parse<'de, T: Deserialize<'de>>(&'de self) -> Result<T, EnvelopeError> {
        // Of a value that does not fit as a whole, serde_json reports column 0.
        serde_json::from_str(&self.0).map_err(|error| EnvelopeError::Data {
            line: error.line(),
            column: error.column().max(1),
        })
    }

    /// Returns the text in a field. `None` when the JSON is not an object, or the field is absent
    /// or not text. The last one counts when several fields have the name.
    pub fn text(&self, field: &str) -> Option<String> {
        json::text(self.field(field)?)
    }

    /// Returns the JSON in a field.
    pub(crate) fn field(&self, name: &str) -> Option<&RawValue> {
        let [field] = json::fields(&self.0, [name]);
        field
    }

    /// Returns whether it is data: `null` and `""` both mean "no data".
    pub(crate) fn is_some(&self) -> bool {
        !matches!(self.as_str(), "null" | "\"\"")
    }
}

impl From<Value> for RawJson {
    fn from(value: Value) -> Self {
        Self(value.to_string().into())
    }
}

impl Serialize for RawJson {
    /// Serializes as JSON within JSON, with `serde_json` only.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0).map_err(S::Error::custom)?.serialize(to)
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({} bytes)", self.0.len())
    }
}
