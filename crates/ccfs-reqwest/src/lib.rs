//! An async CC-FS client: a short loop that drives the exchanges of `ccfs-proto` with a [`reqwest::Client`].
//!
//! The loop sends, waits and writes what the exchange tells it to, and decides nothing. It needs a tokio runtime with I/O and time
//! enabled; dropping a call's future cancels it and leaves nothing behind. Operations, credentials and policies are those of [`proto`].
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
//! `tracing`: a span for each call, and events for its attempts, answers and waits. Nothing is on by default.
//!
//! # Logging
//!
//! reqwest, hyper and rustls log through the `log` and `tracing` crates. Their records name the server; they hold no key, no signature, no token
//! and no body, at no level.
#![forbid(unsafe_code)]

mod client;
mod drive;
mod failure;
mod sink;

pub use ccfs_driver::{
    Clock, Config, ConfigError, Error, FileError, Overwrite, Progress, Proxy, ProxyError, Session,
    SystemClock, WholeFile,
};
pub use ccfs_proto as proto;
pub use ccfs_tls::{
    Identity, IdentityError, Pin, PinError, TlsVersion, Trust, TrustEnvError, TrustError,
};
pub use client::{BuildError, Client, Download};
