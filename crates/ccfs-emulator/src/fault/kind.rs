//! The list of faults.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ccfs_proto::ResultCode;

use crate::interface::Kind;

/// Writes the faults and what follows from their list: names, help and parser. A fault has its name and its variant; if it has an
/// argument, the argument's type, how it is read, its form in the help and its default, if it is optional; the kind of interface that it is limited to;
/// and what it does.
macro_rules! faults {
    ($($name:literal $variant:ident $(($type:ty, $argument:expr) $form:literal $($default:literal)?)?, $kind:expr, $does:literal;)+) => {
        /// A deliberate fault of the emulator.
        ///
        /// Written as `name` or `name:argument`, the form that `ccfs serve` accepts. Gateway faults ([`Busy`](Self::Busy), [`Html`](Self::Html),
        /// [`Gateway`](Self::Gateway),
        /// [`Unauthorized`](Self::Unauthorized), [`Locked`](Self::Locked), [`Redirect`](Self::Redirect)) and those that replace the answer
        /// ([`ErrorUnder200`](Self::ErrorUnder200), [`FlowControl`](Self::FlowControl), [`MissingFile`](Self::MissingFile)) apply before the
        /// interface runs. All other faults let the interface do its work and then spoil the answer, so a job starts
        /// even if its answer is lost.
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
            $(
                #[doc = concat!("`", $name, $($form,)? "`: ", $does, ".")]
                $variant $(($type))?,
            )+
        }

        impl Fault {
            /// Every fault, in the order of the variants.
            pub const HELP: &'static [FaultHelp] =
                &[$(FaultHelp { name: $name, form: concat!($name $(, $form)?), does: $does }),+];

            /// The fault's name, without its argument.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)+
                }
            }

            /// The kind of interface that the fault is limited to, if any.
            pub(crate) fn kind(&self) -> Option<Kind> {
                match self {
                    $(Self::$variant { .. } => $kind,)+
                }
            }

            /// Reads the argument of the fault with that name. An argument that a fault does not have is ignored.
            fn read(name: &str, argument: Option<&str>) -> Result<Self, FaultError> {
                match name {
                    $($name => Ok(Self::$variant $(($argument.read($name, argument$(.or(Some($default)))?)?))?),)+
                    _ => Err(FaultError::Unknown),
                }
            }
        }
    };
}

faults! {
    "pass" Pass, None, "no fault; lets a script have correct answers between faults";
    "slow" Slow(Duration, MILLIS) "[:MILLIS]" "50", None,
        "sends the body in 8 pieces with this pause before each (50)";
    "stall" Stall, None,
        "sends the head and half of the body, then nothing; the connection stays open";
    "silent" Silent, None, "reads the request and never answers";
    "cut-after" CutAfter(u64, BYTES) ":BYTES", None,
        "closes the connection after that many bytes of the body, at the latest before its last byte";
    "wrong-length" WrongLength, None, "Content-Length is 100 larger than the body";
    "wrong-type" WrongType, None, "the correct answer with Content-Type: text/plain";
    "error-under-200" ErrorUnder200(ResultCode, CODE) ":CODE", None, "HTTP 200 with this result code";
    "unauthorized" Unauthorized, None,
        "401, whatever the signature; does not count towards the lockout";
    "locked" Locked, None, "403, as for a locked address";
    "flow-control" FlowControl, None,
        "0300008 from interfaces that return files, 0300009 from others";
    "busy" Busy(u32, SECONDS) "[:SECONDS]" "1", None, "503 with Retry-After (1)";
    "html" Html(u16, STATUS) "[:STATUS]" "200", None, "a gateway's HTML page with that status (200)";
    "gateway" Gateway(u16, STATUS) "[:STATUS]" "502", None,
        "the error page of an nginx in front of the server with that status (502), with Server and Via";
    "host-rewritten" HostRewritten, None,
        "checks the signature as if a proxy had changed Host, so it does not match; counts towards the lockout";
    "empty" Empty, None, "200 without a body";
    "garbage" Garbage, None, "200 with bytes that are neither a file nor JSON";
    "byte-by-byte" ByteByByte, None, "the correct body, one byte at a time";
    "chunked" Chunked, None, "the correct body without Content-Length";
    "skewed-clock" SkewedClock(i32, SKEW) ":SECONDS", None,
        "for this request, the server's clock is that far ahead, or behind if negative";
    "missing-file" MissingFile, Some(Kind::File), "0300011 if a file is requested";
    "corrupt-zip" CorruptZip, Some(Kind::File), "changes bytes in the middle of the file";
    "truncated-zip" TruncatedZip, Some(Kind::File), "sends half of the file as if it were complete";
    "close-before-answer" CloseBeforeAnswer, None, "reads the request and closes the connection";
    "redirect" Redirect, None, "307 to another path";
    "callback-delayed" CallbackDelayed(Duration, MILLIS) "[:MILLIS]" "1000", Some(Kind::Job),
        "sends the callback of the job that much later (1000)";
    "callback-duplicate" CallbackDuplicate, Some(Kind::Job),
        "sends the callback twice, each with a new signature";
    "callback-replayed" CallbackReplayed, Some(Kind::Job),
        "sends the same bytes of the callback twice";
    "callback-missing" CallbackMissing, Some(Kind::Job), "never sends the callback";
    "callback-forged" CallbackForged, Some(Kind::Job),
        "first sends a callback that is signed with a wrong key and names another file";
}

/// Syntax and description of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultHelp {
    /// Its name.
    pub name: &'static str,
    /// Its name with its argument, in brackets if that is optional: `slow[:MILLIS]`.
    pub form: &'static str,
    /// What it does.
    pub does: &'static str,
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
        let Some((name, argument)) = text.split_once(':') else { return Self::read(text, None) };
        let fault = Self::read(name, Some(argument))?;
        if Self::HELP.iter().any(|help| help.form == name) {
            return Err(FaultError::NoArgument { fault: fault.name() });
        }
        Ok(fault)
    }
}

/// How a fault's argument is read.
struct Argument<T> {
    /// Its description in errors.
    wanted: &'static str,
    parse: fn(&str) -> Option<T>,
}

/// At most 49 days.
const MILLIS: Argument<Duration> = Argument {
    wanted: "milliseconds",
    parse: |text| text.parse::<u32>().ok().map(|millis| Duration::from_millis(millis.into())),
};
const BYTES: Argument<u64> =
    Argument { wanted: "a number of bytes", parse: |text| text.parse().ok() };
const SECONDS: Argument<u32> = Argument { wanted: "seconds", parse: |text| text.parse().ok() };
const SKEW: Argument<i32> =
    Argument { wanted: "seconds, negative for a clock behind", parse: |text| text.parse().ok() };
const STATUS: Argument<u16> = Argument {
    wanted: "an HTTP status from 200 to 599",
    parse: |text| text.parse().ok().filter(|status| (200..600).contains(status)),
};
const CODE: Argument<ResultCode> = Argument {
    wanted: "a result code such as 0300012",
    parse: |text| {
        let is_valid =
            (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        is_valid.then(|| text.into())
    },
};

impl<T> Argument<T> {
    fn read(&self, fault: &'static str, argument: Option<&str>) -> Result<T, FaultError> {
        argument
            .filter(|text| !text.starts_with('+'))
            .and_then(self.parse)
            .ok_or(FaultError::Argument { fault, wanted: self.wanted })
    }
}

/// The text is not a valid fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultError {
    /// No fault has that name.
    #[error(
        "no fault has that name; the names are {}",
        Fault::HELP.iter().map(|help| help.name).collect::<Vec<_>>().join(", ")
    )]
    Unknown,
    /// The argument is missing or malformed.
    #[error("the fault `{fault}` requires {wanted} after a colon")]
    Argument {
        /// The fault's name.
        fault: &'static str,
        /// The expected argument, in words.
        wanted: &'static str,
    },
    /// The fault has no argument.
    #[error("the fault `{fault}` has no argument")]
    NoArgument {
        /// The fault's name.
        fault: &'static str,
    },
    /// The text after the `*` is not a positive number.
    #[error("the number after * must be at least 1, as in busy*2")]
    Times,
    /// The text after the `@` is not the name of an interface of the emulator.
    #[error(
        "the emulator has no interface of that name; write it as in busy@downloadAgentSkillInfoFile"
    )]
    Interface,
}
