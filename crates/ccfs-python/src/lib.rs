//! The native part of the Python package `ccfs`: thin wrappers around the crate of the same name.
//!
//! `python/ccfs/_native.pyi` documents what Python sees. Every function that reads, downloads or
//! waits is detached from the interpreter meanwhile.
#![forbid(unsafe_code)]
#![allow(clippy::needless_pass_by_value, reason = "arguments of Python are extracted as values")]

mod archive;
mod errors;
mod options;
mod parquet;
mod reading;
mod rows;
mod source;
mod stream;
mod time;

/// `ccfs._native`.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "the name that Python modules have")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    use crate::archive::{Archive, Member, open};
    #[pymodule_export]
    use crate::parquet::to_parquet;
    #[pymodule_export]
    use crate::rows::Rows;
    #[pymodule_export]
    use crate::stream::Stream;
}
