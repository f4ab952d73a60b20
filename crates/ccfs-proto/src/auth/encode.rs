//! Writing the canonical request: percent-encoding it and cutting it into the hash's blocks.

use super::mac::{BLOCK, Block, PADDING, pad};

/// Bytes that have room.
const BUFFER: usize = 12 * BLOCK;
/// Bytes that are encoded between two steps of the sink, and that stay behind a block when it is passed on.
const STEP: usize = 32;

/// What takes a text, block by block.
pub(super) trait Sink {
    /// Does the next piece of its work, and says whether it took the next block for it. Where there is one it takes it sooner or later.
    fn step(&mut self, next: Option<&Block>) -> bool;
    /// Takes what is left: the first `len` bytes of `room`, which goes on for at least [`PADDING`] more.
    fn finish(&mut self, room: &mut [u8], len: usize);
}

impl Sink for Vec<u8> {
    fn step(&mut self, next: Option<&Block>) -> bool {
        self.extend_from_slice(next.map_or(&[], |block| block.as_slice()));
        next.is_some()
    }
    fn finish(&mut self, room: &mut [u8], len: usize) {
        self.extend_from_slice(&room[..len]);
    }
}

/// Encodes text into a buffer and passes it on in whole blocks. Aligned, so that no block lies across cache lines.
#[repr(C, align(64))]
pub(super) struct Writer<'a, S> {
    /// Behind what has room there is some for the padding, and for codes, which are stored four bytes at a time.
    buffer: [u8; BUFFER + PADDING],
    len: usize,
    /// Bytes of the buffer that were passed on.
    passed: usize,
    sink: &'a mut S,
}

impl<'a, S: Sink> Writer<'a, S> {
    pub(super) fn new(sink: &'a mut S) -> Self {
        Self { buffer: [0; BUFFER + PADDING], len: 0, passed: 0, sink }
    }

    /// Writes the padding of a message of `hashed` bytes, the end of which was written last.
    pub(super) fn pad(&mut self, hashed: usize) {
        self.len = pad(&mut self.buffer, self.len, hashed);
        if self.len > BUFFER {
            self.make_room();
        }
    }

    /// Has the sink do its next piece of work, with the next block if there are `ahead` bytes behind it.
    #[inline(always)]
    #[allow(clippy::inline_always)] // Measured.
    pub(super) fn step(&mut self, ahead: usize) {
        let next = if self.len - self.passed >= BLOCK + ahead {
            self.buffer[self.passed..].first_chunk()
        } else {
            None
        };
        if self.sink.step(next) {
            self.passed += BLOCK;
        }
    }

    pub(super) fn put_byte(&mut self, byte: u8) {
        if self.len == BUFFER {
            self.make_room();
        }
        self.buffer[self.len] = byte;
        self.len += 1;
    }

    /// Writes bytes as they are.
    #[inline]
    pub(super) fn put(&mut self, mut bytes: &[u8]) {
        while bytes.len() > BUFFER - self.len {
            let (now, later) = bytes.split_at(BUFFER - self.len);
            self.buffer[self.len..BUFFER].copy_from_slice(now);
            self.len = BUFFER;
            self.make_room();
            bytes = later;
        }
        self.buffer[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Writes what `codes` has for `bytes`.
    pub(super) fn put_codes(&mut self, codes: &Codes, bytes: &[u8]) {
        for step in bytes.chunks(STEP) {
            if self.len > BUFFER - 3 * STEP {
                self.make_room();
            }
            // No branch on the text, the length stays in a register, and eight by eight is what the compiler unrolls.
            let mut len = self.len;
            let mut put = |byte: u8| {
                let code = codes[usize::from(byte)];
                self.buffer[len..len + 4].copy_from_slice(&code);
                len += usize::from(code[3]);
            };
            let (eights, rest) = step.as_chunks::<8>();
            for eight in eights {
                eight.iter().copied().for_each(&mut put);
            }
            rest.iter().copied().for_each(put);
            self.len = len;
            // The steps of a hash wait for one another, and meanwhile the processor encodes what comes next. Not the bytes just written:
            // what was stored in fours cannot be loaded in sixteens before it has reached the cache.
            self.step(STEP);
        }
    }

    /// Gives the sink what is left. Nothing can be written after it; not by value, which would copy the whole buffer.
    pub(super) fn finish(&mut self) {
        self.sink.finish(&mut self.buffer[self.passed..], self.len - self.passed);
    }

    /// Passes on all whole blocks and moves the rest to the start.
    #[cold]
    fn make_room(&mut self) {
        while self.len - self.passed >= BLOCK {
            self.step(0);
        }
        self.buffer.copy_within(self.passed..self.len, 0);
        (self.len, self.passed) = (self.len - self.passed, 0);
    }
}

/// For every byte its code and, last, the code's length.
pub(super) type Codes = [[u8; 4]; 256];

/// Percent-encodes everything but letters, digits and `-._~`, in capitals.
pub(super) static TEXT: Codes = codes(false);
/// The same of a header's name, which is signed in lower case.
pub(super) static NAME: Codes = codes(true);

/// `byte`'s code: itself, or `%XX`.
pub(super) fn code_of(byte: u8) -> impl Iterator<Item = u8> {
    let [a, b, c, len] = TEXT[usize::from(byte)];
    [a, b, c].into_iter().take(len.into())
}

const fn codes(lower: bool) -> Codes {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut table = [[0; 4]; 256];
    let mut at = 0;
    while at < 256 {
        #[allow(clippy::cast_possible_truncation)] // `at` is below 256.
        let byte = at as u8;
        table[at] = if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            [if lower { byte.to_ascii_lowercase() } else { byte }, 0, 0, 1]
        } else {
            [b'%', HEX[at >> 4], HEX[at & 15], 3]
        };
        at += 1;
    }
    table
}
