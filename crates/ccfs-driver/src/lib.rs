//! What every driver of `ccfs-proto` needs beside an HTTP client.
//!
//! The protocol core does no I/O, reads no clock and draws no random number. This crate has the effects that both ready-made backends
//! need: a [`Clock`], jitter, which [`Proxy`] to take, the [`Session`] that begins exchanges and remembers a corrected clock, a
//! [`WholeFile`] that is there whole or not at all, and the [`Error`] of a driven call. It knows no HTTP client and no runtime, and decides
//! nothing about the protocol.
//!
//! ```
//! use std::io::Write;
//! use ccfs_driver::{Overwrite, WholeFile};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("20230406.zip");
//! let mut file = WholeFile::create(&path, Overwrite::Refuse)?;
//! file.write_all(b"PK")?;
//! assert!(!path.exists(), "nothing is there before it is whole");
//! file.commit(2)?;
//! assert_eq!(std::fs::read(&path)?, b"PK");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod call;
mod clock;
mod config;
mod error;
mod proxy;
mod session;
mod whole_file;

pub use call::{Call, CallSpan};
pub use clock::{Clock, SystemClock};
pub use config::{Config, ConfigError};
pub use error::{Error, Progress};
pub use proxy::{Proxy, ProxyError};
pub use session::Session;
pub use whole_file::{FileError, Overwrite, WholeFile};
