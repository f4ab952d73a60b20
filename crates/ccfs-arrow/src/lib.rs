//! Converts the index files of CC-FS, the file server of Huawei's AICC call center, to Arrow record batches and to
//! Parquet.
//!
//! ```no_run
//! use std::fs::File;
//!
//! use ccfs_archive::{AgentSkillChange, Archive, IndexKind};
//! use ccfs_arrow::{Batches, Options};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let archive = Archive::open(File::open("20150208_0123456789abcdef0123456789abcdef.zip")?)?;
//!     let records = archive.into_records_ahead::<AgentSkillChange>();
//!     for batch in Batches::new(records, IndexKind::AgentSkillInfo, &Options::new())? {
//!         println!("{} rows", batch?.num_rows());
//!     }
//!     Ok(())
//! }
//! ```
//!
//! [`schema`] returns the columns and their types. They are those of [`ccfs_archive`], which also reads the records:
//! limits, bad rows and errors are as documented there. Errors of reading are [`ArrowError::ExternalError`]s with an
//! [`Error`](ccfs_archive::Error), which [`Cause`] returns.
//!
//! # Ways to convert
//!
//! | from | to | use |
//! |---|---|---|
//! | a file, a response body, standard input: any [`Records`](ccfs_archive::Records) | batches | [`Batches`]; on another thread [`BatchesAhead`] |
//! | chunks, pushed by an async runtime | batches | [`BatchParser`] |
//! | records that the caller has | batches | [`BatchBuilder`] |
//! | batches | Parquet | [`write_parquet`], [`ParquetWriter`] |
//! | Parquet | counts over its rows, not records | [`ParquetInspector`] |
//!
//! # Versions
//!
//! The public API has types of [`arrow_array`] and [`arrow_schema`], which this crate re-exports. A new major version of
//! them is a new minor version of this crate.
//!
//! # Features
//!
//! `parquet`: [`write_parquet`], [`ParquetWriter`] and [`ParquetInspector`], without any C code: pages are compressed
//! with Snappy.
//!
//! [`ArrowError::ExternalError`]: arrow_schema::ArrowError::ExternalError
#![forbid(unsafe_code)]
// The documentation links to items of features that may be off.
#![cfg_attr(not(feature = "parquet"), allow(rustdoc::broken_intra_doc_links))]

mod ahead;
mod batches;
mod builder;
mod error;
#[cfg(feature = "parquet")]
mod inspect;
mod layout;
mod options;
mod parser;
#[cfg(feature = "parquet")]
mod write;

pub use ahead::BatchesAhead;
pub use arrow_array;
pub use arrow_schema;
pub use batches::Batches;
pub use builder::BatchBuilder;
pub use error::Cause;
#[cfg(feature = "parquet")]
pub use inspect::{ParquetInfo, ParquetInspector};
pub use layout::{TIME_ZONE, schema};
pub use options::Options;
pub use parser::BatchParser;
#[cfg(feature = "parquet")]
pub use write::{ParquetOptions, ParquetWriter, write_parquet};
