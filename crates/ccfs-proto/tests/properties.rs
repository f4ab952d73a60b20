//! Properties of the protocol core, each held over random inputs.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "properties/answers.rs"]
mod answers;
#[path = "properties/bounds.rs"]
mod bounds;
#[path = "properties/callbacks.rs"]
mod callbacks;
#[path = "properties/classifier.rs"]
mod classifier;
#[path = "properties/endpoints.rs"]
mod endpoints;
#[path = "properties/failures.rs"]
mod failures;
#[path = "properties/names.rs"]
mod names;
#[path = "properties/others.rs"]
mod others;
#[path = "properties/requests.rs"]
mod requests;
#[path = "properties/signing.rs"]
mod signing;
#[path = "properties/skew.rs"]
mod skew;
#[path = "../../../tests/src/skipped.rs"]
mod skipped;
#[path = "properties/texts.rs"]
mod texts;
#[path = "properties/verifying.rs"]
mod verifying;

use proptest::test_runner::{Config, FileFailurePersistence};

/// So many cases, and failures remembered in the folder of regressions. In Miri one case must do, without those that failed once.
fn cases(cases: u32) -> Config {
    if cfg!(miri) {
        return Config { cases: 1, failure_persistence: None, ..Config::default() };
    }
    let file = FileFailurePersistence::Direct("tests/regressions/properties.txt");
    Config { cases, failure_persistence: Some(Box::new(file)), ..Config::default() }
}

/// A size, and a smaller one for Miri, which takes some hundred times as long for each byte.
const fn sized(size: usize, in_miri: usize) -> usize {
    if cfg!(miri) { in_miri } else { size }
}
