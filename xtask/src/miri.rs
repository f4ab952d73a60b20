//! The core's tests in Miri, which finds undefined behaviour that a processor lets pass, also in the dependencies of the core.
//!
//! It is hundreds of times slower than native code. So a property has one case there and small sizes, and as many test programs run at once
//! as there are processors. A test that cannot run there says why.

use std::process::{Command, Output};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use crate::tools::{has, nightly};
use crate::workspace::{done, members, metadata, root, text, verdict};

const CORE: &str = "ccfs-proto";

pub(crate) fn run() -> Result<(), String> {
    if !has(&["cargo", "miri", "--version"]) {
        println!(
            "Miri is not run: there is no nightly toolchain with it here; `rustup +nightly component add miri rust-src` brings it"
        );
        return Ok(());
    }
    let metadata = metadata()?;
    let members = members(&metadata);
    let core = members.iter().find(|member| member.name == CORE).ok_or("the core is gone")?;
    let programs =
        core.targets("test").map(|(name, _)| vec!["--test", name]).chain([vec!["--lib"]]);
    let test = |words: &[&str]| {
        let mut test = nightly(&["cargo", "miri", "test", "--package", CORE]);
        let folder = format!("{}/miri", text(&metadata["target_directory"]));
        // Proptest asks the system for randomness, and the environment for its settings.
        test.args(words)
            .env("MIRIFLAGS", "-Zmiri-disable-isolation")
            .env("CARGO_TARGET_DIR", folder)
            .current_dir(root());
        test
    };
    done(&mut test(&["--quiet", "--lib", "--tests", "--no-run"]))?;
    let (waiting, wrong) =
        (Mutex::new(programs.collect::<Vec<_>>().into_iter()), Mutex::new(Vec::new()));
    let next = || waiting.lock().ok()?.next();
    let work = || {
        while let Some(words) = next() {
            if let Err(error) =
                passes(&mut test(&words), words[words.len() - 1].trim_start_matches('-'))
                && let Ok(mut wrong) = wrong.lock()
            {
                wrong.push(error);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    verdict(
        &wrong.into_inner().unwrap_or_default(),
        "Miri stopped at something",
        "Miri found nothing that the language forbids",
    )
}

/// Runs a test program, and returns its result.
fn passes(test: &mut Command, name: &str) -> Result<(), String> {
    let started = Instant::now();
    let Output { status, stdout, stderr } =
        test.output().map_err(|error| format!("{name} could not start: {error}"))?;
    let told = String::from_utf8_lossy(&stdout);
    if !status.success() {
        return Err(format!("{name}:\n{told}\n{}", String::from_utf8_lossy(&stderr)));
    }
    let result =
        told.lines().find_map(|line| line.strip_prefix("test result: ok. ")).unwrap_or_default();
    let counts: Vec<&str> = result.split("; ").take(3).collect();
    println!("{name:12} {} in {:.0} s", counts.join(", "), started.elapsed().as_secs_f64());
    Ok(())
}
