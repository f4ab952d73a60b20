//! `ccfs.sign` and `ccfs.verify`.

use ccfs::proto::auth::{Freshness, QueryLine};
use ccfs::proto::time::Precision;
use ccfs::proto::{RequestView, Signer};
use ccfs::{Credentials, Verifier};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyDateTime, PyString};

use crate::arguments::text;
use crate::errors::{invalid, of_signature};
use crate::headers::{Pairs, Query};
use crate::time::{of_timestamp, seconds, timestamp};

/// Signs a request, and returns the value of its `Authorization` header.
#[pyfunction]
#[pyo3(signature = (
    access_key, secret_key, *, method, path, headers, at, body=None, query=None, query_line="omit",
    precision="milliseconds",
))]
#[expect(clippy::too_many_arguments, reason = "they have names in Python")]
pub(crate) fn sign(
    access_key: &Bound<'_, PyString>,
    secret_key: &Bound<'_, PyString>,
    method: &str,
    path: &str,
    headers: Pairs,
    at: &Bound<'_, PyDateTime>,
    body: Option<PyBackedBytes>,
    query: Option<Query>,
    query_line: &str,
    precision: &str,
) -> PyResult<String> {
    let precision = match precision {
        "milliseconds" => Precision::Millis,
        "seconds" => Precision::Seconds,
        _ => {
            return Err(invalid(format!(
                "precision is {precision:?}; use \"milliseconds\" or \"seconds\""
            )));
        }
    };
    let signer = Signer::new(&credentials(access_key, secret_key)?)
        .query_line(query_line_of(query_line)?)
        .precision(precision);
    let at = timestamp(at)?;
    let mut value = Vec::new();
    with_view(method, path, &headers, query.as_ref(), body.as_deref(), |view| {
        signer.sign_into(view, at, &mut value)
    })
    .map_err(invalid)?;
    String::from_utf8(value).map_err(invalid)
}

/// Verifies the value of an `Authorization` header, and returns the time of the signature.
#[pyfunction]
#[pyo3(signature = (
    authorization, access_key, secret_key, *, method, path, headers, now, body=None, query=None,
    query_line=None, max_age=Some(900.0),
), text_signature = "(authorization, access_key, secret_key, *, method, path, headers, now, body=None, query=None, query_line=None, max_age=900.0)")]
#[expect(clippy::too_many_arguments, reason = "they have names in Python")]
pub(crate) fn verify<'py>(
    py: Python<'py>,
    authorization: &Bound<'_, PyString>,
    access_key: &Bound<'_, PyString>,
    secret_key: &Bound<'_, PyString>,
    method: &str,
    path: &str,
    headers: Pairs,
    now: &Bound<'py, PyDateTime>,
    body: Option<PyBackedBytes>,
    query: Option<Query>,
    query_line: Option<&str>,
    max_age: Option<f64>,
) -> PyResult<Bound<'py, PyDateTime>> {
    let authorization = text("authorization", authorization)?;
    let mut verifier = Verifier::new(&credentials(access_key, secret_key)?);
    if let Some(dialect) = query_line {
        verifier = verifier.query_line(query_line_of(dialect)?);
    }
    if let Some(age) = max_age {
        verifier = verifier.freshness(freshness(age)?);
    }
    let now = timestamp(now)?;
    let result = with_view(method, path, &headers, query.as_ref(), body.as_deref(), |view| {
        verifier.verify(&authorization, view, now)
    });
    of_timestamp(py, result.map_err(|error| of_signature(&error))?.timestamp)
}

/// Calls `work` with a view of a request.
pub(crate) fn with_view<R>(
    method: &str,
    path: &str,
    headers: &Pairs,
    query: Option<&Query>,
    body: Option<&[u8]>,
    work: impl FnOnce(RequestView<'_>) -> R,
) -> R {
    let query = query.map(|query| query.0.view()).unwrap_or_default();
    let (headers, body) = (headers.view(), body.unwrap_or_default());
    work(RequestView { method, path, query: &query, headers: &headers, body })
}

pub(crate) fn credentials(
    access_key: &Bound<'_, PyString>,
    secret_key: &Bound<'_, PyString>,
) -> PyResult<Credentials> {
    let access_key = text("access_key", access_key)?;
    Credentials::from_text(&access_key, text("secret_key", secret_key)?).map_err(invalid)
}

/// The same limit into the past and into the future.
pub(crate) fn freshness(max_age: f64) -> PyResult<Freshness> {
    let limit = seconds("max_age", max_age)?;
    Ok(Freshness { past: limit, future: limit })
}

pub(crate) fn query_line_of(name: &str) -> PyResult<QueryLine> {
    QueryLine::ALL
        .into_iter()
        .find(|dialect| dialect.as_str() == name)
        .ok_or_else(|| invalid(format!("query_line is {name:?}; use \"omit\" or \"empty\"")))
}
