//! Tests of reading archives and CSV files.
#![allow(clippy::unwrap_used)]

mod engine;
#[cfg(feature = "json")]
mod export;
mod hostile;
mod inputs;
mod peers;
mod properties;
mod rows;
mod support;
