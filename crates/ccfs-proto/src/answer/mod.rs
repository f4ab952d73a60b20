//! Answers of a server: classifying their bytes, envelopes, JSON and result codes.

mod classifier;
mod envelope;
mod error;
mod raw_json;
mod refusal;
mod result_code;
mod tail;

pub use self::classifier::{Classified, Classifier, Expected, FileKind, FileReceipt};
pub(crate) use self::envelope::{DEFAULT_ENVELOPE_LIMIT, without_mark};
pub use self::envelope::{Envelope, EnvelopeError, request_body};
pub use self::error::AnswerError;
pub use self::raw_json::RawJson;
pub use self::refusal::HttpRefusal;
pub use self::result_code::{Advice, ResultCode};
