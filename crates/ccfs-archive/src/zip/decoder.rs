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

/// Bytes read and written by one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub(crate) taken: usize,
    pub(crate) given: usize,
}

impl Decoder {
    pub(crate) fn new(method: u16) -> Self {
        let inflate = (method != STORED).then(|| Box::new(Decompress::new(false)));
        Self { inflate, crc: Hasher::new(), taken: 0, given: 0, done: false }
    }

    pub(crate) fn crc(&self) -> u32 {
        self.crc.clone().finalize()
    }

    /// Decodes from `input` to `output`. Needs more input if it makes no progress.
    pub(crate) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, ZipFault> {
        let progress = match &mut self.inflate {
            None => {
                let length = input.len().min(output.len());
                output[..length].copy_from_slice(&input[..length]);
                Progress { taken: length, given: length }
            }
            Some(_) if self.done => Progress { taken: 0, given: 0 },
            Some(inflate) => {
                let before = (inflate.total_in(), inflate.total_out());
                let status = inflate
                    .decompress(input, output, FlushDecompress::None)
                    .map_err(|_| ZipFault::BadDeflate)?;
                self.done = status == Status::StreamEnd;
                Progress {
                    taken: since(before.0, inflate.total_in()),
                    given: since(before.1, inflate.total_out()),
                }
            }
        };
        self.crc.update(&output[..progress.given]);
        self.taken += progress.taken as u64;
        self.given += progress.given as u64;
        Ok(progress)
    }
}

fn since(before: u64, now: u64) -> usize {
    usize::try_from(now - before).unwrap_or(usize::MAX)
}
