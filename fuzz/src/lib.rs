//! Fuzz targets: each is a function of arbitrary bytes that panics if a property is violated.
//!
//! The programs in `fuzz_targets/` hand these functions to libFuzzer; `tests/corpus.rs` runs them over the committed corpora. Each
//! function's page says what its bytes mean and what is held. `README.md` says how to run them.
#![forbid(unsafe_code)]

mod archive;
mod archive_members;
mod authorization;
mod calendar;
mod callback;
mod classifier;
mod csv;
mod endpoint;
mod envelope;
mod exchange;
mod file_name;
mod header;
mod receiver;
mod servers;
mod tape;
mod timestamp;
mod verifier;

pub use archive::archive;
pub use archive_members::archive_members;
pub use authorization::authorization;
pub use callback::callback;
pub use classifier::classifier;
pub use csv::csv;
pub use endpoint::endpoint;
pub use envelope::envelope;
pub use exchange::exchange;
pub use file_name::file_name;
pub use header::header;
pub use receiver::receiver;
pub use servers::servers;
pub use timestamp::timestamp;
pub use verifier::verifier;

/// A target: its name, which is that of its program and of its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, by name.
pub const TARGETS: &[Target] = &[
    ("archive", archive),
    ("archive_members", archive_members),
    ("authorization", authorization),
    ("callback", callback),
    ("classifier", classifier),
    ("csv", csv),
    ("endpoint", endpoint),
    ("envelope", envelope),
    ("exchange", exchange),
    ("file_name", file_name),
    ("header", header),
    ("receiver", receiver),
    ("servers", servers),
    ("timestamp", timestamp),
    ("verifier", verifier),
];
