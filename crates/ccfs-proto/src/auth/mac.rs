//! HMAC-SHA256 over SHA-256's compression function, and the wiping of what it leaves behind.
//!
//! The `hmac` crate judges it in the laws below. It does what that crate does not and a quick signature needs: it takes the text while
//! it is being written, hashes the outer pad where that costs nothing, and leaves no padded key behind. See `docs/architecture.md`, "Choices".

use sha2::Digest;
use sha2::block_api::compress256;
use zeroize::optimization_barrier;

use super::encode::{Sink, Writer};

/// Bytes that SHA-256 takes at once.
pub(super) const BLOCK: usize = 64;
/// Characters of a MAC in hex: just one block, so that it can be a key as it is.
pub(super) const HEX_LEN: usize = BLOCK;

/// Bytes that the padding of a message may take.
pub(super) const PADDING: usize = BLOCK + 8;
/// Bytes of a hash.
const HASH_LEN: usize = 32;

const IPAD: u8 = 0x36;
const OPAD: u8 = 0x5C;
/// The state that SHA-256 begins with.
const START: State = [
    0x6A09_E667,
    0xBB67_AE85,
    0x3C6E_F372,
    0xA54F_F53A,
    0x510E_527F,
    0x9B05_688C,
    0x1F83_D9AB,
    0x5BE0_CD19,
];

type State = [u32; 8];
pub(super) type Block = [u8; BLOCK];

/// A key behind its two pads: two hash states, out of which the key cannot be had back, but which sign as it does. Wiped when dropped.
pub(super) struct MacKey {
    inner: State,
    outer: State,
}

impl MacKey {
    /// One without a key, to be [set](Self::set) where it stays: a move would leave a copy behind.
    pub(super) const fn blank() -> Self {
        Self { inner: START, outer: START }
    }

    pub(super) fn set(&mut self, key: &[u8]) {
        let mut block = [0; BLOCK];
        if key.len() <= BLOCK {
            block[..key.len()].copy_from_slice(key);
        } else {
            let mut digest = sha2::Sha256::digest(key);
            block[..digest.len()].copy_from_slice(&digest);
            wipe(&mut digest.0);
        }
        keyed(&mut self.inner, &mut block, IPAD);
        keyed(&mut self.outer, &mut block, IPAD ^ OPAD);
        wipe(&mut block);
    }
}

impl Drop for MacKey {
    fn drop(&mut self) {
        wipe(&mut self.inner);
        wipe(&mut self.outer);
    }
}

/// Writes a signature in hex: the MAC of `prefix` under the secret key, in hex, is the key of the MAC of what `write` writes.
#[inline]
pub(super) fn signature_of(
    secret: &MacKey,
    prefix: &[u8],
    write: impl FnOnce(&mut Writer<'_, Chain>),
    out: &mut [u8; HEX_LEN],
) {
    let mut chain = Chain::new(secret, prefix.len());
    let mut writer = Writer::new(&mut chain);
    put_prefix(&mut writer, prefix);
    write(&mut writer);
    writer.finish();
    put_hex(out, &chain.state, 0);
}

/// Writes the prefix as the end of a message that the key's block begins. The first step is done now, and meanwhile the text is begun.
#[inline]
fn put_prefix(writer: &mut Writer<'_, Chain>, prefix: &[u8]) {
    writer.put(prefix);
    writer.pad(BLOCK + prefix.len());
    writer.step(0);
}

/// The two MACs of one signature as one chain of hash steps: the prefix under the secret key, and the text under the hex that comes out.
/// The prefix with its padding comes first, then the text, and each step is done when the [`Writer`] says so: while the processor waits for
/// it, it encodes what comes next. Wiped when dropped.
pub(super) struct Chain {
    state: State,
    /// Behind the outer pad of the MAC that is being made.
    outer: State,
    /// What is hashed that is no text: an inner hash with its padding, a key under a pad.
    block: Block,
    stage: Stage,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Stage {
    /// That many blocks of the prefix.
    Prefix { blocks: usize },
    /// The outer hash of the first MAC.
    Outer,
    /// The inner pad of the second, whose key the first one's 64 hex characters are, as text.
    Key,
    /// The text; that many blocks were hashed, the key's among them.
    Text { blocks: usize },
}

impl Chain {
    /// Over a prefix of so many bytes, which comes with its padding.
    fn new(secret: &MacKey, prefix_len: usize) -> Self {
        let stage = Stage::Prefix { blocks: padded(prefix_len) / BLOCK };
        Self { state: secret.inner, outer: secret.outer, block: [0; BLOCK], stage }
    }

    /// The outer of HMAC's two hashes.
    fn outer_hash(&mut self) {
        self.block = INNER_HASH_PADDED;
        put_hash(&mut self.block, &self.state);
        self.state = self.outer;
        compress256(&mut self.state, std::slice::from_ref(&self.block));
    }

    fn wipe(&mut self) {
        wipe(&mut self.state);
        wipe(&mut self.outer);
        wipe(&mut self.block);
    }
}

impl Sink for Chain {
    #[inline(always)]
    #[allow(clippy::inline_always)] // Measured.
    fn step(&mut self, next: Option<&Block>) -> bool {
        match (self.stage, next) {
            (Stage::Prefix { blocks }, Some(block)) => {
                compress256(&mut self.state, std::slice::from_ref(block));
                self.stage =
                    if blocks == 1 { Stage::Outer } else { Stage::Prefix { blocks: blocks - 1 } };
                true
            }
            (Stage::Outer, _) => {
                self.outer_hash();
                self.stage = Stage::Key;
                false
            }
            (Stage::Key, _) => {
                put_hex(&mut self.block, &self.state, IPAD);
                hash_first(&mut self.state, &self.block);
                self.stage = Stage::Text { blocks: 1 };
                false
            }
            (Stage::Text { blocks }, Some(block)) => {
                compress256(&mut self.state, std::slice::from_ref(block));
                self.stage = Stage::Text { blocks: blocks + 1 };
                true
            }
            (Stage::Prefix { .. } | Stage::Text { .. }, None) => false,
        }
    }

    /// Leaves the second MAC as the state.
    fn finish(&mut self, mut room: &mut [u8], mut len: usize) {
        let blocks = loop {
            if let Stage::Text { blocks } = self.stage {
                break blocks;
            }
            if self.step(room.first_chunk()) {
                room = &mut room[BLOCK..];
                len -= BLOCK;
            }
        };
        // Here and not earlier: the processor does it while it hashes the rest, for neither waits for the other.
        keyed(&mut self.outer, &mut self.block, IPAD ^ OPAD);
        let end = pad(room, len, blocks * BLOCK + len);
        compress256(&mut self.state, room[..end].as_chunks().0);
        self.outer_hash();
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Changes the pad over a key by `change` and gives the state behind it.
fn keyed(state: &mut State, key: &mut Block, change: u8) {
    for byte in key.iter_mut() {
        *byte ^= change;
    }
    hash_first(state, key);
}

/// The state behind a key with its pad, a message's first block.
fn hash_first(state: &mut State, key: &Block) {
    *state = START;
    compress256(state, std::slice::from_ref(key));
}

/// Bytes of a message with its padding, which makes whole blocks of it.
fn padded(len: usize) -> usize {
    (len + 9).next_multiple_of(BLOCK)
}

/// Writes the padding of a message of `hashed` bytes behind the first `len` bytes of `room`, which end it, and returns
/// where the padding ends.
pub(super) fn pad(room: &mut [u8], len: usize, hashed: usize) -> usize {
    let end = len + padded(hashed) - hashed;
    room[len..len + PADDING].fill(0);
    room[len] = 0x80;
    room[end - 8..end].copy_from_slice(&(hashed as u64 * 8).to_be_bytes());
    end
}

fn put_hash(out: &mut [u8], state: &State) {
    for (bytes, word) in out.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
}

/// The state in lower-case hex with `pad` over it. Without a table: where a table is read shows in the cache, and this text may become a key.
#[inline(never)] // Inlined, the compiler thinks that the two may overlap, and does it byte by byte.
fn put_hex(out: &mut Block, state: &State, pad: u8) {
    // All ones where the digit is a letter.
    let is_letter = |nibble: u8| (9_i8.wrapping_sub(nibble.cast_signed()) >> 7).cast_unsigned();
    let digit = |nibble: u8| (nibble + b'0' + (is_letter(nibble) & (b'a' - b'0' - 10))) ^ pad;
    let mut hash = [0; HASH_LEN];
    put_hash(&mut hash, state);
    for (digits, byte) in out.as_chunks_mut().0.iter_mut().zip(&hash) {
        *digits = [digit(byte >> 4), digit(byte & 15)];
    }
    wipe(&mut hash);
}

/// Room for an inner hash, and the padding behind it: the outer hash's second and last block.
const INNER_HASH_PADDED: Block = {
    let mut block = [0; BLOCK];
    #[allow(clippy::cast_possible_truncation)] // It is 768.
    let bits = ((BLOCK + HASH_LEN) * 8) as u16;
    block[HASH_LEN] = 0x80;
    [block[BLOCK - 2], block[BLOCK - 1]] = bits.to_be_bytes();
    block
};

/// Overwrites with zeros, in words as wide as the processor has; `Zeroize` writes byte by byte.
fn wipe<T: Copy + Default, const N: usize>(secret: &mut [T; N]) {
    *secret = [T::default(); N];
    optimization_barrier(secret);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
