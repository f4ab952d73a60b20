//! CSV: chunks of bytes to rows of cells, and back. No I/O happens here.

mod charset;
mod row;
mod scan;
mod splitter;

pub use charset::Charset;
pub use row::{Cells, Row};

pub(crate) use row::{Cell, split_plain, split_quoted, trim};
pub(crate) use splitter::{SplitError, Splitter};

/// Whether a byte is padding: NUL, which unfinished writes leave, or the end-of-file mark of DOS.
pub(crate) fn is_padding(byte: u8) -> bool {
    matches!(byte, 0 | 0x1A)
}

/// A record without padding around it.
pub(crate) fn without_padding(record: &[u8]) -> &[u8] {
    let end = record.iter().rposition(|&byte| !is_padding(byte)).map_or(0, |at| at + 1);
    let start = record[..end].iter().take_while(|&&byte| is_padding(byte)).count();
    &record[start..end]
}
