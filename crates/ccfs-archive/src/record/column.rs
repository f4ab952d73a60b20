//! Columns: their types, and how their cells are parsed.

use ccfs_time::{CalendarError, LocalTime, Timestamp};

use super::skills::SkillList;
use crate::csv::Cell;
use crate::error::RowFault;

/// A column of an index file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub(crate) name: &'static str,
    /// The name in JSON, with the comma before it.
    pub(crate) json_key: &'static str,
    pub(crate) value_type: ColumnType,
    pub(crate) meaning: &'static str,
}

impl Column {
    /// Name of the column, as in the documentation of CC-FS.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Type of its values.
    pub const fn column_type(&self) -> ColumnType {
        self.value_type
    }

    /// Whether a value may be absent: an empty cell is [`Value::Null`], except in lists, where it is an empty list.
    pub const fn is_nullable(&self) -> bool {
        !matches!(self.value_type, ColumnType::List)
    }

    /// What the column means, in a sentence.
    pub const fn meaning(&self) -> &'static str {
        self.meaning.trim_ascii()
    }
}

/// Type of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ColumnType {
    /// Text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number from an open set of codes, such as [`OperateType`](crate::OperateType). Known codes have names.
    Code,
    /// Local time of the call center, in seconds.
    LocalTime,
    /// UTC, in seconds.
    UtcTime,
    /// A list of texts.
    List,
}

impl ColumnType {
    /// Whether it is that of numbers or dates.
    pub(super) const fn is_typed(self) -> bool {
        !matches!(self, Self::Text | Self::List)
    }

    /// Parses a cell into `value`: `Null` if it is empty. Text and lists have no parsed value.
    ///
    /// Returning the value would copy it, which takes 5 % of the time of reading.
    #[inline]
    pub(super) fn parse(
        self,
        text: &[u8],
        cell: Cell,
        value: &mut Value<'static>,
    ) -> Result<(), RowFault> {
        match self {
            Self::Text | Self::List => {}
            _ if cell.is_empty() => *value = Value::Null,
            Self::Integer => *value = Value::Integer(int(text, cell)?),
            Self::Code => *value = Value::Code(int(text, cell)?),
            Self::LocalTime => *value = Value::LocalTime(local_time(text, cell)?),
            Self::UtcTime => {
                *value = Value::UtcTime(Timestamp::from_utc(local_time(text, cell)?));
            }
        }
        Ok(())
    }

    /// Whether a cell holds a value of this type; `None` for an empty cell and for types that accept any text.
    pub(super) fn check(self, text: &[u8], cell: Cell) -> Option<bool> {
        (self.is_typed() && !cell.is_empty())
            .then(|| self.parse(text, cell, &mut Value::Null).is_ok())
    }
}

/// Value of a column, borrowed from the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
#[non_exhaustive]
pub enum Value<'a> {
    /// The cell is empty or missing.
    Null,
    /// A value of [`ColumnType::Text`].
    Text(&'a str),
    /// A value of [`ColumnType::Integer`].
    Integer(i64),
    /// A value of [`ColumnType::Code`].
    Code(i64),
    /// A value of [`ColumnType::LocalTime`].
    LocalTime(LocalTime),
    /// A value of [`ColumnType::UtcTime`].
    UtcTime(Timestamp),
    /// A value of [`ColumnType::List`].
    List(SkillList<'a>),
}

/// Reads `YYYY-MM-DD hh:mm:ss` in the years 1 to 9999.
#[inline]
fn local_time(text: &[u8], cell: Cell) -> Result<LocalTime, RowFault> {
    match LocalTime::from_cell(cell.of(text)) {
        Ok(time) if time.day().year() > 0 => Ok(time),
        Ok(_) | Err(CalendarError::NoSuchDay) => Err(RowFault::NoSuchDate),
        Err(CalendarError::NoSuchTime) => Err(RowFault::NoSuchTime),
        Err(_) => Err(RowFault::NotADate),
    }
}

/// Reads a whole number: digits after an optional minus.
#[inline]
fn int(text: &[u8], cell: Cell) -> Result<i64, RowFault> {
    let cell = cell.of(text);
    let digits = cell.strip_prefix(b"-").unwrap_or(cell);
    let (mut number, mut is_number) = (0_i64, !digits.is_empty());
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        is_number &= digit <= 9;
        number = number.wrapping_mul(10).wrapping_add(digit.into());
    }
    if !is_number {
        return Err(RowFault::NotANumber);
    }
    if digits.len() <= 18 {
        return Ok(if digits.len() < cell.len() { -number } else { number });
    }
    std::str::from_utf8(cell).ok().and_then(|text| text.parse().ok()).ok_or(RowFault::NumberTooBig)
}
