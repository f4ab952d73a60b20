//! Failures of commands: a message, one word for scripts, an exit code.

use std::fmt;
use std::io;
use std::path::Path;

use ccfs::{Error, ErrorKind, ExchangeError, FileError};

use crate::interrupt;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// The word in `--json` errors: of the failed call (`ccfs::Error::code`), otherwise the kind's.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) result_code: Option<String>,
    /// What a person may do next, beyond the message.
    pub(crate) hint: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Refused,
    Data,
    File,
    Usage,
    Network,
    Authentication,
    Interrupted,
    /// The reader of stdout closed the pipe. That is not an error, and there is no message.
    PipeClosed,
}

impl Kind {
    /// The word in `--json` errors that are not of a call.
    fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Data => "data",
            Self::File => "file",
            Self::Usage => "usage",
            Self::Network => "network",
            Self::Authentication => "authentication",
            Self::Interrupted => "interrupted",
            Self::PipeClosed => "pipe",
        }
    }

    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::PipeClosed => 0,
            Self::Refused | Self::Data | Self::File => 1,
            Self::Usage => 2,
            Self::Network => 3,
            Self::Authentication => 4,
            Self::Interrupted => interrupt::exit_code(),
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl fmt::Display) -> Self {
        let code = kind.word();
        Self { kind, code, message: message.to_string(), result_code: None, hint: None }
    }

    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn data(message: impl fmt::Display) -> Self {
        Self::new(Kind::Data, message)
    }

    pub(crate) fn file(message: impl fmt::Display) -> Self {
        Self::new(Kind::File, message)
    }

    /// Describes why a file cannot be read, written, and so on.
    pub(crate) fn cannot(verb: &str, path: &Path) -> impl Fn(io::Error) -> Self + Copy {
        move |error| Self::file(format_args!("cannot {verb} {}: {error}", path.display()))
    }

    pub(crate) fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// Writing to stdout failed.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Kind::PipeClosed, ""),
            _ => Self::file(format_args!("stdout cannot be written: {error}")),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = error.code();
        let failure = match error {
            Error::Stopped => return Self::new(Kind::Interrupted, "interrupted"),
            Error::Exchange(error) => error.into(),
            Error::Request(error) => Self::usage(error),
            Error::Rejected(_) => Self::data(error),
            Error::File(error) => error.into(),
            other => Self::file(other),
        };
        Self { code, ..failure }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let exists = matches!(error, FileError::Exists { .. });
        let failure = Self::file(error);
        if exists { failure.hint("--force replaces it") } else { failure }
    }
}

impl From<ExchangeError> for Failure {
    fn from(error: ExchangeError) -> Self {
        let kind = match &error.kind {
            _ if error.is_auth() => Kind::Authentication,
            _ if error.is_network() => Kind::Network,
            ErrorKind::Request(_) => Kind::Usage,
            _ => Kind::Refused,
        };
        let result_code = error.result_code().map(ToString::to_string);
        let hint = match (kind, error.kind.root()) {
            (Kind::Network, _) => Some("ccfs doctor, with the same settings, finds out why"),
            // Not after a 403: the address may be locked, and must not send more requests.
            (Kind::Authentication, ErrorKind::Refused { refusal, .. })
                if refusal.status.as_u16() == 401 =>
            {
                Some(
                    "ccfs doctor, with the same settings, names the likely causes; it makes one more signed call",
                )
            }
            _ => None,
        };
        Self { code: error.code(), result_code, hint, ..Self::new(kind, error) }
    }
}
