//! The types that a column can have.

use std::borrow::Cow;

use crate::code::OperateType;
use crate::error::RowFault;
use crate::time::{TenantTime, UtcTime};

/// What each type of column means for the forms of a record; see `record!`.
macro_rules! column {
    (owned text) => { Option<String> };
    (owned int) => { Option<i64> };
    (owned tenant) => { Option<crate::TenantTime> };
    (owned utc) => { Option<crate::UtcTime> };
    (owned operation) => { Option<crate::OperateType> };
    (owned device) => { Option<crate::DeviceType> };
    (owned skills) => { Vec<String> };

    (value text) => { () };
    (value skills) => { () };
    (value $type:ident) => { column!(owned $type) };

    (view text, $a:lifetime) => { Option<&$a str> };
    (view skills, $a:lifetime) => { crate::SkillList<$a> };
    (view $type:ident, $a:lifetime) => { column!(owned $type) };

    (get text, $self:ident, $name:ident, $index:literal) => { $self.row.text($index) };
    (get skills, $self:ident, $name:ident, $index:literal) => {
        crate::SkillList::new($self.row.text($index).unwrap_or_default())
    };
    (get $type:ident, $self:ident, $name:ident, $index:literal) => { $self.values.$name };

    (own text, $value:expr) => { $value.map(str::to_owned) };
    (own skills, $value:expr) => { $value.iter().map(str::to_owned).collect() };
    (own $type:ident, $value:expr) => { $value };

    (parse text, $text:ident, $cells:ident, $values:ident, $name:ident, $index:literal, $column:literal) => {};
    (parse skills, $text:ident, $cells:ident, $values:ident, $name:ident, $index:literal, $column:literal) => {};
    (parse $type:ident, $text:ident, $cells:ident, $values:ident, $name:ident, $index:literal, $column:literal) => {
        $values.$name = match crate::record::column::parse($text, $cells, $index, column!(parser $type)) {
            Ok(value) => value,
            Err(fault) => return Err(crate::record::CellFault { column: $index + 1, name: $column, fault }),
        };
    };

    (parser int) => { crate::record::column::int };
    (parser tenant) => { crate::TenantTime::from_cell };
    (parser utc) => { crate::UtcTime::from_cell };
    (parser operation) => { |cell| crate::record::column::int(cell).map(crate::OperateType::from) };
    (parser device) => { |cell| crate::record::column::int(cell).map(crate::DeviceType::from) };

    // A skill list is written with one separator, whichever it was read with.
    (cell skills, $row:expr, $index:literal, $sink:ident) => {
        $sink(&crate::SkillList::new($row.text($index).unwrap_or_default()).joined())
    };
    (cell $type:ident, $row:expr, $index:literal, $sink:ident) => { $sink($row.text($index).unwrap_or_default()) };
}
pub(crate) use column;

use crate::csv::Cell;

/// The value of a cell; `None` where it is empty or the row too short.
#[inline]
pub(crate) fn parse<T>(
    text: &[u8],
    cells: &[Cell],
    index: usize,
    parser: impl FnOnce(&[u8]) -> Result<T, RowFault>,
) -> Result<Option<T>, RowFault> {
    match cells.get(index) {
        Some(cell) if cell.start < cell.end => parser(&text[cell.start as usize..cell.end as usize]).map(Some),
        _ => Ok(None),
    }
}

/// A whole number: digits, perhaps behind a minus.
#[inline]
pub(crate) fn int(cell: &[u8]) -> Result<i64, RowFault> {
    let (negative, digits) = match cell.split_first() {
        Some((b'-', rest)) if !rest.is_empty() => (true, rest),
        _ => (false, cell),
    };
    let mut value: i64 = 0;
    if digits.len() <= 18 {
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return Err(RowFault::NotANumber);
            }
            value = value * 10 + i64::from(digit);
        }
        return Ok(if negative { -value } else { value });
    }
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(RowFault::NotANumber);
    }
    // Digits and a minus only, so this can fail in no other way than by size.
    std::str::from_utf8(cell).ok().and_then(|text| text.parse().ok()).ok_or(RowFault::NumberTooBig)
}

/// An owned value as the text of a CSV cell.
pub(crate) trait OwnedCell {
    fn cell(&self) -> Cow<'_, str>;
}

impl OwnedCell for Option<String> {
    fn cell(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.as_deref().unwrap_or_default())
    }
}

impl OwnedCell for Vec<String> {
    fn cell(&self) -> Cow<'_, str> {
        Cow::Owned(self.join(";"))
    }
}

macro_rules! owned_cell {
    ($( $type:ty: $value:ident => $text:expr; )+) => { $(
        impl OwnedCell for Option<$type> {
            fn cell(&self) -> Cow<'_, str> {
                self.map_or(Cow::Borrowed(""), |$value| Cow::Owned($text))
            }
        }
    )+ };
}

owned_cell! {
    i64: value => value.to_string();
    TenantTime: value => value.to_cell();
    UtcTime: value => value.to_cell();
    OperateType: value => value.code().to_string();
    crate::code::DeviceType: value => value.code().to_string();
}
