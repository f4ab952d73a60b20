//! Types of columns: how their cells are parsed.

use ccfs_time::{CalendarError, LocalTime, Timestamp};

use crate::error::RowFault;

/// Expands to the code for a type of column in each form of a record; see `record!`.
macro_rules! column {
    (owned text) => { Option<String> };
    (owned int) => { Option<i64> };
    (owned tenant) => { Option<crate::LocalTime> };
    (owned utc) => { Option<crate::Timestamp> };
    (owned operation) => { Option<crate::OperateType> };
    (owned device) => { Option<crate::DeviceType> };
    (owned skills) => { Vec<String> };

    (type text) => { crate::ColumnType::Text };
    (type int) => { crate::ColumnType::Integer };
    (type tenant) => { crate::ColumnType::LocalTime };
    (type utc) => { crate::ColumnType::UtcTime };
    (type skills) => { crate::ColumnType::List };
    (type $type:ident) => { crate::ColumnType::Code };

    (wrap text, $value:expr) => { $value.map_or(crate::Value::Null, crate::Value::Text) };
    (wrap int, $value:expr) => { $value.map_or(crate::Value::Null, crate::Value::Integer) };
    (wrap tenant, $value:expr) => { $value.map_or(crate::Value::Null, crate::Value::LocalTime) };
    (wrap utc, $value:expr) => { $value.map_or(crate::Value::Null, crate::Value::UtcTime) };
    (wrap skills, $value:expr) => { crate::Value::List($value) };
    (wrap $type:ident, $value:expr) => {
        $value.map_or(crate::Value::Null, |code| crate::Value::Code(code.code()))
    };

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

    (parse text, $text:ident, $cells:ident, $values:ident, $name:ident, $index:literal) => {};
    (parse skills, $text:ident, $cells:ident, $values:ident, $name:ident, $index:literal) => {};
    (parse $type:ident, $text:ident, $cells:ident, $values:ident, $name:ident, $index:literal) => {
        $values.$name = match crate::record::column::parse($text, $cells, $index, column!(parser $type)) {
            Ok(value) => value,
            Err(fault) => return Err(crate::record::CellFault { column: $index, fault }),
        };
    };

    (parser int) => { crate::record::column::int };
    (parser tenant) => { crate::record::column::local_time };
    (parser utc) => { crate::record::column::timestamp };
    (parser operation) => { |text, cell| crate::record::column::int(text, cell).map(crate::OperateType::from) };
    (parser device) => { |text, cell| crate::record::column::int(text, cell).map(crate::DeviceType::from) };

}
pub(crate) use column;

use crate::csv::Cell;

/// Returns a cell for each column: those of the row, or a padded copy if the row is too short.
#[inline]
pub(crate) fn all<'a, const N: usize>(
    cells: &'a [Cell],
    padded: &'a mut [Cell; N],
) -> &'a [Cell; N] {
    if let Some(cells) = cells.first_chunk() {
        return cells;
    }
    padded[..cells.len()].copy_from_slice(cells);
    padded
}

/// Parses the value of a cell; `None` if it is empty.
#[inline]
pub(crate) fn parse<T>(
    text: &[u8],
    cells: &[Cell],
    index: usize,
    parser: impl FnOnce(&[u8], Cell) -> Result<T, RowFault>,
) -> Result<Option<T>, RowFault> {
    let cell = cells[index];
    if cell.is_empty() { Ok(None) } else { parser(text, cell).map(Some) }
}

/// Reads `YYYY-MM-DD hh:mm:ss` in the years 1 to 9999.
#[inline]
pub(crate) fn local_time(text: &[u8], cell: Cell) -> Result<LocalTime, RowFault> {
    match LocalTime::from_cell(cell.of(text)) {
        Ok(time) if time.day().year() > 0 => Ok(time),
        Ok(_) | Err(CalendarError::NoSuchDay) => Err(RowFault::NoSuchDate),
        Err(CalendarError::NoSuchTime) => Err(RowFault::NoSuchTime),
        Err(_) => Err(RowFault::NotADate),
    }
}

/// Reads a cell like [`local_time`], in UTC.
#[inline]
pub(crate) fn timestamp(text: &[u8], cell: Cell) -> Result<Timestamp, RowFault> {
    local_time(text, cell).map(Timestamp::from_utc)
}

/// Reads a whole number: digits after an optional minus.
#[inline]
pub(crate) fn int(text: &[u8], cell: Cell) -> Result<i64, RowFault> {
    let length = cell.end - cell.start;
    let word = text.get(cell.start as usize..).and_then(<[u8]>::first_chunk);
    if let Some(word) = word.filter(|_| length <= 8)
        && let Some(value) = up_to_8_digits(u64::from_le_bytes(*word), length)
    {
        return Ok(value);
    }
    any_int(cell.of(text))
}

/// Parses the first 1 to 8 bytes of a word as digits, without a loop.
#[inline]
fn up_to_8_digits(word: u64, length: u32) -> Option<i64> {
    // Digits become 0 to 9, bytes after the cell are shifted out, and zeros precede the digits.
    let digits = (word ^ 0x3030_3030_3030_3030) << (64 - 8 * length);
    if (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    // Adjacent digits become numbers of two digits, then of four, then of eight.
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let even = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(100 + (1_000_000 << 32));
    let odd = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(1 + (10_000 << 32));
    Some(i64::from((even.wrapping_add(odd) >> 32) as u32))
}

fn any_int(cell: &[u8]) -> Result<i64, RowFault> {
    if let [digit @ b'0'..=b'9'] = cell {
        return Ok(i64::from(digit - b'0'));
    }
    let digits = match cell.split_first() {
        Some((b'-', rest)) if !rest.is_empty() => rest,
        _ => cell,
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(RowFault::NotANumber);
    }
    // Only digits and a minus are left, so parsing fails only if the number is too big.
    std::str::from_utf8(cell).ok().and_then(|text| text.parse().ok()).ok_or(RowFault::NumberTooBig)
}
