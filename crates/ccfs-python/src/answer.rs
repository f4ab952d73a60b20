//! Answers of the server as dicts.

use ccfs::FileReceipt;
use ccfs::proto::AnyOperation;
use ccfs::proto::answer::{FileKind, RawJson};
use ccfs::proto::operation::Received;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyInt, PyMapping, PyString};

use crate::arguments::text;
use crate::errors::invalid_request;

/// Returns the answer with the names that the server uses, or the receipt of a file.
pub(crate) fn of(py: Python<'_>, received: &Received) -> PyResult<Py<PyDict>> {
    let answer = PyDict::new(py);
    match received {
        Received::Envelope(envelope) => {
            answer.set_item("resultCode", envelope.code().as_str())?;
            answer.set_item("resultDesc", envelope.description())?;
            answer
                .set_item("resultData", envelope.data().map(|data| json(py, data)).transpose()?)?;
        }
        Received::Json(data) => answer.set_item("json", json(py, data)?)?,
        Received::File(receipt) => return of_file(py, *receipt),
        _ => {}
    }
    Ok(answer.unbind())
}

pub(crate) fn of_file(py: Python<'_>, receipt: FileReceipt) -> PyResult<Py<PyDict>> {
    let answer = PyDict::new(py);
    let kind = match receipt.kind {
        FileKind::Zip => "zip",
        FileKind::Wav => "wav",
        _ => "other",
    };
    answer.set_item("kind", kind)?;
    answer.set_item("bytes", receipt.bytes)?;
    Ok(answer.unbind())
}

fn json<'py>(py: Python<'py>, data: &RawJson) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (data.as_str(),))
}

/// Creates the operation of an interface. Values are `str` or `int`, and `bytes` for a file.
pub(crate) fn operation(
    name: &str,
    fields: Option<&Bound<'_, PyMapping>>,
) -> PyResult<AnyOperation> {
    let (mut texts, mut data) = (Vec::new(), None);
    let items = fields.map(PyMappingMethods::items).transpose()?;
    for item in items.into_iter().flatten() {
        let (field, value): (String, Bound<'_, PyAny>) = item.extract()?;
        if let Ok(bytes) = value.cast::<PyBytes>() {
            if field != "data" {
                return Err(PyTypeError::new_err(format!("the field {field} must be str or int")));
            }
            data = Some(bytes.as_bytes().to_vec().into());
        } else if let Ok(value) = value.cast::<PyString>() {
            let value = text(&field, value)?;
            texts.push((field, value));
        } else if value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>() {
            // Not `str`: a member of an enumeration has its name there.
            let digits = value.py().get_type::<PyInt>().call_method1("__repr__", (value,))?;
            texts.push((field, digits.extract()?));
        } else if !value.is_none() {
            return Err(PyTypeError::new_err(format!("the field {field} must be str or int")));
        }
    }
    AnyOperation::from_fields(name, texts, data).map_err(invalid_request)
}
