//! The classifier of answers.

use std::collections::VecDeque;

use bytes::Bytes;
use ccfs_proto::answer::{AnswerError, Classified, Expected, FileKind, RawJson};
use ccfs_proto::{Classifier, Envelope};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::envelope::MEMORY_PER_BYTE;
use crate::tape::{Cuts, Tape};

const STATUSES: [u16; 12] = [200, 200, 200, 206, 204, 302, 401, 403, 404, 429, 500, 503];
const EXPECTED: [Expected; 5] = [
    Expected::Envelope,
    Expected::File(&[FileKind::Zip]),
    Expected::File(&[FileKind::Wav, FileKind::Zip]),
    Expected::File(&[FileKind::Audio]),
    Expected::Json,
];
/// Bounds of an envelope and of a file.
const LIMITS: [(usize, u64); 4] = [(1 << 20, 16 << 30), (600, 2_000), (12, 12), (0, 0)];

/// The verdict on an answer, and how many bytes of it went into the file.
type Verdict = (Result<Classified, AnswerError>, usize);

/// The bytes are an answer: a byte each for the status, what is expected, the declared length, the bounds, four for the cuts, two for
/// what the body is made longer by, then the body.
///
/// The verdict and the file are the same for the cuts as for one piece and as the rules say, nothing but a file's own bytes goes into
/// the file, and memory stays within the bounds.
pub fn classifier(input: &[u8]) {
    let mut tape = Tape::new(input);
    let status = StatusCode::from_u16(tape.pick(&STATUSES)).expect("a status");
    let expected = tape.pick(&EXPECTED);
    let declared = tape.byte();
    let (envelope_limit, file_limit) = tape.pick(&LIMITS);
    let (cuts, longer, place) = (Cuts::of(&mut tape), tape.byte(), usize::from(tape.byte()));
    let (body, cuts) = lengthened(tape.rest(), longer, place, cuts);
    let declared = match declared {
        0..=99 => None,
        100..=199 => Some(body.len() as u64),
        200 => Some(u64::MAX),
        off => Some((body.len() as u64 + u64::from(off)).saturating_sub(228)),
    };
    let mut headers = HeaderMap::new();
    // A generic type: the verdict must not depend on it.
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("Application/Octet-stream;charset=UTF-8"),
    );
    if let Some(declared) = declared {
        headers.insert(header::CONTENT_LENGTH, declared.into());
    }
    let classifier = || {
        Classifier::new(status, &headers, expected)
            .envelope_limit(envelope_limit)
            .file_limit(file_limit)
    };

    let whole = judge(classifier(), &body, [body.clone()].into());
    let mut left = body.clone();
    let mut next = cuts;
    let pieces: VecDeque<Bytes> =
        std::iter::from_fn(|| (!left.is_empty()).then(|| left.split_to(next.next(left.len()))))
            .collect();
    let bound = memory_bound(envelope_limit);
    let mut in_pieces = None;
    let memory =
        allocation_counter::measure(|| in_pieces = Some(judge(classifier(), &body, pieces)));
    assert!(
        memory.bytes_max <= bound,
        "{} bytes of memory, and {bound} are allowed",
        memory.bytes_max
    );

    let in_pieces = in_pieces.expect("just judged");
    assert_eq!(whole.0, in_pieces.0);
    if matches!(whole.0, Ok(Classified::File(_))) {
        assert_eq!((whole.1, in_pieces.1), (body.len(), body.len()));
    }
    for (_, written) in [&whole, &in_pieces] {
        let may_have_some = matches!(
            whole.0,
            Ok(Classified::File(_))
                | Err(AnswerError::Truncated { .. } | AnswerError::FileTooLarge { .. })
        );
        assert!(may_have_some || *written == 0, "bytes of no file went into the file");
    }
    let answer = Answer {
        status,
        expected,
        body: &body,
        whole: declared.is_none_or(|n| n == body.len() as u64),
        envelope_limit,
        file_limit,
    };
    answer.hold(&whole.0);
}

/// Puts zeros into the body, for files that are longer than what is kept of them, and lengthens the pieces likewise.
fn lengthened(body: &[u8], longer: u8, place: usize, cuts: Cuts) -> (Bytes, Cuts) {
    let Some(more) = longer.checked_sub(0xEF) else { return (Bytes::copy_from_slice(body), cuts) };
    let (before, behind) = body.split_at(place.min(body.len()));
    let filler = vec![0; usize::from(more) * 20 * 1024];
    ([before, &filler, behind].concat().into(), cuts.times(64))
}

/// The verdict on the body in these pieces. The bytes for the file must be the body's, from its first on.
fn judge(mut classifier: Classifier, body: &[u8], pieces: VecDeque<Bytes>) -> Verdict {
    let mut written = 0;
    for piece in pieces {
        match classifier.push(piece.clone()) {
            Ok(bytes) => {
                let bytes = bytes.unwrap_or_default();
                assert!(body[written..].starts_with(&bytes), "other bytes than the body's");
                written += bytes.len();
            }
            Err(error) => {
                // A driver that continues does not cause a panic.
                let _ = classifier.push(piece);
                let _ = classifier.finish();
                return (Err(error), written);
            }
        }
    }
    (classifier.finish(), written)
}

/// The tail of a file and the growing of the buffer that it is in; an envelope, its growing and its values; a refusal and its texts.
fn memory_bound(envelope_limit: usize) -> u64 {
    const TAIL: u64 = 22 + 65_535;
    const REFUSAL: u64 = 64 * 1024;
    // Growing holds the old and the new buffer at once.
    let (tail, envelope, refusal) =
        (15 * TAIL, (MEMORY_PER_BYTE + 3) * envelope_limit as u64, 6 * REFUSAL);
    tail.max(envelope).max(refusal) + 4096
}

struct Answer<'a> {
    status: StatusCode,
    expected: Expected,
    body: &'a [u8],
    whole: bool,
    envelope_limit: usize,
    file_limit: u64,
}

impl Answer<'_> {
    /// A second implementation of the rules, over the complete body at once.
    fn hold(&self, verdict: &Result<Classified, AnswerError>) {
        let body = self.body;
        let kinds = match self.expected {
            Expected::File(kinds) => kinds,
            _ => &[],
        };
        let fits = body.len() as u64 <= self.file_limit;
        let is_zip = body.len() >= 12
            && (body.starts_with(b"PK\x03\x04") || body.starts_with(b"PK\x05\x06"));
        let is_wav = body.len() >= 12 && body.starts_with(b"RIFF") && &body[8..12] == b"WAVE";
        let unmarked = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let blanks = unmarked.iter().take_while(|b| b" \t\r\n".contains(b)).count() + body.len()
            - unmarked.len();
        let plain = self.expected == Expected::Json;
        let is_json = blanks <= 64
            && match body.get(blanks) {
                Some(b'{') => true,
                Some(b'[') => plain,
                _ => false,
            };
        let file = |kind| matches!(verdict, Ok(Classified::File(receipt)) if receipt.kind == kind && receipt.bytes == body.len() as u64);
        if !self.status.is_success() {
            assert!(
                matches!(verdict, Ok(Classified::Refusal(refusal)) if refusal.status == self.status),
                "{verdict:?}"
            );
        } else if is_zip {
            let good = kinds.contains(&FileKind::Zip) && fits && self.whole && has_zip_end(body);
            assert_eq!(file(FileKind::Zip), good, "{verdict:?}");
        } else if is_wav {
            let good = !kinds.is_empty() && kinds != [FileKind::Zip] && fits && self.whole;
            assert_eq!(file(FileKind::Wav), good, "{verdict:?}");
        } else if is_json && plain {
            let json = (body.len() <= self.envelope_limit && self.whole)
                .then(|| RawJson::from_slice(body).ok())
                .flatten();
            match (verdict, json) {
                (Ok(Classified::Json(ours)), Some(theirs)) => assert_eq!(*ours, theirs),
                (Err(_), None) => {}
                (ours, theirs) => panic!("{ours:?}, and the whole body alone is {theirs:?}"),
            }
        } else if is_json {
            let envelope = (body.len() <= self.envelope_limit && self.whole)
                .then(|| Envelope::parse(body).ok())
                .flatten();
            match (verdict, envelope) {
                (Ok(Classified::Envelope(ours)), Some(theirs)) => assert_eq!(*ours, theirs),
                (Err(_), None) => {}
                (ours, theirs) => panic!("{ours:?}, and the whole body alone is {theirs:?}"),
            }
        } else if let Ok(classified) = verdict {
            assert!(
                file(FileKind::Audio) && kinds.contains(&FileKind::Audio) && fits && self.whole,
                "{classified:?}"
            );
        }
        if body.is_empty() && self.whole && self.status.is_success() {
            assert_eq!(*verdict, Err(AnswerError::Empty));
        }
    }
}

/// Whether the last 65,557 bytes of a body have a ZIP's end record and the comment that it announces.
fn has_zip_end(body: &[u8]) -> bool {
    (body.len().saturating_sub(65_557)..body.len().saturating_sub(21)).any(|at| {
        body[at..].starts_with(b"PK\x05\x06")
            && at + 22 + usize::from(u16::from_le_bytes([body[at + 20], body[at + 21]]))
                <= body.len()
    })
}
