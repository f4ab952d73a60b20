//! Helpers of the tests that involve several crates.
//!
//! [`Blocking`] and [`Async`] are the two backends, for the suite of `ccfs-conformance`; [`properties`] are properties that hold for every
//! backend, tested with a server that plays scripts of bytes. [`Collector`], [`Rendered`] and [`Secrets`] look for what must not be shown;
//! [`wait_until`] waits for a condition, and a [`HeldPort`] reserves a port. [`S3`] is an emulated store with faults. [`ScriptedServer`] is the
//! server of tests of clients, and [`http`] the client of tests of servers. [`interfaces`] calls every interface, for whatever makes calls;
//! [`query`], [`config`] and [`trust`] are what most calls need.
#![forbid(unsafe_code)]
// Everything here runs in tests, where a panic is the verdict.
#![allow(clippy::missing_panics_doc, clippy::unwrap_used)]

mod backends;
mod both;
mod calls;
mod certificates;
mod collector;
pub mod http;
pub mod interfaces;
mod leaks;
mod port;
pub mod properties;
mod proxy;
mod s3;
mod skipped;
mod wait;

pub use backends::{Async, Blocking};
pub use both::{Outcome, ask_both};
pub use calls::{config, download, query, query_to, runtime, trust, wav_of};
pub use ccfs_conformance::{Backend, Behaviour, Framing, ManualClock, ScriptedServer, Seen, Setup};
pub use certificates::asks_for_certificate;
pub use collector::{Collector, Logged};
pub use leaks::{Rendered, SECRET_KEYS, Secrets, signatures};
pub use port::HeldPort;
pub use proxy::ProxyProcess;
pub use s3::{S3, StoreFault, StoreRequest};
pub use skipped::skipped;
pub use wait::{TEST_TIMEOUT, wait_until};

/// Compiles and runs the examples of the documents.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/choosing-a-layer.md")]
    struct ChoosingALayer;
    #[doc = include_str!("../../docs/emulator.md")]
    struct TheEmulator;
    #[doc = include_str!("../../crates/ccfs/README.md")]
    struct Ccfs;
    #[doc = include_str!("../../crates/ccfs-archive/README.md")]
    struct Archive;
    #[doc = include_str!("../../crates/ccfs-arrow/README.md")]
    struct Arrow;
    #[doc = include_str!("../../crates/ccfs-conformance/README.md")]
    struct Conformance;
    #[doc = include_str!("../../crates/ccfs-doctor/README.md")]
    struct Doctor;
    #[doc = include_str!("../../crates/ccfs-emulator/README.md")]
    struct Emulator;
    #[doc = include_str!("../../crates/ccfs-listener/README.md")]
    struct Listener;
    #[doc = include_str!("../../crates/ccfs-proto/README.md")]
    struct Proto;
    #[doc = include_str!("../../crates/ccfs-pull/README.md")]
    struct Pull;
    #[doc = include_str!("../../crates/ccfs-reqwest/README.md")]
    struct Reqwest;
    #[doc = include_str!("../../crates/ccfs-time/README.md")]
    struct Time;
    #[doc = include_str!("../../crates/ccfs-ureq/README.md")]
    struct Ureq;
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Cargo does not find the test files of crates with `tests/all.rs` by itself.
    #[test]
    fn every_test_file_is_compiled() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let crates = fs::read_dir(here.join("../crates")).unwrap();
        let mut files = 0;
        for krate in crates.map(|entry| entry.unwrap().path()).chain([here.to_owned()]) {
            let Ok(all) = fs::read_to_string(krate.join("tests/all.rs")) else { continue };
            let manifest = fs::read_to_string(krate.join("Cargo.toml")).unwrap();
            for entry in fs::read_dir(krate.join("tests")).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let Some(name) = name.strip_suffix(".rs").filter(|name| *name != "all") else {
                    continue;
                };
                let is_module = all.contains(&format!("\nmod {name};\n"));
                let is_program = manifest.contains(&format!("\nname = \"{name}\"\n"));
                assert!(is_module || is_program, "{}: {name}.rs is not compiled", krate.display());
                files += 1;
            }
        }
        assert!(files > 40, "{files}");
    }
}
