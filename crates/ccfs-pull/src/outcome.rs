//! What a failed call means for a pull: the one place where errors are judged, for both drivers.

use ccfs_driver::Error;
use ccfs_proto::{Advice, AnswerError, ErrorKind, ResultCode, TransportFailure};

use crate::machine::Trouble;

/// Another call would fail in the same way: the pull stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fatal;

/// What it means that asking for a window failed.
pub(crate) fn of_ask(error: &Error) -> Result<Trouble, Fatal> {
    match error {
        Error::Stopped => Ok(Trouble::BrokenOff),
        Error::Exchange(error) => match error.kind.root() {
            ErrorKind::ResultCode { code: ResultCode::TimeInFuture, .. } => Ok(Trouble::TooEarly),
            ErrorKind::ResultCode { code: ResultCode::NoData, .. } => Ok(Trouble::NoData),
            ErrorKind::ResultCode { code, .. } => match code.advice() {
                Advice::TryLater => Ok(Trouble::Busy),
                Advice::ServerFault | Advice::Unknown | Advice::NotThere => Ok(Trouble::Faulty),
                // What is wrong with one question is wrong with all.
                _ => Err(Fatal),
            },
            ErrorKind::Refused { refusal, .. } => of_status(refusal.status.as_u16(), Trouble::Unanswered),
            ErrorKind::Transport(TransportFailure::Tls(_)) | ErrorKind::Request(_) => Err(Fatal),
            ErrorKind::Transport(failure) if failure.never_arrived() => Ok(Trouble::Offline),
            // It may have arrived, and a job may run whose id nobody will ever know.
            _ => Ok(Trouble::Unanswered),
        },
        _ => Err(Fatal),
    }
}

/// What it means that a file could not be had.
pub(crate) fn of_fetch(error: &Error) -> Result<Trouble, Fatal> {
    match error {
        Error::Stopped => Ok(Trouble::BrokenOff),
        Error::Rejected(cause) => match cause.downcast_ref::<ccfs_archive::Error>() {
            Some(ccfs_archive::Error::Zip(_)) => Ok(Trouble::Damaged),
            Some(ccfs_archive::Error::Io(_)) => Err(Fatal),
            // Sound, and of no use: its rows, or its size. The same bytes would come again.
            _ => Ok(Trouble::Refused),
        },
        Error::Exchange(error) => match error.kind.root() {
            ErrorKind::ResultCode { code: ResultCode::NoData, .. } => Ok(Trouble::NoData),
            // The date may be that of a day which is none for the server.
            ErrorKind::ResultCode { code: ResultCode::FileNameDate, .. } => Ok(Trouble::NotThere),
            ErrorKind::ResultCode { code, .. } => match code.advice() {
                Advice::TryLater => Ok(Trouble::Busy),
                Advice::NotThere => Ok(Trouble::NotThere),
                Advice::ServerFault | Advice::Unknown => Ok(Trouble::Faulty),
                Advice::WrongAccount => Err(Fatal),
                _ => Ok(Trouble::Refused),
            },
            ErrorKind::Refused { refusal, .. } => of_status(refusal.status.as_u16(), Trouble::Faulty),
            ErrorKind::Transport(TransportFailure::Tls(_)) | ErrorKind::Request(_) => Err(Fatal),
            ErrorKind::Answer(AnswerError::Truncated { declared: None, .. }) => Ok(Trouble::Damaged),
            ErrorKind::Answer(AnswerError::FileTooLarge { .. }) => Ok(Trouble::Refused),
            ErrorKind::Answer(AnswerError::Truncated { .. }) | ErrorKind::Transport(_) | ErrorKind::Deadline { .. } => Ok(Trouble::Offline),
            _ => Ok(Trouble::Faulty),
        },
        _ => Err(Fatal),
    }
}

fn of_status(status: u16, in_between: Trouble) -> Result<Trouble, Fatal> {
    match status {
        429 | 503 => Ok(Trouble::Busy),
        500..=599 => Ok(in_between),
        // 401 and 403 above all: another bad signature brings the lock nearer.
        _ => Err(Fatal),
    }
}
