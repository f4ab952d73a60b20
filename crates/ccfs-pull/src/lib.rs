//! Downloads the CC-FS index files of a range of days into a folder or a bucket, and resumes after an
//! interruption.
//!
//! The server generates files asynchronously: it accepts a request for a few days, and the file can
//! be downloaded some time later. This crate splits a range of any length into [`windows`], each of
//! which is the period of one request. It requests the files of a bounded number of windows at
//! once, waits (for callbacks, or by polling the expected file name), downloads, checks and
//! converts. A [`Journal`] records all progress, so a pull that was killed continues where it
//! stopped.
//!
//! | part | does |
//! |---|---|
//! | [`windows`] | splits days into windows, in the tenant's [`Zone`] |
//! | [`Scheduler`] | decides the next step: a state machine without I/O or a clock |
//! | [`Journal`] | records progress on disk, line by line |
//! | [`Pull`] | runs the steps over `ccfs-ureq` (feature `blocking`) or `ccfs-reqwest` (feature `async`) |
//!
//! It requests only days that are over, does not request a window again while the server has a job
//! for it, does not overwrite files that it did not write, and locks its folder.
//! `docs/reliability.md`, "Pulling a range", describes the behaviour on each failure.
//!
//! # Example
//!
//! Most callers use [`Pull`]. [`Scheduler`] has an example with a simulated server. This one splits
//! days into windows:
//!
//! ```
//! use ccfs_pull::{Zone, windows};
//!
//! // In Berlin, clocks are set back on the 29th, so three days from the 28th on have 73 hours.
//! let (zone, from, to) = (Zone::named("Europe/Berlin")?, "2023-10-28".parse()?, "2023-10-31".parse()?);
//! let windows: Vec<String> = windows(&zone, from, to, 3, &[]).map(|window| window.to_string()).collect();
//! assert_eq!(windows, ["20231028T000000_20231029T235959", "20231030T000000_20231031T235959"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The feature `object-store` adds [`Bucket`]: the files are stored in a bucket of an S3 store.
//! The feature `parquet` adds [`Format::Parquet`]: a folder that `DuckDB`, Spark and others read as one
//! table. The feature `tracing` adds a span for each job and an event for each line of the journal.
#![forbid(unsafe_code)]
// The documentation links to items of features that may be off.
#![cfg_attr(
    not(all(feature = "async", feature = "blocking", feature = "object-store")),
    allow(rustdoc::broken_intra_doc_links)
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Only some features use some parts.
#![cfg_attr(
    not(all(any(feature = "async", feature = "blocking"), feature = "object-store")),
    allow(dead_code)
)]

#[cfg(feature = "async")]
mod asynchronous;
#[cfg(feature = "blocking")]
mod blocking;
#[cfg(feature = "object-store")]
mod bucket;
mod call;
mod contents;
mod destination;
mod error;
mod folder;
mod format;
mod journal;
mod output;
mod pace;
mod plan;
#[cfg(any(feature = "async", feature = "blocking"))]
mod pull;
mod receipt;
mod run;
mod scheduler;
mod summary;
#[cfg(feature = "blocking")]
mod task;
#[cfg(feature = "blocking")]
mod task_failure;
mod trouble;
mod upkeep;
mod window;
mod work;
mod zone;

#[cfg(feature = "object-store")]
pub use bucket::{Bucket, BucketConfig, BucketError};
pub use error::PullError;
pub use format::Format;
pub use journal::{ConvertedFile, Entry, Histories, Journal, JournalError, Storage};
pub use pace::Pace;
pub use plan::{Plan, PlanError};
#[cfg(any(feature = "async", feature = "blocking"))]
pub use pull::Pull;
pub use scheduler::{
    Asked, Fingerprint, History, Job, Known, Outage, Outcome, Scheduler, Step, Stored, Task,
    Trouble,
};
pub use summary::{
    JobFailure, KeptZip, PullEvent, PullProgress, PullSummary, ReportedFile, WindowReport,
};
#[cfg(feature = "blocking")]
pub use task::{FetchReport, FetchTask};
#[cfg(feature = "blocking")]
pub use task_failure::TaskFailure;
#[cfg(feature = "object-store")]
pub use upkeep::verify_bucket;
pub use upkeep::{CheckedFile, FileFault, forget, verify};
pub use window::{Window, WindowError, windows};
pub use zone::{Zone, ZoneError};
