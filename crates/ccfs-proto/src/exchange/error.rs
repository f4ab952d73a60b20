//! How an exchange can fail.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::auth::ViewError;
use crate::classify::{AnswerError, HttpRefusal};
use crate::envelope::{Envelope, shown};
use crate::operation::FieldError;
use crate::result_code::{Advice, ResultCode};
use crate::words::InWords;

use super::skew::ClockSkew;
use super::tls::TlsFailure;

/// Why a request could not be made. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A field breaks the interface's rules.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The path of a custom operation has more than plain segments.
    #[error(
        "path of the operation is not valid; it must begin with '/', have only letters, digits, \
         '/', '-', '.', '_' and '~', and no segment of dots"
    )]
    Path,
    /// A header of a custom operation, or its content type, is malformed.
    #[error("header `{name}` has a malformed name or value; use visible ASCII characters")]
    Header {
        /// Name of the header, shortened.
        name: String,
    },
    /// A header of a custom operation is one that the exchange sets, or is given twice.
    #[error(
        "header `{name}` cannot be set by an operation or is given twice; remove it, and use \
         `content_type` for the content type"
    )]
    ReservedHeader {
        /// Name of the header.
        name: String,
    },
    /// The request cannot be signed.
    #[error(transparent)]
    Sign(#[from] ViewError),
}

/// What happened to a connection, as a driver sees it.
///
/// A driver turns its client's errors into one of these; when in doubt whether a request arrived, [`Broken`](Self::Broken) is the
/// safe word, because it does not repeat what starts a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TransportFailure {
    /// The name was not found. Nothing was sent. Retried.
    #[error("the server's name could not be resolved: check the endpoint's host")]
    Resolve,
    /// No connection came about. Nothing was sent. Retried.
    #[error(
        "no connection to the server came about: check the endpoint's host and port, and what stands in between"
    )]
    Connect,
    /// The TLS handshake failed. Nothing was sent. Not retried: certificates do not mend themselves.
    #[error("the TLS handshake failed: {0}")]
    Tls(TlsFailure),
    /// The connection broke before the answer began. The request may have arrived: retried only where repeating is harmless.
    #[error("the connection broke before the answer began")]
    Broken,
    /// Silence for longer than the step's `within`. The request may have arrived: retried only where repeating is harmless.
    #[error("the server was silent for too long: try again, or be more patient")]
    Stall,
    /// The body broke off. Retried only where repeating is harmless.
    #[error("the connection broke in the middle of the answer")]
    BodyBroken,
    /// The other side does not speak HTTP, or the client refused what it said. Not retried.
    #[error("the other side's answer is not proper HTTP: check the endpoint's scheme and port")]
    Protocol,
}

impl TransportFailure {
    /// Whether the request surely never reached the server.
    pub const fn never_arrived(self) -> bool {
        matches!(self, Self::Resolve | Self::Connect | Self::Tls(_))
    }
}

/// Why a call failed for good. Match on [`kind`](Self::kind).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExchangeError {
    /// The interface that was called.
    pub interface: Cow<'static, str>,
    /// Requests that were sent.
    pub attempts: u32,
    /// What went wrong.
    pub kind: ErrorKind,
}

/// What went wrong with a call.
///
/// Each variant says whether it was retried before it was reported; `docs/reliability.md` has the table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The connection failed. See [`TransportFailure`] for what is retried.
    Transport(TransportFailure),
    /// Another status than success: 401 and 403 are never retried (a 401 once, with the corrected time, when the clock is
    /// wrong), 429 and 503 always are, within the bounds.
    Refused {
        /// What the server said.
        refusal: HttpRefusal,
        /// How far the clock is off, where it was measured.
        skew: Option<ClockSkew>,
    },
    /// The server said no in an envelope. Flow control (`0300008`, `0300009`) is retried, the rest is not.
    ResultCode {
        /// The code.
        code: ResultCode,
        /// The server's description: at most 200 characters, none of them a control character.
        description: String,
        /// What the operation advises: a call is retried after [`Advice::TryLater`].
        advice: Advice,
    },
    /// The answer is of no use. A truncated one is retried where repeating is harmless, the rest is not.
    Answer(AnswerError),
    /// A file broke off after bytes of it had gone to a sink that cannot start over.
    Interrupted {
        /// Bytes that the sink has.
        handed_over: u64,
        /// What broke it off.
        cause: Box<ErrorKind>,
    },
    /// The time for the whole call is over, or would be before the next attempt.
    Deadline {
        /// The bound.
        limit: Duration,
        /// What went wrong last, if anything did.
        cause: Option<Box<ErrorKind>>,
    },
    /// The request could not be signed. Nothing was sent.
    Request(RequestError),
}

impl ErrorKind {
    /// Whether the cause is authentication: a 401 or a 403, alone or behind a deadline.
    pub fn is_authentication(&self) -> bool {
        matches!(self.root(), Self::Refused { refusal, .. } if matches!(refusal.status.as_u16(), 401 | 403))
    }

    /// Whether the cause is the connection: the server gave no answer, or not a whole one.
    pub fn is_network(&self) -> bool {
        match self.root() {
            Self::Transport(_) | Self::Deadline { .. } => true,
            Self::Answer(error) => matches!(error, AnswerError::Truncated { .. }),
            _ => false,
        }
    }

    /// The server's result code, where it is the cause.
    pub fn result_code(&self) -> Option<&ResultCode> {
        match self.root() {
            Self::ResultCode { code, .. } => Some(code),
            _ => None,
        }
    }

    /// What lies behind a deadline or an interruption.
    pub fn root(&self) -> &Self {
        match self {
            Self::Interrupted { cause, .. } | Self::Deadline { cause: Some(cause), .. } => {
                cause.root()
            }
            other => other,
        }
    }

    pub(super) fn result_code_of(envelope: &Envelope, advice: Advice) -> Self {
        let (code, description) = (envelope.code().clone(), shown(envelope.description()));
        Self::ResultCode { code, description, advice }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(failure) => failure.fmt(f),
            Self::Refused { refusal, skew } => {
                refusal.fmt(f)?;
                match skew {
                    Some(skew) if skew.is_notable() => write!(f, ". {skew}"),
                    _ => Ok(()),
                }
            }
            Self::ResultCode { code, description, advice } => {
                write!(f, "the server answered {code}")?;
                if !matches!(code, ResultCode::Other(_)) {
                    write!(f, ": {}", code.meaning())?;
                }
                // Many a server says just what the code means.
                if !description.is_empty() && !description.eq_ignore_ascii_case(code.meaning()) {
                    write!(f, " (\"{description}\")")?;
                }
                write!(f, "; {advice}")
            }
            Self::Answer(error) => error.fmt(f),
            Self::Interrupted { handed_over, cause } => {
                write!(
                    f,
                    "the file broke off after {handed_over} bytes were handed over, and what takes them cannot start over: {cause}"
                )
            }
            Self::Deadline { limit, cause } => {
                write!(f, "the bound of {} for the whole call is reached", InWords(*limit))?;
                cause.as_ref().map_or(Ok(()), |cause| write!(f, "; last: {cause}"))
            }
            Self::Request(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.interface, self.kind)?;
        if self.attempts > 1 {
            write!(f, " (after {} attempts)", self.attempts)?;
        }
        Ok(())
    }
}

impl std::error::Error for ExchangeError {}

/// The driver did something that the exchange did not ask for. A mistake in the driver; the exchange is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("out of turn: {did} while the exchange {state}")]
#[non_exhaustive]
pub struct OutOfTurn {
    /// What the driver did.
    pub did: &'static str,
    /// What the exchange was doing.
    pub state: &'static str,
}
