//! CSV: from chunks of bytes to rows of cells, and back. No I/O happens here.

mod charset;
mod row;
mod scan;
mod splitter;
mod writer;

pub use charset::Charset;
pub use row::{CellTexts, Cells, Row};
pub use writer::{CsvRow, CsvWriter};

pub(crate) use row::Cell;
pub(crate) use splitter::{Located, SplitError, Splitter};
