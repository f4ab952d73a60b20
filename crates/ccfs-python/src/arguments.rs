//! Arguments that `PyO3` does not convert as needed.

use std::ops::RangeInclusive;

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::invalid;

/// Returns a text that may be secret. Not by extraction: Python's `UnicodeEncodeError` contains the
/// text.
pub(crate) fn text(name: &str, value: &Bound<'_, PyString>) -> PyResult<String> {
    value.extract().map_err(|_| {
        invalid(format!("{name} has a lone surrogate, so it is not valid Unicode; decode it again"))
    })
}

/// Returns a number in a range, which is within that of `T`.
pub(crate) fn whole<T: TryFrom<i64>>(
    name: &str,
    value: i64,
    range: RangeInclusive<i64>,
) -> PyResult<T> {
    let number = Some(value).filter(|value| range.contains(value)).map(T::try_from);
    number.and_then(Result::ok).ok_or_else(|| {
        let (least, most) = range.into_inner();
        invalid(format!("{name} is {value}; pass a whole number from {least} to {most}"))
    })
}
