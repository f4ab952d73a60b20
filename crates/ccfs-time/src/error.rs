use std::error::Error;
use std::fmt;

/// A text or number is not a valid date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CalendarError {
    /// The text does not have the format of a date.
    DayShape,
    /// The date does not exist.
    NoSuchDay,
    /// The text does not have the format of a time.
    TimeShape,
    /// The time of day does not exist.
    NoSuchTime,
    /// The text does not have the format of a timestamp.
    TimestampShape,
    /// The date or the time of day of a timestamp does not exist.
    NoSuchTimestamp,
}

impl fmt::Display for CalendarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DayShape => "malformed date; write it as 2023-04-06",
            Self::NoSuchDay => {
                "date does not exist; use a day of the calendar in the years 0 to 9999"
            }
            Self::TimeShape => {
                "malformed time; write it as \"2023-04-06 08:30:00\" in the tenant's time zone"
            }
            Self::NoSuchTime => {
                "time of day does not exist; hours are 0 to 23, minutes and seconds 0 to 59"
            }
            Self::TimestampShape => {
                "malformed timestamp; write it as 2021-08-31T09:38:50.872Z or 2021-08-31T09:38:50Z"
            }
            Self::NoSuchTimestamp => "date or time of the timestamp does not exist; correct it",
        })
    }
}

impl Error for CalendarError {}
