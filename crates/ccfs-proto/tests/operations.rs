//! Every interface as an operation: what it sends, what it refuses, what it makes of an answer, and the same by name.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../../tests/src/skipped.rs"]
mod skipped;

mod operations {
    mod answers;
    mod bodies;
    mod by_name;
    mod limits;
    mod properties;
    mod services;
    mod support;
    mod upload;
}
