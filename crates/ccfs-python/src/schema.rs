//! `ccfs.schema`.

use arrow_array::ffi::FFI_ArrowSchema;
use ccfs::archive::OnBadRow;
use ccfs::arrow::arrow_schema::SchemaRef;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::errors::of_arrow;
use crate::options::{Selection, kind as kind_of};

/// Returns the columns of a kind of index file. Reads nothing.
#[pyfunction]
#[pyo3(signature = (kind, columns=None, tz=None))]
pub(crate) fn schema(
    kind: &str,
    columns: Option<Vec<String>>,
    tz: Option<&str>,
) -> PyResult<Schema> {
    let kind = kind_of(kind)?;
    let selection = Selection::new(kind, columns.as_deref(), OnBadRow::Stop, tz, 8192)?;
    ccfs::arrow::schema(kind, &selection.options).map(Schema).map_err(of_arrow)
}

/// An Arrow schema.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Schema(SchemaRef);

#[pymethods]
impl Schema {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(&*self.0).map_err(of_arrow)?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    #[getter]
    fn names(&self) -> Vec<&str> {
        self.0.fields().iter().map(|field| field.name().as_str()).collect()
    }

    fn __repr__(&self) -> String {
        format!("<ccfs.Schema of {} columns>", self.0.fields().len())
    }
}
