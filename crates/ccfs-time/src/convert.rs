//! Conversions to the types of the calendar crates, each behind a feature that names its version.

#[cfg(feature = "jiff-02")]
mod jiff {
    use jiff::civil::{DateTime, datetime};
    use jiff::{SignedDuration, Timestamp as Instant};

    use crate::{LocalTime, Timestamp};

    /// ```
    /// use ccfs_time::LocalTime;
    /// use jiff::{civil::DateTime, tz::{Offset, TimeZone}};
    ///
    /// let time: LocalTime = "2015-02-08 20:23:30".parse()?;
    /// let zoned = DateTime::from(time).to_zoned(TimeZone::fixed(Offset::constant(8)))?;
    /// assert_eq!(zoned.timestamp().to_string(), "2015-02-08T12:23:30Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    impl From<LocalTime> for DateTime {
        fn from(time: LocalTime) -> Self {
            let since_1970 = SignedDuration::from_secs(time.naive_epoch_seconds());
            datetime(1970, 1, 1, 0, 0, 0, 0).saturating_add(since_1970)
        }
    }

    /// Fails in the last 26 hours of the year 9999, which jiff does not have as an instant.
    impl TryFrom<Timestamp> for Instant {
        type Error = jiff::Error;

        fn try_from(time: Timestamp) -> Result<Self, jiff::Error> {
            Self::from_millisecond(time.unix_millis())
        }
    }
}

#[cfg(feature = "chrono-04")]
mod chrono {
    use chrono::{DateTime, NaiveDateTime, Utc};

    use crate::{LocalTime, Timestamp};

    const IN_RANGE: &str = "chrono has the years 0 to 9999";

    impl From<LocalTime> for NaiveDateTime {
        fn from(time: LocalTime) -> Self {
            let seconds = time.naive_epoch_seconds();
            DateTime::from_timestamp(seconds, 0).expect(IN_RANGE).naive_utc()
        }
    }

    impl From<Timestamp> for DateTime<Utc> {
        fn from(time: Timestamp) -> Self {
            Self::from_timestamp_millis(time.unix_millis()).expect(IN_RANGE)
        }
    }
}

#[cfg(feature = "time-03")]
mod time {
    use time::{OffsetDateTime, PrimitiveDateTime};

    use crate::{LocalTime, Timestamp};

    const IN_RANGE: &str = "the time crate has the years 0 to 9999";

    impl From<LocalTime> for PrimitiveDateTime {
        fn from(time: LocalTime) -> Self {
            let seconds = time.naive_epoch_seconds();
            let utc = OffsetDateTime::from_unix_timestamp(seconds).expect(IN_RANGE);
            Self::new(utc.date(), utc.time())
        }
    }

    impl From<Timestamp> for OffsetDateTime {
        fn from(time: Timestamp) -> Self {
            let nanos = i128::from(time.unix_millis()) * 1_000_000;
            Self::from_unix_timestamp_nanos(nanos).expect(IN_RANGE)
        }
    }
}
