//! A stream of Arrow batches, for every library that reads the Arrow C stream interface.

use std::sync::{Arc, Mutex};

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchReader};
use ccfs::arrow::arrow_schema::{ArrowError, SchemaRef};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::options::Selection;
use crate::reading::{Reading, State, lock};
use crate::source::Source;

/// The records of an archive as Arrow batches. Each consumer reads from the start.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Stream {
    source: Source,
    selection: Selection,
    state: Arc<Mutex<State>>,
}

impl Stream {
    pub(crate) fn new(source: Source, selection: Selection) -> Self {
        Self { source, selection, state: Arc::new(Mutex::new(State::default())) }
    }
}

#[pymethods]
impl Stream {
    /// The `PyCapsule` interface of Arrow. The schema that a consumer asks for is a wish; columns are
    /// selected with the arguments of `stream`.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let reading = py.detach(|| Reading::begin(&self.source, &self.selection, &self.state))?;
        let stream = FFI_ArrowArrayStream::new(Box::new(Exported(reading)));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    #[getter]
    fn rows(&self) -> u64 {
        lock(&self.state).rows
    }

    #[getter]
    fn bad_rows(&self) -> u64 {
        lock(&self.state).bad_rows
    }

    #[getter]
    fn bad_row_messages(&self) -> Vec<String> {
        lock(&self.state).bad_row_messages.clone()
    }

    #[getter]
    fn notes(&self) -> Vec<String> {
        lock(&self.state).notes.clone()
    }

    #[getter]
    fn error(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        lock(&self.state).error.as_ref().map(|error| error.value(py).clone().into_any().unbind())
    }

    fn __repr__(&self) -> String {
        format!("<ccfs.Stream of {}>", self.selection.kind)
    }
}

/// A reading whose consumer knows nothing of Python.
struct Exported(Reading);

impl Iterator for Exported {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        // The consumer may be attached to the interpreter or not.
        match Python::try_attach(|py| self.0.next_checked(py)) {
            Some(batch) => batch.map_err(exported).transpose(),
            None => Some(Err(ArrowError::ExternalError("the interpreter has ended".into()))),
        }
    }
}

impl RecordBatchReader for Exported {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }
}

/// The consumer raises its own exception type with the message. Ctrl-C, which the check of
/// signals consumed, is set again, so that it follows.
fn exported(error: PyErr) -> ArrowError {
    Python::attach(|py| {
        if error.is_instance_of::<PyKeyboardInterrupt>(py) {
            let again =
                py.import("_thread").and_then(|module| module.call_method0("interrupt_main"));
            if let Err(error) = again {
                return ArrowError::ExternalError(error.to_string().into());
            }
            return ArrowError::ExternalError("interrupted".into());
        }
        ArrowError::ExternalError(error.value(py).to_string().into())
    })
}
