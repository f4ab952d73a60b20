//! One line about each fault, for `ccfs serve --help` and `docs/emulator.md`.

/// Syntax and description of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultHelp {
    /// Its name.
    pub name: &'static str,
    /// Its argument with the colon, in brackets if it is optional; empty if it has none.
    pub argument: &'static str,
    /// What it does.
    pub does: &'static str,
}

impl FaultHelp {
    /// The name with its argument: `slow[:MILLIS]`.
    pub fn form(&self) -> String {
        format!("{}{}", self.name, self.argument)
    }
}

const fn help(name: &'static str, argument: &'static str, does: &'static str) -> FaultHelp {
    FaultHelp { name, argument, does }
}

/// One entry for each name, in the order of the names.
pub(crate) const HELP: &[FaultHelp] = &[
    help("pass", "", "no fault; lets a script have correct answers between faults"),
    help("slow", "[:MILLIS]", "sends the body in 8 pieces with this pause before each (50)"),
    help(
        "stall",
        "",
        "sends the head and half of the body, then nothing; the connection stays open",
    ),
    help("silent", "", "reads the request and never answers"),
    help(
        "cut-after",
        ":BYTES",
        "closes the connection after that many bytes of the body, at the latest before its last byte",
    ),
    help("wrong-length", "", "Content-Length is 100 larger than the body"),
    help("wrong-type", "", "the correct answer with Content-Type: text/plain"),
    help("error-under-200", ":CODE", "HTTP 200 with this result code"),
    help("unauthorized", "", "401, whatever the signature; does not count towards the lockout"),
    help("locked", "", "403, as for a locked address"),
    help("flow-control", "", "0300008 from interfaces that return files, 0300009 from others"),
    help("busy", "[:SECONDS]", "503 with Retry-After (1)"),
    help("html", "[:STATUS]", "a gateway's HTML page with that status (200)"),
    help(
        "gateway",
        "[:STATUS]",
        "the error page of an nginx in front of the server with that status (502), with Server and Via",
    ),
    help(
        "host-rewritten",
        "",
        "checks the signature as if a proxy had changed Host, so it does not match; counts towards the lockout",
    ),
    help("empty", "", "200 without a body"),
    help("garbage", "", "200 with bytes that are neither a file nor JSON"),
    help("byte-by-byte", "", "the correct body, one byte at a time"),
    help("chunked", "", "the correct body without Content-Length"),
    help(
        "skewed-clock",
        ":SECONDS",
        "for this request, the server's clock is that far ahead, or behind if negative",
    ),
    help("missing-file", "", "0300011 if a file is requested"),
    help("corrupt-zip", "", "changes bytes in the middle of the file"),
    help("truncated-zip", "", "sends half of the file as if it were complete"),
    help("close-before-answer", "", "reads the request and closes the connection"),
    help("redirect", "", "307 to another path"),
    help("callback-delayed", "[:MILLIS]", "sends the callback of the job that much later (1000)"),
    help("callback-duplicate", "", "sends the callback twice, each with a new signature"),
    help("callback-replayed", "", "sends the same bytes of the callback twice"),
    help("callback-missing", "", "never sends the callback"),
    help(
        "callback-forged",
        "",
        "first sends a callback that is signed with a wrong key and names another file",
    ),
];
