//! The value of a column, whatever its type.

use super::skills::SkillList;
use crate::time::{TenantTime, UtcTime};

/// The value of a column, borrowed from its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// The cell is empty, or the row is too short.
    Null,
    Text(&'a str),
    Integer(i64),
    /// The number of a code, known or not.
    Code(i64),
    LocalTime(TenantTime),
    UtcTime(UtcTime),
    /// A list, which is never null.
    List(SkillList<'a>),
}

#[cfg(feature = "serde")]
impl serde::Serialize for Value<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_some(text),
            Self::Integer(number) | Self::Code(number) => serializer.serialize_some(number),
            Self::LocalTime(time) => serializer.serialize_some(time),
            Self::UtcTime(time) => serializer.serialize_some(time),
            Self::List(list) => serializer.collect_seq(list),
        }
    }
}
