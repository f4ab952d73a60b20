//! Tests of batches and Parquet files.
#![allow(clippy::unwrap_used)]

mod batches;
#[cfg(feature = "parquet")]
mod inspect;
#[cfg(feature = "parquet")]
mod parquet;
mod properties;
mod support;
