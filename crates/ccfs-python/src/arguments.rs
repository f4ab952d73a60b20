//! Arguments whose conversion by `PyO3` would not do.

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
