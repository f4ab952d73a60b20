//! Tests of pulls from the emulator, and of their parts without I/O.
#![allow(clippy::unwrap_used)]

#[cfg(all(feature = "async", feature = "blocking"))]
mod broken_off;
#[cfg(all(feature = "async", feature = "blocking", feature = "object-store", feature = "parquet"))]
mod bucket;
#[cfg(all(feature = "async", feature = "blocking"))]
mod contents;
#[cfg(all(feature = "async", feature = "blocking", feature = "parquet"))]
mod dataset;
#[cfg(all(feature = "async", feature = "blocking"))]
mod drivers;
#[cfg(all(feature = "async", feature = "blocking"))]
mod later_runs;
mod properties;
#[cfg(all(feature = "async", feature = "blocking"))]
mod support;
#[cfg(all(feature = "async", feature = "blocking"))]
mod tasks;
