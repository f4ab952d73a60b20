//! Coverage-guided fuzzing with the stable toolchain: no nightly, no cargo-fuzz, only a C++ compiler beside Rust.
//!
//! LLVM flags switch on the coverage that libFuzzer needs. Address sanitizer is off: the code is safe Rust, and
//! what counts are panics, overflows, failed assertions, time and memory. See `fuzz/README.md`.

use std::num::NonZeroU32;

use anyhow::{Context as _, Result};
use xshell::cmd;

use crate::workspace::{shell, verdict};

/// Flags with which `rustc` counts branches and reports compared values to libFuzzer.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg=fuzzing";
/// An input that takes more than 10 seconds, or makes the process hold more than 512 MiB, is a finding.
const LIMITS: &[&str] = &["-timeout=10", "-rss_limit_mb=512", "-print_final_stats=1"];
/// Runs every target once over its committed corpus, without instrumentation.
pub(crate) fn replay() -> Result<()> {
    let sh = shell()?;
    sh.change_dir("fuzz");
    Ok(cmd!(sh, "cargo test --quiet").run()?)
}

/// Runs the named fuzz targets, or all, for some seconds each, and fails on any finding.
pub(crate) fn run(named: &[&str], seconds: &str) -> Result<()> {
    let seconds: NonZeroU32 = seconds.parse().context("--seconds needs a whole number from 1")?;
    let sh = shell()?;
    sh.change_dir("fuzz");
    let sources = sh.read_dir("fuzz_targets")?;
    let all: Vec<&str> = sources.iter().filter_map(|path| path.file_stem()?.to_str()).collect();
    let host = cmd!(sh, "rustc --print host-tuple").read()?;
    let mut findings = Vec::new();
    for target in if named.is_empty() { &all } else { named } {
        // New inputs go to the first folder, so that the committed one does not change.
        let folders = ["found", "corpus"].map(|kind| format!("{kind}/{target}"));
        let artifacts = format!("artifacts/{target}/");
        sh.create_dir(&folders[0])?;
        sh.create_dir(&artifacts)?;
        let words = format!("words/{target}");
        let dictionary = sh.path_exists(&words).then(|| format!("-dict={words}"));
        // With a target named, the flags are not those of build scripts and macros, which have nothing to link them with.
        let build = ["--release", "--features", "libfuzzer", "--target", &host, "--bin", target];
        let fuzz = cmd!(sh, "cargo run --quiet {build...} -- {folders...} {LIMITS...}")
            .args(dictionary)
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={artifacts}"))
            .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.replace(' ', "\u{1f}"))
            // Large buffers leave holes in the heap, each pinned by an input that libFuzzer keeps: after some thousand of them that looks like
            // a leak. With this threshold, glibc maps each buffer from 128 KiB and returns its memory.
            .env("MALLOC_MMAP_THRESHOLD_", "131072");
        findings.extend(fuzz.run().err().map(|error| format!("{target}: {error}")));
    }
    verdict(&findings, "targets failed; findings are in fuzz/artifacts", "nothing found")
}
