//! Fetching files with an executor of Python.

use std::error::Error as StdError;

use ccfs::pull::{FetchReport, FetchTask};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::client::Client;
use crate::errors::invalid;
use crate::work;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A `concurrent.futures.Executor`, whose workers fetch files.
pub(crate) struct Executor {
    executor: Py<PyAny>,
    /// The function that returns a worker's client.
    client: Option<Py<PyAny>>,
}

impl Executor {
    pub(crate) fn new(executor: Py<PyAny>, client: Option<Py<PyAny>>) -> Self {
        Self { executor, client }
    }

    /// Has a worker run a task, and waits for its report.
    pub(crate) fn fetch(
        &self,
        task: &FetchTask,
        is_stopping: &dyn Fn() -> bool,
    ) -> Result<FetchReport, BoxError> {
        let text = serde_json::to_string(task)?;
        let future = attached(|py| {
            let fetch = py.import("ccfs._tasks")?.getattr("fetch")?;
            let arguments = (fetch, text, &self.client);
            self.executor.call_method1(py, "submit", arguments)
        })?;
        while !is_stopping() {
            let report = attached(|py| {
                let result = py.import("ccfs._tasks")?.call_method1("result_of", (&future,))?;
                result.extract::<Option<String>>()
            })?;
            if let Some(report) = report {
                return Ok(serde_json::from_str(&report)?);
            }
        }
        // A task that runs ends by itself.
        attached(|py| future.call_method0(py, "cancel"))?;
        Err("the pull was stopped".into())
    }
}

/// Runs `work` with the interpreter, unless that is ending.
fn attached<T>(work: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T, BoxError> {
    match Python::try_attach(work) {
        Some(result) => Ok(result?),
        None => Err("the interpreter is ending".into()),
    }
}

/// Runs a task of `Client.pull` in a worker.
#[pyfunction]
pub(crate) fn run_task(
    py: Python<'_>,
    task: &Bound<'_, PyString>,
    client: &Bound<'_, Client>,
) -> PyResult<String> {
    let task: FetchTask = serde_json::from_str(task.to_str()?).map_err(|error| {
        invalid(format!("not a task of this version of ccfs: {error}; use one version everywhere"))
    })?;
    let client = client.get().pulling.clone();
    let report = work::run::<(), _>(py, None, move |_| task.run(&client))?;
    serde_json::to_string(&report).map_err(invalid)
}
