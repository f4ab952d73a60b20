//! Async CC-FS client, built on `ccfs-proto` and [`reqwest`].
//!
//! It executes the steps of a [`proto::Exchange`]; the exchange makes all decisions about the
//! protocol. It needs a tokio runtime with I/O and time enabled. Dropping the future of a call
//! cancels the call and removes its temporary file. Operations, credentials and policies are in
//! [`proto`].
//!
//! ```no_run
//! use ccfs_reqwest::proto::{Credentials, DownloadAgentSkillInfoFile};
//! use ccfs_reqwest::{Client, Config};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let credentials = Credentials::from_text("my-app-id", std::env::var("CCFS_SECRET_KEY")?)?;
//! let client = Client::new(Config::new("https://10.1.2.3:8443".parse()?, credentials))?;
//! let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse()?;
//! let receipt = client.download(DownloadAgentSkillInfoFile::new(name)).to_file("20230406.zip").await?;
//! println!("{} bytes", receipt.bytes);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! `tracing`: a span for each call, with events for attempts, responses and waits. Off by default.
//!
//! # Logging
//!
//! reqwest, hyper and rustls log through the `log` and `tracing` crates. At every level their
//! records may contain the server's name, but no key, signature, token or body.
#![forbid(unsafe_code)]

mod client;
mod drive;
mod failure;
mod sink;
mod tunnel;

pub use ccfs_driver::{
    Clock, Config, ConfigError, Error, FileError, Overwrite, Progress, Proxy, ProxyError, Session,
    SystemClock, WholeFile,
};
pub use ccfs_proto as proto;
pub use ccfs_tls::{
    Identity, IdentityError, Pin, PinError, TlsVersion, Trust, TrustEnvError, TrustError,
};
pub use client::{BuildError, Client, Download};
