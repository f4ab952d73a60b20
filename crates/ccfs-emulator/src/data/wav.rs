//! WAV files: a beep for every recording, and the checks of an upload.

use ccfs_proto::ResultCode;

use super::random::Random;

/// A tone of one to three seconds: PCM, mono, 8 bit, 8000 Hz.
pub(crate) fn tone(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed, "tone");
    let (samples, period) = (8000 + random.below(16_000), 8 + random.below(40));
    let mut wav = Vec::with_capacity(46 + 24_000);
    // A tone has at most 24,000 samples, and chunks have even lengths.
    let samples = u32::try_from(samples & !1).unwrap_or_default();
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + samples).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    for field in [16_u32, 1 | 1 << 16, 8000, 8000, 1 | 8 << 16] {
        wav.extend_from_slice(&field.to_le_bytes());
    }
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&samples.to_le_bytes());
    wav.extend((0..u64::from(samples)).map(|at| if at % period < period / 2 { 96 } else { 160 }));
    wav
}

/// Checks a file for `ivr/uploadFile`: a WAV file of up to `limit` bytes, mono, 8 bit, 8000 Hz.
pub(crate) fn check(file: &[u8], limit: usize) -> Result<(), ResultCode> {
    if file.len() > limit {
        return Err(ResultCode::FileTooLarge);
    }
    if !file.starts_with(b"RIFF") || file.get(8..12) != Some(b"WAVE") {
        return Err(ResultCode::UploadNotWav);
    }
    let format = chunk(file, *b"fmt ").ok_or(ResultCode::UploadUnreadable)?;
    let short = |at: usize| {
        format
            .get(at..at + 2)
            .map(|two| u16::from_le_bytes([two[0], two[1]]))
            .ok_or(ResultCode::UploadUnreadable)
    };
    if short(2)? != 1 {
        return Err(ResultCode::UploadNotMono);
    }
    if short(14)? != 8 {
        return Err(ResultCode::UploadSampleSize);
    }
    if (short(4)?, short(6)?) != (8000, 0) {
        return Err(ResultCode::UploadSampleRate);
    }
    chunk(file, *b"data").map(|_| ()).ok_or(ResultCode::UploadUnreadable)
}

/// Returns the content of the first chunk of that name, if the chunk is complete.
fn chunk(file: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let mut rest = file.get(12..)?;
    loop {
        let (head, behind) = rest.split_first_chunk::<8>()?;
        let size =
            usize::try_from(u32::from_le_bytes([head[4], head[5], head[6], head[7]])).ok()?;
        let content = behind.get(..size)?;
        if head.starts_with(&name) {
            return Some(content);
        }
        // Chunks begin at even places.
        rest = behind.get(size.checked_add(size % 2)?..)?;
    }
}
