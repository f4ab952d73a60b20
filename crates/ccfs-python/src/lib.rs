//! The native part of the Python package `ccfs`: thin wrappers around the crate of the same name.
//!
//! `python/ccfs/_native.pyi` documents the Python interface. Every function that reads, downloads
//! or waits is detached from the interpreter meanwhile.
#![forbid(unsafe_code)]
#![allow(clippy::needless_pass_by_value, reason = "arguments of Python are extracted as values")]

mod answer;
mod archive;
mod arguments;
mod auth;
mod client;
mod errors;
mod exchange;
mod executor;
mod headers;
mod options;
mod parquet;
mod pull;
mod reading;
mod receiver;
mod rows;
mod schema;
mod source;
mod step;
mod stream;
mod time;
mod work;

/// `ccfs._native`.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "the name that Python modules have")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    use crate::archive::{Archive, Member, open};
    #[pymodule_export]
    use crate::auth::{sign, verify};
    #[pymodule_export]
    use crate::client::{Client, Progress};
    #[pymodule_export]
    use crate::exchange::Exchange;
    #[pymodule_export]
    use crate::executor::run_task;
    #[pymodule_export]
    use crate::parquet::to_parquet;
    #[pymodule_export]
    use crate::pull::{PullProgress, Summary, Window};
    #[pymodule_export]
    use crate::receiver::{Callback, CallbackReceiver, Reception};
    #[pymodule_export]
    use crate::rows::Rows;
    #[pymodule_export]
    use crate::schema::{Schema, schema};
    #[pymodule_export]
    use crate::step::{Done, Receive, Rewind, Send, Wait, Write};
    #[pymodule_export]
    use crate::stream::Stream;
    #[pymodule_export]
    use crate::time::Now;
}
