use std::borrow::Cow;
use std::time::Duration;

use super::{FileNameError, WavProblem};
use crate::time::CalendarError;
use crate::words::InWords;

/// A field of a request that the server would refuse, or that a custom
/// [`Operation`](crate::Operation) cannot send.
///
/// The message has the field, the limit and the value's length; text that may be a secret is not in
/// it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
#[non_exhaustive]
pub struct FieldError {
    /// Name of the field in the request.
    pub field: Cow<'static, str>,
    /// What is wrong with it.
    pub problem: FieldProblem,
}

impl FieldError {
    /// Creates an error for the field of that name.
    pub fn new(field: impl Into<Cow<'static, str>>, problem: impl Into<FieldProblem>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldProblem {
    /// A required field is missing, or any field is empty.
    #[error("field is missing or empty; give it a value, or leave it out if it is optional")]
    Missing,
    /// One of two fields is required.
    #[error("neither this field nor `{other}` is given; set one of them")]
    NeitherGiven {
        /// The other field.
        other: Cow<'static, str>,
    },
    /// Too long.
    #[error("value is {len} characters long, limit {limit}")]
    TooLong {
        /// Limit in characters.
        limit: usize,
        /// Length of the value in characters.
        len: usize,
    },
    /// A character that is not allowed.
    #[error("character at index {at} is not allowed; use {allowed}")]
    Character {
        /// Index of the character, from 0.
        at: usize,
        /// What is allowed.
        allowed: Cow<'static, str>,
    },
    /// A value that is not allowed. The message does not repeat it.
    #[error("value is not allowed; use {allowed}")]
    Value {
        /// What is allowed.
        allowed: Cow<'static, str>,
    },
    /// A value of another form. The message repeats it.
    #[error("\"{given}\" is not allowed; use {allowed}")]
    Form {
        /// The value, shortened.
        given: String,
        /// What is allowed.
        allowed: Cow<'static, str>,
    },
    /// Given twice.
    #[error("field is given twice")]
    GivenTwice,
    /// Not a local time.
    #[error(transparent)]
    Time(#[from] CalendarError),
    /// Not the name of an index file.
    #[error(transparent)]
    FileName(#[from] FileNameError),
    /// Not a sound file that the server accepts.
    #[error(transparent)]
    Wav(#[from] WavProblem),
    /// The begin is later than the end.
    #[error("begin is later than the end")]
    BeginAfterEnd,
    /// The period is too long.
    #[error("period is {} long, limit {}; split it into shorter periods",
        InWords(Duration::from_secs(*seconds)), InWords(Duration::from_secs(*limit)))]
    SpanTooLong {
        /// Limit in seconds.
        limit: u64,
        /// Length of the period in seconds.
        seconds: u64,
    },
}

/// Returns a text whose length and characters are allowed.
pub(super) fn check_text(
    text: &str,
    limit: usize,
    is_allowed: fn(char) -> bool,
    allowed: &'static str,
) -> Result<String, FieldProblem> {
    let len = text.chars().count();
    match text.chars().position(|c| !is_allowed(c)) {
        _ if text.is_empty() => Err(FieldProblem::Missing),
        _ if len > limit => Err(FieldProblem::TooLong { limit, len }),
        Some(at) => Err(FieldProblem::Character { at, allowed: allowed.into() }),
        None => Ok(text.to_owned()),
    }
}
