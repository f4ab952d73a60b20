//! Reads batches of an archive, detached from the interpreter.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::{RecordBatch, RecordBatchReader};
use ccfs::archive::{
    AgentOperation, AgentSkillChange, Archive, BadRows, Call, IndexKind, Record, Recording,
};
use ccfs::arrow::Batches;
use ccfs::arrow::arrow_schema::{ArrowError, SchemaRef};
use pyo3::prelude::*;

use crate::errors::{of_archive, of_arrow};
use crate::options::Selection;
use crate::source::Source;

/// Batches of one kind, with what was read so far.
pub(crate) struct Reading {
    batches: Box<dyn Counted>,
    state: Arc<Mutex<State>>,
}

/// The state of the latest reading.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) rows: u64,
    pub(crate) bad_rows: u64,
    pub(crate) bad_row_messages: Vec<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) error: Option<PyErr>,
}

impl State {
    fn keep(&mut self, error: &PyErr) {
        self.error = Some(Python::attach(|py| error.clone_ref(py)));
    }
}

/// Batches of any type of record.
trait Counted: RecordBatchReader + Send {
    fn rows(&self) -> u64;
    fn bad_rows(&self) -> &BadRows;
    fn notes(&self) -> Vec<String>;
}

impl<T: Record> Counted for Batches<'static, T> {
    fn rows(&self) -> u64 {
        self.records().rows()
    }

    fn bad_rows(&self) -> &BadRows {
        self.records().bad_rows()
    }

    fn notes(&self) -> Vec<String> {
        self.records().notes().iter().map(ToString::to_string).collect()
    }
}

impl Reading {
    /// Opens the source and begins at its start. The caller is detached.
    pub(crate) fn begin(
        source: &Source,
        selection: &Selection,
        state: &Arc<Mutex<State>>,
    ) -> PyResult<Self> {
        *lock(state) = State::default();
        Self::open(source, selection, state).inspect_err(|error| lock(state).keep(error))
    }

    fn open(source: &Source, selection: &Selection, state: &Arc<Mutex<State>>) -> PyResult<Self> {
        let archive = Archive::open_with(source.open()?, &selection.read).map_err(of_archive)?;
        let batches = match selection.kind {
            IndexKind::AgentSkillInfo => batches::<AgentSkillChange>(archive, selection),
            IndexKind::AgentOprInfo => batches::<AgentOperation>(archive, selection),
            IndexKind::Record => batches::<Recording>(archive, selection),
            IndexKind::Call => batches::<Call>(archive, selection),
            other => Err(ArrowError::NotYetImplemented(other.to_string())),
        };
        Ok(Self { batches: batches.map_err(of_arrow)?, state: Arc::clone(state) })
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        self.batches.schema()
    }

    /// Returns the next batch; `None` at the end. The caller is detached.
    pub(crate) fn next(&mut self) -> PyResult<Option<RecordBatch>> {
        let batch = self.batches.next().transpose().map_err(of_arrow);
        let mut state = lock(&self.state);
        state.rows = self.batches.rows();
        let bad_rows = self.batches.bad_rows();
        if state.bad_rows != bad_rows.count() {
            state.bad_rows = bad_rows.count();
            state.bad_row_messages =
                bad_rows.first().iter().map(|row| format!("{}: {}", row.at, row.fault)).collect();
        }
        match &batch {
            Ok(Some(_)) => {}
            Ok(None) => state.notes = self.batches.notes(),
            Err(error) => {
                state.notes = self.batches.notes();
                state.keep(error);
            }
        }
        drop(state);
        batch
    }

    /// Handles pending signals, if this is the main thread, and returns the next batch.
    pub(crate) fn next_checked(&mut self, py: Python<'_>) -> PyResult<Option<RecordBatch>> {
        py.check_signals()?;
        py.detach(|| self.next())
    }
}

fn batches<T: Record + 'static>(
    archive: Archive<crate::source::Input>,
    selection: &Selection,
) -> Result<Box<dyn Counted>, ArrowError> {
    let records = archive.into_records_ahead::<T>();
    Ok(Box::new(Batches::new(records, selection.kind, &selection.options)?))
}

pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
