//! Checking the fields of a request before it is sent.

/// A field of a request that the server would refuse.
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
    /// Not one of the values that the interface knows.
    #[error("it must be {allowed}")]
    Value {
        /// What is allowed.
        allowed: &'static str,
    },
    /// The begin is later than the end.
    #[error("the begin is later than the end")]
    BeginAfterEnd,
    /// The window is longer than the bound.
    #[error("the window is {seconds} seconds long, and at most {limit} are taken: ask for several shorter ones")]
    SpanTooLong {
        /// The bound in seconds.
        limit: u64,
        /// The seconds asked for.
        seconds: u64,
    },
}

impl FieldError {
    pub(crate) fn new(field: &'static str, problem: FieldProblem) -> Self {
        Self { field, problem }
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
    match text.chars().position(char::is_control) {
        Some(at) => Err(FieldError::new(field, FieldProblem::Character { at, allowed: "no control characters" })),
        None => Ok(()),
    }
}

/// Bounds the characters of a field that may be left out.
pub(crate) fn optional_text(field: &'static str, value: Option<&str>, limit: usize) -> Result<(), FieldError> {
    value.map_or(Ok(()), |value| text(field, value, limit))
}
