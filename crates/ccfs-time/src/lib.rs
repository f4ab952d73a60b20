//! Dates and times of Huawei AICC CC-FS: [`LocalTime`] and [`Day`] in the local time of the call
//! center, [`Timestamp`] in UTC.
//!
//! The crate does arithmetic in the Gregorian calendar, in the years 0 to 9999. It reads no clock
//! and has no time zones: an offset from UTC is an argument. It has no dependencies by default.
//!
//! ```
//! use ccfs_time::{LocalTime, Timestamp};
//!
//! let begin: LocalTime = "2023-04-06 08:30:00".parse()?;
//! let end = begin.plus_seconds(3600).expect("it is before the year 10000");
//! assert_eq!(end.to_string(), "2023-04-06 09:30:00");
//!
//! let instant = Timestamp::from_unix_millis(1_680_768_000_000);
//! let in_shanghai = LocalTime::at_offset(instant, 8 * 3600);
//! assert_eq!(in_shanghai.to_string(), "2023-04-06 16:00:00");
//! # Ok::<(), ccfs_time::CalendarError>(())
//! ```
//!
//! # Features
//!
//! `serde`: `Serialize` and `Deserialize` as text in the format of ISO 8601. `chrono-04`, `jiff-02`
//! and `time-03`: conversions to the types of these crates.
#![forbid(unsafe_code)]

mod convert;
mod day;
mod error;
mod local;
#[cfg(feature = "serde")]
mod serde;
mod timestamp;

pub use day::Day;
pub use error::CalendarError;
pub use local::{LocalTime, TimeText};
pub use timestamp::{Precision, Timestamp};
