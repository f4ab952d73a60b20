//! Names of functions, and which of them lead out of a program.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::workspace::output;

/// What functions lead to, by the beginning of their names.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("files", &["std::fs::", "std::sys::fs::"]),
    ("sockets", &["std::net::", "std::sys::net::"]),
    ("clocks", &["std::time::Instant::now", "std::time::SystemTime::now", "std::sys::time::"]),
    (
        "threads",
        &[
            "std::thread::functions::",
            "std::thread::lifecycle::",
            "std::thread::builder::",
            "std::thread::spawn",
            "std::thread::sleep",
            "std::sys::thread::",
        ],
    ),
    ("environment", &["std::env::"]),
    (
        "processes",
        &[
            "std::process::Command",
            "std::process::Child",
            "std::process::exit",
            "std::process::id",
            "std::sys::process::",
        ],
    ),
    ("streams", &["std::io::stdio::", "std::sys::stdio::"]),
];

pub(super) const KINDS: &[&str] =
    &["files", "sockets", "clocks", "threads", "environment", "processes", "streams"];

/// What a function leads to, if it leads out, and its name for people.
pub(super) fn forbidden(symbol: &str) -> Option<(&'static str, String)> {
    // Without the hash; `<std::time::Instant>::now` is `std::time::Instant::now`.
    let name = format!("{:#}", rustc_demangle::demangle(symbol)).replace(['<', '>'], "");
    let (kind, _) = FORBIDDEN
        .iter()
        .find(|(_, beginnings)| beginnings.iter().any(|beginning| name.starts_with(beginning)))?;
    Some((kind, name))
}

/// The symbols of a library or a program.
pub(super) fn of(file: &Path, which: &str) -> Result<BTreeSet<String>, String> {
    let told = output(Command::new("nm").args([which, "--format=posix"]).arg(file))?;
    Ok(told.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_symbols_are_recognized_by_name() {
        let kinds = |symbol: &str| forbidden(symbol).map(|(kind, _)| kind);
        assert_eq!(kinds("_ZN3std4time7Instant3now17h0123456789abcdefE"), Some("clocks"));
        assert_eq!(kinds("_RNvMNtCsebHcaeoSrxy_3std4timeNtB2_7Instant3now"), Some("clocks"));
        assert_eq!(kinds("_ZN3std2fs11OpenOptions5_open17h0123456789abcdefE"), Some("files"));
        assert_eq!(kinds("_ZN3std3env4_var17h0123456789abcdefE"), Some("environment"));
        for harmless in [
            "_ZN3std7process5abort17h0123456789abcdefE",
            "_ZN4core3fmt5Write9write_str17h0123456789abcdefE",
            "memcpy",
            "_ZN5thing3std2fs1x17h0123456789abcdefE",
        ] {
            assert_eq!(kinds(harmless), None, "{harmless}");
        }
        assert!(KINDS.iter().copied().eq(FORBIDDEN.iter().map(|(kind, _)| *kind)));
    }
}
