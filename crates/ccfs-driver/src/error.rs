//! Errors and progress of a call.

use std::io;

use ccfs_proto::exchange::{OutOfTurn, RequestError};
use ccfs_proto::{ExchangeError, ResultCode};
use http::StatusCode;

use crate::whole_file::FileError;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request breaks the interface's rules. Nothing was sent.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The call failed, after all retries.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The downloaded bytes could not be written.
    #[error("could not write the download: {0}")]
    Write(#[source] io::Error),
    /// The file could not be created or renamed, or exists already.
    #[error(transparent)]
    File(#[from] FileError),
    /// The caller's check of the downloaded file failed. The file was not kept.
    #[error("downloaded file was rejected and not kept: {0}")]
    Rejected(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The caller's progress function stopped the call.
    #[error("download stopped by the progress function")]
    Stopped,
    /// The driver has a bug. Please report it.
    #[error("bug in the driver, please report it: {0}")]
    Driver(#[from] OutOfTurn),
}

impl Error {
    /// Returns the error of the exchange, if it is the cause: the kind of failure, the number of
    /// attempts, and the server's result code.
    pub fn exchange(&self) -> Option<&ExchangeError> {
        match self {
            Self::Exchange(error) => Some(error),
            _ => None,
        }
    }

    /// Returns a stable word for the failure, in lower case with underscores: those of
    /// [`ErrorKind::code`](ccfs_proto::ErrorKind::code), and
    ///
    /// | code | failure |
    /// |---|---|
    /// | `file` | the file could not be created, written or renamed |
    /// | `file_exists` | the file exists already |
    /// | `rejected` | the caller's check of the file failed |
    /// | `stopped` | the progress function stopped the call |
    /// | `driver` | a bug in the driver |
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(_) => "invalid_request",
            Self::Exchange(error) => error.code(),
            Self::File(FileError::Exists { .. }) => "file_exists",
            Self::Write(_) | Self::File(_) => "file",
            Self::Rejected(_) => "rejected",
            Self::Stopped => "stopped",
            Self::Driver(_) => "driver",
        }
    }

    /// Returns whether the same call may succeed later. See
    /// [`ExchangeError::is_retryable`].
    pub fn is_retryable(&self) -> bool {
        self.exchange().is_some_and(ExchangeError::is_retryable)
    }

    /// Returns whether authentication failed: HTTP 401 or 403.
    pub fn is_auth(&self) -> bool {
        self.exchange().is_some_and(ExchangeError::is_auth)
    }

    /// Returns the server's result code, if it is the cause.
    pub fn result_code(&self) -> Option<&ResultCode> {
        self.exchange()?.result_code()
    }

    /// Returns the HTTP status, if it is the cause.
    pub fn status(&self) -> Option<StatusCode> {
        self.exchange()?.status()
    }
}

/// Progress of a call. Each attempt starts again at zero bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Requests sent so far.
    pub attempts: u32,
    /// Bytes of the response body received in the latest attempt.
    pub received: u64,
    /// Length of the body in bytes that the server declared, if any.
    pub declared: Option<u64>,
}

impl Progress {
    /// Returns the progress of an exchange.
    pub fn of<O: ccfs_proto::Operation>(exchange: &ccfs_proto::Exchange<O>) -> Self {
        let (received, declared) = exchange.progress();
        Self { attempts: exchange.attempts(), received, declared }
    }
}
