//! Percent-encoding, and the buffer between the encoder and the hash.

use zeroize::optimization_barrier;

/// Capacity of the buffer in bytes.
const CAPACITY: usize = 512;

/// The encoding of each byte, followed by its length (1 or 3).
static CODES: [[u8; 4]; 256] = {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut codes = [[0; 4]; 256];
    let mut index = 0;
    while index < codes.len() {
        #[allow(clippy::cast_possible_truncation)] // `index` is at most 255.
        let byte = index as u8;
        codes[index] = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => [byte, 0, 0, 1],
            _ => [b'%', HEX[index >> 4], HEX[index & 15], 3],
        };
        index += 1;
    }
    codes
};

/// Returns numbers that compare as the encoded texts of `bytes` do.
pub(super) fn sort_keys(bytes: impl Iterator<Item = u8>) -> impl Iterator<Item = u32> {
    bytes.map(|byte| u32::from_be_bytes(CODES[usize::from(byte)]))
}

/// Percent-encodes `text` as the canonical request does.
pub(crate) fn percent_encode(text: &str) -> String {
    let encode = |byte| {
        let [code @ .., len] = CODES[usize::from(byte)];
        code.into_iter().take(len.into()).map(char::from)
    };
    text.bytes().flat_map(encode).collect()
}

/// Collects text in a fixed buffer and passes it to `output` in few pieces. Wipes the buffer.
pub(super) struct Writer<F: FnMut(&[u8])> {
    buffer: [u8; CAPACITY],
    len: usize,
    output: F,
}

impl<F: FnMut(&[u8])> Writer<F> {
    pub(super) fn new(output: F) -> Self {
        Self { buffer: [0; CAPACITY], len: 0, output }
    }

    /// Writes `text` unchanged.
    pub(super) fn put(&mut self, text: &[u8]) {
        for piece in text.chunks(CAPACITY) {
            if piece.len() > CAPACITY - self.len {
                self.flush();
            }
            self.buffer[self.len..self.len + piece.len()].copy_from_slice(piece);
            self.len += piece.len();
        }
    }

    /// Writes `bytes` percent-encoded, each after `map`.
    pub(super) fn encode(&mut self, bytes: &[u8], map: impl Fn(u8) -> u8) {
        // Eight at a time: the compiler unrolls that, which saves 4 % of a signature.
        let (eights, rest) = bytes.as_chunks::<8>();
        for eight in eights {
            self.encode_few(eight, &map);
        }
        self.encode_few(rest, &map);
    }

    /// Writes up to eight bytes percent-encoded.
    #[inline]
    fn encode_few(&mut self, bytes: &[u8], map: impl Fn(u8) -> u8) {
        if self.len > CAPACITY - 32 {
            self.flush();
        }
        let mut len = self.len;
        for byte in bytes {
            let code = CODES[usize::from(map(*byte))];
            self.buffer[len..len + 4].copy_from_slice(&code);
            len += usize::from(code[3]);
        }
        self.len = len;
    }

    /// Passes the text in the buffer on and wipes it. Must be called after the last write.
    #[cold]
    pub(super) fn flush(&mut self) {
        (self.output)(&self.buffer[..self.len]);
        // `Zeroize` would write byte by byte.
        self.buffer[..self.len].fill(0);
        optimization_barrier(&self.buffer);
        self.len = 0;
    }
}
