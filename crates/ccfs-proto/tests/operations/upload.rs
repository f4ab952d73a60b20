//! The sound file of an upload: what is accepted, what is refused, and how it is sent.

use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ccfs_proto::Operation;
use ccfs_proto::operation::{FieldProblem, IvrUploadFile, WavProblem};
use proptest::prelude::*;

use super::properties::cases;
use super::support::{format, parts, refused, wav, wav_of};
use crate::skipped::skipped;

fn problem(file: Vec<u8>) -> Option<WavProblem> {
    match IvrUploadFile::new(1, file).request() {
        Ok(_) => None,
        Err(error) => match parts(error) {
            ("data", FieldProblem::Wav(problem)) => Some(problem),
            other => panic!("{other:?}"),
        },
    }
}

const CODECS: &str = "1 (PCM), 6 (A-law) or 7 (µ-law)";

fn format_problem(property: &'static str, found: u32, allowed: &'static str) -> WavProblem {
    WavProblem::Format { property, found, allowed }
}

#[test]
fn uploads_that_the_server_accepts() {
    assert_eq!(problem(wav(b"\x80\x80")), None);
    // An odd number of samples is followed by a byte of padding, which many writers leave out at the end.
    assert_eq!(problem(wav(b"\x80")), None);
    let mut unpadded = wav(b"\x80");
    unpadded.pop();
    assert_eq!(problem(unpadded), None);
    // A-law, with the extra length that other codings than PCM have, and a `fact` chunk.
    let alaw = [format(6, 1, 8000, 8), vec![0, 0]].concat();
    assert_eq!(
        problem(wav_of(&[
            (b"fmt ", &alaw),
            (b"fact", &[4, 0, 0, 0]),
            (b"data", b"\xD5\xD5\xD5\xD5")
        ])),
        None
    );
    assert_eq!(problem(wav_of(&[(b"fmt ", &format(7, 1, 8000, 8)), (b"data", b"1")])), None);
    // Other chunks, of odd length too, may precede and follow.
    let pcm = format(1, 1, 8000, 8);
    assert_eq!(
        problem(wav_of(&[(b"LIST", b"odd"), (b"fmt ", &pcm), (b"data", b"1"), (b"id3 ", b"x")])),
        None
    );
}

#[test]
fn uploads_that_the_server_refuses() {
    let with = |tag, channels, hertz, bits| {
        problem(wav_of(&[(b"fmt ", &format(tag, channels, hertz, bits)), (b"data", b"1")]))
    };
    assert_eq!(with(1, 2, 8000, 8), Some(format_problem("channel count", 2, "1")));
    assert_eq!(with(1, 0, 8000, 8), Some(format_problem("channel count", 0, "1")));
    assert_eq!(with(1, 1, 16000, 8), Some(format_problem("sample rate", 16000, "8000 Hz")));
    assert_eq!(with(1, 1, 8000, 16), Some(format_problem("sample size", 16, "8 bits")));
    assert_eq!(with(0x11, 1, 8000, 4), Some(format_problem("format tag", 0x11, CODECS)));
    assert_eq!(problem(Vec::new()), Some(WavProblem::NotWav));
    assert_eq!(problem(b"RIFF\x04\0\0\0WAVX".to_vec()), Some(WavProblem::NotWav));
    assert_eq!(problem(b"RIFX\x04\0\0\0WAVE".to_vec()), Some(WavProblem::NotWav));
    assert_eq!(
        problem(b"RIFF\x04\0\0\0WAVE".to_vec()),
        Some(WavProblem::NoChunk { chunk: "fmt " })
    );
    assert_eq!(
        problem(wav_of(&[(b"fmt ", &format(1, 1, 8000, 8)[..14])])),
        Some(WavProblem::NoChunk { chunk: "fmt " })
    );
    assert_eq!(
        problem(wav_of(&[(b"fmt ", &format(1, 1, 8000, 8))])),
        Some(WavProblem::NoChunk { chunk: "data" })
    );
    // A writer to a pipe leaves the length that it does not know at the largest number.
    let mut piped = wav(b"1234");
    let at = piped.len() - 8;
    piped[at..at + 4].fill(0xFF);
    assert_eq!(problem(piped), Some(WavProblem::NoChunk { chunk: "data" }));
    assert_eq!(
        format_problem("channel count", 2, "1").to_string(),
        "WAV file has channel count 2; convert it to 1"
    );
}

#[test]
#[cfg_attr(miri, ignore = "five MiB take Miri minutes")]
fn the_size_has_a_bound_that_can_be_moved() {
    const LIMIT: usize = 5 * 1024 * 1024;
    let header = wav(b"").len();
    let largest = wav(&vec![0x80; LIMIT - header]);
    let mut larger = largest.clone();
    larger.push(0);
    assert_eq!((largest.len(), problem(largest.clone())), (LIMIT, None));
    assert_eq!(
        problem(larger.clone()),
        Some(WavProblem::TooLarge { limit: LIMIT, bytes: LIMIT + 1 })
    );
    assert!(IvrUploadFile::new(1, larger).size_limit(LIMIT + 1).request().is_ok());
    let (field, small) = refused(&IvrUploadFile::new(1, largest).size_limit(100));
    assert_eq!(
        (field, small),
        ("data", FieldProblem::Wav(WavProblem::TooLarge { limit: 100, bytes: LIMIT }))
    );
}

/// Files that Python's `wave` module writes, with a header that we did not make.
#[test]
#[cfg_attr(miri, ignore = "Python runs outside of Miri")]
fn files_that_python_writes() {
    const SCRIPT: &str = "\
import io, sys, wave
channels, width, rate = map(int, sys.argv[1:])
out = io.BytesIO()
with wave.open(out, 'wb') as w:
    w.setnchannels(channels); w.setsampwidth(width); w.setframerate(rate); w.writeframes(bytes(range(240)))
sys.stdout.buffer.write(out.getvalue())
";
    let python = |arguments: [&str; 3]| {
        let output = Command::new("python3")
            .arg("-c")
            .arg(SCRIPT)
            .args(arguments)
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output.status.success().then_some(output.stdout)
    };
    let Some(good) = python(["1", "1", "8000"]) else {
        skipped("there is no python3 with its wave module here");
        return;
    };
    assert_eq!(problem(good), None);
    assert_eq!(
        problem(python(["2", "1", "8000"]).unwrap()),
        Some(format_problem("channel count", 2, "1"))
    );
    assert_eq!(
        problem(python(["1", "2", "8000"]).unwrap()),
        Some(format_problem("sample size", 16, "8 bits"))
    );
    assert_eq!(
        problem(python(["1", "1", "11025"]).unwrap()),
        Some(format_problem("sample rate", 11025, "8000 Hz"))
    );
}

proptest! {
    #![proptest_config(cases(256))]

    /// Property: the server gets the very bytes of the file, by a decoder that is not ours.
    #[test]
    fn the_file_arrives_whole(samples in proptest::collection::vec(any::<u8>(), 0..200)) {
        let file = wav(&samples);
        let request = IvrUploadFile::new(1, file.clone()).request().unwrap();
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        prop_assert_eq!(STANDARD.decode(body["msgBody"]["data"].as_str().unwrap()).unwrap(), file);
    }

    /// Property: a file is refused if and only if its format is outside the rule, and for the first thing that is.
    #[test]
    fn refused_iff_outside_the_rule(
        tag in prop_oneof![Just(1_u16), Just(6), Just(7), any::<u16>()],
        channels in prop_oneof![3 => Just(1_u16), 1 => any::<u16>()],
        hertz in prop_oneof![3 => Just(8000_u32), 1 => any::<u32>()],
        bits in prop_oneof![3 => Just(8_u16), 1 => any::<u16>()],
        samples in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let expected = if ![1, 6, 7].contains(&tag) {
            Some(format_problem("format tag", tag.into(), CODECS))
        } else if channels != 1 {
            Some(format_problem("channel count", channels.into(), "1"))
        } else if hertz != 8000 {
            Some(format_problem("sample rate", hertz, "8000 Hz"))
        } else if bits != 8 {
            Some(format_problem("sample size", bits.into(), "8 bits"))
        } else {
            None
        };
        prop_assert_eq!(problem(wav_of(&[(b"fmt ", &format(tag, channels, hertz, bits)), (b"data", &samples)])), expected);
    }

    /// Property: a file that was cut off is never sent, wherever it was cut. The byte of padding at the end does not count.
    #[test]
    fn cut_files_are_refused(samples in proptest::collection::vec(any::<u8>(), 1..100), cut in any::<prop::sample::Index>()) {
        let padding = samples.len() % 2;
        let mut file = wav(&samples);
        file.truncate(cut.index(file.len() - padding));
        prop_assert!(problem(file).is_some());
    }

    /// Property: no bytes make it panic.
    #[test]
    fn any_bytes_get_an_answer(start in prop_oneof![Just(b"RIFF\0\0\0\0WAVE".to_vec()), Just(Vec::new())], rest in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = problem([start, rest].concat());
    }
}
