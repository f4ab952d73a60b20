//! Checks that the core does not reach the system outside. It inspects linked programs, not sources.
//!
//! `xtask/reach` is a program that uses everything in the core. For `wasm32-unknown-unknown`, where that target is installed, its
//! module must need no import, and runs in Node, if installed. For this machine, every crate of the core's tree is looked at with `nm`:
//! none may name the standard library's files, sockets, clocks, threads, environment, processes or streams. The same program with all of
//! these planted must be detected, each time.

mod module;
mod symbols;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::workspace::{done, list, output, root, text, verdict};
use module::Module;
use symbols::{KINDS, forbidden};

const WASM: &str = "wasm32-unknown-unknown";

pub(crate) fn run() -> Result<(), String> {
    let reach = Reach { folder: root().join("xtask/reach") };
    let targets =
        output(Command::new("rustup").args(["target", "list", "--installed"])).unwrap_or_default();
    if targets.lines().any(|line| line == WASM) {
        reach.wasm()?;
    } else {
        println!(
            "the core is not built for {WASM}: rustup has not installed that target; what follows stands for it"
        );
    }
    reach.native()
}

/// Files by the name of what they are.
type Paths = BTreeMap<String, PathBuf>;

struct Reach {
    folder: PathBuf,
}

impl Reach {
    /// Builds for a target, and gives the programs by name and the libraries of the tree by crate.
    fn build(&self, target: &str, planted: bool) -> Result<(Paths, Paths), String> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([
            "build",
            "--quiet",
            "--locked",
            "--release",
            "--bins",
            "--target",
            target,
            "--message-format",
            "json-render-diagnostics",
        ]);
        cargo
            .arg("--manifest-path")
            .arg(self.folder.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(self.folder.join("target"));
        if planted {
            cargo.args(["--features", "planted"]);
        }
        let (mut programs, mut libraries) = (Paths::new(), Paths::new());
        for line in output(&mut cargo)?.lines() {
            let Ok(artifact) = serde_json::from_str::<Value>(line) else { continue };
            let name = text(&artifact["target"]["name"]).to_owned();
            for file in list(&artifact["filenames"]).map(text) {
                // Macros and build scripts are built for the machine that builds, which is elsewhere.
                if Path::new(file).extension().is_some_and(|kind| kind == "rlib")
                    && file.contains(&format!("/{target}/"))
                {
                    libraries.insert(name.clone(), PathBuf::from(file));
                }
            }
            if list(&artifact["target"]["kind"]).any(|kind| kind == "bin") {
                let program = artifact["executable"]
                    .as_str()
                    .or_else(|| list(&artifact["filenames"]).map(text).next());
                programs.extend(program.map(|program| (name, PathBuf::from(program))));
            }
        }
        Ok((programs, libraries))
    }

    fn wasm(&self) -> Result<(), String> {
        let (programs, _) = self.build(WASM, false)?;
        let read = |name: &str| -> Result<(PathBuf, Module), String> {
            let path = programs.get(name).ok_or_else(|| format!("cargo built no {name}"))?;
            let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok((path.clone(), Module::read(&bytes).ok_or("the module cannot be read")?))
        };
        let (path, core) = read("core")?;
        let (_, nothing) = read("nothing")?;
        let imports = core.imports.iter().map(|import| format!("it imports {import}"));
        let reached = core
            .functions
            .difference(&nothing.functions)
            .filter_map(|name| forbidden(name))
            .map(|(kind, name)| format!("{kind}: {name}"));
        let wrong: Vec<String> = imports.chain(reached).collect();
        let holds = format!(
            "{WASM}: {} functions, no import, no file, socket, clock or thread",
            core.functions.len()
        );
        verdict(&wrong, "the core reaches out of a wasm module", &holds)?;
        let script = "const m = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));\
            new WebAssembly.Instance(m, {}).exports.main(0, 0);";
        if Command::new("node").arg("--version").output().is_err() {
            println!("{WASM}: the module is not run: there is no Node here");
            return Ok(());
        }
        done(Command::new("node").args(["-e", script]).arg(path))?;
        println!("{WASM}: the module runs in Node, without anything given to it");
        Ok(())
    }

    fn native(&self) -> Result<(), String> {
        if Command::new("nm").arg("--version").output().is_err() {
            return Err("nm is not here, which comes with the linker on most systems (binutils); nothing could be checked".into());
        }
        let host = crate::fuzz::host()?;
        let (_, libraries) = self.build(&host, true)?;
        let planted = libraries.get("reach").ok_or("cargo built no library")?;
        let found: BTreeSet<&str> = undefined(planted)?
            .iter()
            .filter_map(|name| forbidden(name))
            .map(|(kind, _)| kind)
            .collect();
        let missed: Vec<String> = KINDS
            .iter()
            .filter(|kind| !found.contains(*kind))
            .map(|kind| format!("{kind} are not found where they are planted"))
            .collect();
        verdict(
            &missed,
            "the check finds too little",
            "what is planted is found: files, sockets, clocks, threads, environment, processes, streams",
        )?;

        let (programs, libraries) = self.build(&host, false)?;
        let mut wrong = Vec::new();
        for (name, library) in &libraries {
            let symbols = undefined(library)?;
            let named = symbols.iter().filter_map(|symbol| forbidden(symbol));
            wrong.extend(named.map(|(kind, function)| format!("{name} names {function} ({kind})")));
        }
        let defined = |name: &str| -> Result<BTreeSet<String>, String> {
            symbols::of(
                programs.get(name).ok_or_else(|| format!("cargo built no {name}"))?,
                "--defined-only",
            )
        };
        let (core, nothing) = (defined("core")?, defined("nothing")?);
        let reached = core.difference(&nothing).filter_map(|name| forbidden(name));
        wrong.extend(reached.map(|(kind, name)| format!("the linked program has {name} ({kind})")));
        verdict(
            &wrong,
            "the core reaches out",
            &format!(
                "{host}: {} crates name nothing of these, and none is linked",
                libraries.len()
            ),
        )
    }
}

fn undefined(library: &Path) -> Result<BTreeSet<String>, String> {
    symbols::of(library, "--undefined-only")
}
