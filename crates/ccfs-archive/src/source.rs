//! Sources of CSV files: a bare file, or the members of an archive.

use std::io::Read;

use crate::error::Error;
use crate::kind::IndexKind;
use crate::options::ReadOptions;
use crate::record::Record;
use crate::zip::{Bytes, Next, Reader, has_no_data, read_some};

/// Number of bytes read or inflated, and split into rows, at a time. With 8 KiB, the calls take as long as half of the work.
pub(crate) const CHUNK: usize = 128 << 10;

/// A sequence of files, each as chunks of bytes.
pub(crate) trait Source: Send {
    /// Returns the next step. Writes bytes to `buffer`, which has [`CHUNK`] bytes.
    fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Next, Error>;
}

/// A bare CSV file, which has no beginning of a member.
pub(crate) struct CsvSource<R>(pub(crate) R);

impl<R: Read + Send> Source for CsvSource<R> {
    fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Next, Error> {
        let length = read_some(&mut self.0, buffer)?;
        Ok(if length > 0 { Next::Data(length) } else { Next::End })
    }
}

/// All members that the machine reads.
impl<B: Bytes> Source for Reader<B> {
    fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Next, Error> {
        self.step(buffer)
    }
}

/// Returns the kind of a member; `None` if it is not read as a `T`.
pub(crate) fn member_kind<T: Record>(name: &str, options: &ReadOptions) -> Option<IndexKind> {
    let kind =
        if has_no_data(name) { None } else { IndexKind::of_name(name).or(options.default_kind) };
    kind.filter(|&kind| T::KINDS.contains(&kind))
}
