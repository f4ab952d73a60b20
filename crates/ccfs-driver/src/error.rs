//! How a driven call can fail, and how it reports on the way.

use std::io;

use ccfs_proto::{ExchangeError, OutOfTurn, RequestError};

use crate::whole_file::FileError;

/// Why a driven call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request breaks the interface's rules. Nothing was sent.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The call failed; the exchange says how.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// What takes the file's bytes failed.
    #[error("writing the download failed: {0}")]
    Write(#[source] io::Error),
    /// The file on disk failed, or was there already.
    #[error(transparent)]
    File(#[from] FileError),
    /// The caller's check of the whole file said no. Nothing was put in place.
    #[error("the download is not what it should be and was not kept: {0}")]
    Rejected(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The caller's progress function stopped the call.
    #[error("the call was stopped by its progress function")]
    Stopped,
    /// The driver is wrong. Please report it.
    #[error("a mistake in the driver, please report it: {0}")]
    Driver(#[from] OutOfTurn),
}

impl Error {
    /// The exchange's error, where it is one: the kind of the failure, the attempts, and what the server said.
    pub fn exchange(&self) -> Option<&ExchangeError> {
        match self {
            Self::Exchange(error) => Some(error),
            _ => None,
        }
    }
}

/// How far a call is, for whoever shows it. A new attempt begins with no bytes again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Requests sent so far.
    pub attempts: u32,
    /// Bytes of the body that have come in this attempt.
    pub received: u64,
    /// The body's length as the server declared it.
    pub declared: Option<u64>,
}

impl Progress {
    /// The progress of an exchange.
    pub fn of<O: ccfs_proto::Operation>(exchange: &ccfs_proto::Exchange<O>) -> Self {
        let (received, declared) = exchange.progress();
        Self { attempts: exchange.attempts(), received, declared }
    }
}
