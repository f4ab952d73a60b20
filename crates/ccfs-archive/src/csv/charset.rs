//! Which charset a member has, and its bytes as UTF-8.
//!
//! The decision may not depend on how the bytes were cut, so it looks at a stretch of fixed length.

use std::fmt;

use encoding_rs::{Decoder, DecoderResult, GB18030};

/// The charset of a member. The documentation does not say which one CC-FS writes, so each member is looked at.
///
/// Decided from a byte order mark, or else from the 64 KiB that follow the first byte past ASCII: GB18030 if they are
/// no UTF-8 and are GB18030, UTF-8 otherwise. ASCII alone counts as UTF-8. See [What is not published](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#what-is-not-published).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Charset {
    /// UTF-8, with or without a byte order mark.
    #[cfg_attr(feature = "serde", serde(rename = "UTF-8"))]
    Utf8,
    /// GB18030, and with it GBK and GB2312.
    #[cfg_attr(feature = "serde", serde(rename = "GB18030"))]
    Gb18030,
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Gb18030 => "GB18030",
        })
    }
}

/// How many bytes are looked at before the charset is decided.
const SAMPLE: usize = 64 << 10;
const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";
const GB18030_BOM: &[u8] = b"\x84\x31\x95\x33";
/// Stands for what GB18030 could not decode: no UTF-8 text has this byte, so that its row, and only that, is refused.
const UNDECODABLE: u8 = 0xFF;

/// What became of the next bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// So many bytes are UTF-8 as they stand: use them in place.
    Direct(usize),
    /// So many bytes were taken; what came of them, if anything, was put behind the carry.
    Taken(usize),
}

/// Turns a member's bytes into UTF-8, passing them through where they already are.
#[derive(Debug)]
pub(crate) struct Transcoder {
    state: State,
    forced: Option<Charset>,
    bom: bool,
}

enum State {
    /// Fewer bytes so far than the longest byte order mark has.
    Start(Vec<u8>),
    /// Only ASCII so far.
    Undecided,
    /// Bytes held back until there are enough to decide by.
    Sampling(Vec<u8>),
    Utf8,
    Gb18030(Box<Decoder>),
}

impl Transcoder {
    pub(crate) fn new(forced: Option<Charset>) -> Self {
        Self { state: State::Start(Vec::new()), forced, bom: false }
    }

    /// The charset as far as it is decided.
    pub(crate) fn charset(&self) -> Charset {
        match (&self.state, self.forced) {
            (State::Gb18030(_), _) | (State::Start(_), Some(Charset::Gb18030)) => Charset::Gb18030,
            _ => Charset::Utf8,
        }
    }

    pub(crate) fn bom(&self) -> bool {
        self.bom
    }

    /// Whether every byte that was passed on is ASCII.
    pub(crate) fn is_ascii_so_far(&self) -> bool {
        matches!(self.state, State::Undecided)
    }

    /// Deals with the first of `input`, which is not empty.
    pub(crate) fn take(&mut self, input: &[u8], carry: &mut Vec<u8>) -> Piece {
        match &mut self.state {
            State::Start(held) => {
                let wanted = GB18030_BOM.len() - held.len();
                let taken = wanted.min(input.len());
                held.extend_from_slice(&input[..taken]);
                if held.len() == GB18030_BOM.len() {
                    self.start(carry);
                }
                Piece::Taken(taken)
            }
            State::Undecided => {
                if input.is_ascii() {
                    return Piece::Direct(input.len());
                }
                match input.iter().position(|byte| !byte.is_ascii()) {
                    Some(0) | None => {
                        self.state = State::Sampling(Vec::new());
                        Piece::Taken(0)
                    }
                    Some(ascii) => Piece::Direct(ascii),
                }
            }
            State::Sampling(held) => {
                let taken = (SAMPLE - held.len()).min(input.len());
                held.extend_from_slice(&input[..taken]);
                if held.len() == SAMPLE {
                    self.decide(carry);
                }
                Piece::Taken(taken)
            }
            State::Utf8 => Piece::Direct(input.len()),
            State::Gb18030(decoder) => {
                let taken = SAMPLE.min(input.len());
                decode(decoder, &input[..taken], carry, false);
                Piece::Taken(taken)
            }
        }
    }

    /// No more bytes follow: whatever is held back goes to the carry.
    pub(crate) fn finish(&mut self, carry: &mut Vec<u8>) {
        if matches!(self.state, State::Start(_)) {
            self.start(carry);
        }
        if matches!(self.state, State::Sampling(_)) {
            self.decide(carry);
        }
        if let State::Gb18030(decoder) = &mut self.state {
            decode(decoder, &[], carry, true);
            // A decoder may not be used behind its end; nothing more comes, but a second call must do no harm.
            **decoder = GB18030.new_decoder_without_bom_handling();
        }
    }

    /// Drops a byte order mark and passes on the rest of the first bytes.
    fn start(&mut self, carry: &mut Vec<u8>) {
        let State::Start(held) = std::mem::replace(&mut self.state, State::Undecided) else {
            return;
        };
        let (marked, rest) = if let Some(rest) = held.strip_prefix(UTF8_BOM) {
            (Some(Charset::Utf8), rest)
        } else if let Some(rest) = held.strip_prefix(GB18030_BOM) {
            (Some(Charset::Gb18030), rest)
        } else {
            (None, held.as_slice())
        };
        self.bom = marked.is_some();
        match self.forced.or(marked) {
            Some(Charset::Utf8) => self.state = State::Utf8,
            Some(Charset::Gb18030) => self.state = gb18030(),
            None => {}
        }
        let mut rest = rest;
        while !rest.is_empty() {
            match self.take(rest, carry) {
                Piece::Direct(length) => {
                    carry.extend_from_slice(&rest[..length]);
                    rest = &rest[length..];
                }
                Piece::Taken(length) => rest = &rest[length..],
            }
        }
    }

    fn decide(&mut self, carry: &mut Vec<u8>) {
        let State::Sampling(held) = std::mem::replace(&mut self.state, State::Utf8) else { return };
        if is_utf8_so_far(&held) || !is_gb18030_so_far(&held) {
            carry.extend_from_slice(&held);
            return;
        }
        let mut decoder = Box::new(GB18030.new_decoder_without_bom_handling());
        decode(&mut decoder, &held, carry, false);
        self.state = State::Gb18030(decoder);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start(_) => "Start",
            Self::Undecided => "Undecided",
            Self::Sampling(_) => "Sampling",
            Self::Utf8 => "Utf8",
            Self::Gb18030(_) => "Gb18030",
        })
    }
}

fn gb18030() -> State {
    State::Gb18030(Box::new(GB18030.new_decoder_without_bom_handling()))
}

/// A character that the end of the sample cuts is no fault.
fn is_utf8_so_far(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

fn is_gb18030_so_far(bytes: &[u8]) -> bool {
    let mut decoder = GB18030.new_decoder_without_bom_handling();
    let mut buffer = [0; 1024];
    let mut rest = bytes;
    loop {
        let (result, read, _) =
            decoder.decode_to_utf8_without_replacement(rest, &mut buffer, false);
        rest = &rest[read..];
        match result {
            DecoderResult::InputEmpty => return true,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => return false,
        }
    }
}

fn decode(decoder: &mut Decoder, mut input: &[u8], carry: &mut Vec<u8>, last: bool) {
    let mut buffer = [0; 4096];
    loop {
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(input, &mut buffer, last);
        input = &input[read..];
        carry.extend_from_slice(&buffer[..written]);
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => carry.push(UNDECODABLE),
        }
    }
}
