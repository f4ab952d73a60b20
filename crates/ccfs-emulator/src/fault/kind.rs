//! The faults, by name.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ccfs_proto::ResultCode;

use super::help::{FaultHelp, HELP};
use super::rule::FaultRule;

/// A deliberate fault of the emulator.
///
/// Written as `name` or `name:argument`, the form that `ccfs serve` accepts. Gateway faults ([`Busy`](Self::Busy), [`Html`](Self::Html),
/// [`Gateway`](Self::Gateway),
/// [`Unauthorized`](Self::Unauthorized), [`Locked`](Self::Locked), [`Redirect`](Self::Redirect)) and those that replace the answer
/// ([`ErrorUnder200`](Self::ErrorUnder200), [`FlowControl`](Self::FlowControl), [`MissingFile`](Self::MissingFile)) apply before the
/// interface runs. All other faults let the interface do its work and then spoil the answer: a job whose answer was lost has started.
///
/// ```
/// use ccfs_emulator::Fault;
///
/// let fault: Fault = "cut-after:100".parse()?;
/// assert_eq!(fault, Fault::CutAfter(100));
/// assert_eq!(fault.to_string(), "cut-after:100");
/// # Ok::<(), ccfs_emulator::FaultError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// `pass`: no fault. For the right answers between the wrong ones of a script.
    Pass,
    /// `slow[:MILLIS]`: the body comes in pieces with that long between them (50 by default).
    Slow(Duration),
    /// `stall`: the head and half the body, then silence with the connection open.
    Stall,
    /// `silent`: the server reads the request and never answers.
    Silent,
    /// `cut-after:BYTES`: the connection ends after that many bytes of the body, or just before its end.
    CutAfter(u64),
    /// `wrong-length`: `Content-Length` is 100 larger than the body.
    WrongLength,
    /// `wrong-type`: the right answer under `text/plain`.
    WrongType,
    /// `error-under-200:CODE`: the envelope of that result code.
    ErrorUnder200(ResultCode),
    /// `unauthorized`: 401, whatever the signature. It does not count towards the lock.
    Unauthorized,
    /// `locked`: 403, as for a locked address.
    Locked,
    /// `flow-control`: 0300008 from interfaces that hand out files, 0300009 from others.
    FlowControl,
    /// `busy[:SECONDS]`: 503 with `Retry-After` (1 by default).
    Busy(u32),
    /// `html[:STATUS]`: a gateway's HTML page with that status (200 by default).
    Html(u16),
    /// `gateway[:STATUS]`: the HTML page of an nginx before the server, with that status (502 by default), `Server` and `Via`.
    Gateway(u16),
    /// `host-rewritten`: on the way the request's `Host` became another one, so its signature does not fit, and the answer has
    /// the headers of an nginx. It counts towards the lock.
    HostRewritten,
    /// `empty`: 200 without a body.
    Empty,
    /// `garbage`: 200 with bytes that are neither a file nor JSON.
    Garbage,
    /// `byte-by-byte`: the right body, one byte at a time.
    ByteByByte,
    /// `chunked`: the right body without `Content-Length`.
    Chunked,
    /// `skewed-clock:SECONDS`: for this request, the server's clock is that far ahead, or behind if negative.
    SkewedClock(i32),
    /// `missing-file`: 0300011. Only where a file is asked for.
    MissingFile,
    /// `corrupt-zip`: bytes in the middle of the file are changed. Only where a file is asked for.
    CorruptZip,
    /// `truncated-zip`: half of the file, as if that were all. Only where a file is asked for.
    TruncatedZip,
    /// `close-before-answer`: the server reads the request and closes the connection.
    CloseBeforeAnswer,
    /// `redirect`: 307 to another path.
    Redirect,
    /// `callback-delayed[:MILLIS]`: the job's callback comes that much later (1000 by default). Only where a job is started.
    CallbackDelayed(Duration),
    /// `callback-duplicate`: the callback comes twice, each time with a new signature. Only where a job is started.
    CallbackDuplicate,
    /// `callback-replayed`: the callback comes twice, byte for byte the same. Only where a job is started.
    CallbackReplayed,
    /// `callback-missing`: the callback never comes. Only where a job is started.
    CallbackMissing,
    /// `callback-forged`: before the callback comes another one that is signed with a wrong key and names another file.
    /// Only where a job is started.
    CallbackForged,
}

/// What kind of interface a fault needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Anything,
    File,
    Job,
}

impl Fault {
    /// Every name, in the order of the variants.
    pub const NAMES: &'static [&'static str] = &[
        "pass",
        "slow",
        "stall",
        "silent",
        "cut-after",
        "wrong-length",
        "wrong-type",
        "error-under-200",
        "unauthorized",
        "locked",
        "flow-control",
        "busy",
        "html",
        "gateway",
        "host-rewritten",
        "empty",
        "garbage",
        "byte-by-byte",
        "chunked",
        "skewed-clock",
        "missing-file",
        "corrupt-zip",
        "truncated-zip",
        "close-before-answer",
        "redirect",
        "callback-delayed",
        "callback-duplicate",
        "callback-replayed",
        "callback-missing",
        "callback-forged",
    ];

    /// What each does, in the order of [`NAMES`](Self::NAMES).
    pub const HELP: &'static [FaultHelp] = HELP;

    /// The fault's name, without its argument.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Slow(_) => "slow",
            Self::Stall => "stall",
            Self::Silent => "silent",
            Self::CutAfter(_) => "cut-after",
            Self::WrongLength => "wrong-length",
            Self::WrongType => "wrong-type",
            Self::ErrorUnder200(_) => "error-under-200",
            Self::Unauthorized => "unauthorized",
            Self::Locked => "locked",
            Self::FlowControl => "flow-control",
            Self::Busy(_) => "busy",
            Self::Html(_) => "html",
            Self::Gateway(_) => "gateway",
            Self::HostRewritten => "host-rewritten",
            Self::Empty => "empty",
            Self::Garbage => "garbage",
            Self::ByteByByte => "byte-by-byte",
            Self::Chunked => "chunked",
            Self::SkewedClock(_) => "skewed-clock",
            Self::MissingFile => "missing-file",
            Self::CorruptZip => "corrupt-zip",
            Self::TruncatedZip => "truncated-zip",
            Self::CloseBeforeAnswer => "close-before-answer",
            Self::Redirect => "redirect",
            Self::CallbackDelayed(_) => "callback-delayed",
            Self::CallbackDuplicate => "callback-duplicate",
            Self::CallbackReplayed => "callback-replayed",
            Self::CallbackMissing => "callback-missing",
            Self::CallbackForged => "callback-forged",
        }
    }

    /// This fault for the first `n` requests that it applies to, instead of for all. Zero counts as one.
    #[must_use]
    pub fn times(self, n: u32) -> FaultRule {
        FaultRule::from(self).times(n)
    }

    /// Limits the fault to one interface, such as `downloadAgentSkillInfoFile`. With an unknown name the fault never
    /// applies; [`Emulator::interfaces`](crate::Emulator::interfaces) lists the names.
    #[must_use]
    pub fn at(self, interface: impl Into<String>) -> FaultRule {
        FaultRule::from(self).at(interface)
    }

    pub(crate) fn needs(&self) -> Needs {
        match self {
            Self::MissingFile | Self::CorruptZip | Self::TruncatedZip => Needs::File,
            Self::CallbackDelayed(_)
            | Self::CallbackDuplicate
            | Self::CallbackReplayed
            | Self::CallbackMissing
            | Self::CallbackForged => Needs::Job,
            _ => Needs::Anything,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Slow(pause) | Self::CallbackDelayed(pause) => write!(f, ":{}", pause.as_millis()),
            Self::CutAfter(bytes) => write!(f, ":{bytes}"),
            Self::ErrorUnder200(code) => write!(f, ":{code}"),
            Self::Busy(seconds) => write!(f, ":{seconds}"),
            Self::Html(status) | Self::Gateway(status) => write!(f, ":{status}"),
            Self::SkewedClock(seconds) => write!(f, ":{seconds}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, None),
        };
        let plain = |fault: Self| {
            if argument.is_none() {
                Ok(fault)
            } else {
                Err(FaultError::NoArgument { fault: fault.name() })
            }
        };
        match name {
            "pass" => plain(Self::Pass),
            "slow" => Ok(Self::Slow(millis(argument, 50, "slow")?)),
            "stall" => plain(Self::Stall),
            "silent" => plain(Self::Silent),
            "cut-after" => {
                Ok(Self::CutAfter(number(argument, None, "cut-after", "a number of bytes")?))
            }
            "wrong-length" => plain(Self::WrongLength),
            "wrong-type" => plain(Self::WrongType),
            "error-under-200" => result_code(argument),
            "unauthorized" => plain(Self::Unauthorized),
            "locked" => plain(Self::Locked),
            "flow-control" => plain(Self::FlowControl),
            "busy" => Ok(Self::Busy(number(argument, Some(1), "busy", "seconds")?)),
            "html" => status(argument, 200, "html").map(Self::Html),
            "gateway" => status(argument, 502, "gateway").map(Self::Gateway),
            "host-rewritten" => plain(Self::HostRewritten),
            "empty" => plain(Self::Empty),
            "garbage" => plain(Self::Garbage),
            "byte-by-byte" => plain(Self::ByteByByte),
            "chunked" => plain(Self::Chunked),
            "skewed-clock" => Ok(Self::SkewedClock(number(
                argument,
                None,
                "skewed-clock",
                "seconds, negative for a clock behind",
            )?)),
            "missing-file" => plain(Self::MissingFile),
            "corrupt-zip" => plain(Self::CorruptZip),
            "truncated-zip" => plain(Self::TruncatedZip),
            "close-before-answer" => plain(Self::CloseBeforeAnswer),
            "redirect" => plain(Self::Redirect),
            "callback-delayed" => {
                Ok(Self::CallbackDelayed(millis(argument, 1000, "callback-delayed")?))
            }
            "callback-duplicate" => plain(Self::CallbackDuplicate),
            "callback-replayed" => plain(Self::CallbackReplayed),
            "callback-missing" => plain(Self::CallbackMissing),
            "callback-forged" => plain(Self::CallbackForged),
            _ => Err(FaultError::Unknown),
        }
    }
}

/// A time in milliseconds, of 49 days at most.
fn millis(
    argument: Option<&str>,
    default: u32,
    fault: &'static str,
) -> Result<Duration, FaultError> {
    number(argument, Some(default), fault, "milliseconds")
        .map(|millis| Duration::from_millis(millis.into()))
}

fn status(argument: Option<&str>, default: u16, fault: &'static str) -> Result<u16, FaultError> {
    let wanted = "an HTTP status from 200 to 599";
    match number(argument, Some(default), fault, wanted)? {
        status @ 200..=599 => Ok(status),
        _ => Err(FaultError::Argument { fault, wanted }),
    }
}

/// The argument as a number, or the default where there is one.
fn number<T: FromStr>(
    argument: Option<&str>,
    default: Option<T>,
    fault: &'static str,
    wanted: &'static str,
) -> Result<T, FaultError> {
    let refused = FaultError::Argument { fault, wanted };
    match argument {
        Some(text) if !text.starts_with('+') => text.parse().map_err(|_| refused),
        Some(_) => Err(refused),
        None => default.ok_or(refused),
    }
}

fn result_code(argument: Option<&str>) -> Result<Fault, FaultError> {
    match argument {
        Some(code)
            if !code.is_empty()
                && code.len() <= 16
                && code.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            Ok(Fault::ErrorUnder200(code.into()))
        }
        _ => Err(FaultError::Argument {
            fault: "error-under-200",
            wanted: "a result code such as 0300012",
        }),
    }
}

/// The text is not a valid fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultError {
    /// No fault has that name.
    #[error("no fault has that name: they are {}", Fault::NAMES.join(", "))]
    Unknown,
    /// The argument is missing or of another kind.
    #[error("the fault `{fault}` takes {wanted} after a colon")]
    Argument {
        /// The fault's name.
        fault: &'static str,
        /// What it takes.
        wanted: &'static str,
    },
    /// The fault has no argument.
    #[error("the fault `{fault}` takes no argument")]
    NoArgument {
        /// The fault's name.
        fault: &'static str,
    },
    /// The text after the `*` is not a positive number.
    #[error("how often a fault strikes is a number from 1 up, as in busy*2")]
    Times,
    /// The text after the `@` is not the name of an interface of the emulator.
    #[error(
        "the emulator has no interface of that name: write busy@downloadAgentSkillInfoFile, say"
    )]
    Interface,
}
