//! Answers of a server: classifying their bytes, envelopes, JSON and result codes.

mod classifier;
mod envelope;
mod error;
mod raw_json;
mod refusal;
mod result_code;
mod tail;

pub use self::classifier::{Classified, Classifier, Expected, FileBytes, FileKind, FileReceipt};
pub use self::envelope::{Envelope, EnvelopeError};
pub use self::error::{AnswerError, LooksLike};
pub use self::raw_json::RawJson;
pub use self::refusal::HttpRefusal;
pub use self::result_code::{Advice, ResultCode};

pub use self::envelope::request_body;
pub(crate) use self::envelope::{DEFAULT_ENVELOPE_LIMIT, without_mark};
