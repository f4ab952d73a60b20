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
const START: State = [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19];

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

/// A signature in hex: the MAC of `prefix` under the secret key, in hex, is the key of the MAC of what `write` writes.
#[inline]
pub(super) fn signature_of(secret: &MacKey, prefix: &[u8], write: impl FnOnce(&mut Writer<'_, Chain>)) -> [u8; HEX_LEN] {
    let mut chain = Chain::new(secret, prefix.len());
    let mut writer = Writer::new(&mut chain);
    put_prefix(&mut writer, prefix);
    write(&mut writer);
    writer.finish()
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
    /// The second MAC in lower-case hex.
    type Output = [u8; HEX_LEN];

    #[inline(always)]
    #[allow(clippy::inline_always)] // Measured.
    fn step(&mut self, next: Option<&Block>) -> bool {
        match (self.stage, next) {
            (Stage::Prefix { blocks }, Some(block)) => {
                compress256(&mut self.state, std::slice::from_ref(block));
                self.stage = if blocks == 1 { Stage::Outer } else { Stage::Prefix { blocks: blocks - 1 } };
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

    fn finish(&mut self, mut room: &mut [u8], mut len: usize) -> [u8; HEX_LEN] {
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
        put_hex(&mut self.block, &self.state, 0);
        self.block
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
mod tests {
    use hmac::{Hmac, KeyInit, Mac as _};
    use proptest::prelude::*;
    use sha2::Sha256;

    use super::super::encode::{NAME, Sink, TEXT, Writer, code_of};
    use super::{BLOCK, Block, Chain, IPAD, MacKey, Stage, put_prefix, signature_of};

    /// What the `hmac` crate makes of it.
    fn judge(key: &[u8], message: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(message);
        mac.finalize().into_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    /// A signature's two MACs, as the scheme tells them.
    fn judge_both(key: &[u8], prefix: &[u8], message: &[u8]) -> String {
        judge(judge(key, prefix).as_bytes(), message)
    }

    fn both(key: &[u8], prefix: &[u8], write: impl FnOnce(&mut Writer<'_, Chain>)) -> String {
        text(&signature_of(&mac_key(key), prefix, write)).to_owned()
    }

    fn mac_key(key: &[u8]) -> MacKey {
        let mut mac_key = MacKey::blank();
        mac_key.set(key);
        mac_key
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
        /// Nothing, but a step of the hashes.
        Step,
    }

    fn put() -> impl Strategy<Value = Put> {
        let bytes = || prop_oneof![prop::collection::vec(any::<u8>(), 0..200), prop::collection::vec(any::<u8>(), 0..2000)];
        prop_oneof![
            bytes().prop_map(Put::Plain),
            bytes().prop_map(Put::Text),
            "[ -~]{0,100}".prop_map(Put::Name),
            any::<u8>().prop_map(Put::Byte),
            Just(Put::Step),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: if cfg!(miri) { 2 } else { 256 }, ..ProptestConfig::default() })]

        #[test]
        fn it_is_hmac(
            key in prop::collection::vec(any::<u8>(), 0..200),
            prefix in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), prop::collection::vec(any::<u8>(), 0..3000)],
            message in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            prop_assert_eq!(both(&key, &prefix, |writer| writer.put(&message)), judge_both(&key, &prefix, &message));
        }

        #[test]
        fn it_is_hmac_of_what_is_written(
            key in prop::collection::vec(any::<u8>(), 1..100),
            prefix in prop::collection::vec(any::<u8>(), 0..300),
            puts in prop::collection::vec(put(), 0..12),
        ) {
            let mut plain = Vec::new();
            let (mut chain, mut written) = (Chain::new(&mac_key(&key), prefix.len()), Vec::new());
            let (mut to_mac, mut to_text) = (Writer::new(&mut chain), Writer::new(&mut written));
            put_prefix(&mut to_mac, &prefix);
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
                    Put::Step => {
                        to_mac.step(0);
                        to_text.step(0);
                    }
                }
            }
            let hex = to_mac.finish();
            prop_assert_eq!(text(&hex), judge_both(&key, &prefix, &plain));
            to_text.finish();
            prop_assert_eq!(written, plain);
            prop_assert_ne!(chain.outer, [0; 8]);
            chain.wipe();
            prop_assert_eq!((chain.state, chain.outer, chain.block), ([0; 8], [0; 8], [0; BLOCK]), "as when it is dropped");
        }
    }

    /// Where the padding fits, where it just does not, and where a block is just full.
    #[test]
    fn it_is_hmac_at_every_length_around_the_blocks() {
        // Miri takes a few of them.
        for len in (0..=3 * BLOCK).step_by(if cfg!(miri) { 31 } else { 1 }) {
            let bytes = vec![b'x'; len];
            let message = |writer: &mut Writer<'_, Chain>| writer.put(b"message");
            assert_eq!(both(&bytes, b"prefix", message), judge_both(&bytes, b"prefix", b"message"));
            assert_eq!(both(b"key", &bytes, message), judge_both(b"key", &bytes, b"message"));
            assert_eq!(both(b"key", b"prefix", |writer| writer.put(&bytes)), judge_both(b"key", b"prefix", &bytes));
        }
    }

    /// Where the buffer is just full, by each way of writing.
    #[test]
    fn it_is_hmac_at_every_length_around_the_buffer() {
        for len in (8 * BLOCK..=13 * BLOCK).step_by(if cfg!(miri) { 61 } else { 1 }) {
            let bytes = vec![b'x'; len];
            for codes in [0, 1, 32, 40] {
                let encoded = "{".repeat(codes);
                let write = |writer: &mut Writer<'_, Chain>| {
                    writer.put(&bytes);
                    writer.put_codes(&TEXT, encoded.as_bytes());
                    writer.put_byte(b'\n');
                    writer.put(b"end");
                };
                let text = [bytes.as_slice(), "%7B".repeat(codes).as_bytes(), b"\nend"].concat();
                assert_eq!(both(b"key", b"prefix", write), judge_both(b"key", b"prefix", &text), "{len} and {codes}");
                assert_eq!(both(b"key", &bytes, write), judge_both(b"key", &bytes, &text), "{len} and {codes}");
            }
        }
    }

    /// Takes every block and counts.
    #[derive(Default)]
    struct Counts {
        steps: usize,
        blocks: usize,
    }

    impl Sink for Counts {
        type Output = ();
        fn step(&mut self, next: Option<&Block>) -> bool {
            self.steps += 1;
            self.blocks += usize::from(next.is_some());
            next.is_some()
        }
        fn finish(&mut self, _: &mut [u8], _: usize) {}
    }

    /// What makes signing quick and changes no signature: a step after every 32 bytes, and never with what was written last.
    #[test]
    fn the_text_is_hashed_while_it_is_being_encoded() {
        let mut counts = Counts::default();
        Writer::new(&mut counts).put_codes(&TEXT, &[b'x'; 320]);
        assert_eq!((counts.steps, counts.blocks), (10, (320 - 32) / BLOCK));
    }

    /// The one step that no public call shows, because it is a key.
    #[test]
    fn the_vectors_signing_keys() {
        let vectors = include_str!("../../tests/vectors/auth-v2.jsonl");
        let mut count = 0;
        for line in vectors.lines().step_by(if cfg!(miri) { 25 } else { 1 }) {
            let vector: serde_json::Value = serde_json::from_str(line).unwrap();
            let part = |name: &str| vector[name].as_str().unwrap();
            let prefix = part("prefix").as_bytes();
            let mut chain = Chain::new(&mac_key(part("secret_key").as_bytes()), prefix.len());
            let mut writer = Writer::new(&mut chain);
            put_prefix(&mut writer, prefix);
            (0..prefix.len() / BLOCK + 4).for_each(|_| writer.step(0));
            assert!(matches!(chain.stage, Stage::Text { blocks: 1 }));
            assert_eq!(text(&chain.block.map(|byte| byte ^ IPAD)), part("signing_key"));
            count += 1;
        }
        assert_eq!(count, if cfg!(miri) { 2 } else { 50 });
    }
}
