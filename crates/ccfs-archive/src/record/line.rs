//! Records as JSON lines, written directly: the text is that of their `Serialize` through `serde_json`.

use std::fmt::Display;
use std::io::Write as _;

use super::json::{Offset, OffsetText};
use super::skills::SkillList;
use crate::code::{DeviceType, OperateType};
use crate::csv::Cells;
use crate::time::{TenantTime, UtcTime};

/// What writing needs of a borrowed record.
pub(crate) trait Export {
    /// Writes the record's fields, without the braces.
    fn write_json(&self, line: &mut JsonLine<'_>);

    /// The value of a column that holds a tenant's time.
    fn local_time(&self, column: usize) -> Option<TenantTime>;

    /// The cells of [`IndexKind::name_columns`](crate::IndexKind::name_columns); empty for a code without a name.
    fn code_names(&self, sink: &mut dyn FnMut(&str));
}

/// A line of JSON that is being written.
pub(crate) struct JsonLine<'a> {
    bytes: &'a mut Vec<u8>,
    offset: Option<Offset<'a>>,
    names: bool,
}

impl<'a> JsonLine<'a> {
    /// Writes a record as one line to `bytes`, which may hold other lines.
    pub(crate) fn write(
        record: &impl Export,
        bytes: &'a mut Vec<u8>,
        offset: Option<Offset<'a>>,
        names: bool,
    ) {
        let start = bytes.len();
        let mut line = Self { bytes, offset, names };
        record.write_json(&mut line);
        // The first field begins with a comma like all others.
        line.bytes[start] = b'{';
        line.bytes.extend_from_slice(b"}\n");
    }

    pub(crate) fn has_names(&self) -> bool {
        self.names
    }

    /// A comma and a field's name, as JSON.
    #[inline]
    pub(crate) fn key(&mut self, key: &'static str) {
        self.bytes.extend_from_slice(key.as_bytes());
    }

    /// Cells past the known columns, if there are any.
    pub(crate) fn extra(&mut self, cells: Cells<'_>) {
        if cells.is_empty() {
            return;
        }
        self.key(",\"extra\":");
        self.list(cells.iter());
    }

    fn list<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        self.bytes.push(b'[');
        for (index, text) in texts.enumerate() {
            if index > 0 {
                self.bytes.push(b',');
            }
            self.string(text);
        }
        self.bytes.push(b']');
    }

    #[inline]
    fn string(&mut self, text: &str) {
        self.bytes.push(b'"');
        if is_plain(text.as_bytes()) {
            self.bytes.extend_from_slice(text.as_bytes());
        } else {
            self.escaped(text.as_bytes());
        }
        self.bytes.push(b'"');
    }

    #[cold]
    fn escaped(&mut self, text: &[u8]) {
        for &byte in text {
            let short = match byte {
                b'"' | b'\\' => byte,
                0x08 => b'b',
                b'\t' => b't',
                b'\n' => b'n',
                0x0C => b'f',
                b'\r' => b'r',
                0..0x20 => {
                    let _ = write!(self.bytes, "\\u{byte:04x}");
                    continue;
                }
                _ => {
                    self.bytes.push(byte);
                    continue;
                }
            };
            self.bytes.extend_from_slice(&[b'\\', short]);
        }
    }

    fn null(&mut self) {
        self.bytes.extend_from_slice(b"null");
    }

    /// A time as ISO 8601, without quotes. Copying the digits of the cell is … times faster than formatting the value.
    #[inline]
    fn time(&mut self, cell: &str, time: impl Display, suffix: &'static str) {
        if let Ok(mut text) = <[u8; 19]>::try_from(cell.as_bytes())
            && [text[4], text[7], text[10], text[13], text[16]] == *b"-- ::"
        {
            text[10] = b'T';
            self.bytes.extend_from_slice(&text);
            self.bytes.extend_from_slice(suffix.as_bytes());
        } else {
            let _ = write!(self.bytes, "{time}");
        }
    }
}

/// Whether JSON has the text as it is. A loop without an exit is compiled to vector instructions.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let escaped = |byte| matches!(byte, 0..0x20 | b'"' | b'\\');
    !text.iter().fold(false, |found, &byte| found | escaped(byte))
}

/// The value of a column, which `cell` is the text of.
pub(crate) trait JsonValue {
    fn write(self, cell: &str, line: &mut JsonLine<'_>);
}

impl JsonValue for Option<&str> {
    #[inline]
    fn write(self, _: &str, line: &mut JsonLine<'_>) {
        match self {
            Some(text) => line.string(text),
            None => line.null(),
        }
    }
}

impl JsonValue for Option<i64> {
    #[inline]
    fn write(self, _: &str, line: &mut JsonLine<'_>) {
        match self {
            Some(number) => {
                line.bytes.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            }
            None => line.null(),
        }
    }
}

impl JsonValue for Option<OperateType> {
    #[inline]
    fn write(self, cell: &str, line: &mut JsonLine<'_>) {
        self.map(OperateType::code).write(cell, line);
    }
}

impl JsonValue for Option<DeviceType> {
    #[inline]
    fn write(self, cell: &str, line: &mut JsonLine<'_>) {
        self.map(DeviceType::code).write(cell, line);
    }
}

impl JsonValue for Option<TenantTime> {
    #[inline]
    fn write(self, cell: &str, line: &mut JsonLine<'_>) {
        let Some(time) = self else { return line.null() };
        line.bytes.push(b'"');
        line.time(cell, time, "");
        if let Some(offset) = line.offset.and_then(|offset| offset(time)) {
            let _ = write!(line.bytes, "{}", OffsetText(offset));
        }
        line.bytes.push(b'"');
    }
}

impl JsonValue for Option<UtcTime> {
    #[inline]
    fn write(self, cell: &str, line: &mut JsonLine<'_>) {
        let Some(time) = self else { return line.null() };
        line.bytes.push(b'"');
        line.time(cell, time, "Z");
        line.bytes.push(b'"');
    }
}

impl JsonValue for SkillList<'_> {
    #[inline]
    fn write(self, _: &str, line: &mut JsonLine<'_>) {
        line.list(self.iter());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::JsonLine;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Some of these characters never get into a record, so this is tested here as well.
        #[test]
        fn strings_are_those_of_serde_json(text in "[\0-\u{ff}😀]{0,40}") {
            let mut bytes = Vec::new();
            JsonLine { bytes: &mut bytes, offset: None, names: false }.string(&text);
            prop_assert_eq!(bytes, serde_json::to_vec(&text).unwrap_or_default());
        }
    }
}
