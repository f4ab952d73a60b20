//! Times as those of the calendar crates, each behind a feature that names its version.
//!
//! A value of [`TenantTime`] or [`UtcTime`] is a date of the Gregorian calendar in the years 1 to 9999, which all of
//! these crates hold; where a type holds less, the conversion can fail.

#[cfg(feature = "jiff-02")]
mod jiff {
    use jiff::Timestamp;
    use jiff::civil::DateTime;

    use crate::time::{Parts, TenantTime, UtcTime};

    /// The tenant's clock, without a zone; with the tenant's zone it becomes an instant.
    ///
    /// ```
    /// use ccfs_archive::TenantTime;
    /// use jiff::{civil::DateTime, tz::{Offset, TimeZone}};
    ///
    /// let time: TenantTime = "2015-02-08 20:23:30".parse()?;
    /// let zoned = DateTime::from(time).to_zoned(TimeZone::fixed(Offset::constant(8)))?;
    /// assert_eq!(zoned.timestamp().to_string(), "2015-02-08T12:23:30Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    impl From<TenantTime> for DateTime {
        fn from(time: TenantTime) -> Self {
            civil(time.parts())
        }
    }

    /// The clock in UTC.
    impl From<UtcTime> for DateTime {
        fn from(time: UtcTime) -> Self {
            civil(time.parts())
        }
    }

    /// Fails for the last day of the year 9999, which jiff does not hold as an instant.
    impl TryFrom<UtcTime> for Timestamp {
        type Error = jiff::Error;

        fn try_from(time: UtcTime) -> Result<Self, jiff::Error> {
            Self::from_second(time.unix_seconds())
        }
    }

    fn civil((year, month, day, hour, minute, second): Parts) -> DateTime {
        let small = |part: u8| part.cast_signed();
        jiff::civil::datetime(
            year.cast_signed(),
            small(month),
            small(day),
            small(hour),
            small(minute),
            small(second),
            0,
        )
    }
}

#[cfg(feature = "chrono-04")]
mod chrono {
    use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

    use crate::time::{Parts, TenantTime, UtcTime};

    /// The tenant's clock, without a zone.
    impl From<TenantTime> for NaiveDateTime {
        fn from(time: TenantTime) -> Self {
            civil(time.parts())
        }
    }

    /// The instant.
    impl From<UtcTime> for DateTime<Utc> {
        fn from(time: UtcTime) -> Self {
            civil(time.parts()).and_utc()
        }
    }

    fn civil((year, month, day, hour, minute, second): Parts) -> NaiveDateTime {
        let date = NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day));
        let time = NaiveTime::from_hms_opt(u32::from(hour), u32::from(minute), u32::from(second));
        date.zip(time)
            .map(|(date, time)| date.and_time(time))
            .expect("a checked date is in chrono's range")
    }
}

#[cfg(feature = "time-03")]
mod time {
    use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

    use crate::time::{Parts, TenantTime, UtcTime};

    /// The tenant's clock, without a zone.
    impl From<TenantTime> for PrimitiveDateTime {
        fn from(time: TenantTime) -> Self {
            civil(time.parts())
        }
    }

    /// The instant.
    impl From<UtcTime> for OffsetDateTime {
        fn from(time: UtcTime) -> Self {
            civil(time.parts()).assume_utc()
        }
    }

    fn civil((year, month, day, hour, minute, second): Parts) -> PrimitiveDateTime {
        let date = Month::try_from(month)
            .and_then(|month| Date::from_calendar_date(i32::from(year), month, day));
        let time = Time::from_hms(hour, minute, second);
        PrimitiveDateTime::new(date.expect(CHECKED), time.expect(CHECKED))
    }

    const CHECKED: &str = "a checked date is in the range of the time crate";
}
