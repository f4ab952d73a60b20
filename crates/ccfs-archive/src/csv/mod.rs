//! Splits chunks of CSV into rows of cells, without I/O.

mod charset;
mod row;
mod scan;
mod splitter;

pub use charset::Charset;
pub use row::{Cells, Row};

pub(crate) use row::{Cell, trim};
pub(crate) use splitter::{SplitError, Splitter};

/// The end-of-file mark of DOS.
const END_OF_FILE: u8 = 0x1A;

/// Whether a byte is padding: NUL, from incomplete writes, or [`END_OF_FILE`].
pub(crate) fn is_padding(byte: u8) -> bool {
    matches!(byte, 0 | END_OF_FILE)
}
