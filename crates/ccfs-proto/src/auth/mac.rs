//! HMAC-SHA256 over SHA-256's compression function, and the wiping of what it leaves behind.
//!
//! The `hmac` crate judges it in the laws below. It does what that crate does not and a quick signature needs: it takes the text while
//! it is being written, hashes the outer pad where that costs nothing, and leaves no padded key behind. See `docs/architecture.md`, "Choices".

use sha2::Digest;
use sha2::block_api::compress256;
use zeroize::optimization_barrier;

use super::encode::Sink;

/// Bytes that SHA-256 takes at once.
pub(super) const BLOCK: usize = 64;
/// Characters of a MAC in hex: just one block, so that it can be a key as it is.
pub(super) const HEX_LEN: usize = BLOCK;

/// Bytes of a hash.
const HASH_LEN: usize = 32;

const IPAD: u8 = 0x36;
const OPAD: u8 = 0x5C;
/// The state that SHA-256 begins with.
const START: State = [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19];

type State = [u32; 8];
type Block = [u8; BLOCK];

/// A key behind its two pads: two hash states, out of which the key cannot be had back. Wiped when dropped.
pub(super) struct MacKey {
    inner: State,
    outer: State,
}

impl MacKey {
    pub(super) fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        if key.len() <= BLOCK {
            block[..key.len()].copy_from_slice(key);
        } else {
            let mut digest = sha2::Sha256::digest(key);
            block[..digest.len()].copy_from_slice(&digest);
            wipe(&mut digest.0);
        }
        let inner = keyed(&mut block, IPAD);
        let outer = keyed(&mut block, IPAD ^ OPAD);
        wipe(&mut block);
        Self { inner, outer }
    }

    /// The MAC of `message` in lower-case hex.
    pub(super) fn hex_of(&self, message: &[u8]) -> [u8; HEX_LEN] {
        let mut inner = self.inner;
        hash_rest(&mut inner, 1, message);
        let hex = outer_hash(self.outer, &inner);
        wipe(&mut inner);
        hex
    }
}

impl Drop for MacKey {
    fn drop(&mut self) {
        wipe(&mut self.inner);
        wipe(&mut self.outer);
    }
}

/// One MAC under a key that is used for nothing else and wiped with it. Its text comes through a [`Writer`](super::encode::Writer).
pub(super) struct Mac<'a> {
    /// Behind the inner pad.
    key: &'a mut Block,
    inner: State,
    /// Blocks hashed, the key's among them.
    blocks: usize,
}

impl<'a> Mac<'a> {
    pub(super) fn new(key: &'a mut Block) -> Self {
        let inner = keyed(key, IPAD);
        Self { key, inner, blocks: 1 }
    }
}

impl Sink for Mac<'_> {
    /// The MAC in lower-case hex.
    type Output = [u8; HEX_LEN];

    fn take(&mut self, blocks: &[Block]) {
        compress256(&mut self.inner, blocks);
        self.blocks += blocks.len();
    }

    fn finish(&mut self, rest: &[u8]) -> [u8; HEX_LEN] {
        // Here and not earlier: the processor does it while it hashes the rest, for neither waits for the other.
        let outer = keyed(self.key, IPAD ^ OPAD);
        hash_rest(&mut self.inner, self.blocks, rest);
        outer_hash(outer, &self.inner)
    }
}

impl Drop for Mac<'_> {
    fn drop(&mut self) {
        wipe(self.key);
        wipe(&mut self.inner);
    }
}

/// The state behind `block` with `pad` over it, which stays there.
fn keyed(block: &mut Block, pad: u8) -> State {
    for byte in block.iter_mut() {
        *byte ^= pad;
    }
    let mut state = START;
    compress256(&mut state, std::slice::from_ref(block));
    state
}

/// Hashes the end of a message, of any length, and the padding. `blocks` were hashed before.
fn hash_rest(state: &mut State, blocks: usize, rest: &[u8]) {
    let bits = (blocks * BLOCK + rest.len()) as u64 * 8;
    let (whole, rest) = rest.as_chunks();
    compress256(state, whole);
    let mut last = [[0; BLOCK]; 2];
    last[0][..rest.len()].copy_from_slice(rest);
    last[0][rest.len()] = 0x80;
    let blocks = if rest.len() < BLOCK - 8 { 1 } else { 2 };
    last[blocks - 1][BLOCK - 8..].copy_from_slice(&bits.to_be_bytes());
    compress256(state, &last[..blocks]);
}

/// The outer of HMAC's two hashes, in hex. Wipes what it was given by value.
fn outer_hash(mut outer: State, inner: &State) -> [u8; HEX_LEN] {
    let mut block = INNER_HASH_PADDED;
    put_hash(&mut block, inner);
    compress256(&mut outer, std::slice::from_ref(&block));
    wipe(&mut block);
    let hex = hex(&outer);
    wipe(&mut outer);
    hex
}

fn put_hash(out: &mut [u8], state: &State) {
    for (bytes, word) in out.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
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

/// Lower-case hex, without a table: where a table is read shows in the cache, and this text may become a key.
fn hex(state: &State) -> [u8; HEX_LEN] {
    // All ones where the digit is a letter.
    let is_letter = |nibble: u8| (9_i8.wrapping_sub(nibble.cast_signed()) >> 7).cast_unsigned();
    let digit = |nibble: u8| nibble + b'0' + (is_letter(nibble) & (b'a' - b'0' - 10));
    let mut hash = [0; HASH_LEN];
    put_hash(&mut hash, state);
    let mut hex = [0; HEX_LEN];
    for (digits, byte) in hex.as_chunks_mut().0.iter_mut().zip(hash) {
        *digits = [digit(byte >> 4), digit(byte & 15)];
    }
    wipe(&mut hash);
    hex
}

/// Overwrites with zeros, in words as wide as the processor has; `Zeroize` writes byte by byte.
fn wipe<T: Copy + Default, const N: usize>(secret: &mut [T; N]) {
    *secret = [T::default(); N];
    optimization_barrier(secret);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac as _};
    use proptest::prelude::*;
    use sha2::Sha256;

    use super::super::encode::{NAME, TEXT, Writer, code_of};
    use super::{Mac, MacKey};

    /// What the `hmac` crate makes of it.
    fn judge(key: &[u8], message: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(message);
        mac.finalize().into_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    fn text(hex: &[u8]) -> &str {
        std::str::from_utf8(hex).unwrap()
    }

    /// One way of writing.
    #[derive(Clone, Debug)]
    enum Put {
        Plain(Vec<u8>),
        Text(Vec<u8>),
        Name(String),
        Byte(u8),
    }

    fn put() -> impl Strategy<Value = Put> {
        let bytes = || prop_oneof![prop::collection::vec(any::<u8>(), 0..200), prop::collection::vec(any::<u8>(), 0..2000)];
        prop_oneof![
            bytes().prop_map(Put::Plain),
            bytes().prop_map(Put::Text),
            "[ -~]{0,100}".prop_map(Put::Name),
            any::<u8>().prop_map(Put::Byte),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: if cfg!(miri) { 2 } else { 256 }, ..ProptestConfig::default() })]

        #[test]
        fn it_is_hmac(key in prop::collection::vec(any::<u8>(), 0..200), message in prop::collection::vec(any::<u8>(), 0..400)) {
            let hex = MacKey::new(&key).hex_of(&message);
            prop_assert_eq!(text(&hex), judge(&key, &message));
        }

        #[test]
        fn it_is_hmac_of_what_is_written(key: [[u8; 32]; 2], puts in prop::collection::vec(put(), 0..12)) {
            let key: [u8; 64] = key.as_flattened().try_into().unwrap();
            let mut plain = Vec::new();
            let (mut own_key, mut written) = (key, Vec::new());
            let mut mac = Mac::new(&mut own_key);
            let (mut to_mac, mut to_text) = (Writer::new(&mut mac), Writer::new(&mut written));
            for put in &puts {
                match put {
                    Put::Plain(bytes) => {
                        plain.extend_from_slice(bytes);
                        to_mac.put(bytes);
                        to_text.put(bytes);
                    }
                    Put::Text(bytes) => {
                        plain.extend(bytes.iter().flat_map(|&byte| code_of(byte)));
                        to_mac.put_codes(&TEXT, bytes);
                        to_text.put_codes(&TEXT, bytes);
                    }
                    Put::Name(name) => {
                        plain.extend(name.to_ascii_lowercase().bytes().flat_map(code_of));
                        to_mac.put_codes(&NAME, name.as_bytes());
                        to_text.put_codes(&NAME, name.as_bytes());
                    }
                    Put::Byte(byte) => {
                        plain.push(*byte);
                        to_mac.put_byte(*byte);
                        to_text.put_byte(*byte);
                    }
                }
            }
            let hex = to_mac.finish();
            prop_assert_eq!(text(&hex), judge(&key, &plain));
            to_text.finish();
            prop_assert_eq!(written, plain);
            drop(mac);
            prop_assert_eq!(own_key, [0; 64], "the key is wiped with it");
        }
    }

    /// Where the padding fits, where it just does not, and where a block is just full.
    #[test]
    fn it_is_hmac_at_every_length_around_the_blocks() {
        // Miri takes a few of them.
        for len in (0..=3 * super::BLOCK).step_by(if cfg!(miri) { 31 } else { 1 }) {
            let bytes = vec![b'x'; len];
            assert_eq!(text(&MacKey::new(b"key").hex_of(&bytes)), judge(b"key", &bytes));
            assert_eq!(text(&MacKey::new(&bytes).hex_of(b"message")), judge(&bytes, b"message"));
        }
    }
}
