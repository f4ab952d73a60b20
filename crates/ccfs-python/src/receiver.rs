//! `ccfs.CallbackReceiver`: checks requests to the callback URL.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use ccfs::Timestamp;
use ccfs::proto::callback::{self, Begin, JobKey, MemoryGuard, Outcome, Receiver, ReplayGuard};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyString;

use crate::auth::{credentials, freshness, with_view};
use crate::headers::{Pairs, Query};
use crate::time::Now;

/// Checks callbacks, and remembers which jobs were accepted.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct CallbackReceiver {
    receiver: Receiver,
    guard: Mutex<MemoryGuard>,
}

#[pymethods]
impl CallbackReceiver {
    #[new]
    #[pyo3(signature = (access_key, secret_key, *, max_age=900.0))]
    fn new(
        access_key: &Bound<'_, PyString>,
        secret_key: &Bound<'_, PyString>,
        max_age: f64,
    ) -> PyResult<Self> {
        let receiver = Receiver::new(&credentials(access_key, secret_key)?);
        let receiver = receiver.freshness(freshness(max_age)?);
        Ok(Self { receiver, guard: Mutex::new(MemoryGuard::default()) })
    }

    /// Checks a request, and calls `store` with a callback that is new.
    #[pyo3(signature = (now, *, method, path, headers, body, store, query=None))]
    #[expect(clippy::too_many_arguments, reason = "they have names in Python")]
    fn receive(
        &self,
        now: Now,
        method: &str,
        path: &str,
        headers: Pairs,
        body: PyBackedBytes,
        store: &Bound<'_, PyAny>,
        query: Option<Query>,
    ) -> PyResult<Reception> {
        let mut failed = None;
        let keep = |callback: &callback::Callback| {
            let stored = store
                .call1((Callback(callback.clone()),))
                .and_then(|stored| Ok(stored.is_none() || stored.is_truthy()?));
            stored.unwrap_or_else(|error| {
                failed = Some(error);
                false
            })
        };
        let guard = &mut Shared(&self.guard);
        let outcome = with_view(method, path, &headers, query.as_ref(), Some(&body), |view| {
            self.receiver.receive(view, guard, now.0.wall, keep)
        });
        failed.map_or(Ok(Reception(outcome)), Err)
    }

    #[expect(clippy::unused_self, reason = "a method of Python")]
    fn __repr__(&self) -> &'static str {
        "<ccfs.CallbackReceiver>"
    }
}

/// A guard that is not locked while `store` runs.
struct Shared<'a>(&'a Mutex<MemoryGuard>);

impl Shared<'_> {
    fn with<R>(&self, work: impl FnOnce(&mut MemoryGuard) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ReplayGuard for Shared<'_> {
    type Error = Infallible;

    fn begin(&mut self, key: &JobKey, now: Timestamp) -> Result<Begin, Infallible> {
        self.with(|guard| guard.begin(key, now))
    }

    fn commit(&mut self, key: &JobKey, now: Timestamp) -> Result<bool, Infallible> {
        self.with(|guard| guard.commit(key, now))
    }

    fn roll_back(&mut self, key: &JobKey) -> Result<(), Infallible> {
        self.with(|guard| guard.roll_back(key))
    }
}

/// Result of checking a request to the callback URL.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Reception(Outcome<Infallible>);

#[pymethods]
impl Reception {
    #[getter]
    fn outcome(&self) -> &'static str {
        match self.0 {
            Outcome::Accepted(_) => "accepted",
            Outcome::Repeated => "repeated",
            Outcome::Busy => "busy",
            Outcome::Refused(_) => "refused",
            Outcome::GuardFailed(never) => match never {},
        }
    }

    #[getter]
    fn callback(&self) -> Option<Callback> {
        match &self.0 {
            Outcome::Accepted(callback) => Some(Callback(callback.clone())),
            _ => None,
        }
    }

    #[getter]
    fn status(&self) -> u16 {
        self.0.answer().status.as_u16()
    }

    #[getter]
    fn body(&self) -> &'static [u8] {
        self.0.answer().body.as_bytes()
    }

    #[getter]
    fn reason(&self) -> Option<String> {
        match &self.0 {
            Outcome::Refused(error) => Some(error.to_string()),
            _ => None,
        }
    }

    fn __repr__(&self) -> String {
        format!("<ccfs.Reception {}, status {}>", self.outcome(), self.status())
    }
}

/// A message that a file is ready.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Callback(callback::Callback);

#[pymethods]
impl Callback {
    #[getter]
    fn response_id(&self) -> &str {
        self.0.response_id.as_str()
    }

    #[getter]
    fn file_name(&self) -> &str {
        self.0.file_name.as_str()
    }

    #[getter]
    fn account_id(&self) -> Option<&str> {
        self.0.account_id.as_deref()
    }

    fn __repr__(&self) -> String {
        format!("<ccfs.Callback {}>", self.0.file_name)
    }
}
