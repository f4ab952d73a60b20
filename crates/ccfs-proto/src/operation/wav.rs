//! The check of a sound file before it is uploaded.

/// PCM, and the two codecs of telephony with 8 bits a sample, A-law and µ-law. The reference names
/// none, and the platform's own files are A-law.
const CODECS: [u16; 3] = [1, 6, 7];
/// The other properties of a file, and the values that the server accepts.
const FORMAT: [(&str, u32); 3] =
    [("channels", 1), ("samples per second", 8000), ("bits per sample", 8)];
/// The format tag is in the extension of the `fmt ` chunk.
const EXTENSIBLE: u16 = 0xFFFE;

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
    /// Another codec.
    #[error("WAV file has format tag {tag}; convert it to PCM (1), A-law (6) or µ-law (7)")]
    Coding {
        /// Format tag.
        tag: u16,
    },
    /// Not mono, 8000 Hz and 8 bits a sample.
    #[error("WAV file has {found} {property}; convert it to {allowed}")]
    Format {
        /// `channels`, `samples per second` or `bits per sample`.
        property: &'static str,
        /// The number in the file.
        found: u32,
        /// The allowed number.
        allowed: u32,
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
    let (tag, format) = format.ok_or(WavProblem::NoChunk { chunk: "fmt " })?;
    if !CODECS.contains(&tag) {
        return Err(WavProblem::Coding { tag });
    }
    for ((property, allowed), found) in FORMAT.into_iter().zip(format) {
        if found != allowed {
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

/// Reads the format tag and the properties of [`FORMAT`].
fn format(chunk: &[u8]) -> Option<(u16, [u32; 3])> {
    let short = |at: usize| Some(u16::from_le_bytes(*chunk.get(at..)?.first_chunk()?));
    let tag = match short(0)? {
        EXTENSIBLE => short(24)?,
        tag => tag,
    };
    let rate = u32::from_le_bytes(*chunk.get(4..)?.first_chunk()?);
    Some((tag, [short(2)?.into(), rate, short(14)?.into()]))
}
