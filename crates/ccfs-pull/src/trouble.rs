//! Classifies the errors of calls, for every driver.

use ccfs_archive::ZipFault;
use ccfs_driver::Error;
use ccfs_proto::answer::{Advice, AnswerError};
use ccfs_proto::{ErrorKind, FailureKind, ResultCode};

use crate::scheduler::Trouble;

/// Classification of errors.
impl Trouble {
    /// Classifies the error of a request for a window's file. Returns `None` if every further call
    /// would fail in the same way, so that the pull has to [stop](crate::Scheduler::stop).
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
                    // The range of this request: another may be accepted.
                    Advice::FixRequest => Some(Self::Refused),
                    // Every request has the same fault.
                    _ => None,
                },
                ErrorKind::Refused { refusal, .. } => {
                    of_status(refusal.status.as_u16(), Self::Unanswered)
                }
                ErrorKind::Request(_) => None,
                ErrorKind::Transport(failure) => match failure.kind() {
                    // A server that restarts may send anything for a moment.
                    FailureKind::InvalidHttp => Some(Self::Unanswered),
                    kind if kind.is_permanent() => None,
                    kind if kind.never_arrived() => Some(Self::Offline),
                    // It may have arrived, and a job may run whose ID is lost.
                    _ => Some(Self::Unanswered),
                },
                _ => Some(Self::Unanswered),
            },
            _ => None,
        }
    }

    /// Classifies the error of a download, a check or a conversion. `None` as for
    /// [`of_ask`](Self::of_ask).
    ///
    /// [`Error::Rejected`] holds the error of `ccfs-archive`. Damage that a transfer may have
    /// caused is [`Damaged`](Self::Damaged), any other error of the archive is
    /// [`Refused`](Self::Refused).
    pub fn of_fetch(error: &Error) -> Option<Self> {
        #[cfg(feature = "blocking")]
        if let Some(failure) = crate::TaskFailure::of(error) {
            return failure.trouble;
        }
        match error {
            Error::Stopped => Some(Self::BrokenOff),
            #[cfg(feature = "blocking")]
            Error::Rejected(cause) if cause.is::<crate::task_failure::NoReport>() => None,
            Error::Rejected(cause) => match cause.downcast_ref::<ccfs_archive::Error>() {
                Some(ccfs_archive::Error::Io(_)) => None,
                Some(ccfs_archive::Error::Zip(error)) if is_transfer_damage(&error.fault) => {
                    Some(Self::Damaged)
                }
                // The server would send the same bytes again.
                _ => Some(Self::Refused),
            },
            Error::Exchange(error) => match error.kind.root() {
                ErrorKind::ResultCode { code: ResultCode::NoData, .. } => Some(Self::NoData),
                // The server may not know this day.
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
                ErrorKind::Transport(failure)
                    if failure.kind().is_permanent()
                        && failure.kind() != FailureKind::InvalidHttp =>
                {
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

/// Whether the archive cannot be used with these options, and downloading it again would not change
/// that.
pub(crate) fn is_rejected(error: &ccfs_archive::Error) -> bool {
    match error {
        ccfs_archive::Error::Zip(error) => !is_transfer_damage(&error.fault),
        ccfs_archive::Error::NoMember { .. }
        | ccfs_archive::Error::Row(_)
        | ccfs_archive::Error::NotIndexFile(_)
        | ccfs_archive::Error::Limit { .. } => true,
        _ => false,
    }
}

/// Whether bytes that were lost or changed in transfer may have caused the fault.
fn is_transfer_damage(fault: &ZipFault) -> bool {
    match fault {
        ZipFault::TrailingJunk { .. }
        | ZipFault::LeadingJunk
        | ZipFault::Gap
        | ZipFault::Overlap
        | ZipFault::Duplicate
        | ZipFault::TwoEnds
        | ZipFault::SeveralDisks
        | ZipFault::Encrypted
        | ZipFault::Method { .. }
        | ZipFault::Link
        | ZipFault::Name { .. }
        | ZipFault::StoredStream => false,
        // Includes `Differs`: a changed byte in one of the two places is enough.
        _ => true,
    }
}

fn of_status(status: u16, in_between: Trouble) -> Option<Trouble> {
    match status {
        429 | 503 => Some(Trouble::Busy),
        500..=599 => Some(in_between),
        // Bad signatures lock the address, so 401 and 403 stop the pull.
        _ => None,
    }
}
