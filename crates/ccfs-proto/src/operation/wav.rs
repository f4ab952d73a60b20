//! Looking at a sound file before it is uploaded.

use super::field::FieldError;

/// What the server takes, in the order in which it is checked.
const CHANNELS: u16 = 1;
const SAMPLE_RATE: u32 = 8000;
const SAMPLE_BITS: u16 = 8;

/// PCM, and the two codings of telephony that also have 8 bits a sample, A-law and µ-law. The rule names none, and the platform's own
/// files are A-law.
const CODINGS: [u16; 3] = [1, 6, 7];
/// The coding stands further behind.
const EXTENSIBLE: u16 = 0xFFFE;

/// Why a sound file cannot be uploaded. See `docs/protocol.md`, "Other interfaces".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WavProblem {
    /// Larger than the bound.
    #[error("the file has {bytes} bytes, and at most {limit} are taken")]
    TooLarge {
        /// The bound in bytes.
        limit: usize,
        /// The bytes given.
        bytes: usize,
    },
    /// It does not begin like a WAV file.
    #[error("the file is not a WAV file: it does not begin with RIFF and WAVE")]
    NotWav,
    /// A part that must be there is not.
    #[error("the WAV file has no whole `{chunk}` chunk: it is cut off, or was written to a pipe")]
    NoChunk {
        /// `fmt ` or `data`.
        chunk: &'static str,
    },
    /// Another coding.
    #[error(
        "the WAV file's coding has the number {tag}, and only PCM (1), A-law (6) and µ-law (7) have the 8 bits a sample that are taken"
    )]
    Coding {
        /// The coding's number.
        tag: u16,
    },
    /// Not mono.
    #[error("the WAV file has {channels} channels, and only mono (1) is taken")]
    Channels {
        /// The file's channels.
        channels: u16,
    },
    /// Another sample rate.
    #[error("the WAV file has {hertz} samples a second, and only 8000 are taken")]
    SampleRate {
        /// The file's samples a second.
        hertz: u32,
    },
    /// Another sample size.
    #[error("the WAV file has {bits} bits a sample, and only 8 are taken")]
    SampleBits {
        /// The file's bits a sample.
        bits: u16,
    },
}

/// Takes what the server takes: a whole WAV file of up to `limit` bytes, mono, 8000 Hz, 8 bit.
pub(super) fn check(field: &'static str, file: &[u8], limit: usize) -> Result<(), FieldError> {
    problem(file, limit).map_or(Ok(()), |problem| Err(FieldError::new(field, problem)))
}

fn problem(file: &[u8], limit: usize) -> Option<WavProblem> {
    if file.len() > limit {
        return Some(WavProblem::TooLarge { limit, bytes: file.len() });
    }
    if !file.starts_with(b"RIFF") || file.get(8..12) != Some(b"WAVE") {
        return Some(WavProblem::NotWav);
    }
    let Some(format) = chunk(file, *b"fmt ").and_then(Format::read) else {
        return Some(WavProblem::NoChunk { chunk: "fmt " });
    };
    if !CODINGS.contains(&format.tag) {
        return Some(WavProblem::Coding { tag: format.tag });
    }
    if format.channels != CHANNELS {
        return Some(WavProblem::Channels { channels: format.channels });
    }
    if format.sample_rate != SAMPLE_RATE {
        return Some(WavProblem::SampleRate { hertz: format.sample_rate });
    }
    if format.sample_bits != SAMPLE_BITS {
        return Some(WavProblem::SampleBits { bits: format.sample_bits });
    }
    chunk(file, *b"data").is_none().then_some(WavProblem::NoChunk { chunk: "data" })
}

/// The content of the first chunk of that name, where it is whole.
fn chunk(file: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let mut rest = file.get(12..)?;
    loop {
        let (head, behind) = rest.split_first_chunk::<8>()?;
        let [a, b, c, d, size @ ..] = *head;
        let size = usize::try_from(u32::from_le_bytes(size)).ok()?;
        let content = behind.get(..size)?;
        if [a, b, c, d] == name {
            return Some(content);
        }
        // Chunks begin at even places.
        rest = behind.get(size + size % 2..)?;
    }
}

struct Format {
    tag: u16,
    channels: u16,
    sample_rate: u32,
    sample_bits: u16,
}

impl Format {
    fn read(chunk: &[u8]) -> Option<Self> {
        let short = |at: usize| Some(u16::from_le_bytes(chunk.get(at..)?.first_chunk().copied()?));
        let tag = match short(0)? {
            EXTENSIBLE => short(24)?,
            tag => tag,
        };
        let sample_rate = u32::from_le_bytes(chunk.get(4..)?.first_chunk().copied()?);
        Some(Self { tag, channels: short(2)?, sample_rate, sample_bits: short(14)? })
    }
}
