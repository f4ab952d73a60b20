//! The steps that an exchange asks for.

use std::sync::Mutex;

use ccfs::ExchangeError;
use ccfs::proto::exchange::Target;
use ccfs::proto::operation::Received;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::{answer, errors};

/// Connect and send a request.
#[pyclass(module = "ccfs", frozen, get_all)]
pub(crate) struct Send {
    method: String,
    url: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Py<PyBytes>,
    host: String,
    port: u16,
    tls: bool,
    idle_timeout: f64,
    remaining: f64,
}

/// Read a piece of the body.
#[pyclass(module = "ccfs", frozen, get_all)]
pub(crate) struct Receive {
    idle_timeout: f64,
}

/// Append bytes to the file.
#[pyclass(module = "ccfs", frozen, get_all)]
pub(crate) struct Write {
    data: Py<PyBytes>,
}

/// Discard what was written.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Rewind;

/// Wait before the next attempt.
#[pyclass(module = "ccfs", frozen, get_all)]
pub(crate) struct Wait {
    seconds: f64,
}

/// The call is over.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Done(Result<Py<PyDict>, Mutex<PyErr>>);

type Step = ccfs::proto::Step<Received>;

/// Returns the step as an object of its class.
pub(crate) fn object(py: Python<'_>, step: Step) -> PyResult<Bound<'_, PyAny>> {
    Ok(match step {
        Step::Send { request, target, idle_timeout, remaining } => {
            let send =
                send(py, &request, &target, idle_timeout.as_secs_f64(), remaining.as_secs_f64());
            Bound::new(py, send)?.into_any()
        }
        Step::Receive { idle_timeout } => {
            Bound::new(py, Receive { idle_timeout: idle_timeout.as_secs_f64() })?.into_any()
        }
        Step::Write(bytes) => {
            Bound::new(py, Write { data: PyBytes::new(py, &bytes).unbind() })?.into_any()
        }
        Step::Rewind => Bound::new(py, Rewind)?.into_any(),
        Step::Wait(duration) => {
            Bound::new(py, Wait { seconds: duration.as_secs_f64() })?.into_any()
        }
        Step::Done(result) => Bound::new(py, done(py, result)?)?.into_any(),
    })
}

fn send(
    py: Python<'_>,
    request: &http::Request<bytes::Bytes>,
    target: &Target,
    idle_timeout: f64,
    remaining: f64,
) -> Send {
    let headers = request.headers().iter().map(|(name, value)| {
        (name.as_str().to_owned(), value.as_bytes().iter().map(|&byte| char::from(byte)).collect())
    });
    let path = request.uri().path_and_query().map_or("/", |target| target.as_str());
    Send {
        method: request.method().to_string(),
        url: request.uri().to_string(),
        target: path.to_owned(),
        headers: headers.collect(),
        body: PyBytes::new(py, request.body()).unbind(),
        host: target.host.to_string(),
        port: target.port,
        tls: target.tls,
        idle_timeout,
        remaining,
    }
}

fn done(py: Python<'_>, result: Result<Received, ExchangeError>) -> PyResult<Done> {
    Ok(Done(match result {
        Ok(received) => Ok(answer::of(py, &received)?),
        Err(error) => Err(Mutex::new(errors::of_exchange(&error))),
    }))
}

#[pymethods]
impl Send {
    /// Without headers, query and body, which may hold secrets.
    fn __repr__(&self) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        format!("<ccfs.Send {} {path} to {}:{}>", self.method, self.host, self.port)
    }
}

#[pymethods]
impl Receive {
    fn __repr__(&self) -> String {
        format!("<ccfs.Receive within {} s>", self.idle_timeout)
    }
}

#[pymethods]
impl Write {
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<ccfs.Write {} bytes>", self.data.as_bytes(py).len())
    }
}

#[pymethods]
impl Rewind {
    #[expect(clippy::unused_self, reason = "a method of Python")]
    fn __repr__(&self) -> &'static str {
        "<ccfs.Rewind>"
    }
}

#[pymethods]
impl Wait {
    fn __repr__(&self) -> String {
        format!("<ccfs.Wait {} s>", self.seconds)
    }
}

#[pymethods]
impl Done {
    /// Returns the answer, or raises the error.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        match &self.0 {
            Ok(answer) => Ok(answer.clone_ref(py)),
            Err(error) => Err(copy(py, error)),
        }
    }

    #[getter]
    fn answer(&self, py: Python<'_>) -> Option<Py<PyDict>> {
        self.0.as_ref().ok().map(|answer| answer.clone_ref(py))
    }

    #[getter]
    fn error(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let error = self.0.as_ref().err()?;
        Some(copy(py, error).into_value(py).into_any())
    }

    fn __repr__(&self) -> &'static str {
        if self.0.is_ok() { "<ccfs.Done with an answer>" } else { "<ccfs.Done with an error>" }
    }
}

fn copy(py: Python<'_>, error: &Mutex<PyErr>) -> PyErr {
    error.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone_ref(py)
}
