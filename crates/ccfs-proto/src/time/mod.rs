//! Times: [`Timestamp`] in UTC for signatures, [`LocalTime`] and [`Day`] in local time of the call
//! center for requests.

mod calendar;
mod timestamp;

pub use self::calendar::{CalendarError, Day, LocalTime};
pub use self::timestamp::{Precision, Timestamp, TimestampError, TimestampText};
