//! `ccfs.open`, archives and their members.

use std::sync::{Arc, Mutex};

use ccfs::archive::{self, ReadOptions};
use pyo3::prelude::*;

use crate::errors::of_archive;
use crate::options::{Selection, kind, on_bad_row};
use crate::reading::{Reading, State};
use crate::rows::Rows;
use crate::source::Source;
use crate::stream::Stream;

/// Opens an archive: reads and checks its directory and the headers of its members.
#[pyfunction]
pub(crate) fn open(py: Python<'_>, source: Source) -> PyResult<Archive> {
    let members = py.detach(|| {
        let archive = archive::Archive::open_with(source.open()?, &ReadOptions::new());
        Ok::<_, PyErr>(archive.map_err(of_archive)?.members().to_vec())
    })?;
    Ok(Archive { source, members })
}

/// An index archive.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Archive {
    source: Source,
    members: Vec<archive::Member>,
}

#[pymethods]
impl Archive {
    #[getter]
    fn members(&self) -> Vec<Member> {
        self.members.iter().cloned().map(Member).collect()
    }

    #[pyo3(signature = (
        kind, columns=None, on_bad_row="stop", tz=None, batch_size=8192, charset=None,
    ))]
    fn stream(
        &self,
        kind: &str,
        columns: Option<Vec<String>>,
        on_bad_row: &str,
        tz: Option<&str>,
        batch_size: i64,
        charset: Option<&str>,
    ) -> PyResult<Stream> {
        let selection = select(kind, columns.as_deref(), on_bad_row, tz, batch_size)?;
        let selection = selection.charset(charset)?;
        Ok(Stream::new(self.source.clone(), selection))
    }

    #[pyo3(signature = (kind, columns=None, on_bad_row="stop", tz=None, charset=None))]
    fn records(
        &self,
        py: Python<'_>,
        kind: &str,
        columns: Option<Vec<String>>,
        on_bad_row: &str,
        tz: Option<&str>,
        charset: Option<&str>,
    ) -> PyResult<Rows> {
        let selection = select(kind, columns.as_deref(), on_bad_row, tz, 1024)?;
        let selection = selection.charset(charset)?;
        let state = Arc::new(Mutex::new(State::default()));
        let reading = py.detach(|| Reading::begin(&self.source, &selection, &state))?;
        Ok(Rows::new(reading))
    }

    fn __repr__(&self) -> String {
        format!("<ccfs.Archive of {} members>", self.members.len())
    }
}

fn select(
    kind_name: &str,
    columns: Option<&[String]>,
    action: &str,
    tz: Option<&str>,
    batch_size: i64,
) -> PyResult<Selection> {
    Selection::new(kind(kind_name)?, columns, on_bad_row(action)?, tz, batch_size)
}

/// A member of an archive.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Member(archive::Member);

#[pymethods]
impl Member {
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    #[getter]
    fn kind(&self) -> Option<&'static str> {
        self.0.kind().map(archive::IndexKind::as_str)
    }

    #[getter]
    fn size(&self) -> u64 {
        self.0.size()
    }

    #[getter]
    fn compressed_size(&self) -> u64 {
        self.0.compressed_size()
    }

    fn __repr__(&self) -> String {
        let kind = self.kind().unwrap_or("None");
        format!("<ccfs.Member {:?}, kind {kind}, {} bytes>", self.0.name(), self.0.size())
    }
}
