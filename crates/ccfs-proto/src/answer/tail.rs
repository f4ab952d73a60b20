/// Bytes of the end of central directory record, without its comment.
const ZIP_END: usize = 22;
/// The longest comment of a ZIP archive.
const ZIP_COMMENT: usize = 65_535;

/// The last bytes of a file, enough to see whether a ZIP archive ends there.
#[derive(Default)]
pub(super) struct Tail(Vec<u8>);

impl Tail {
    const LEN: usize = ZIP_END + ZIP_COMMENT;

    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.0.extend_from_slice(&chunk[chunk.len().saturating_sub(Self::LEN)..]);
        if self.0.len() > 4 * Self::LEN {
            self.0.drain(..self.0.len() - Self::LEN);
        }
    }

    /// Returns whether the last 65,557 bytes have an end record and its whole comment.
    ///
    /// Bytes after it are allowed: they do not mean that the file was cut off, and readers of the
    /// archive refuse them.
    pub(super) fn has_zip_end(&self) -> bool {
        self.0.windows(ZIP_END).rev().enumerate().take(ZIP_COMMENT + 1).any(|(after, record)| {
            record.starts_with(b"PK\x05\x06")
                && usize::from(u16::from_le_bytes([record[20], record[21]])) <= after
        })
    }
}
