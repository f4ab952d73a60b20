//! Shared parts of the blocking and the async client of CC-FS.
//!
//! `ccfs-proto` does no I/O, reads no clock and generates no random numbers. This crate provides
//! what a client needs in addition to it and an HTTP client:
//!
//! - [`Config`]: the settings of a client;
//! - [`Session`]: starts exchanges and remembers the clock correction that they found;
//! - [`Clock`] and [`Proxy`];
//! - [`WholeFile`]: a file that is written atomically;
//! - [`check_setting`]: finds stray characters around a key or another setting;
//! - [`Error`]: why a call failed.
//!
//! It depends on no HTTP client and no runtime, and makes no decisions about the protocol.
//!
//! ```
//! use std::io::Write;
//! use ccfs_driver::{Overwrite, WholeFile};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("20230406.zip");
//! let mut file = WholeFile::create(&path, Overwrite::Refuse)?;
//! file.write_all(b"PK")?;
//! assert!(!path.exists(), "the file appears when it is complete");
//! file.commit(2)?;
//! assert_eq!(std::fs::read(&path)?, b"PK");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod call;
mod clock;
mod config;
mod download;
mod error;
mod proxy;
mod session;
mod setting;
mod whole_file;

pub use call::{Call, CallSpan};
pub use clock::{Clock, SystemClock};
pub use config::{Config, ConfigError};
pub use download::{CheckFn, ProgressFn};
pub use error::{Error, Progress};
pub use proxy::{Proxy, ProxyError};
pub use session::Session;
pub use setting::{StrayCharacter, check_setting};
pub use whole_file::{FileError, Overwrite, WholeFile};
