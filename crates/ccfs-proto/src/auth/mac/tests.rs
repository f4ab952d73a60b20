//! The `hmac` crate is the judge.

use hmac::{Hmac, KeyInit, Mac as _};
use proptest::prelude::*;
use sha2::Sha256;

use super::super::encode::{NAME, Sink, TEXT, Writer, code_of};
use super::{BLOCK, Block, Chain, HEX_LEN, IPAD, MacKey, Stage, put_hex, put_prefix, signature_of};

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
    let mut hex = [0; HEX_LEN];
    signature_of(&mac_key(key), prefix, write, &mut hex);
    text(&hex).to_owned()
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
    let bytes = || {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            prop::collection::vec(any::<u8>(), 0..2000)
        ]
    };
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
        to_mac.finish();
        to_text.finish();
        let mut hex = [0; HEX_LEN];
        put_hex(&mut hex, &chain.state, 0);
        prop_assert_eq!(text(&hex), judge_both(&key, &prefix, &plain));
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
        assert_eq!(
            both(b"key", b"prefix", |writer| writer.put(&bytes)),
            judge_both(b"key", b"prefix", &bytes)
        );
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
            assert_eq!(
                both(b"key", b"prefix", write),
                judge_both(b"key", b"prefix", &text),
                "{len} and {codes}"
            );
            assert_eq!(
                both(b"key", &bytes, write),
                judge_both(b"key", &bytes, &text),
                "{len} and {codes}"
            );
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
    let vectors = include_str!("../../../tests/vectors/auth-v2.jsonl");
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
