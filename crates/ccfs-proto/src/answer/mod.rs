//! Answers of a server: classifying their bytes, envelopes, JSON and result codes.

mod classifier;
mod envelope;
mod error;
mod file_kind;
mod raw_json;
mod refusal;
mod result_code;
mod tail;

pub use self::classifier::{Classified, Classifier, Expected, FileReceipt};
pub(crate) use self::envelope::DEFAULT_ENVELOPE_LIMIT;
pub use self::envelope::{Envelope, request_body};
pub use self::error::{AnswerError, EnvelopeError};
pub use self::file_kind::FileKind;
pub use self::raw_json::RawJson;
pub use self::refusal::HttpRefusal;
pub use self::result_code::{Advice, ResultCode};
