//! Records as dicts.

use std::sync::{Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use ccfs::Timestamp;
use ccfs::arrow::arrow_schema::DataType;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyDict, PyList, PyString};

use crate::reading::Reading;
use crate::time;

/// The records of an archive, each a dict.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Rows(Mutex<Cursor>);

struct Cursor {
    reading: Reading,
    names: Vec<Py<PyString>>,
    batch: Option<RecordBatch>,
    row: usize,
    done: bool,
}

impl Rows {
    pub(crate) fn new(reading: Reading) -> Self {
        let names = Vec::new();
        Self(Mutex::new(Cursor { reading, names, batch: None, row: 0, done: false }))
    }
}

#[pymethods]
impl Rows {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        // Detached while it waits: the thread that has the lock may need the interpreter.
        let lock = self.0.lock_py_attached(py);
        lock.unwrap_or_else(PoisonError::into_inner).next(py)
    }
}

impl Cursor {
    fn next<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        while self.batch.as_ref().is_none_or(|batch| self.row == batch.num_rows()) {
            if self.done {
                return Ok(None);
            }
            self.done = true;
            self.batch = py.detach(|| self.reading.next())?;
            self.row = 0;
            self.done = self.batch.is_none();
        }
        let Some(batch) = &self.batch else { return Ok(None) };
        if self.names.is_empty() {
            let schema = batch.schema();
            let names =
                schema.fields().iter().map(|field| PyString::new(py, field.name()).unbind());
            self.names = names.collect();
        }
        let record = PyDict::new(py);
        for (name, column) in self.names.iter().zip(batch.columns()) {
            record.set_item(name, value(py, column, self.row)?)?;
        }
        self.row += 1;
        Ok(Some(record))
    }
}

/// Returns a value of a column as an int, str, list or datetime.
fn value<'py>(py: Python<'py>, column: &dyn Array, row: usize) -> PyResult<Bound<'py, PyAny>> {
    if column.is_null(row) {
        return Ok(py.None().into_bound(py));
    }
    Ok(match column.data_type() {
        DataType::Utf8 => PyString::new(py, column.as_string::<i32>().value(row)).into_any(),
        DataType::Int64 => {
            column.as_primitive::<Int64Type>().value(row).into_pyobject(py)?.into_any()
        }
        DataType::Timestamp(_, zone) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            let local = Timestamp::from_unix_millis(micros.div_euclid(1000)).utc();
            match zone {
                None => time::naive(py, local, 0)?.into_any(),
                Some(_) => time::utc(py, local, 0)?.into_any(),
            }
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            PyList::new(py, items.as_string::<i32>().iter())?.into_any()
        }
        other => return Err(PyTypeError::new_err(format!("unexpected column type {other}"))),
    })
}
