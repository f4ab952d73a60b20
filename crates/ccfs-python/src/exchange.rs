//! `ccfs.Exchange`: one call as a state machine without I/O.

use ccfs::Endpoint;
use ccfs::proto::AnyOperation;
use ccfs::proto::exchange::{FailureKind, TlsFailure};
use ccfs::proto::{Policy, SinkKind};
use http::StatusCode;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyMapping, PyString};

use crate::arguments::{text, whole};
use crate::auth::{credentials, query_line_of};
use crate::errors::{invalid, invalid_request, of_turn};
use crate::headers::Pairs;
use crate::time::{Now, seconds};
use crate::{answer, step};

/// One call, from the first attempt to its outcome.
#[pyclass(module = "ccfs")]
pub(crate) struct Exchange {
    interface: String,
    exchange: ccfs::proto::Exchange<AnyOperation>,
}

#[pymethods]
impl Exchange {
    #[new]
    #[pyo3(signature = (
        interface, fields=None, *, endpoint, access_key, secret_key, rewinds=false,
        query_line="omit", max_retries=3, idle_timeout=60.0, total_timeout=1800.0,
        correction_ms=0, jitter=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "they have names in Python")]
    fn new(
        interface: String,
        fields: Option<&Bound<'_, PyMapping>>,
        endpoint: &Bound<'_, PyString>,
        access_key: &Bound<'_, PyString>,
        secret_key: &Bound<'_, PyString>,
        rewinds: bool,
        query_line: &str,
        max_retries: i64,
        idle_timeout: f64,
        total_timeout: f64,
        correction_ms: i64,
        jitter: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let credentials = credentials(access_key, secret_key)?;
        let endpoint: Endpoint = text("endpoint", endpoint)?.parse().map_err(invalid)?;
        let operation = answer::operation(&interface, fields)?;
        let policy = policy(query_line, max_retries, idle_timeout, total_timeout)?;
        let exchange = ccfs::proto::Exchange::new(operation, &endpoint, &credentials, &policy);
        let sink = if rewinds { SinkKind::Rewinds } else { SinkKind::Once };
        let mut exchange =
            exchange.map_err(invalid_request)?.sink(sink).assume_correction(correction_ms);
        if let Some(source) = jitter {
            exchange = exchange.jitter(numbers(source));
        }
        Ok(Self { interface, exchange })
    }

    /// Returns the next step.
    fn poll<'py>(&mut self, py: Python<'py>, now: Now) -> PyResult<Bound<'py, PyAny>> {
        step::object(py, self.exchange.poll(now.0).map_err(of_turn)?)
    }

    /// Reports the status and the headers of the response.
    fn on_head(&mut self, now: Now, status: u16, headers: Pairs) -> PyResult<()> {
        let status = StatusCode::from_u16(status)
            .map_err(|_| invalid(format!("{status} is not an HTTP status")))?;
        self.exchange.on_head(now.0, status, &headers.headers()?).map_err(of_turn)
    }

    /// Reports a piece of the body.
    fn on_body(&mut self, now: Now, data: PyBackedBytes) -> PyResult<()> {
        let data = bytes::Bytes::copy_from_slice(&data);
        self.exchange.on_body(now.0, data).map_err(of_turn)
    }

    /// Reports the end of the body.
    fn on_end(&mut self, now: Now) -> PyResult<()> {
        self.exchange.on_end(now.0).map_err(of_turn)
    }

    /// Reports that the connection failed.
    #[pyo3(signature = (now, kind, status=None))]
    fn on_failure(&mut self, now: Now, kind: &str, status: Option<u16>) -> PyResult<()> {
        self.exchange.on_failure(now.0, failure(kind, status)?).map_err(of_turn)
    }

    #[getter]
    fn attempts(&self) -> u32 {
        self.exchange.attempts()
    }

    #[getter]
    fn received(&self) -> u64 {
        self.exchange.progress().0
    }

    #[getter]
    fn declared(&self) -> Option<u64> {
        self.exchange.progress().1
    }

    #[getter]
    fn clock_skew_ms(&self) -> Option<i64> {
        self.exchange.clock_skew().map(|skew| skew.millis)
    }

    #[getter]
    fn confirmed_correction_ms(&self) -> Option<i64> {
        self.exchange.confirmed_correction()
    }

    fn __repr__(&self) -> String {
        format!("<ccfs.Exchange {}, {} attempts>", self.interface, self.exchange.attempts())
    }
}

/// Returns the policy of a call.
pub(crate) fn policy(
    query_line: &str,
    max_retries: i64,
    idle_timeout: f64,
    total_timeout: f64,
) -> PyResult<Policy> {
    Ok(Policy::default()
        .query_line(query_line_of(query_line)?)
        .max_retries(whole("max_retries", max_retries, 0..=u32::MAX.into())?)
        .idle_timeout(seconds("idle_timeout", idle_timeout)?)
        .total_timeout(seconds("total_timeout", total_timeout)?))
}

fn failure(kind: &str, status: Option<u16>) -> PyResult<FailureKind> {
    Ok(match (kind, status) {
        ("proxy_refused", Some(status)) => FailureKind::of_proxy(status),
        ("proxy_refused", None) => return Err(invalid("proxy_refused needs the proxy's status")),
        ("resolve", _) => FailureKind::Resolve,
        ("connect", _) => FailureKind::Connect,
        ("tls", _) => FailureKind::Tls(TlsFailure::Other),
        ("broken", _) => FailureKind::Broken,
        ("idle_timeout", _) => FailureKind::IdleTimeout,
        ("body_broken", _) => FailureKind::BodyBroken,
        ("invalid_http", _) => FailureKind::InvalidHttp,
        ("head_too_large", _) => FailureKind::HeadTooLarge,
        _ => return Err(invalid(format!("{kind:?} is not a kind of failure"))),
    })
}

/// Returns numbers of a callable. If it fails, the wait is the longest of its range.
fn numbers(source: Py<PyAny>) -> impl FnMut() -> u64 + Send + Sync {
    move || {
        Python::attach(|py| {
            let number = source.call0(py).and_then(|number| number.extract(py));
            number.unwrap_or_else(|error: PyErr| {
                error.write_unraisable(py, Some(source.bind(py)));
                u64::MAX
            })
        })
    }
}
