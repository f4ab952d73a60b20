//! Coverage-guided fuzzing with the stable toolchain: no nightly, no cargo-fuzz, only a C++ compiler beside Rust.
//!
//! LLVM flags switch on the coverage that libFuzzer needs. Address sanitizer is off: the code is safe Rust, and
//! what counts are panics, overflows, failed assertions, time and memory. See `fuzz/README.md`.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use xshell::{Shell, cmd};

use crate::workspace::{root, verdict};

/// Flags with which `rustc` counts branches and reports compared values to libFuzzer.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg=fuzzing";
/// An input that takes more than 10 seconds, or makes the process hold more than 512 MiB, is a finding.
const LIMITS: &[&str] = &["-timeout=10", "-rss_limit_mb=512", "-print_final_stats=1"];
/// Targets whose large buffers leave holes in the heap, each pinned by an input that libFuzzer keeps: after some thousand of them that looks
/// like a leak. For these, glibc maps large buffers one by one, which is slower and returns the memory.
const LEAVES_HOLES: &[&str] = &["archive_members"];

/// Runs every target once over its committed corpus, without instrumentation.
pub(crate) fn replay() -> Result<()> {
    let sh = shell()?;
    Ok(cmd!(sh, "cargo test --quiet").run()?)
}

/// Runs the named fuzz targets, or all, for some seconds each, and fails on any finding.
pub(crate) fn run(named: &[&str], seconds: &str) -> Result<()> {
    let is_number = seconds.parse().is_ok_and(|seconds: u32| seconds > 0);
    ensure!(is_number, "--seconds needs a whole number from 1");
    let sh = shell()?;
    let sources = sh.read_dir("fuzz_targets")?;
    let stem = |path: &Path| Some(path.file_stem()?.to_str()?.to_owned());
    let mut targets: Vec<String> = sources.iter().filter_map(|path| stem(path)).collect();
    for name in named {
        let is_known = targets.iter().any(|target| target == name);
        ensure!(is_known, "there is no target {name}; there are: {}", targets.join(", "));
    }
    targets.retain(|target| named.is_empty() || named.contains(&target.as_str()));
    let host = host(&sh)?;
    // With a target named, the flags are not those of build scripts and macros, which have nothing to link them with.
    let build =
        cmd!(sh, "cargo build --quiet --release --features libfuzzer --bins --target {host}");
    build.env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.replace(' ', "\u{1f}")).run()?;
    let mut findings = Vec::new();
    for target in &targets {
        let program = root().join("fuzz/target").join(&host).join("release").join(target);
        // New inputs go to the first folder, so that the committed one does not change.
        let folders = ["found", "corpus"].map(|kind| format!("{kind}/{target}"));
        sh.create_dir(&folders[0])?;
        sh.create_dir(format!("artifacts/{target}"))?;
        let mut fuzz = cmd!(sh, "{program} {folders...} {LIMITS...} -max_total_time={seconds}")
            .arg(format!("-artifact_prefix=artifacts/{target}/"));
        let words = format!("words/{target}");
        if sh.path_exists(&words) {
            fuzz = fuzz.arg(format!("-dict={words}"));
        }
        if LEAVES_HOLES.contains(&target.as_str()) {
            fuzz = fuzz.env("MALLOC_MMAP_THRESHOLD_", "131072");
        }
        findings.extend(fuzz.run().err().map(|error| format!("{target}: {error}")));
    }
    verdict(&findings, "findings, in fuzz/artifacts", "nothing found")
}

/// A shell in the folder `fuzz`.
fn shell() -> Result<Shell> {
    let sh = crate::workspace::shell()?;
    sh.change_dir("fuzz");
    // As without `--target-dir`, wherever the workspace is built.
    sh.set_var("CARGO_TARGET_DIR", root().join("fuzz/target"));
    Ok(sh)
}

/// The machine's own target.
pub(crate) fn host(sh: &Shell) -> Result<String> {
    let printed = cmd!(sh, "rustc -vV").quiet().read()?;
    let host = printed.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not print its host")?.to_owned())
}
