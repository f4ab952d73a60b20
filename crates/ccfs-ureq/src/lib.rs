//! Blocking CC-FS client, built on `ccfs-proto` and [`ureq`].
//!
//! It executes the steps of a [`proto::Exchange`]; the exchange makes all decisions about the
//! protocol. A call runs on the calling thread, without an async runtime. Operations, credentials
//! and policies are in [`proto`].
//!
//! ```no_run
//! use ccfs_ureq::proto::{Credentials, DownloadAgentSkillInfoFile};
//! use ccfs_ureq::{Client, Config};
//!
//! let credentials = Credentials::from_text("my-app-id", std::env::var("CCFS_SECRET_KEY")?)?;
//! let client = Client::new(Config::new("https://10.1.2.3:8443".parse()?, credentials))?;
//! let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse()?;
//! let receipt = client.download(DownloadAgentSkillInfoFile::new(name)).to_file("20230406.zip")?;
//! println!("{} bytes", receipt.bytes);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! `tracing`: a span for each call, with events for attempts, responses and waits. Off by default.
//!
//! # Logging
//!
//! ureq logs through the `log` crate. Up to DEBUG its records contain the server, the method and
//! headers without secrets. At TRACE they contain a hex dump of every request head, with the
//! signature, and of everything received, and the whole URL, which contains the token of
//! `playVoice`. A library cannot prevent that; a program that enables TRACE should limit both
//! crates to DEBUG, with `env_logger` by the filter `trace,ureq=debug,ureq_proto=debug`. No record
//! contains a key.
#![forbid(unsafe_code)]

mod client;
mod connect;
mod drive;
mod failure;
mod sink;
mod wire;

pub use ccfs_driver::{
    Clock, Config, ConfigError, Error, FileError, Overwrite, Progress, Proxy, ProxyError, Session,
    SystemClock, WholeFile,
};
pub use ccfs_proto as proto;
pub use ccfs_tls::{
    Identity, IdentityError, Pin, PinError, TlsVersion, Trust, TrustEnvError, TrustError,
};
pub use client::{BuildError, Client, Download};
