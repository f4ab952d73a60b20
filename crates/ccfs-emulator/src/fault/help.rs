//! What the faults do, in a line each: for `ccfs serve --help` and `docs/emulator.md`.

/// How a fault is written, and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultHelp {
    /// Its name.
    pub name: &'static str,
    /// What stands behind its colon, in brackets where it may be left out; empty when it takes nothing.
    pub argument: &'static str,
    /// What it does.
    pub does: &'static str,
}

impl FaultHelp {
    /// The name and what stands behind it: `slow[:MILLIS]`.
    pub fn form(&self) -> String {
        format!("{}{}", self.name, self.argument)
    }
}

const fn help(name: &'static str, argument: &'static str, does: &'static str) -> FaultHelp {
    FaultHelp { name, argument, does }
}

/// One for each name, in the order of the names.
pub(crate) const HELP: &[FaultHelp] = &[
    help(
        "pass",
        "",
        "nothing goes wrong: for the right answers between the wrong ones of a script",
    ),
    help("slow", "[:MILLIS]", "the body comes in 8 pieces with that long between them (50)"),
    help("stall", "", "the head and half the body, then silence with the connection open"),
    help("silent", "", "the request is taken and no answer comes"),
    help(
        "cut-after",
        ":BYTES",
        "the connection ends after that many bytes of the body, or just before its end",
    ),
    help("wrong-length", "", "Content-Length is 100 larger than the body"),
    help("wrong-type", "", "the right answer under text/plain"),
    help("error-under-200", ":CODE", "HTTP 200 with that result code"),
    help("unauthorized", "", "401, whatever the signature; it does not count towards the lock"),
    help("locked", "", "403, as for a locked address"),
    help("flow-control", "", "0300008 from interfaces that hand out files, 0300009 from others"),
    help("busy", "[:SECONDS]", "503 with Retry-After (1)"),
    help("html", "[:STATUS]", "a gateway's HTML page with that status (200)"),
    help(
        "gateway",
        "[:STATUS]",
        "the HTML page of an nginx before the server with that status (502), Server and Via",
    ),
    help(
        "host-rewritten",
        "",
        "on the way Host became another one, so the signature does not fit; it counts towards the lock",
    ),
    help("empty", "", "200 without a body"),
    help("garbage", "", "200 with bytes that are neither a file nor JSON"),
    help("byte-by-byte", "", "the right body, one byte at a time"),
    help("chunked", "", "the right body without Content-Length"),
    help(
        "skewed-clock",
        ":SECONDS",
        "for this request the server's clock is that far ahead, or behind when negative",
    ),
    help("missing-file", "", "0300011, where a file is asked for"),
    help("corrupt-zip", "", "bytes in the middle of the file are changed"),
    help("truncated-zip", "", "half of the file, as if that were all"),
    help("close-before-answer", "", "the request is taken and the connection closed"),
    help("redirect", "", "307 to another path"),
    help("callback-delayed", "[:MILLIS]", "the job's callback comes that much later (1000)"),
    help("callback-duplicate", "", "the callback comes twice, signed anew"),
    help("callback-replayed", "", "the callback comes twice, byte for byte the same"),
    help("callback-missing", "", "the callback never comes"),
    help(
        "callback-forged",
        "",
        "before the callback comes one that is signed with a wrong key and names another file",
    ),
];
