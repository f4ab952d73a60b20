use std::borrow::Cow;

use super::file_kind::FileKind;

/// Why an answer is not usable. It does not contain any of the body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The body is empty.
    #[error("answer is empty; try again, and inform the server's operators if it persists")]
    Empty,
    /// The body is neither an envelope nor a file that CC-FS sends.
    #[error("answer is neither a file nor an envelope; it looks like {looks_like}")]
    Garbage {
        /// Description of the body: a web page, gzip, white space, a JSON array, plain text, or
        /// binary data of an unknown format.
        looks_like: &'static str,
    },
    /// The body ended too early, or is not of the declared length.
    #[error("answer is cut off or has a wrong length: {received} bytes{}",
        declared.map(|length| format!(" instead of {length}")).unwrap_or_default())]
    Truncated {
        /// Length that the server declared; `None` when the end of the file itself is missing.
        declared: Option<u64>,
        /// Bytes received.
        received: u64,
    },
    /// A file of a kind that the operation does not answer with.
    #[error("answer is {kind}, which this interface does not answer with")]
    OtherFile {
        /// Its kind.
        kind: FileKind,
    },
    /// The file is too large.
    #[error("file exceeds the limit of {limit} bytes; raise the limit if you trust the server")]
    FileTooLarge {
        /// Limit in bytes.
        limit: u64,
    },
    /// The JSON is not usable.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The server reports success, but sent no file.
    #[error("server reports success but sent no file; inform its operators")]
    SuccessWithoutFile,
    /// The server reports success, but a field of the data is missing or malformed.
    #[error("server reports success, but `{field}` in its data is missing or malformed")]
    Field {
        /// Name of the field.
        field: Cow<'static, str>,
    },
    /// A reason of a custom [`Operation`](crate::Operation).
    #[error("{0}")]
    Custom(Cow<'static, str>),
}

impl AnswerError {
    /// Creates the error for a field that is missing or malformed.
    pub fn field(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Field { field: name.into() }
    }

    /// Creates an error with a custom message, which must not contain any of the body.
    pub fn custom(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Custom(message.into())
    }
}

/// Why an answer's JSON is not usable. It does not contain any of the JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Too large.
    #[error("JSON answer exceeds the limit of {limit} bytes; raise it if you trust the server")]
    TooLarge {
        /// Limit in bytes.
        limit: usize,
    },
    /// Not valid JSON, cut off, or of another form.
    #[error("answer is not the expected JSON (line {line}, column {column})")]
    Json {
        /// Line of the first error, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The [`RawJson`](super::RawJson) does not fit the type that it is read as.
    #[error("JSON data does not fit the expected type (its line {line}, column {column})")]
    Data {
        /// Line of the first difference within the data, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// JSON without a result code of at most 64 bytes.
    #[error("JSON answer has no resultCode; check that the endpoint is a CC-FS server")]
    NoResultCode,
}

impl From<serde_json::Error> for EnvelopeError {
    /// Keeps the position only.
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column() }
    }
}
