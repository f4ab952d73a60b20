//! `Client.pull`: the files of several days.

use std::path::{Path, PathBuf};

use ccfs::Day;
use ccfs::pull::{
    Bucket, BucketConfig, Format, Outcome, Plan, Pull, PullProgress as Report, PullSummary,
    WindowReport,
};
use pyo3::prelude::*;
use pyo3::types::{PyDate, PyString};

use crate::errors::{invalid, of_pull};
use crate::executor::Executor;
use crate::work;

/// Returns the format of this name.
pub(crate) fn format(name: &str) -> PyResult<Format> {
    let names = || Format::ALL.map(Format::as_str).join(", ");
    let format = Format::ALL.into_iter().find(|format| format.as_str() == name);
    format.ok_or_else(|| invalid(format!("convert is {name:?}; use one of {}", names())))
}

/// Creates a pull into a folder, or into a bucket with the journal in the folder `state`.
pub(crate) fn into(plan: Plan, out: PathBuf, state: Option<PathBuf>) -> PyResult<Pull<'static>> {
    let url = out.to_str().filter(|out| out.starts_with("s3:"));
    match (url, state) {
        (None, None) => Ok(Pull::new(plan, out)),
        (Some(url), Some(state)) => {
            let config = BucketConfig::from_env().map_err(invalid)?;
            Ok(Pull::new(plan, state).bucket(Bucket::new(url, &config).map_err(invalid)?))
        }
        (Some(_), None) => {
            Err(invalid("a bucket has no journal; pass state, a folder for the journal"))
        }
        (None, Some(_)) => Err(invalid("state is for a bucket; a folder has its journal itself")),
    }
}

/// Downloads the files of several days into a folder or a bucket.
pub(crate) fn run(
    py: Python<'_>,
    client: ccfs::Client,
    pull: Pull<'static>,
    executor: Option<Executor>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Summary> {
    let summary = work::run(py, progress, move |reporter| {
        // A shorter lifetime, because the function borrows the reporter.
        let pull: Pull<'_> = pull;
        let pull = pull.progress(|progress| reporter.report(PullProgress(*progress)));
        match &executor {
            Some(executor) => pull.run_with(&client, |task, stop| executor.fetch(task, stop)),
            None => pull.run(&client),
        }
    })?;
    Ok(Summary(summary.map_err(of_pull)?))
}

/// A day: text, or a date.
pub(crate) struct DayOf(pub(crate) Day);

impl<'py> FromPyObject<'_, 'py> for DayOf {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let is_date = value.is_instance_of::<PyDate>();
        let text = if is_date { value.call_method0("isoformat")? } else { value.to_owned() };
        let text: String = text.cast::<PyString>()?.extract()?;
        text.parse().map(Self).map_err(|error| invalid(format!("{text:?}: {error}")))
    }
}

/// A path, or the address of an object, which `pathlib` would change.
#[derive(IntoPyObject)]
enum FilePath {
    Local(PathBuf),
    Object(String),
}

impl From<&Path> for FilePath {
    fn from(path: &Path) -> Self {
        match path.to_str().filter(|path| path.starts_with("s3://")) {
            Some(address) => Self::Object(address.to_owned()),
            None => Self::Local(path.to_owned()),
        }
    }
}

/// Progress of a pull.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct PullProgress(Report);

#[pymethods]
impl PullProgress {
    #[getter]
    fn windows(&self) -> usize {
        self.0.windows
    }

    #[getter]
    fn settled(&self) -> usize {
        self.0.settled
    }

    #[getter]
    fn in_flight(&self) -> usize {
        self.0.in_flight
    }

    #[getter]
    fn rows(&self) -> u64 {
        self.0.rows
    }

    #[getter]
    fn received(&self) -> u64 {
        self.0.received
    }

    fn __repr__(&self) -> String {
        format!("<ccfs.PullProgress {} of {} windows>", self.0.settled, self.0.windows)
    }
}

/// Result of a pull.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Summary(PullSummary);

#[pymethods]
impl Summary {
    #[getter]
    fn windows(&self) -> Vec<Window> {
        self.0.windows.iter().cloned().map(Window).collect()
    }

    #[getter]
    fn failed(&self) -> Vec<Window> {
        self.windows().into_iter().filter(|window| window.outcome() == "failed").collect()
    }

    #[getter]
    fn rows(&self) -> u64 {
        self.0.rows()
    }

    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    #[getter]
    fn bad_rows(&self) -> u64 {
        self.0.bad_rows()
    }

    #[getter]
    fn requested(&self) -> u64 {
        self.0.asked
    }

    #[getter]
    fn resumed(&self) -> usize {
        self.0.resumed
    }

    #[getter]
    fn left_from(&self) -> Option<String> {
        self.0.left_from.map(|day| day.to_string())
    }

    fn __repr__(&self) -> String {
        let failed = self.0.failed().count();
        let windows = self.0.windows.len();
        format!("<ccfs.Summary {} rows in {windows} windows, {failed} failed>", self.0.rows())
    }
}

/// Report on one period of a pull.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Window(WindowReport);

#[pymethods]
impl Window {
    #[getter]
    fn begin(&self) -> String {
        self.0.window.begin().to_string()
    }

    #[getter]
    fn end(&self) -> String {
        self.0.window.end().to_string()
    }

    #[getter]
    fn outcome(&self) -> &'static str {
        match self.0.outcome {
            Outcome::Stored(_) => "stored",
            Outcome::NoData => "no_data",
            _ => "failed",
        }
    }

    #[getter]
    fn reason(&self) -> Option<&str> {
        match &self.0.outcome {
            Outcome::Failed { why } => Some(why),
            _ => None,
        }
    }

    #[getter]
    fn rows(&self) -> u64 {
        match self.0.outcome {
            Outcome::Stored(stored) => stored.rows,
            _ => 0,
        }
    }

    #[getter]
    fn files(&self) -> Vec<FilePath> {
        self.0.files.iter().map(|file| FilePath::from(&*file.path)).collect()
    }

    #[getter]
    fn notes(&self) -> Vec<String> {
        self.0.notes.clone()
    }

    fn __repr__(&self) -> String {
        format!("<ccfs.Window {} {}>", self.0.window, self.outcome())
    }
}
