//! Reads index archives of CC-FS, the file server of Huawei's AICC call center: ZIP archives of CSV files become typed
//! records, within limits.
//!
//! ```no_run
//! use ccfs_archive::{AgentSkillChange, Archive, Error};
//!
//! fn main() -> Result<(), Error> {
//!     let mut archive = Archive::open(std::fs::File::open("20150208_0123456789abcdef0123456789abcdef.zip")?)?;
//!     let mut changes = archive.records::<AgentSkillChange>();
//!     while let Some(change) = changes.next_record()? {
//!         println!("{:?} {:?} {:?}", change.operate_time(), change.agent_id(), change.skill_list());
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Guarantees
//!
//! This crate does not use the network or open files: it reads from readers and writes to writers. It does not read the
//! clock or guess a time zone, and starts a thread only in methods that say so. It does not panic on bad input, and its
//! memory is bounded by [`Limits`]. A row or a file that does not fit its columns is an error ([`RowFault`],
//! [`FileFault`]); skipped or guessed data is reported ([`Records::notes`]).
//!
//! # Ways to read
//!
//! | the bytes come from | read them with |
//! |---|---|
//! | a file, or anything else that seeks | [`Archive`] |
//! | a response body that is still arriving | [`Records::from_stream`] |
//! | chunks, pushed by an async runtime | [`ArchiveParser`] |
//! | a bare CSV file, standard input | [`Records::from_csv`] |
//!
//! [`Archive::into_records_ahead`] and [`Records::from_stream_ahead`] inflate on a second thread while the
//! caller's thread parses.
//!
//! All of them return borrowed records such as [`AgentSkillChangeRef`] without allocating; `into_owned` copies one.
//! [`AnyRecord`] reads each of the four kinds of index files. [`IndexKind::columns`] describes their columns, and
//! [`AnyRecordRef::value`] returns the value of one, for callers that convert records to another form.
//!
//! # Features
//!
//! `serde` (default): [`serde::Serialize`](https://docs.rs/serde) for records, times, codes and [`Report`]; a record
//! becomes the JSON that `ccfs convert` prints. `json`: [`RecordWriter`], which writes JSON lines and CSV. `jiff-02`,
//! `chrono-04`, `time-03`: conversions of [`LocalTime`] and [`Timestamp`] to the types of these crates.
#![forbid(unsafe_code)]
// The documentation links to items of features that may be off.
#![cfg_attr(not(feature = "json"), allow(rustdoc::broken_intra_doc_links))]

mod ahead;
mod archive;
mod code;
mod csv;
mod error;
#[cfg(feature = "json")]
mod export;
mod kind;
mod limits;
mod notes;
mod options;
mod push;
mod record;
mod records;
mod report;
mod skipped;
mod source;
mod zip;

pub use archive::Archive;
pub use ccfs_time::{CalendarError, Day, LocalTime, Timestamp};
pub use code::{CallDirection, DeviceType, OperateType, TaskStatus};
pub use csv::{Cells, Charset, Row};
pub use error::{BadRow, BadRows, Error, FileFault, NotIndexFile, Position, RowFault};
#[cfg(feature = "json")]
pub use export::{CopyError, ExportFormat, RecordWriter};
pub use kind::IndexKind;
pub use limits::{LimitKind, Limits};
pub use notes::{Note, NoteKind};
pub use options::{OnBadRow, ReadOptions, UnknownColumn};
pub use push::ArchiveParser;
pub use record::{
    AgentOperation, AgentOperationRef, AgentSkillChange, AgentSkillChangeRef, AnyRecord,
    AnyRecordRef, Call, CallRef, CodeName, Column, ColumnType, FileRecord, Record, Recording,
    RecordingRef, SkillList, Value,
};
pub use records::Records;
pub use report::{MemberReport, Report, Tally};
pub use skipped::{Counted, SkippedMembers};
pub use zip::{Member, Method, ZipError, ZipFault};
