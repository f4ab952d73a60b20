//! A blocking CC-FS client: a short loop that drives the exchanges of `ccfs-proto` with a [`ureq::Agent`].
//!
//! The loop sends, waits and writes what the exchange tells it to, and decides nothing. No async runtime is involved; a call runs on the
//! thread that makes it. Operations, credentials and policies are those of [`proto`].
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
//! `tracing`: a span for each call, and events for its attempts, answers and waits. Nothing is on by default.
//!
//! # Logging
//!
//! ureq logs through the `log` crate. Up to DEBUG its records name the server, the method and harmless headers. At TRACE they hold, as a hex
//! dump, the head of every request with its signature and everything that is received, and the whole URL, which has the token of
//! `playVoice` in it. Nothing here can take them out, because a logger belongs to the program. One that takes TRACE should cap both crates:
//! with `env_logger`'s filter language, `trace,ureq=debug,ureq_proto=debug`. Keys are in no record.
#![forbid(unsafe_code)]

mod client;
mod connect;
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
