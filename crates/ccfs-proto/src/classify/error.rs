//! Answers that are of no use.

use std::fmt;

use super::FileKind;
use crate::envelope::EnvelopeError;

/// Why an answer is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The body is empty.
    #[error(
        "the server's answer is empty: ask again, and tell the server's operators if it stays so"
    )]
    Empty,
    /// The body is neither JSON nor a file that CC-FS hands out.
    #[error("the server's answer is no file and no JSON: it looks like {looks_like}")]
    Garbage {
        /// What it looks like.
        looks_like: LooksLike,
    },
    /// The body ended before its time.
    #[error("the answer is cut off after {received} bytes{}", declared.map(|n| format!(" of {n}")).unwrap_or_default())]
    Truncated {
        /// The length that the server declared; `None` when the file itself says that its end is missing.
        declared: Option<u64>,
        /// The bytes that came.
        received: u64,
    },
    /// A file of another kind than the operation answers with.
    #[error("the server's answer is {kind}, which this interface does not answer with")]
    OtherFile {
        /// Its kind.
        kind: FileKind,
    },
    /// The file is larger than the bound.
    #[error(
        "the file is larger than the bound of {limit} bytes: raise that bound if the server is to be trusted"
    )]
    FileTooLarge {
        /// The bound in bytes.
        limit: u64,
    },
    /// The answer is no envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The envelope says success, and a file was asked for.
    #[error("the server says success but sent no file: tell the server's operators")]
    SuccessWithoutFile,
    /// The envelope says success, but lacks what it must have.
    #[error("the server says success, but its resultData has no usable `{field}`")]
    Field {
        /// The field.
        field: &'static str,
    },
}

/// What bytes look like that are no answer of CC-FS. All that an error tells of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LooksLike {
    /// A web page, mostly of a gateway or a proxy.
    Html,
    /// Compressed by gzip, which no request asks for.
    Gzip,
    /// Nothing but white space.
    Blanks,
    /// Text of another kind.
    Text,
    /// Something else.
    Binary,
}

impl LooksLike {
    /// `start` has up to twelve bytes.
    pub(super) fn of(start: &[u8]) -> Self {
        match start {
            [b'<', ..] => Self::Html,
            [0x1F, 0x8B, ..] => Self::Gzip,
            // A multi-byte character may be cut at the end, so only control characters speak against text.
            text if text.iter().all(|&b| b >= b' ' || b.is_ascii_whitespace())
                && text.is_ascii() =>
            {
                Self::Text
            }
            _ => Self::Binary,
        }
    }
}

impl fmt::Display for LooksLike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Html => "a web page, mostly of a gateway or a proxy in between",
            Self::Gzip => "gzip, which was not asked for",
            Self::Blanks => "white space",
            Self::Text => "plain text",
            Self::Binary => "binary data of another kind",
        })
    }
}
