//! Checking the fields of a request before it is sent.

use std::time::Duration;

use super::wav::WavProblem;
use crate::calendar::CalendarError;
use crate::envelope::shown;
use crate::file_name::FileNameError;
use crate::words::InWords;

/// A field of a request that the server would refuse, or that an [`Operation`](crate::Operation) of one's own cannot send.
///
/// It names the field, the bound and how far the value is beyond it; text that may be a secret is never repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
#[non_exhaustive]
pub struct FieldError {
    /// The field's name in the request.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: FieldProblem,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldProblem {
    /// It must be given.
    #[error("it must be given")]
    Missing,
    /// It may be left out, but not be empty.
    #[error("it is empty: leave it out, or give it a value")]
    Empty,
    /// It or another field must be given.
    #[error("it or `{other}` must be given")]
    NeitherGiven {
        /// The other field.
        other: &'static str,
    },
    /// Too long.
    #[error("it has {len} characters, and at most {limit} are taken")]
    TooLong {
        /// The bound in characters.
        limit: usize,
        /// The characters given.
        len: usize,
    },
    /// A character that is not allowed.
    #[error("its character {at} (from 0) is not allowed: {allowed}")]
    Character {
        /// The character's place, from 0.
        at: usize,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Not one of the values that the interface knows. The value is not repeated.
    #[error("it must be {allowed}")]
    Value {
        /// What is allowed.
        allowed: &'static str,
    },
    /// Not of the form that the interface takes.
    #[error("it is \"{given}\", and it must be {allowed}")]
    Form {
        /// What was given, shortened.
        given: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// No time of the tenant's clock.
    #[error(transparent)]
    Time(#[from] CalendarError),
    /// No name of an index file.
    #[error(transparent)]
    FileName(#[from] FileNameError),
    /// No sound file that the server takes.
    #[error(transparent)]
    Wav(#[from] WavProblem),
    /// The begin is later than the end.
    #[error("the begin is later than the end")]
    BeginAfterEnd,
    /// The window is longer than the bound.
    #[error("the window is {} long, and at most {} are taken: ask for several shorter ones",
        InWords(Duration::from_secs(*seconds)), InWords(Duration::from_secs(*limit)))]
    SpanTooLong {
        /// The bound in seconds.
        limit: u64,
        /// The seconds asked for.
        seconds: u64,
    },
}

impl FieldProblem {
    /// `given` is repeated, so it must be nothing that could be a secret.
    pub(super) fn form(given: &str, allowed: &'static str) -> Self {
        Self::Form { given: shown(given), allowed }
    }
}

impl FieldError {
    /// What is wrong with the field of that name in the request.
    pub fn new(field: &'static str, problem: impl Into<FieldProblem>) -> Self {
        Self { field, problem: problem.into() }
    }
}

/// Bounds the characters of a field that must have some.
pub(crate) fn text(field: &'static str, text: &str, limit: usize) -> Result<(), FieldError> {
    if text.is_empty() {
        return Err(FieldError::new(field, FieldProblem::Missing));
    }
    let len = text.chars().count();
    if len > limit {
        return Err(FieldError::new(field, FieldProblem::TooLong { limit, len }));
    }
    only(field, text, |c| !c.is_control(), "no control characters")
}

/// Bounds the characters of a field that may be left out.
pub(crate) fn optional_text(
    field: &'static str,
    value: Option<&str>,
    limit: usize,
) -> Result<(), FieldError> {
    match value {
        None => Ok(()),
        Some("") => Err(FieldError::new(field, FieldProblem::Empty)),
        Some(value) => text(field, value, limit),
    }
}

/// Takes only some characters.
pub(super) fn only(
    field: &'static str,
    text: &str,
    take: fn(char) -> bool,
    allowed: &'static str,
) -> Result<(), FieldError> {
    match text.chars().position(|c| !take(c)) {
        Some(at) => Err(FieldError::new(field, FieldProblem::Character { at, allowed })),
        None => Ok(()),
    }
}
