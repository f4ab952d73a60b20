//! The callback: CC-FS tells the developer's URL that a file is there.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::envelope::{request_body, without_mark};
use crate::file_name::{FileNameError, IndexFileName, ResponseId};
use crate::json::{self, Readable};

/// Bytes of a callback's body that are read.
const LIMIT: usize = 64 * 1024;
/// The keys under which the file's name is seen: the reference is not of one mind.
const NAME_KEYS: [&str; 5] = [
    "agentSkillInfoFileName",
    "agentOprSkillFileName",
    "agentOprInfoFileName",
    "billFileName",
    "fileName",
];

/// What CC-FS sends to the developer's URL when a file is ready.
///
/// Check the signature first (a [`Verifier`](crate::Verifier) with the raw body), answer 200 with a body, then download: without a body in the answer
/// the server calls again every ten minutes. See `docs/protocol.md`, "Callback".
///
/// ```
/// use ccfs_proto::Callback;
///
/// let callback = Callback::parse(
///     br#"{"request":{"version":"2.0"},"msgBody":{"responseId":"9239cb50a8384bb0ab503441bf089446",
///         "agentOprSkillFileName":"20230406_9239cb50a8384bb0ab503441bf089446.zip"}}"#,
/// )?;
/// assert_eq!(callback.file_name.as_str(), "20230406_9239cb50a8384bb0ab503441bf089446.zip");
/// # Ok::<(), ccfs_proto::CallbackError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Callback {
    /// The job.
    pub response_id: ResponseId,
    /// The file to download.
    pub file_name: IndexFileName,
    /// The tenant space; absent when the request had none.
    pub account_id: Option<String>,
}

impl Callback {
    /// The body of a receiver's answer. Any body will do; without one the server calls again.
    pub const RECEIPT: &'static str = r#"{"resultCode":"0","resultDesc":"success"}"#;

    /// A callback as the server makes it.
    #[must_use]
    pub fn new(
        response_id: ResponseId,
        file_name: IndexFileName,
        account_id: Option<String>,
    ) -> Self {
        Self { response_id, file_name, account_id }
    }

    /// Reads the body of a callback, of up to 64 KiB. Whatever else stands in it is passed over.
    ///
    /// It fails with [`TooLarge`](CallbackError::TooLarge), with [`Json`](CallbackError::Json) for what is none, with
    /// [`Missing`](CallbackError::Missing) or [`Name`](CallbackError::Name) for a field, and with [`Disagree`](CallbackError::Disagree) when
    /// the id and the names are of different jobs.
    pub fn parse(body: &[u8]) -> Result<Self, CallbackError> {
        if body.len() > LIMIT {
            return Err(CallbackError::TooLarge { limit: LIMIT });
        }
        let body = without_mark(body);
        let not_json = |error: serde_json::Error| CallbackError::Json {
            line: error.line(),
            column: error.column(),
        };
        serde_json::from_slice::<Readable>(body).map_err(not_json)?;
        let message = json::field(serde_json::from_slice(body).map_err(not_json)?, "msgBody")
            .filter(|json| json.get().starts_with('{'));
        let message = message.ok_or(CallbackError::Missing { field: "msgBody" })?;
        let id =
            text(message, "responseId").ok_or(CallbackError::Missing { field: "responseId" })?;
        let response_id = ResponseId::from_server(&id)?;
        let file_name = file_name(message)?;
        if file_name.response_id().is_some_and(|id| id != response_id) {
            return Err(CallbackError::Disagree);
        }
        Ok(Self {
            response_id,
            file_name,
            account_id: json::field(message, "accountId").and_then(json::text_or_number),
        })
    }

    /// The body with the file's name under `name_key`, such as `agentOprSkillFileName`.
    #[must_use]
    pub fn to_body(&self, name_key: &str) -> Bytes {
        let mut msg_body = BTreeMap::from([
            ("responseId", self.response_id.as_str()),
            (name_key, self.file_name.as_str()),
        ]);
        if let Some(account) = &self.account_id {
            msg_body.insert("accountId", account);
        }
        request_body(&msg_body).unwrap_or_else(|_| unreachable!("a map of texts serialises"))
    }
}

fn text(message: &RawValue, key: &str) -> Option<String> {
    json::field(message, key).and_then(json::text).filter(|text| !text.is_empty())
}

fn file_name(message: &RawValue) -> Result<IndexFileName, CallbackError> {
    let mut names = NAME_KEYS.iter().filter_map(|key| text(message, key));
    let first = names.next().ok_or(CallbackError::Missing { field: "fileName" })?;
    if names.any(|other| other != first) {
        return Err(CallbackError::Disagree);
    }
    Ok(IndexFileName::lenient(&first)?)
}

/// Why a body is no callback.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// Larger than the bound.
    #[error("the callback's body is larger than the bound of {limit} bytes")]
    TooLarge {
        /// The bound in bytes.
        limit: usize,
    },
    /// Not JSON.
    #[error("the callback's body is not JSON (line {line}, column {column})")]
    Json {
        /// Where it stops making sense: the line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A field that must be there is not.
    #[error("the callback has no `{field}`")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// The id or the file name is none.
    #[error("the callback names no file: {0}")]
    Name(#[from] FileNameError),
    /// The file names differ, or are of another job than the id.
    #[error("the callback's response id and file names do not belong together")]
    Disagree,
}
