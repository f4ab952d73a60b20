//! The check of a sound file before it is uploaded, and its encoding.

/// The properties of a file, the values that the server accepts, and those in words.
///
/// A-law and µ-law are the codecs of telephony with 8 bits a sample. The reference names no codec,
/// and the platform's own files are A-law.
const FORMAT: [(&str, &[u32], &str); 4] = [
    ("format tag", &[1, 6, 7], "1 (PCM), 6 (A-law) or 7 (µ-law)"),
    ("channel count", &[1], "1"),
    ("sample rate", &[8000], "8000 Hz"),
    ("sample size", &[8], "8 bits"),
];

/// Why a sound file cannot be uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WavProblem {
    /// Too large.
    #[error("WAV file has {bytes} bytes, limit {limit}")]
    TooLarge {
        /// Limit in bytes.
        limit: usize,
        /// Size in bytes.
        bytes: usize,
    },
    /// Not a WAV file.
    #[error("not a WAV file; it must begin with RIFF and WAVE")]
    NotWav,
    /// A required chunk is missing or incomplete.
    #[error("WAV file has no complete `{chunk}` chunk; it is cut off or was written to a pipe")]
    NoChunk {
        /// `fmt ` or `data`.
        chunk: &'static str,
    },
    /// Another codec, or not mono, 8000 Hz and 8 bits a sample.
    #[error("WAV file has {property} {found}; convert it to {allowed}")]
    Format {
        /// `format tag`, `channel count`, `sample rate` or `sample size`.
        property: &'static str,
        /// The number in the file.
        found: u32,
        /// What is allowed.
        allowed: &'static str,
    },
}

/// Accepts what the server accepts: a complete WAV file of at most `limit` bytes, mono, 8000 Hz,
/// 8 bits a sample.
pub(crate) fn check(file: &[u8], limit: usize) -> Result<(), WavProblem> {
    if file.len() > limit {
        return Err(WavProblem::TooLarge { limit, bytes: file.len() });
    }
    if !file.starts_with(b"RIFF") || file.get(8..12) != Some(b"WAVE") {
        return Err(WavProblem::NotWav);
    }
    let format = chunk(file, *b"fmt ").and_then(format);
    let format = format.ok_or(WavProblem::NoChunk { chunk: "fmt " })?;
    for ((property, values, allowed), found) in FORMAT.into_iter().zip(format) {
        if !values.contains(&found) {
            return Err(WavProblem::Format { property, found, allowed });
        }
    }
    chunk(file, *b"data").map(drop).ok_or(WavProblem::NoChunk { chunk: "data" })
}

/// Returns the content of the first chunk with that name, if it is complete.
fn chunk(file: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let mut rest = file.get(12..)?;
    loop {
        let (head, after) = rest.split_first_chunk::<8>()?;
        let [a, b, c, d, size @ ..] = *head;
        let size = usize::try_from(u32::from_le_bytes(size)).ok()?;
        let content = after.get(..size)?;
        if [a, b, c, d] == name {
            return Some(content);
        }
        // Chunks begin at even offsets.
        rest = after.get(size + size % 2..)?;
    }
}

/// Reads the properties of [`FORMAT`].
fn format(chunk: &[u8]) -> Option<[u32; 4]> {
    let short = |at: usize| Some(u16::from_le_bytes(*chunk.get(at..)?.first_chunk()?));
    let rate = u32::from_le_bytes(*chunk.get(4..)?.first_chunk()?);
    Some([short(0)?.into(), short(2)?.into(), rate, short(14)?.into()])
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Returns the base64 encoding (RFC 4648, with padding), in which a file is sent.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |nth: usize| u32::from(group.get(nth).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for nth in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * nth) & 63) as usize];
            // One byte takes two digits, two take three.
            text.push(if nth <= group.len() { digit.into() } else { '=' });
        }
    }
    text
}
