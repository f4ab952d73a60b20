//! Checks that the core does not reach the system outside. It inspects linked programs, not sources.
//!
//! `xtask/reach` is a program that uses everything in the core. For `wasm32-unknown-unknown`, where that target is installed, its
//! module must need no import, and runs in Node, if installed. For this machine, every crate of the core's tree is looked at with `nm`:
//! none may name the standard library's files, sockets, clocks, threads, environment, processes or streams. The same program with all of
//! these planted must be detected, each time.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};
use cargo_metadata::Message;
use cargo_metadata::camino::Utf8PathBuf;
use wasmparser::{Parser, Payload};
use xshell::{Shell, cmd};

use crate::workspace::{root, shell, verdict};

const WASM: &str = "wasm32-unknown-unknown";

/// What functions lead to, by the beginnings of their names.
const FORBIDDEN: &[(&str, &str)] = &[
    ("files", "std::fs:: std::sys::fs::"),
    ("sockets", "std::net:: std::sys::net::"),
    ("clocks", "std::time::Instant::now std::time::SystemTime::now std::sys::time::"),
    (
        "threads",
        "std::thread::functions:: std::thread::lifecycle:: std::thread::builder:: \
         std::thread::spawn std::thread::sleep std::sys::thread::",
    ),
    ("environment", "std::env::"),
    (
        "processes",
        "std::process::Command std::process::Child std::process::exit std::process::id \
         std::sys::process::",
    ),
    ("streams", "std::io::stdio:: std::sys::stdio::"),
];

pub(crate) fn run() -> Result<()> {
    let sh = shell()?;
    sh.change_dir("xtask/reach");
    let targets = cmd!(sh, "rustup target list --installed").quiet().read().unwrap_or_default();
    if targets.lines().any(|line| line == WASM) {
        wasm(&sh)?;
    } else {
        println!("the core is not built for {WASM}: rustup has not installed that target");
    }
    native(&sh)
}

fn wasm(sh: &Shell) -> Result<()> {
    build(sh, WASM, None)?;
    let path = format!("target/{WASM}/release/core.wasm");
    let wrong = imports(&sh.read_binary_file(&path)?)?;
    verdict(&wrong, "the core's wasm module has imports", "the core's wasm module has no import")?;
    if cmd!(sh, "node --version").quiet().output().is_err() {
        println!("the module is not run: there is no Node here");
        return Ok(());
    }
    let script = "const m = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));\
        new WebAssembly.Instance(m, {}).exports.main(0, 0);";
    Ok(cmd!(sh, "node -e {script} {path}").run()?)
}

fn native(sh: &Shell) -> Result<()> {
    let host = cmd!(sh, "rustc --print host-tuple").read()?;
    let planted = named(sh, &host, Some("--features=planted"))?;
    for (kind, _) in FORBIDDEN {
        let is_found = planted.iter().any(|(found, _)| found == kind);
        ensure!(is_found, "{kind} are not found where they are planted");
    }
    let mut wrong = named(sh, &host, None)?;
    let folder = root().join("xtask/reach/target").join(&host).join("release");
    let core = symbols(sh, "--defined-only", &folder.join("core"))?;
    let nothing = symbols(sh, "--defined-only", &folder.join("nothing"))?;
    let linked = core.difference(&nothing).filter_map(|symbol| forbidden(symbol));
    wrong.extend(linked.map(|(kind, name)| (kind, format!("the linked program has {name}"))));
    let wrong: Vec<_> = wrong.iter().map(|(kind, name)| format!("{name} ({kind})")).collect();
    verdict(&wrong, "the core reaches out", "no crate of the core names files, sockets or the like")
}

/// The forbidden functions that the libraries name.
fn named(sh: &Shell, host: &str, feature: Option<&str>) -> Result<Vec<(&'static str, String)>> {
    let mut named = Vec::new();
    for library in build(sh, host, feature)? {
        let symbols = symbols(sh, "--undefined-only", library.as_std_path())?;
        let found = symbols.iter().filter_map(|symbol| forbidden(symbol));
        named.extend(found.map(|(kind, name)| (kind, format!("{library} names {name}"))));
    }
    Ok(named)
}

/// Builds for a target, and returns the libraries.
fn build(sh: &Shell, target: &str, feature: Option<&str>) -> Result<Vec<Utf8PathBuf>> {
    let build = cmd!(sh, "cargo build --quiet --locked --release --bins --target-dir target");
    let build = build.args(["--target", target, "--message-format", "json-render-diagnostics"]);
    let messages = build.args(feature).read()?;
    let files = Message::parse_stream(messages.as_bytes()).filter_map(|message| match message {
        Ok(Message::CompilerArtifact(artifact)) => Some(artifact.filenames),
        _ => None,
    });
    // Macros and build scripts are built for the machine that builds, which is elsewhere.
    let folder = format!("/{target}/");
    let is_library =
        |file: &Utf8PathBuf| file.as_str().contains(&folder) && file.extension() == Some("rlib");
    Ok(files.flatten().filter(is_library).collect())
}

/// The imports of a wasm module.
fn imports(module: &[u8]) -> Result<Vec<String>> {
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload? {
            for import in section {
                let import = import?;
                imports.push(format!("it imports {}.{}", import.module, import.name));
            }
        }
    }
    Ok(imports)
}

/// What a function leads to, if it leads out, and its name for people.
fn forbidden(symbol: &str) -> Option<(&'static str, String)> {
    // Without the hash; `<std::time::Instant>::now` is `std::time::Instant::now`.
    let name = format!("{:#}", rustc_demangle::demangle(symbol)).replace(['<', '>'], "");
    let leads =
        |beginnings: &str| beginnings.split(' ').any(|beginning| name.starts_with(beginning));
    let (kind, _) = FORBIDDEN.iter().find(|(_, beginnings)| leads(beginnings))?;
    Some((kind, name))
}

/// The symbols of a library or a program.
fn symbols(sh: &Shell, which: &str, file: &Path) -> Result<BTreeSet<String>> {
    let printed = cmd!(sh, "nm {which} --format=posix {file}").quiet().ignore_stderr().read()?;
    let names = printed.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_symbols_are_recognized_by_name() {
        let kinds = |symbol: &str| forbidden(symbol).map(|(kind, _)| kind);
        assert_eq!(kinds("_ZN3std4time7Instant3now17h0123456789abcdefE"), Some("clocks"));
        assert_eq!(kinds("_RNvMNtCsebHcaeoSrxy_3std4timeNtB2_7Instant3now"), Some("clocks"));
        assert_eq!(kinds("_ZN3std3env4_var17h0123456789abcdefE"), Some("environment"));
        for harmless in [
            "_ZN3std7process5abort17h0123456789abcdefE",
            "_ZN4core3fmt5Write9write_str17h0123456789abcdefE",
            "memcpy",
            "_ZN5thing3std2fs1x17h0123456789abcdefE",
        ] {
            assert_eq!(kinds(harmless), None, "{harmless}");
        }
    }

    #[test]
    fn imports_of_a_module_are_read() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend(b"\x02\x0c\x01\x03env\x04puts\0\0");
        assert_eq!(imports(&module).unwrap(), ["it imports env.puts"]);
    }
}
