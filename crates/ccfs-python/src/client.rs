//! `ccfs.Client`: a blocking client.

use std::path::PathBuf;
use std::{env, fs};

use ccfs::archive::{IndexKind, ReadOptions};
use ccfs::proto::answer::Expected;
use ccfs::proto::operation::Received;
use ccfs::proto::{AnyOperation, Operation as _, Policy};
use ccfs::pull::{Pace, Plan};
use ccfs::{
    Config, Credentials, Endpoint, Error, FileReceipt, Identity, Overwrite, Pin, Trust,
    check_setting,
};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMapping, PyString};

use crate::answer;
use crate::arguments::{text, whole};
use crate::auth::query_line_of;
use crate::errors::{invalid, of_call};
use crate::exchange::policy;
use crate::executor::Executor;
use crate::options::{kind as kind_of, on_bad_row as action_of, zone};
use crate::pull::{self, DayOf, Summary};
use crate::time::seconds;
use crate::work::{self, StoppableClock};

/// A blocking client of a CC-FS server.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Client {
    client: ccfs::Client,
    /// For pulls, which retry by themselves, over all their calls.
    pub(crate) pulling: ccfs::Client,
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (
        endpoint, access_key, secret_key, *, ca=None, pin_sha256=None, client_cert=None,
        client_key=None, query_line="omit", max_retries=3, connect_timeout=15.0, idle_timeout=60.0,
        total_timeout=1800.0,
    ))]
    #[expect(clippy::too_many_arguments, reason = "they have names in Python")]
    fn new(
        py: Python<'_>,
        endpoint: &Bound<'_, PyString>,
        access_key: &Bound<'_, PyString>,
        secret_key: &Bound<'_, PyString>,
        ca: Option<Pem>,
        pin_sha256: Option<Pins>,
        client_cert: Option<Pem>,
        client_key: Option<Pem>,
        query_line: &str,
        max_retries: i64,
        connect_timeout: f64,
        idle_timeout: f64,
        total_timeout: f64,
    ) -> PyResult<Self> {
        let (endpoint, access_key) = (text("endpoint", endpoint)?, text("access_key", access_key)?);
        let secret_key = text("secret_key", secret_key)?;
        for (name, text) in
            [("endpoint", &endpoint), ("access_key", &access_key), ("secret_key", &secret_key)]
        {
            check_setting(text).map_err(|stray| invalid(format!("{name} {stray}")))?;
        }
        let credentials = Credentials::from_text(&access_key, secret_key).map_err(invalid)?;
        let endpoint: Endpoint = endpoint.parse().map_err(invalid)?;
        let trust = trust(ca, pin_sha256, client_cert, client_key)?;
        let policy = policy(query_line, max_retries, idle_timeout, total_timeout)?;
        let config = Config::new(endpoint, credentials)
            .connect_timeout(seconds("connect_timeout", connect_timeout)?)
            .policy(policy.clone())
            .clock(StoppableClock::default());
        py.detach(|| Self::with(config.clone(), config.policy(policy.max_retries(0)), &trust))
    }

    /// Creates the client of the command's environment variables.
    #[staticmethod]
    fn from_env(py: Python<'_>) -> PyResult<Self> {
        let config = Config::from_env().map_err(invalid)?.clock(StoppableClock::default());
        let trust = Trust::from_env().map_err(invalid)?;
        // Valid, because `Config` accepted it.
        let variable = env::var("CCFS_QUERY_LINE").ok().filter(|text| !text.is_empty());
        let query_line = query_line_of(variable.as_deref().unwrap_or("omit"))?;
        let pulling = Policy::default().query_line(query_line).max_retries(0);
        py.detach(|| Self::with(config.clone(), config.policy(pulling), &trust))
    }

    /// Calls an interface that answers with JSON.
    #[pyo3(signature = (interface, /, **fields))]
    fn call(
        &self,
        py: Python<'_>,
        interface: &str,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyDict>> {
        let operation = answer::operation(interface, fields.map(PyDictMethods::as_mapping))?;
        if matches!(operation.expected(), Expected::File(_)) {
            return Err(invalid(format!("{interface} answers with a file; use fetch or download")));
        }
        let client = self.client.clone();
        let received: Result<Received, Error> =
            work::run::<(), _>(py, None, move |_| client.call(operation))?;
        answer::of(py, &received.map_err(|error| of_call(&error))?)
    }

    /// Downloads an index file.
    #[pyo3(signature = (name, target, *, kind="agentSkillInfo", overwrite=false, progress=None))]
    fn download(
        &self,
        py: Python<'_>,
        name: &str,
        target: PathBuf,
        kind: &str,
        overwrite: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyDict>> {
        let (interface, field) = match kind_of(kind)? {
            IndexKind::AgentOprInfo => ("downloadAgentOprInfoFile", "agentOprInfoFileName"),
            IndexKind::Record | IndexKind::Call => ("downloadBillFile", "billFileName"),
            _ => ("downloadAgentSkillInfoFile", "agentSkillInfoFileName"),
        };
        let fields = PyDict::new(py);
        fields.set_item(field, name)?;
        self.fetch(py, interface, target, Some(fields.as_mapping()), overwrite, progress)
    }

    /// Calls an interface that answers with a file, and writes the file.
    #[pyo3(signature = (interface, target, fields=None, *, overwrite=false, progress=None))]
    fn fetch(
        &self,
        py: Python<'_>,
        interface: &str,
        target: PathBuf,
        fields: Option<&Bound<'_, PyMapping>>,
        overwrite: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyDict>> {
        let operation = answer::operation(interface, fields)?.into_download();
        let operation: AnyOperation<FileReceipt> = operation
            .ok_or_else(|| invalid(format!("{interface} does not answer with a file; use call")))?;
        let overwrite = if overwrite { Overwrite::Replace } else { Overwrite::Refuse };
        let client = self.client.clone();
        let receipt = work::run(py, progress, move |reporter| {
            client
                .download(operation)
                .overwrite(overwrite)
                .progress(|progress| reporter.report(Progress(progress)))
                .to_file(target)
        })?;
        answer::of_file(py, receipt.map_err(|error| of_call(&error))?)
    }

    /// Downloads the files of several days into a folder.
    #[pyo3(signature = (
        *, from_, to, tz, out, kind="agentSkillInfo", convert=None, account_id=None,
        keep_zip=true, moved=false, recheck_days=0, again=None, window_days=None, in_flight=4,
        on_bad_row="stop", state=None, progress=None, executor=None, worker_client=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "they have names in Python")]
    fn pull(
        &self,
        py: Python<'_>,
        from_: DayOf,
        to: DayOf,
        tz: &str,
        out: PathBuf,
        kind: &str,
        convert: Option<&str>,
        account_id: Option<String>,
        keep_zip: bool,
        moved: bool,
        recheck_days: i64,
        again: Option<(DayOf, DayOf)>,
        window_days: Option<i64>,
        in_flight: i64,
        on_bad_row: &str,
        state: Option<PathBuf>,
        progress: Option<Py<PyAny>>,
        executor: Option<Py<PyAny>>,
        worker_client: Option<Py<PyAny>>,
    ) -> PyResult<Summary> {
        let mut plan = Plan::new(kind_of(kind)?, zone(tz)?, from_.0, to.0)
            .keep_zip(keep_zip)
            .moved(moved)
            .recheck_days(whole("recheck_days", recheck_days, 0..=u16::MAX.into())?)
            .read_options(ReadOptions::new().on_bad_row(action_of(on_bad_row)?));
        if let Some(name) = convert {
            plan = plan.convert(pull::format(name)?);
        }
        if let Some(account_id) = account_id {
            plan = plan.account_id(account_id);
        }
        if let Some((DayOf(from), DayOf(to))) = again {
            if from > to {
                return Err(invalid(format!("again: the range from {from} to {to} is reversed")));
            }
            plan = plan.again(from, to);
        }
        if let Some(days) = window_days {
            plan = plan.window_days(whole("window_days", days, 1..=31)?);
        }
        let most = i64::try_from(Pace::IN_FLIGHT_LIMIT).unwrap_or(i64::MAX);
        let in_flight = whole("in_flight", in_flight, 1..=most)?;
        let pace = Pace { in_flight, ..Pace::default() };
        let (pull, client) = (pull::into(plan, out, state)?.pace(pace), self.pulling.clone());
        if executor.is_none() && worker_client.is_some() {
            return Err(invalid("worker_client needs an executor; pass executor, too"));
        }
        let executor = executor.map(|executor| Executor::new(executor, worker_client));
        pull::run(py, client, pull, executor, progress)
    }

    /// The server and the access key.
    fn __repr__(&self) -> String {
        let session = self.client.session();
        format!("<ccfs.Client {} {}>", session.endpoint(), session.access_key())
    }
}

impl Client {
    fn with(config: Config, pulling: Config, trust: &Trust) -> PyResult<Self> {
        let client = |config| ccfs::Client::with_trust(config, trust).map_err(invalid);
        Ok(Self { client: client(config)?, pulling: client(pulling)? })
    }
}

/// Text in PEM: a path, or bytes.
struct Pem(Vec<u8>);

impl<'py> FromPyObject<'_, 'py> for Pem {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyBytes>() || value.is_instance_of::<PyByteArray>() {
            return Ok(Self(value.extract::<PyBackedBytes>()?.to_vec()));
        }
        let path: PathBuf = value.extract()?;
        let read = fs::read(&path);
        Ok(Self(read.map_err(|error| {
            std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?))
    }
}

/// One pin, or several.
struct Pins(Vec<String>);

impl<'py> FromPyObject<'_, 'py> for Pins {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let one = value.is_instance_of::<PyString>();
        Ok(Self(if one { vec![value.extract()?] } else { value.extract()? }))
    }
}

fn trust(
    ca: Option<Pem>,
    pins: Option<Pins>,
    certificate: Option<Pem>,
    key: Option<Pem>,
) -> PyResult<Trust> {
    let mut trust = Trust::system();
    if let Some(Pem(pem)) = ca {
        trust = trust.add_pem(&pem).map_err(|error| invalid(format!("ca: {error}")))?;
    }
    for pin in pins.into_iter().flat_map(|pins| pins.0) {
        let pin: Pin = pin.parse().map_err(|error| invalid(format!("pin_sha256: {error}")))?;
        trust = trust.pin(pin);
    }
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            let identity = Identity::from_pem(&certificate.0, &key.0);
            Ok(trust.identity(identity.map_err(|error| invalid(format!("client_cert: {error}")))?))
        }
        (None, None) => Ok(trust),
        _ => Err(invalid("a client certificate needs its key; pass client_cert and client_key")),
    }
}

/// Progress of a download.
#[pyclass(module = "ccfs", frozen)]
pub(crate) struct Progress(ccfs::Progress);

#[pymethods]
impl Progress {
    #[getter]
    fn attempts(&self) -> u32 {
        self.0.attempts
    }

    #[getter]
    fn received(&self) -> u64 {
        self.0.received
    }

    #[getter]
    fn declared(&self) -> Option<u64> {
        self.0.declared
    }

    fn __repr__(&self) -> String {
        format!("<ccfs.Progress {} bytes>", self.0.received)
    }
}
