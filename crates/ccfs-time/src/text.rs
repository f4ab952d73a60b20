use std::fmt;

use crate::LocalTime;

/// Text of a time, such as `2021-08-31T09:38:50.872Z`. It is not allocated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TimeText {
    bytes: [u8; 24],
    len: usize,
}

impl TimeText {
    /// Writes the date, `separator`, and the time of day to the second.
    pub(crate) fn new(time: LocalTime, separator: u8) -> Self {
        let day = time.day();
        let [century, years] =
            [day.year() / 100, day.year() % 100].map(|part| u8::try_from(part).unwrap_or_default());
        let mut bytes = *b"0000-00-00 00:00:00.000Z";
        bytes[10] = separator;
        for (at, number) in [
            (0, century),
            (2, years),
            (5, day.month()),
            (8, day.day()),
            (11, time.hour()),
            (14, time.minute()),
            (17, time.second()),
        ] {
            bytes[at] += number / 10;
            bytes[at + 1] += number % 10;
        }
        Self { bytes, len: 19 }
    }

    /// Appends `millis`, 0 to 999, and a `Z`.
    pub(crate) fn with_millis(mut self, millis: i64) -> Self {
        for (at, digit) in [(20, millis / 100), (21, millis / 10 % 10), (22, millis % 10)] {
            self.bytes[at] += u8::try_from(digit).unwrap_or_default();
        }
        Self { len: 24, ..self }
    }

    /// Appends a `Z`.
    pub(crate) fn with_z(mut self) -> Self {
        self.bytes[19] = b'Z';
        Self { len: 20, ..self }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Returns the text as bytes, which are ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl fmt::Display for TimeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TimeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
