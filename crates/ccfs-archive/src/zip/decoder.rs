//! Decodes the data of one member: inflates it, counts it and computes its checksum.

// The checksum of zlib-rs takes a tenth of the reading time; that of this crate is negligible.
use crc32fast::Hasher;
use flate2::{Decompress, FlushDecompress, Status};

use super::fault::ZipFault;
use super::layout::STORED;

pub(crate) struct Decoder {
    /// `None` for stored data.
    inflate: Option<Box<Decompress>>,
    crc: Hasher,
    /// Bytes read and written so far.
    pub(crate) taken: u64,
    pub(crate) given: u64,
    /// Whether deflated data has reached its end. Stored data does not mark its end.
    pub(crate) done: bool,
}

impl Decoder {
    pub(crate) fn new(method: u16) -> Self {
        let inflate = (method != STORED).then(|| Box::new(Decompress::new(false)));
        Self { inflate, crc: Hasher::new(), taken: 0, given: 0, done: false }
    }

    pub(crate) fn crc(&self) -> u32 {
        self.crc.clone().finalize()
    }

    /// Decodes from `input` to `output`. Returns the numbers of bytes read and written, which are 0 if it needs more input.
    pub(crate) fn decode(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(usize, usize), ZipFault> {
        let (taken, given) = match &mut self.inflate {
            None => {
                let length = input.len().min(output.len());
                output[..length].copy_from_slice(&input[..length]);
                (length, length)
            }
            Some(_) if self.done => (0, 0),
            Some(inflate) => {
                let status = inflate
                    .decompress(input, output, FlushDecompress::None)
                    .map_err(|_| ZipFault::BadDeflate)?;
                self.done = status == Status::StreamEnd;
                let since = |before, now| usize::try_from(now - before).unwrap_or(usize::MAX);
                (since(self.taken, inflate.total_in()), since(self.given, inflate.total_out()))
            }
        };
        self.crc.update(&output[..given]);
        self.taken += taken as u64;
        self.given += given as u64;
        Ok((taken, given))
    }
}
