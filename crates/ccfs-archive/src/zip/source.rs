//! The members of an archive that can seek, as chunks of bytes.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use super::decoder::Decoder;
use super::directory::Member;
use super::fault::ZipFault;
use super::meter::Meter;
use crate::error::Error;
use crate::source::read_some;

/// Compressed bytes are read in smaller pieces than they come out in.
const INPUT: usize = 64 << 10;

/// Bytes from a place. Members are read side by side, so that nobody may rely on where a reader stands.
pub(crate) trait ReadAt {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// A reader of one's own, or borrowed from one owner.
impl<R: Read + Seek> ReadAt for R {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.seek(SeekFrom::Start(offset))?;
        read_some(self, buffer)
    }
}

/// A reader that several threads share. They hold it for 64 KiB at a time.
pub(crate) struct Shared<'a, R>(pub(crate) &'a Mutex<R>);

impl<R: Read + Seek> ReadAt for Shared<'_, R> {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        // Whoever panicked with the lock held left the reader at some place, and the place is set anew each time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).read_at(offset, buffer)
    }
}

/// The data of one member, from a reader that seeks.
pub(crate) struct MemberData {
    member: Member,
    decoder: Decoder,
    input: Vec<u8>,
    /// The part of `input` that was read and not yet decoded.
    at: usize,
    filled: usize,
    /// Compressed bytes not yet read.
    left: u64,
    next_offset: u64,
}

impl MemberData {
    pub(crate) fn new(member: Member, buffer: Vec<u8>) -> Self {
        let mut input = buffer;
        input.resize(INPUT, 0);
        Self {
            decoder: Decoder::new(member.method_number()),
            at: 0,
            filled: 0,
            left: member.compressed_size(),
            next_offset: member.data_offset(),
            input,
            member,
        }
    }

    /// The input buffer, to be used for the next member.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.input
    }

    /// Fills `output` as far as the member goes; zero at its end, where it is checked.
    pub(crate) fn read(
        &mut self,
        reader: &mut impl ReadAt,
        output: &mut [u8],
        meter: &Meter,
    ) -> Result<usize, Error> {
        let mut given = 0;
        while given < output.len() && !self.at_end() {
            if self.at == self.filled && self.left > 0 {
                self.refill(reader)?;
            }
            let progress = self
                .decoder
                .decode(&self.input[self.at..self.filled], &mut output[given..])
                .map_err(|fault| fault.of(self.member.shared_name()))?;
            self.at += progress.taken;
            given += progress.given;
            meter.count(
                progress.given,
                self.decoder.taken(),
                self.decoder.given(),
                self.member.shared_name(),
            )?;
            if self.decoder.given() > self.member.size() {
                return Err(self.fault(ZipFault::Size));
            }
            if progress.taken == 0 && progress.given == 0 {
                if self.at < self.filled {
                    return Err(self.fault(ZipFault::BadDeflate));
                }
                if self.left == 0 {
                    // All input is in, and the data does not end: it was cut by a wrong size.
                    return Err(self.fault(ZipFault::Size));
                }
            }
        }
        if given == 0 && !output.is_empty() {
            self.check_end()?;
        }
        Ok(given)
    }

    fn at_end(&self) -> bool {
        self.decoder.done() || (self.member.is_stored() && self.left == 0 && self.at == self.filled)
    }

    fn refill(&mut self, reader: &mut impl ReadAt) -> Result<(), Error> {
        let wanted = usize::try_from(self.left).unwrap_or(INPUT).min(INPUT);
        let length = reader.read_at(self.next_offset, &mut self.input[..wanted])?;
        if length == 0 {
            return Err(self.fault(ZipFault::Truncated));
        }
        (self.at, self.filled) = (0, length);
        self.left -= length as u64;
        self.next_offset += length as u64;
        Ok(())
    }

    fn check_end(&self) -> Result<(), Error> {
        let unused = self.left + (self.filled - self.at) as u64;
        if unused > 0 || self.decoder.given() != self.member.size() {
            return Err(self.fault(ZipFault::Size));
        }
        if self.decoder.crc() != self.member.crc32() {
            return Err(self.fault(ZipFault::Crc));
        }
        Ok(())
    }

    fn fault(&self, fault: ZipFault) -> Error {
        fault.of(self.member.shared_name()).into()
    }
}
