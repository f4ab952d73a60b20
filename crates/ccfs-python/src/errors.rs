//! Errors as exceptions of `ccfs._errors`.

use ccfs::arrow::arrow_schema::ArrowError;
use ccfs::proto::auth::VerifyError;
use ccfs::proto::exchange::OutOfTurn;
use ccfs::pull::{JournalError, PullError, TaskFailure};
use ccfs::{Error, ExchangeError, FileError, archive};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyType};

/// A class of `ccfs._errors`.
#[derive(Clone, Copy)]
pub(crate) enum Class {
    Error,
    Auth,
    Server,
    Network,
    Data,
    Signature,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "Error",
            Self::Auth => "AuthError",
            Self::Server => "ServerError",
            Self::Network => "NetworkError",
            Self::Data => "DataError",
            Self::Signature => "SignatureError",
        }
    }

    fn object(self, py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        static CLASSES: [PyOnceLock<Py<PyType>>; 6] = [const { PyOnceLock::new() }; 6];
        CLASSES[self as usize].import(py, "ccfs._errors", self.name())
    }

    /// Creates an exception with the attributes that all classes have.
    pub(crate) fn error_with(self, code: &str, message: &str, details: &Details<'_>) -> PyErr {
        Python::attach(|py| {
            let create = || {
                let named = [
                    ("code", code.into_pyobject(py)?.into_any()),
                    ("result_code", details.result_code.into_pyobject(py)?),
                    ("status", details.status.into_pyobject(py)?),
                    ("retryable", details.retryable.into_pyobject(py)?.to_owned().into_any()),
                ];
                let named = named.into_py_dict(py)?;
                if let Some(at) = details.at {
                    named.set_item("member", at.member.as_deref())?;
                    named.set_item("line", at.line)?;
                    named.set_item("column", at.column)?;
                    named.set_item("column_name", at.column_name)?;
                }
                self.object(py)?.call((message,), Some(&named))
            };
            create().map_or_else(|error| error, PyErr::from_value)
        })
    }

    /// Creates an exception that no answer of the server caused.
    pub(crate) fn error(self, code: &str, message: &str) -> PyErr {
        self.error_with(code, message, &Details::default())
    }
}

/// Attributes of an exception.
#[derive(Default)]
pub(crate) struct Details<'a> {
    result_code: Option<&'a str>,
    status: Option<u16>,
    retryable: bool,
    at: Option<&'a archive::Position>,
}

/// An invalid argument.
pub(crate) fn invalid(message: impl ToString) -> PyErr {
    PyValueError::new_err(message.to_string())
}

/// The request is not valid, and nothing was sent.
pub(crate) fn invalid_request(message: impl ToString) -> PyErr {
    Class::Error.error("invalid_request", &message.to_string())
}

pub(crate) fn of_archive(error: archive::Error) -> PyErr {
    let message = error.to_string();
    let at = match error {
        archive::Error::Io(error) => return error.into(),
        archive::Error::Row(row) => Some(row.at),
        archive::Error::Limit { at, .. } => Some(at),
        archive::Error::NotIndexFile(file) => Some(file.at),
        _ => None,
    };
    Class::Data.error_with("data", &message, &Details { at: at.as_ref(), ..Details::default() })
}

/// Converts an error of reading batches, which contains an error of the archive or of a file.
pub(crate) fn of_arrow(error: ArrowError) -> PyErr {
    let source = match error {
        ArrowError::ExternalError(source) => source,
        // The names of columns are an argument.
        ArrowError::SchemaError(message) => return invalid(message),
        other => return Class::Data.error("data", &other.to_string()),
    };
    let source = match source.downcast::<archive::Error>() {
        Ok(error) => return of_archive(*error),
        Err(source) => source,
    };
    match source.downcast::<std::io::Error>() {
        Ok(error) => (*error).into(),
        Err(source) => Class::Data.error("data", &source.to_string()),
    }
}

pub(crate) fn of_call(error: &Error) -> PyErr {
    match error {
        Error::Exchange(error) => of_exchange(error),
        Error::Rejected(cause) if cause.is::<TaskFailure>() => {
            cause.downcast_ref().map_or_else(|| invalid(error), of_task)
        }
        Error::Rejected(_) => Class::Data.error(error.code(), &error.to_string()),
        _ => Class::Error.error(error.code(), &error.to_string()),
    }
}

pub(crate) fn of_exchange(error: &ExchangeError) -> PyErr {
    let class = match () {
        () if error.is_auth() => Class::Auth,
        () if error.is_network() => Class::Network,
        () if error.code() == "invalid_request" => Class::Error,
        () => Class::Server,
    };
    let details = Details {
        result_code: error.result_code().map(ccfs::ResultCode::as_str),
        status: error.status().map(|status| status.as_u16()),
        retryable: error.is_retryable(),
        at: None,
    };
    class.error_with(error.code(), &error.to_string(), &details)
}

/// The class that the error would have if the task's call was made here.
fn of_task(failure: &TaskFailure) -> PyErr {
    let class = match (failure.code.as_str(), failure.status) {
        (_, Some(401 | 403)) => Class::Auth,
        ("file" | "file_exists" | "stopped" | "driver" | "task" | "invalid_request", _) => {
            Class::Error
        }
        ("rejected", _) => Class::Data,
        _ if failure.is_network => Class::Network,
        _ => Class::Server,
    };
    let details = Details {
        result_code: failure.result_code.as_deref(),
        status: failure.status,
        retryable: failure.is_retryable,
        at: None,
    };
    class.error_with(&failure.code, &failure.message, &details)
}

pub(crate) fn of_file(error: FileError) -> PyErr {
    of_call(&Error::File(error))
}

/// Converts an error of a pull. The error of a call keeps its class and attributes; the message
/// also has the window.
pub(crate) fn of_pull(error: PullError) -> PyErr {
    let message = error.to_string();
    match error {
        PullError::Plan(_) | PullError::Journal(JournalError::OtherPlan { .. }) => invalid(message),
        PullError::Call { source, .. } | PullError::GaveUp { source: Some(source), .. } => {
            with_message(of_call(&source), &message)
        }
        PullError::Task { source, .. } => with_message(of_task(&source), &message),
        PullError::NoReport { source, .. } => {
            let error = Class::Error.error("executor", &message);
            if let Ok(cause) = source.downcast::<PyErr>() {
                Python::attach(|py| error.set_cause(py, Some(*cause)));
            }
            error
        }
        PullError::GaveUp { .. } => Class::Network.error("network", &message),
        PullError::Stopped => Class::Error.error("stopped", &message),
        _ => Class::Error.error("file", &message),
    }
}

fn with_message(error: PyErr, message: &str) -> PyErr {
    Python::attach(|py| {
        let set = error.value(py).setattr("args", (message,));
        set.map_or_else(|error| error, |()| error)
    })
}

/// The same word as in the errors of `ccfs verify --json`.
pub(crate) fn of_signature(error: &VerifyError) -> PyErr {
    Class::Signature.error("authentication", &error.to_string())
}

/// The driver called a method out of turn.
pub(crate) fn of_turn(error: OutOfTurn) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}
