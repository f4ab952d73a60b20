//! What a failed call means for a pull: the one place where errors are judged, for every driver.

use ccfs_driver::Error;
use ccfs_proto::answer::{Advice, AnswerError};
use ccfs_proto::{ErrorKind, FailureKind, ResultCode};

use crate::scheduler::Trouble;

/// The judgement of errors.
impl Trouble {
    /// What it means that asking for a window's file failed; `None` when every other call would fail in the same way, so that the pull
    /// has to [stop](crate::Scheduler::stop).
    pub fn of_ask(error: &Error) -> Option<Self> {
        match error {
            Error::Stopped => Some(Self::BrokenOff),
            Error::Exchange(error) => match error.kind.root() {
                ErrorKind::ResultCode { code: ResultCode::TimeInFuture, .. } => {
                    Some(Self::TooEarly)
                }
                ErrorKind::ResultCode { code: ResultCode::NoData, .. } => Some(Self::NoData),
                ErrorKind::ResultCode { advice, .. } => match advice {
                    Advice::TryLater => Some(Self::Busy),
                    Advice::ServerFault | Advice::Unknown | Advice::NotFound => Some(Self::Faulty),
                    // What is wrong with one question is wrong with all.
                    _ => None,
                },
                ErrorKind::Refused { refusal, .. } => {
                    of_status(refusal.status.as_u16(), Self::Unanswered)
                }
                ErrorKind::Request(_) => None,
                ErrorKind::Transport(failure) => match failure.kind() {
                    FailureKind::Tls(_) => None,
                    kind if kind.never_arrived() => Some(Self::Offline),
                    // It may have arrived, and a job may run whose ID nobody will ever know.
                    _ => Some(Self::Unanswered),
                },
                _ => Some(Self::Unanswered),
            },
            _ => None,
        }
    }

    /// What it means that a file could not be had: downloaded, checked ([`Error::Rejected`] with the error of `ccfs-archive`), converted;
    /// `None` as above.
    pub fn of_fetch(error: &Error) -> Option<Self> {
        match error {
            Error::Stopped => Some(Self::BrokenOff),
            Error::Rejected(cause) => match cause.downcast_ref::<ccfs_archive::Error>() {
                Some(ccfs_archive::Error::Zip(_)) => Some(Self::Damaged),
                Some(ccfs_archive::Error::Io(_)) => None,
                // Sound, and of no use: its rows, or its size. The same bytes would come again.
                _ => Some(Self::Refused),
            },
            Error::Exchange(error) => match error.kind.root() {
                ErrorKind::ResultCode { code: ResultCode::NoData, .. } => Some(Self::NoData),
                // The date may be that of a day which is none for the server.
                ErrorKind::ResultCode { code: ResultCode::FileNameDate, .. } => {
                    Some(Self::NotThere)
                }
                ErrorKind::ResultCode { advice, .. } => match advice {
                    Advice::TryLater => Some(Self::Busy),
                    Advice::NotFound => Some(Self::NotThere),
                    Advice::ServerFault | Advice::Unknown => Some(Self::Faulty),
                    Advice::WrongAccount => None,
                    _ => Some(Self::Refused),
                },
                ErrorKind::Refused { refusal, .. } => {
                    of_status(refusal.status.as_u16(), Self::Faulty)
                }
                ErrorKind::Request(_) => None,
                ErrorKind::Transport(failure) if matches!(failure.kind(), FailureKind::Tls(_)) => {
                    None
                }
                ErrorKind::Answer(AnswerError::Truncated { declared: None, .. }) => {
                    Some(Self::Damaged)
                }
                ErrorKind::Answer(AnswerError::FileTooLarge { .. }) => Some(Self::Refused),
                ErrorKind::Answer(AnswerError::Truncated { .. })
                | ErrorKind::Transport(_)
                | ErrorKind::TotalTimeout { .. } => Some(Self::Offline),
                _ => Some(Self::Faulty),
            },
            _ => None,
        }
    }
}

fn of_status(status: u16, in_between: Trouble) -> Option<Trouble> {
    match status {
        429 | 503 => Some(Trouble::Busy),
        500..=599 => Some(in_between),
        // 401 and 403 above all: another bad signature brings the lock nearer.
        _ => None,
    }
}
