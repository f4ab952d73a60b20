//! Times of Python.

use std::sync::LazyLock;
use std::time::Duration;

use ccfs::{Clock as _, LocalTime, SystemClock, Timestamp};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDateTime, PyTzInfo};

use crate::errors::invalid;

/// Returns a `datetime` without a time zone.
pub(crate) fn naive(
    py: Python<'_>,
    time: LocalTime,
    micros: u32,
) -> PyResult<Bound<'_, PyDateTime>> {
    datetime(py, time, micros, None)
}

/// Returns a `datetime` in UTC.
pub(crate) fn utc(py: Python<'_>, time: LocalTime, micros: u32) -> PyResult<Bound<'_, PyDateTime>> {
    datetime(py, time, micros, Some(&*PyTzInfo::utc(py)?))
}

fn datetime<'py>(
    py: Python<'py>,
    time: LocalTime,
    micros: u32,
    zone: Option<&Bound<'py, PyTzInfo>>,
) -> PyResult<Bound<'py, PyDateTime>> {
    let (day, year) = (time.day(), i32::from(time.day().year()));
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    PyDateTime::new(py, year, day.month(), day.day(), hour, minute, second, micros, zone)
}

/// Returns the timestamp as a `datetime` in UTC.
pub(crate) fn of_timestamp(py: Python<'_>, at: Timestamp) -> PyResult<Bound<'_, PyDateTime>> {
    let millis = u32::try_from(at.unix_millis().rem_euclid(1000)).unwrap_or_default();
    utc(py, at.utc(), millis * 1000)
}

/// Returns the instant of a `datetime` with a time zone, in whole milliseconds.
pub(crate) fn timestamp(time: &Bound<'_, PyDateTime>) -> PyResult<Timestamp> {
    static EPOCH: PyOnceLock<(Py<PyAny>, Py<PyAny>)> = PyOnceLock::new();
    let py = time.py();
    if time.getattr("tzinfo")?.is_none() {
        return Err(invalid(
            "the datetime has no time zone; pass datetime.now(timezone.utc), for example",
        ));
    }
    let (epoch, milli) = EPOCH.get_or_try_init(py, || {
        let epoch = PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&*PyTzInfo::utc(py)?))?;
        let milli = py.import("datetime")?.getattr("timedelta")?.call1((0, 0, 1000))?;
        Ok::<_, PyErr>((epoch.into_any().unbind(), milli.unbind()))
    })?;
    let millis = time.sub(epoch)?.floor_div(milli)?.extract()?;
    Ok(Timestamp::from_unix_millis(millis))
}

/// Returns a duration of seconds.
pub(crate) fn seconds(name: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| invalid(format!("{name} is {seconds}; pass a number of seconds from 0 on")))
}

/// The current time, as a driver of an exchange passes it.
#[pyclass(module = "ccfs", frozen, from_py_object)]
#[derive(Clone, Copy)]
pub(crate) struct Now(pub(crate) ccfs::proto::Now);

#[pymethods]
impl Now {
    #[new]
    fn new(wall: &Bound<'_, PyDateTime>, monotonic: f64) -> PyResult<Self> {
        let (wall, monotonic) = (timestamp(wall)?, seconds("monotonic", monotonic)?);
        Ok(Self(ccfs::proto::Now { wall, monotonic }))
    }

    /// Reads the clocks of the system.
    #[staticmethod]
    fn system() -> Self {
        static CLOCK: LazyLock<SystemClock> = LazyLock::new(SystemClock::new);
        Self(CLOCK.now())
    }

    #[getter]
    fn wall<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        of_timestamp(py, self.0.wall)
    }

    #[getter]
    fn monotonic(&self) -> f64 {
        self.0.monotonic.as_secs_f64()
    }

    fn __repr__(&self) -> String {
        format!("<ccfs.Now {}, {:.3} s>", self.0.wall, self.monotonic())
    }
}
