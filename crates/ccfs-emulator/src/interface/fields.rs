//! Reads the fields of a request, with the result code for each kind of invalid field.

use ccfs_proto::{LocalTime, ResultCode};
use serde_json::{Map, Value};

use super::call::{Call, Refusal};

/// The version that requests must carry.
pub(super) const VERSION: &str = "2.0";

/// The `msgBody` of a request.
#[derive(Debug)]
pub(crate) struct MsgBody(Map<String, Value>);

impl Call<'_> {
    /// The `msgBody` of the envelope, with the version checked.
    pub(super) fn msg_body(&self) -> Result<MsgBody, Refusal> {
        MsgBody::parse(self.body)
    }
}

impl MsgBody {
    /// Checks the envelope: version 2.0, and a `msgBody` that is an object.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let no_parameters = || Refusal::from(ResultCode::NoBodyParameters);
        let Ok(Value::Object(mut envelope)) = serde_json::from_slice(body) else {
            return Err(no_parameters());
        };
        let version = envelope
            .get("request")
            .and_then(|request| request.get("version"))
            .and_then(Value::as_str);
        if envelope.contains_key("msgBody") && version != Some(VERSION) {
            return Err(Refusal::new(
                ResultCode::Version,
                format!("request.version must be {VERSION}"),
            ));
        }
        match envelope.remove("msgBody") {
            Some(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(no_parameters()),
        }
    }

    /// A body that is its own `msgBody` and has the version as a field; one interface uses it.
    pub(crate) fn flat(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields))
                if fields.get("version").and_then(Value::as_str) == Some(VERSION) =>
            {
                Ok(Self(fields))
            }
            Ok(Value::Object(fields)) if !fields.is_empty() => Err(ResultCode::Version.into()),
            _ => Err(ResultCode::NoBodyParameters.into()),
        }
    }

    /// The field of that name.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A required field: not absent or null (0300001), a text (0300004), not empty (0300002), not too long (0300003).
    pub(crate) fn required(&self, name: &str, limit: usize) -> Result<&str, Refusal> {
        match self.value(name) {
            None | Some(Value::Null) => Err(named(ResultCode::ParameterNull, name, "is null")),
            Some(Value::String(text)) if text.is_empty() => {
                Err(named(ResultCode::ParameterEmptyString, name, "is an empty string"))
            }
            Some(_) => Ok(self.optional(name, limit)?.unwrap_or_default()),
        }
    }

    /// A field that may be absent, null or empty; all three mean that it is not used.
    pub(crate) fn optional(&self, name: &str, limit: usize) -> Result<Option<&str>, Refusal> {
        match self.value(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => within(name, text, limit).map(Some),
            Some(_) => Err(named(ResultCode::ParameterFormat, name, "must be a string")),
        }
    }

    /// A local time of the tenant, `yyyy-MM-dd HH:mm:ss`.
    pub(crate) fn time(&self, name: &str) -> Result<LocalTime, Refusal> {
        // A text that is too long counts as a format error here, because the length is fixed.
        let text = self.required(name, usize::MAX)?;
        let time = text.parse().ok().filter(|_| text.as_bytes().get(10) == Some(&b' '));
        time.ok_or_else(|| {
            named(ResultCode::ParameterFormat, name, "must be written yyyy-MM-dd HH:mm:ss")
        })
    }
}

/// Refuses characters that `allowed` does not accept.
pub(crate) fn only(name: &str, text: &str, allowed: impl Fn(char) -> bool) -> Result<(), Refusal> {
    if text.chars().all(allowed) {
        Ok(())
    } else {
        Err(named(ResultCode::IllegalCharacters, name, "has illegal characters"))
    }
}

/// A refusal that names the field.
pub(crate) fn named(code: ResultCode, name: &str, what: &str) -> Refusal {
    Refusal::new(code, format!("{name} {what}"))
}

fn within<'a>(name: &str, text: &'a str, limit: usize) -> Result<&'a str, Refusal> {
    if text.chars().count() > limit {
        return Err(named(
            ResultCode::ParameterTooLong,
            name,
            &format!("is longer than {limit} characters"),
        ));
    }
    Ok(text)
}
