//! Tests of the command, which they start as a process.
#![allow(clippy::case_sensitive_file_extension_comparisons, clippy::unwrap_used)]

#[cfg(unix)]
mod bucket;
mod call;
mod command;
mod doctor;
mod help;
mod inputs;
#[cfg(unix)]
mod killed;
mod leaks;
mod parquet;
mod proxy;
mod pull;
#[cfg(unix)]
mod server;
mod signature;
mod support;
mod tls;
