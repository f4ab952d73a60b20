//! Splits chunks of CSV into rows of cells, without I/O.

mod charset;
mod row;
mod scan;
mod splitter;

pub use charset::Charset;
pub use row::{Cells, Row};

pub(crate) use row::{Cell, split_plain, split_quoted, trim};
pub(crate) use splitter::{SplitError, Splitter};

/// The end-of-file mark of DOS.
const END_OF_FILE: u8 = 0x1A;

/// Whether a byte is padding: NUL, from incomplete writes, or [`END_OF_FILE`].
pub(crate) fn is_padding(byte: u8) -> bool {
    matches!(byte, 0 | END_OF_FILE)
}

/// Removes padding at both ends of a record.
pub(crate) fn without_padding(record: &[u8]) -> &[u8] {
    let end = record.iter().rposition(|&byte| !is_padding(byte)).map_or(0, |at| at + 1);
    let start = record[..end].iter().take_while(|&&byte| is_padding(byte)).count();
    &record[start..end]
}
