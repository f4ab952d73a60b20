//! Detects the charset of a member and converts its bytes to UTF-8.
//!
//! The result must not depend on where the bytes were split, so it is detected from a sample of fixed length.

use std::collections::BTreeSet;
use std::fmt;

use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_16BE, UTF_16LE};

/// Charset of a member. CC-FS does not publish which one it writes, so it is detected for each member.
///
/// A byte order mark determines the charset, even if [`ReadOptions::charset`](crate::ReadOptions::charset) is another.
/// Without a mark, the 64 KiB from the first non-ASCII byte are examined: the member is UTF-8 if more of its non-ASCII
/// sequences are valid UTF-8 than invalid, otherwise GB18030 if nearly all are valid GB18030. If neither applies, it is
/// read as UTF-8, and its invalid rows are reported as bad. Plain ASCII counts as UTF-8. See
/// [What is not published](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#what-is-not-published).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Charset {
    /// UTF-8, with or without a byte order mark.
    #[cfg_attr(feature = "serde", serde(rename = "UTF-8"))]
    Utf8,
    /// GB18030, which includes GBK and GB2312.
    #[cfg_attr(feature = "serde", serde(rename = "GB18030"))]
    Gb18030,
    /// UTF-16, little endian. Detected by its byte order mark only.
    #[cfg_attr(feature = "serde", serde(rename = "UTF-16LE"))]
    Utf16Le,
    /// UTF-16, big endian. Detected by its byte order mark only.
    #[cfg_attr(feature = "serde", serde(rename = "UTF-16BE"))]
    Utf16Be,
}

impl Charset {
    /// All charsets that can be read.
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Gb18030, Self::Utf16Le, Self::Utf16Be];

    /// Name of the charset, as in `UTF-8`.
    pub const fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// Returns the name, the byte order mark, and the encoding to decode from; `None` for UTF-8.
    const fn facts(self) -> (&'static str, &'static [u8], Option<&'static Encoding>) {
        match self {
            Self::Utf8 => ("UTF-8", b"\xEF\xBB\xBF", None),
            Self::Gb18030 => ("GB18030", b"\x84\x31\x95\x33", Some(GB18030)),
            Self::Utf16Le => ("UTF-16LE", b"\xFF\xFE", Some(UTF_16LE)),
            Self::Utf16Be => ("UTF-16BE", b"\xFE\xFF", Some(UTF_16BE)),
        }
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Length of the sample that the charset is detected from, in bytes.
const SAMPLE: usize = 64 << 10;
/// Length of the longest byte order mark.
const LONGEST_MARK: usize = 4;
/// Replaces bytes that cannot be decoded. It is never valid in UTF-8, so exactly its row is reported as bad.
const UNDECODABLE: u8 = 0xFF;

/// Converts a member's bytes to UTF-8.
#[derive(Default)]
pub(crate) struct Transcoder {
    state: State,
    /// Bytes that are held until there are enough for a byte order mark, or for detection.
    held: Vec<u8>,
    /// The first bytes, at most 4, as they are in the file.
    pub(crate) first: Vec<u8>,
    charset: Option<Charset>,
    /// Number of byte order marks at the start.
    pub(crate) marks: u64,
    /// Whether the charset was detected from too few characters to be certain.
    pub(crate) guessed: bool,
}

#[derive(Default)]
enum State {
    /// Fewer bytes than the longest byte order mark so far.
    #[default]
    Start,
    /// Only ASCII so far.
    Undecided,
    /// Fewer bytes than the sample since the first that is not ASCII.
    Sampling,
    Utf8,
    Decoding(Box<Decoder>),
}

impl Transcoder {
    pub(crate) fn new(forced: Option<Charset>) -> Self {
        Self { charset: forced, ..Self::default() }
    }

    /// The charset; UTF-8 until it is detected.
    pub(crate) fn charset(&self) -> Charset {
        self.charset.unwrap_or(Charset::Utf8)
    }

    /// Whether every byte so far is ASCII.
    pub(crate) fn is_ascii_so_far(&self) -> bool {
        matches!(self.state, State::Undecided)
    }

    /// Appends the text of the next bytes to `text`, except bytes that are held until the charset is detected.
    pub(crate) fn push(&mut self, mut bytes: &[u8], text: &mut Vec<u8>) {
        while !bytes.is_empty() {
            let taken = match &mut self.state {
                State::Start | State::Sampling => self.hold(bytes, text),
                State::Undecided => {
                    let ascii = Encoding::ascii_valid_up_to(bytes);
                    text.extend_from_slice(&bytes[..ascii]);
                    if ascii < bytes.len() {
                        self.state = State::Sampling;
                    }
                    ascii
                }
                State::Utf8 => {
                    text.extend_from_slice(bytes);
                    bytes.len()
                }
                State::Decoding(decoder) => {
                    decode(decoder, bytes, text, false);
                    bytes.len()
                }
            };
            bytes = &bytes[taken..];
        }
    }

    /// Holds bytes until there are enough for a byte order mark, or for detection. Returns the number of those held.
    fn hold(&mut self, bytes: &[u8], text: &mut Vec<u8>) -> usize {
        let most = if matches!(self.state, State::Start) { LONGEST_MARK } else { SAMPLE };
        let taken = (most - self.held.len()).min(bytes.len());
        self.held.extend_from_slice(&bytes[..taken]);
        if self.held.len() == most {
            self.decide(text, false);
        }
        taken
    }

    /// Appends the held bytes. No more bytes follow.
    pub(crate) fn finish(&mut self, text: &mut Vec<u8>) {
        while matches!(self.state, State::Start | State::Sampling) {
            self.decide(text, true);
        }
        if let State::Decoding(mut decoder) = std::mem::replace(&mut self.state, State::Utf8) {
            decode(&mut decoder, &[], text, true);
        }
    }

    /// Decides with the held bytes how to read: drops byte order marks, or detects the charset.
    fn decide(&mut self, text: &mut Vec<u8>, last: bool) {
        if matches!(self.state, State::Sampling) {
            let (charset, guessed) = detect(&self.held);
            (self.charset, self.guessed) = (Some(charset), guessed);
        } else if self.drop_marks() && !last {
            return;
        }
        self.state = match self.charset.map(|charset| charset.facts().2) {
            None => State::Undecided,
            Some(None) => State::Utf8,
            Some(Some(encoding)) => {
                State::Decoding(Box::new(encoding.new_decoder_without_bom_handling()))
            }
        };
        let held = std::mem::take(&mut self.held);
        self.push(&held, text);
    }

    /// Drops the byte order marks in the first bytes. Returns whether there are any.
    fn drop_marks(&mut self) -> bool {
        if self.first.is_empty() {
            self.first.clone_from(&self.held);
        }
        let marks = self.marks;
        while let Some(charset) = Charset::ALL.into_iter().find(|&charset| {
            self.held.starts_with(charset.facts().1)
                && (self.marks == 0 || self.charset == Some(charset))
        }) {
            self.held.drain(..charset.facts().1.len());
            self.marks += 1;
            self.charset = Some(charset);
        }
        self.marks > marks
    }
}

/// With fewer different characters the charset is a guess: one in eight pairs of GB2312 bytes is valid UTF-8 by chance.
const SURE: u64 = 4;

/// Returns the charset of a sample that has non-ASCII bytes, and whether it is a guess.
fn detect(sample: &[u8]) -> (Charset, bool) {
    let utf8 = Counts::of(sample);
    // The end of the sample may cut a character.
    let cut = std::str::from_utf8(sample).is_err_and(|error| error.error_len().is_none());
    let invalid = utf8.invalid - u64::from(cut);
    let mut text = Vec::new();
    decode(&mut GB18030.new_decoder_without_bom_handling(), sample, &mut text, false);
    let gb18030 = Counts::of(&text);
    // Sequences of two bytes alone may all be GB18030, too.
    let needed = if utf8.long == 0 && gb18030.invalid == 0 { 4 * SURE } else { SURE };
    if invalid == 0 {
        (Charset::Utf8, utf8.different < needed && gb18030.invalid == 0)
    } else if utf8.valid > invalid {
        (Charset::Utf8, utf8.different < needed.max(2 * SURE))
    } else if gb18030.invalid * 10 <= gb18030.valid {
        // Single characters between ASCII letters are those of a Latin charset.
        (Charset::Gb18030, gb18030.different < SURE || gb18030.lone * 2 > gb18030.valid)
    } else {
        (Charset::Utf8, true)
    }
}

/// Counts of non-ASCII sequences.
struct Counts {
    valid: u64,
    invalid: u64,
    /// Valid sequences of three and four bytes, which chance rarely makes.
    long: u64,
    /// Valid characters next to an ASCII letter.
    lone: u64,
    different: u64,
}

impl Counts {
    fn of(text: &[u8]) -> Self {
        let mut counts = Self { valid: 0, invalid: 0, long: 0, lone: 0, different: 0 };
        let mut different = BTreeSet::new();
        for chunk in text.utf8_chunks() {
            let mut before = ' ';
            let mut chars = chunk.valid().chars().peekable();
            while let Some(char) = chars.next() {
                if !char.is_ascii() {
                    let after = chars.peek().is_some_and(char::is_ascii_alphabetic);
                    counts.valid += 1;
                    counts.long += u64::from(char.len_utf8() > 2);
                    counts.lone += u64::from(before.is_ascii_alphabetic() || after);
                    different.insert(char);
                }
                before = char;
            }
            counts.invalid += u64::from(!chunk.invalid().is_empty());
        }
        counts.different = different.len() as u64;
        counts
    }
}

fn decode(decoder: &mut Decoder, mut input: &[u8], text: &mut Vec<u8>, last: bool) {
    let mut buffer = [0; 4096];
    loop {
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(input, &mut buffer, last);
        input = &input[read..];
        text.extend_from_slice(&buffer[..written]);
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => text.push(UNDECODABLE),
        }
    }
}
