use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::failure::{FailureKind, TransportFailure};
use super::skew::ClockSkew;
use crate::answer::{Advice, AnswerError, HttpRefusal, ResultCode};
use crate::auth::ViewError;
use crate::operation::FieldError;
use crate::words::InWords;

/// From here on, messages mention the skew.
const NOTABLE_SKEW: Duration = Duration::from_secs(30);
/// Headers that an operation can add.
pub(super) const EXTRA_HEADERS_LIMIT: usize = 100;

/// Why a request could not be created. Nothing was sent.
///
/// Its code is `invalid_request`; [`ErrorKind::code`] lists all codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A field breaks the interface's rules.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The path of a custom operation is not made of plain segments.
    #[error(
        "path of the operation is not valid; it must begin with '/', have only letters, digits, \
         '/', '-', '.', '_' and '~', and no segment of dots"
    )]
    Path,
    /// The URL is too long.
    #[error("URL is longer than 65534 bytes; shorten the query")]
    UrlTooLong,
    /// A custom operation has more than 100 headers.
    #[error("operation has {len} headers, limit {EXTRA_HEADERS_LIMIT}; send fewer")]
    TooManyHeaders {
        /// Number of headers.
        len: usize,
    },
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

/// Why a call failed, after all retries.
///
/// Match on [`kind`](Self::kind), or use the methods, which also look at the cause of a timeout or
/// an interruption.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExchangeError {
    /// The interface that was called.
    pub interface: Cow<'static, str>,
    /// Requests that were sent.
    pub attempts: u32,
    /// The wait for which the last answer asked with `Retry-After`.
    pub retry_after: Option<Duration>,
    /// What went wrong.
    pub kind: ErrorKind,
}

/// What went wrong with a call.
///
/// Each variant says whether it was retried before it was reported; `docs/reliability.md` in the
/// repository has the table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The connection failed. [`FailureKind`] says which failures are retried.
    Transport(TransportFailure),
    /// The response's status is not a success. 401 and 403 are not retried (a 401 once, with the
    /// corrected time, when the clock is wrong); 429 and 503 are.
    Refused {
        /// The status, and what the server said.
        refusal: Box<HttpRefusal>,
        /// How far the clock is off, if it was measured.
        skew: Option<ClockSkew>,
    },
    /// The server answered with a result code other than success. Codes whose advice is "try later"
    /// are retried.
    ResultCode {
        /// The code.
        code: ResultCode,
        /// The server's description: at most 200 characters, without control characters.
        description: Box<str>,
        /// What the code means, according to the operation; empty if that is not known.
        meaning: Box<str>,
        /// What the caller can do, according to the operation.
        advice: Advice,
    },
    /// The answer is not usable. A truncated answer is retried for idempotent operations.
    Answer(AnswerError),
    /// A download broke after the sink, which cannot be rewound, had received some of it.
    Interrupted {
        /// Bytes that the sink has received.
        handed_over: u64,
        /// Why the download broke.
        cause: Box<ErrorKind>,
    },
    /// The total timeout passed, or would pass before the next retry.
    TotalTimeout {
        /// The timeout.
        limit: Duration,
        /// The last failure before it, if any.
        cause: Option<Box<ErrorKind>>,
    },
    /// The request could not be created. Nothing was sent.
    Request(RequestError),
}

impl ExchangeError {
    /// Returns a stable word for the failure. See [`ErrorKind::code`].
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// Returns whether the same call may succeed later without a change: the network failed, or the
    /// server was busy or had an internal error.
    ///
    /// Whether it is safe to repeat is another question: see
    /// [`Operation::repeat`](crate::Operation::repeat).
    pub fn is_retryable(&self) -> bool {
        match self.kind.root() {
            ErrorKind::Transport(failure) => !failure.kind().is_permanent(),
            ErrorKind::Refused { refusal, .. } => {
                refusal.status == StatusCode::TOO_MANY_REQUESTS || refusal.status.is_server_error()
            }
            ErrorKind::ResultCode { advice, .. } => {
                matches!(advice, Advice::TryLater | Advice::ServerFault)
            }
            ErrorKind::Answer(error) => {
                matches!(error, AnswerError::Truncated { .. } | AnswerError::Empty)
            }
            ErrorKind::TotalTimeout { .. } => true,
            ErrorKind::Interrupted { .. } | ErrorKind::Request(_) => false,
        }
    }

    /// Returns whether the server refused the authentication with HTTP 401 or 403. The same status
    /// from a proxy does not count.
    pub fn is_auth(&self) -> bool {
        match self.kind.root() {
            ErrorKind::Refused { refusal, .. } => {
                !refusal.is_from_proxy && matches!(refusal.status.as_u16(), 401 | 403)
            }
            _ => false,
        }
    }

    /// Returns whether the network failed: the server gave no answer or only a part of one, or a
    /// proxy answered instead.
    pub fn is_network(&self) -> bool {
        match self.kind.root() {
            ErrorKind::Transport(_)
            | ErrorKind::TotalTimeout { .. }
            | ErrorKind::Answer(AnswerError::Truncated { .. }) => true,
            ErrorKind::Refused { refusal, .. } => refusal.is_from_proxy,
            _ => false,
        }
    }

    /// Returns the server's result code, if it is the cause.
    pub fn result_code(&self) -> Option<&ResultCode> {
        match self.kind.root() {
            ErrorKind::ResultCode { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Returns the HTTP status, if it is the cause.
    pub fn status(&self) -> Option<StatusCode> {
        match self.kind.root() {
            ErrorKind::Refused { refusal, .. } => Some(refusal.status),
            _ => None,
        }
    }
}

impl ErrorKind {
    /// Returns a stable word for the failure, in lower case with underscores, for programs:
    ///
    /// | code | failure |
    /// |---|---|
    /// | `resolve`, `connect`, `tls` | no connection; nothing was sent |
    /// | `proxy` | a proxy refused the connection or the request |
    /// | `connection_broken`, `idle_timeout`, `invalid_http` | the connection failed later |
    /// | `head_too_large` | the response has too many or too large header fields |
    /// | `unauthorized`, `forbidden` | HTTP 401, 403 |
    /// | `busy` | HTTP 429, 503, or a result code whose advice is "try later" |
    /// | `http_status` | any other HTTP status |
    /// | `result_code` | any other result code |
    /// | `truncated`, `invalid_answer` | the answer is cut off, or not usable |
    /// | `total_timeout` | the total timeout passed before anything else failed |
    /// | `invalid_request` | the request could not be created |
    ///
    /// For a total timeout or an interruption, it is the code of the cause, if there is one.
    pub fn code(&self) -> &'static str {
        match self.root() {
            Self::Transport(failure) => match failure.kind() {
                FailureKind::Resolve => "resolve",
                FailureKind::Connect => "connect",
                FailureKind::ProxyRefused { .. } => "proxy",
                FailureKind::Tls(_) => "tls",
                FailureKind::Broken | FailureKind::BodyBroken => "connection_broken",
                FailureKind::IdleTimeout => "idle_timeout",
                FailureKind::InvalidHttp => "invalid_http",
                FailureKind::HeadTooLarge => "head_too_large",
            },
            Self::Refused { refusal, .. } if refusal.is_from_proxy => "proxy",
            Self::Refused { refusal, .. } => match refusal.status.as_u16() {
                401 => "unauthorized",
                403 => "forbidden",
                429 | 503 => "busy",
                _ => "http_status",
            },
            Self::ResultCode { advice: Advice::TryLater, .. } => "busy",
            Self::ResultCode { .. } => "result_code",
            Self::Answer(AnswerError::Truncated { .. }) => "truncated",
            Self::Answer(_) => "invalid_answer",
            Self::Interrupted { .. } | Self::TotalTimeout { .. } => "total_timeout",
            Self::Request(_) => "invalid_request",
        }
    }

    /// Returns the cause of a total timeout or an interruption; for any other kind, `self`.
    pub fn root(&self) -> &Self {
        match self {
            Self::Interrupted { cause, .. } | Self::TotalTimeout { cause: Some(cause), .. } => {
                cause.root()
            }
            other => other,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(failure) => failure.fmt(f),
            Self::Refused { refusal, skew } => {
                refusal.fmt(f)?;
                match skew {
                    Some(skew) if skew.exceeds(NOTABLE_SKEW) => write!(f, "; {skew}"),
                    _ => Ok(()),
                }
            }
            Self::ResultCode { code, description, meaning, advice } => {
                write!(f, "the server answered {code}")?;
                if !meaning.is_empty() {
                    write!(f, ": {meaning}")?;
                }
                // Many servers send the documented meaning as the description.
                if !description.is_empty() && !description.eq_ignore_ascii_case(meaning) {
                    write!(f, " (\"{description}\")")?;
                }
                write!(f, "; {advice}")
            }
            Self::Answer(error) => error.fmt(f),
            Self::Interrupted { handed_over, cause } => write!(
                f,
                "download broke after {handed_over} bytes, and its sink cannot be rewound: {cause}"
            ),
            Self::TotalTimeout { limit, cause } => {
                write!(f, "no time is left within the total timeout of {}", InWords(*limit))?;
                cause.as_ref().map_or(Ok(()), |cause| write!(f, "; last failure: {cause}"))
            }
            Self::Request(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.interface, self.kind)?;
        if let Some(wait) = self.retry_after {
            write!(f, "; the server asks to wait {}", InWords(wait))?;
        }
        if self.attempts > 1 {
            write!(f, " (after {} attempts)", self.attempts)?;
        }
        Ok(())
    }
}

impl Error for ExchangeError {
    /// The cause: the HTTP client's error for a failed connection, otherwise that of the part that
    /// failed. The messages of causes within [`ErrorKind`] are part of this error's message.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.kind.root() {
            ErrorKind::Transport(failure) => failure.source(),
            ErrorKind::Answer(error) => error.source(),
            ErrorKind::Request(error) => error.source(),
            _ => None,
        }
    }
}

/// A driver called a method that the exchange did not ask for. The exchange is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{called} was called out of turn: the exchange {state}")]
#[non_exhaustive]
pub struct OutOfTurn {
    /// The method that was called.
    pub called: &'static str,
    /// The state of the exchange.
    pub state: &'static str,
}
