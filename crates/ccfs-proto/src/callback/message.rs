use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::answer::request_body;
use crate::json::{self, without_mark};
use crate::operation::{FileNameError, IndexFileName, ResponseId};

/// Keys that may hold the file name; the reference is inconsistent.
const NAME_KEYS: [&str; 5] = [
    "agentSkillInfoFileName",
    "agentOprSkillFileName",
    "agentOprInfoFileName",
    "billFileName",
    "fileName",
];

/// A message from CC-FS that a file is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Callback {
    /// Response ID of the job.
    pub response_id: ResponseId,
    /// Name of the file to download.
    pub file_name: IndexFileName,
    /// ID of the tenant space; `None` if the request had none.
    pub account_id: Option<String>,
}

impl Callback {
    /// Largest body that [`parse`](Self::parse) reads: 64 KiB.
    pub const BODY_LIMIT: usize = 64 * 1024;
    /// Body of a receiver's answer. The server accepts any that is not empty.
    pub const RECEIPT: &'static str = r#"{"resultCode":"0","resultDesc":"success"}"#;

    /// Creates a callback.
    pub fn new(
        response_id: ResponseId,
        file_name: IndexFileName,
        account_id: Option<String>,
    ) -> Self {
        Self { response_id, file_name, account_id }
    }

    /// Reads the body of a callback, of up to [`BODY_LIMIT`](Self::BODY_LIMIT) bytes. Ignores
    /// unknown fields. Does not verify anything; see [`Receiver`](super::Receiver).
    ///
    /// # Errors
    ///
    /// The body is too large, is not JSON, has an object with a repeated key, or its fields are
    /// missing, malformed or contradictory.
    pub fn parse(body: &[u8]) -> Result<Self, CallbackError> {
        if body.len() > Self::BODY_LIMIT {
            return Err(CallbackError::TooLarge);
        }
        let body = json::checked(without_mark(body))
            .map_err(|error| CallbackError::Json { line: error.line(), column: error.column() })?;
        // The JSON is valid, so this is the only possible error.
        serde_json::from_str::<json::UniqueKeys>(body.get())
            .map_err(|_| CallbackError::RepeatedKey)?;
        let missing = |field| CallbackError::Missing { field };
        let [message] = json::fields(body.get(), ["msgBody"]).map(|json| json.map(RawValue::get));
        let message = message.filter(|json| json.starts_with('{')).ok_or(missing("msgBody"))?;
        let text = |json| json::text(json).filter(|text| !text.is_empty());
        let [id, account_id] = json::fields(message, ["responseId", "accountId"]);
        let id = id.and_then(text).ok_or(missing("responseId"))?;
        let response_id = ResponseId::from_server(&id)?;
        let mut names = json::fields(message, NAME_KEYS).into_iter().flatten().filter_map(text);
        let name = names.next().ok_or(missing("fileName"))?;
        let file_name = IndexFileName::lenient(&name)?;
        if names.any(|other| other != name)
            || file_name.response_id().is_some_and(|id| id != response_id)
        {
            return Err(CallbackError::Disagree);
        }
        let account_id = account_id.and_then(json::text_or_number).filter(|text| !text.is_empty());
        Ok(Self { response_id, file_name, account_id })
    }

    /// Returns the body, with the file name under `name_key`, such as `agentOprSkillFileName`.
    pub fn to_body(&self, name_key: &str) -> Bytes {
        let (id, name) = (self.response_id.as_str(), self.file_name.as_str());
        let mut msg_body = BTreeMap::from([("responseId", id), (name_key, name)]);
        msg_body.extend(self.account_id.as_deref().map(|account| ("accountId", account)));
        request_body(&msg_body).unwrap_or_else(|_| unreachable!("a map of strings serialises"))
    }
}

/// Why a body is not a callback.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The body is larger than [`Callback::BODY_LIMIT`].
    #[error("callback body is larger than {} bytes", Callback::BODY_LIMIT)]
    TooLarge,
    /// The body is not JSON.
    #[error("callback body is not JSON (line {line}, column {column})")]
    Json {
        /// Line of the error, from 1.
        line: usize,
        /// Column of the error, from 1.
        column: usize,
    },
    /// An object in the body has the same key twice; parsers differ in which value they use.
    #[error("callback body has a repeated JSON key")]
    RepeatedKey,
    /// A field is missing.
    #[error("callback has no field `{field}`")]
    Missing {
        /// Name of the field.
        field: &'static str,
    },
    /// The response ID or the file name is malformed.
    #[error("callback is malformed: {0}")]
    Name(#[from] FileNameError),
    /// The body has different file names, or its response ID is not the one in the file name.
    #[error("callback's response ID and file names do not match")]
    Disagree,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_key_is_refused_at_every_depth() {
        const ID: &str = "9239cb50a8384bb0ab503441bf089446";
        let body = |more: &str, in_message: &str| {
            format!(
                r#"{{{more}"msgBody":{{{in_message}"responseId":"{ID}","fileName":"20230406_{ID}.zip"}}}}"#
            )
        };
        for (more, in_message) in [
            (r#""msgBody":{},"#, ""),
            (r#""msgBod\u0079":null,"#, ""),
            (r#""a":1,"a":1,"#, ""),
            (r#""":0,"":0,"#, ""),
            (r#""a":[[],{"b":{"c":0,"d":1,"c":2}}],"#, ""),
            ("", r#""fileName":"20230406_other.zip","#),
            ("", r#""response\u0049d":"other","#),
        ] {
            let body = body(more, in_message);
            assert_eq!(Callback::parse(body.as_bytes()), Err(CallbackError::RepeatedKey), "{body}");
        }
        // The same key in different objects, and the same text as key and value.
        for (more, in_message) in [
            ("", ""),
            (r#""a":{"a":1},"b":{"a":[{"a":"a"},{"a":"a"}]},"#, r#""a":"","#),
            (r#""fileName":"","responseId":1.5,"#, ""),
        ] {
            let body = body(more, in_message);
            assert!(Callback::parse(body.as_bytes()).is_ok(), "{body}");
        }
    }
}
