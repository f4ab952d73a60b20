//! Client for CC-FS, the file server of Huawei's AICC call center: downloads and reads its index
//! files, for example those that record changes of agents' skills.
//!
//! This crate re-exports the crates of the workspace and contains no logic. Each can also be used
//! alone; `docs/choosing-a-layer.md` in the repository compares them.
//!
//! | to | use | feature |
//! |---|---|---|
//! | call the server from blocking code | [`Client`] | `blocking` (default) |
//! | call the server from async code | [`AsyncClient`] | `async` |
//! | read downloaded archives | [`archive`] | `archive` (default) |
//! | convert records to Arrow record batches | [`arrow`] | `arrow` |
//! | convert records to Parquet | [`arrow::write_parquet`] | `parquet` |
//! | receive the server's callbacks | [`Listener`] | `listener` |
//! | download the files of several days | [`pull`] | `pull` |
//! | store these files in a bucket of an S3 store | [`pull::Bucket`] | `object-store` |
//! | diagnose why calls fail | [`doctor`] | `doctor` |
//! | use the protocol in another runtime | [`proto`] | always enabled |
//! | record spans and events of calls and pulls | `tracing` | `tracing` |
//!
//! # Blocking
//!
//! ```no_run
//! # #[cfg(all(feature = "blocking", feature = "archive"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use ccfs::archive::{AgentSkillChange, Archive};
//! use ccfs::{Client, Config, Credentials, DownloadAgentSkillInfoFile, QueryAgentSkillInfoData};
//!
//! let credentials = Credentials::from_text("my-app-id", std::env::var("CCFS_SECRET_KEY")?)?;
//! let client = Client::new(Config::new("https://10.1.2.3:8443".parse()?, credentials))?;
//!
//! // Start generating the file. CC-FS calls the URL when it is ready.
//! let (begin, end) = ("2023-04-05 00:00:00".parse()?, "2023-04-06 00:00:00".parse()?);
//! let job = client.call(QueryAgentSkillInfoData::new(begin, end, "https://10.9.8.7:9443/callback"))?;
//!
//! // Later. The file name contains the date of the query.
//! let name = job.file_name("2023-04-06".parse()?);
//! client.download(DownloadAgentSkillInfoFile::new(name)).to_file("skills.zip")?;
//! for change in Archive::open(std::fs::File::open("skills.zip")?)?.records::<AgentSkillChange>() {
//!     let change = change?;
//!     println!("{:?} {:?}", change.agent_id, change.skill_list);
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "blocking", feature = "archive")))]
//! # fn main() {}
//! ```
//!
//! # Async
//!
//! ```no_run
//! # #[cfg(feature = "async")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use ccfs::{AsyncClient, Config, Credentials, DownloadAgentSkillInfoFile};
//!
//! let credentials = Credentials::from_text("my-app-id", std::env::var("CCFS_SECRET_KEY")?)?;
//! let client = AsyncClient::new(Config::new("https://10.1.2.3:8443".parse()?, credentials))?;
//! let name = "20230406_9239cb50a8384bb0ab503441bf089446.zip".parse()?;
//! client.download(DownloadAgentSkillInfoFile::new(name)).to_file("skills.zip").await?;
//! # Ok(())
//! # }
//! # fn main() {}
//! ```
#![forbid(unsafe_code)]
// The documentation links to items of features that may be off.
#![cfg_attr(
    not(all(
        feature = "async",
        feature = "doctor",
        feature = "listener",
        feature = "parquet",
        feature = "pull"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "archive")]
pub use ccfs_archive as archive;
#[cfg(feature = "arrow")]
pub use ccfs_arrow as arrow;
#[cfg(feature = "doctor")]
pub use ccfs_doctor as doctor;
pub use ccfs_proto as proto;
#[cfg(feature = "pull")]
pub use ccfs_pull as pull;

pub use ccfs_proto::answer::FileReceipt;
pub use ccfs_proto::auth::{AccessKey, QueryLine};
pub use ccfs_proto::callback::Callback;
pub use ccfs_proto::exchange::ClockSkew;
pub use ccfs_proto::operation::GenerationJob;
pub use ccfs_proto::{
    Credentials, Day, DownloadAgentSkillInfoFile, Endpoint, ErrorKind, ExchangeError,
    IndexFileName, LocalTime, Operation, Policy, QueryAgentSkillInfoData, ResponseId, ResultCode,
    Timestamp, Verifier,
};

#[cfg(any(feature = "blocking", feature = "async", feature = "listener"))]
pub use ccfs_driver::{
    Clock, Config, ConfigError, Error, FileError, Overwrite, Progress, Proxy, ProxyError, Session,
    StrayCharacter, SystemClock, WholeFile, check_setting,
};
#[cfg(any(feature = "blocking", feature = "async"))]
pub use ccfs_tls::{
    Identity, IdentityError, Pin, PinError, TlsVersion, Trust, TrustEnvError, TrustError,
};

#[cfg(feature = "listener")]
pub use ccfs_listener::{self as listener, Listener};
#[cfg(feature = "async")]
pub use ccfs_reqwest::{
    BuildError as AsyncBuildError, Client as AsyncClient, Download as AsyncDownload,
};
#[cfg(feature = "blocking")]
pub use ccfs_ureq::{BuildError, Client, Download};
