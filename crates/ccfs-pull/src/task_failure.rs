//! Failures of tasks in other processes, as causes of errors.

use std::error::Error as StdError;
use std::time::Duration;

use ccfs_driver::Error;
use serde::{Deserialize, Serialize};

use crate::scheduler::Trouble;

/// Why a [`FetchTask`](crate::FetchTask) failed. The pull treats it as a failure of its own download.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
#[non_exhaustive]
pub struct TaskFailure {
    /// The class of the failure; `None` if every further call would fail in the same way.
    pub trouble: Option<Trouble>,
    /// The error.
    pub message: String,
    /// A stable word for the failure: see [`Error::code`], and `task` for a task that does not fit
    /// the process that runs it.
    pub code: String,
    /// The server's result code, if it is the cause.
    pub result_code: Option<String>,
    /// The HTTP status, if it is the cause.
    pub status: Option<u16>,
    /// Whether the same call may succeed later.
    pub is_retryable: bool,
    /// Whether the connection failed.
    pub is_network: bool,
    /// How long the server wants the client to wait.
    pub retry_after: Option<Duration>,
    /// Whether the unusable file was kept.
    pub(crate) is_kept: bool,
}

impl TaskFailure {
    /// Returns the failure of another process that is the cause of an error.
    pub(crate) fn of(error: &Error) -> Option<&Self> {
        match error {
            Error::Rejected(cause) => cause.downcast_ref(),
            _ => None,
        }
    }
}

/// The caller's function returned no report, but an error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoReport(pub(crate) Box<dyn StdError + Send + Sync>);
