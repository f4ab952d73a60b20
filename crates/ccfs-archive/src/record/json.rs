//! The JSON line of a record.

use serde::{Serialize, Serializer};

use super::skills::SkillList;
use crate::code::{DeviceType, OperateType};
use crate::csv::Cells;
use crate::time::{TenantTime, UtcTime};

/// Seconds east of UTC at a tenant's time; `None` leaves the time without an offset.
pub(crate) type Offset<'f> = &'f dyn Fn(TenantTime) -> Option<i32>;

/// An offset from UTC in seconds, shown as `+08:00`, or as `+08:05:43` if it has seconds.
pub(crate) struct OffsetText(pub(crate) i32);

impl std::fmt::Display for OffsetText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (sign, seconds) = (if self.0 < 0 { '-' } else { '+' }, self.0.unsigned_abs());
        write!(f, "{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60)?;
        match seconds % 60 {
            0 => Ok(()),
            rest => write!(f, ":{rest:02}"),
        }
    }
}

/// A borrowed record's JSON with the tenant's offset behind its times.
#[derive(Clone, Copy)]
pub struct WithOffset<R, F> {
    record: R,
    offset: F,
}

impl<R, F: Fn(TenantTime) -> Option<i32>> WithOffset<R, F> {
    /// Serialises `record` with an offset behind each of its tenant times: `2015-02-08T20:23:30+08:00`.
    ///
    /// `offset` tells the seconds east of UTC at a tenant's time; for `None` the time stays bare.
    ///
    /// ```
    /// # use ccfs_archive::{AgentSkillChange, Records, WithOffset};
    /// # let csv = "1,,,,,,2015-02-08 20:23:30";
    /// # let mut rows = Records::<AgentSkillChange>::from_csv(csv.as_bytes());
    /// # let change = rows.next_record()?.unwrap();
    /// let json = serde_json::to_string(&WithOffset::new(change, |_| Some(8 * 3600))).unwrap();
    /// assert!(json.contains(r#""operate_time":"2015-02-08T20:23:30+08:00""#));
    /// # Ok::<(), ccfs_archive::Error>(())
    /// ```
    pub const fn new(record: R, offset: F) -> Self {
        Self { record, offset }
    }
}

impl<R, F> std::fmt::Debug for WithOffset<R, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WithOffset").finish_non_exhaustive()
    }
}

impl<R: SerializeWith, F: Fn(TenantTime) -> Option<i32>> Serialize for WithOffset<R, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.record.serialize_with(serializer, &self.offset)
    }
}

pub(crate) trait SerializeWith {
    fn serialize_with<S: Serializer>(
        &self,
        serializer: S,
        offset: Offset<'_>,
    ) -> Result<S::Ok, S::Error>;
}

/// The value of a column, and the offset for the one type that needs it.
pub(crate) struct Json<'f, V>(pub(crate) V, pub(crate) Offset<'f>);

macro_rules! as_it_is {
    ($( $type:ty ),+) => { $(
        impl Serialize for Json<'_, Option<$type>> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }
    )+ };
}
as_it_is!(&str, i64, UtcTime, OperateType, DeviceType);

impl Serialize for Json<'_, Option<TenantTime>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(time) = self.0 else { return serializer.serialize_none() };
        let Some(offset) = (self.1)(time) else { return time.serialize(serializer) };
        serializer.collect_str(&format_args!("{time}{}", OffsetText(offset)))
    }
}

impl Serialize for Json<'_, SkillList<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

impl Serialize for Json<'_, Cells<'_>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}
