//! From a range of days to CC-FS index files on disk: killed and resumed, nothing lost, nothing twice.
//!
//! The server hands files out in two steps: it is asked to generate the file of a few days, and some time later the file can be
//! downloaded. This crate does that for as many days as one likes: it cuts the range into [`windows`] that the server takes, asks for a
//! bounded number at once, waits (for callbacks, or by looking under the name that the file will have), downloads, checks, converts, and
//! writes a [`Journal`] that says at any moment what is done and what is under way. Killed at any moment and started again, it goes on
//! where it was.
//!
//! | part | does |
//! |---|---|
//! | [`windows`] | cuts days into windows, by the tenant's [`Zone`] |
//! | [`Scheduler`] | decides: a state machine without I/O, whose time is an argument |
//! | [`Journal`] | remembers, line by line, on the disk |
//! | [`Pull`] | does what the scheduler says, over `ccfs-ureq` (feature `blocking`) or `ccfs-reqwest` (feature `async`) |
//!
//! It never asks for a day that is not over, never asks twice for a window whose job the server still has, never writes over a file that
//! it did not put there, and never runs twice in one folder. What it promises on each failure stands in `docs/reliability.md`, "Pulling a
//! range".
//!
//! # Example
//!
//! [`Pull`] is the usual way in. [`Scheduler`] shows the state machine at work with a server that is made up. Windows alone:
//!
//! ```
//! use ccfs_pull::{Zone, windows};
//!
//! // The clocks of Berlin are set back on the 29th, so three days from the 28th on would have 73 hours.
//! let (zone, from, to) = (Zone::named("Europe/Berlin")?, "2023-10-28".parse()?, "2023-10-31".parse()?);
//! let windows: Vec<String> = windows(&zone, from, to, 3, &[]).map(|window| window.to_string()).collect();
//! assert_eq!(windows, ["20231028T000000_20231029T235959", "20231030T000000_20231031T235959"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Feature `tracing` adds a span for each job and an event for each line of the journal.
#![forbid(unsafe_code)]
// The documentation links to items of features that may be off.
#![cfg_attr(
    not(all(feature = "async", feature = "blocking")),
    allow(rustdoc::broken_intra_doc_links)
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Parts of a plan are there for the drivers alone.
#![cfg_attr(not(any(feature = "async", feature = "blocking")), allow(dead_code))]

#[cfg(feature = "async")]
mod asynchronous;
#[cfg(feature = "blocking")]
mod blocking;
#[cfg(any(feature = "async", feature = "blocking"))]
mod call;
#[cfg(any(feature = "async", feature = "blocking"))]
mod contents;
mod error;
#[cfg(any(feature = "async", feature = "blocking"))]
mod folder;
mod journal;
mod plan;
#[cfg(any(feature = "async", feature = "blocking"))]
mod pull;
#[cfg(any(feature = "async", feature = "blocking"))]
mod run;
mod scheduler;
mod summary;
mod trouble;
mod window;
mod zone;

pub use error::PullError;
pub use journal::{Entry, Journal, JournalError, Storage};
pub use plan::{Pace, Plan, PlanError};
#[cfg(any(feature = "async", feature = "blocking"))]
pub use pull::Pull;
pub use scheduler::{Asked, Job, Known, Outcome, Scheduler, Step, Stored, Task, Trouble};
pub use summary::{KeptZip, PullProgress, PullSummary, WindowReport};
pub use window::{Window, WindowError, windows};
pub use zone::{Zone, ZoneError};
