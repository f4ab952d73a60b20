//! The verdict on an answer depends on its bytes, not on how they were cut.

use bytes::Bytes;
use ccfs_proto::answer::{AnswerError, Classified, Expected, FileKind};
use ccfs_proto::{Classifier, Envelope};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use proptest::prelude::*;
use proptest::sample::Index;

use super::{cases, sized};

const ENVELOPE_LIMIT: usize = 600;
const FILE_LIMIT: u64 = 2_000;

const EXPECTED: [Expected; 4] = [
    Expected::Envelope,
    Expected::File(&[FileKind::Zip]),
    Expected::File(&[FileKind::Wav, FileKind::Zip]),
    Expected::File(&[FileKind::Audio]),
];

/// An answer and how it is judged.
#[derive(Clone, Debug)]
struct Answer {
    status: StatusCode,
    declared: Option<u64>,
    expected: Expected,
    body: Bytes,
}

impl Answer {
    fn classifier(&self) -> Classifier {
        let mut headers = HeaderMap::new();
        // A generic type: the verdict must not depend on it.
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("Application/Octet-stream;charset=UTF-8"),
        );
        if let Some(declared) = self.declared {
            headers.insert(header::CONTENT_LENGTH, declared.into());
        }
        Classifier::new(self.status, &headers, self.expected)
    }

    /// The verdict, and what went into the file, when the body comes in these pieces.
    fn judge(
        classifier: Classifier,
        chunks: impl IntoIterator<Item = Bytes>,
    ) -> (Result<Classified, AnswerError>, Vec<u8>) {
        let (mut classifier, mut file) = (classifier, Vec::new());
        for chunk in chunks {
            match classifier.push(chunk) {
                Ok(bytes) => bytes.into_iter().for_each(|bytes| file.extend_from_slice(&bytes)),
                Err(error) => return (Err(error), file),
            }
        }
        (classifier.finish(), file)
    }

    fn cut(&self, cuts: &[Index]) -> Vec<Bytes> {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(self.body.len() + 1)).collect();
        ends.push(self.body.len());
        ends.sort_unstable();
        let mut start = 0;
        ends.into_iter()
            .map(|end| self.body.slice(std::mem::replace(&mut start, end)..end))
            .collect()
    }

    fn bytewise(&self) -> impl Iterator<Item = Bytes> + '_ {
        (0..self.body.len()).map(|at| self.body.slice(at..=at))
    }
}

/// A ZIP as far as the classifier looks: its first bytes and its end record.
fn zip(content: &[u8], comment: &[u8]) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04\x14\0\0\0\0\0\0\0".to_vec();
    bytes.extend_from_slice(content);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0");
    bytes.extend_from_slice(&u16::try_from(comment.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(comment);
    bytes
}

fn wav(content: &[u8]) -> Vec<u8> {
    [b"RIFF\x24\0\0\0WAVEfmt ", content].concat()
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let content = || prop::collection::vec(any::<u8>(), 0..sized(400, 40));
    let whole = prop_oneof![
        2 => content(),
        3 => (content(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(content, comment)| zip(&content, &comment)),
        1 => prop::collection::vec(any::<u8>(), 1_500..2_500).prop_map(|content| zip(&content, b"")),
        1 => Just(zip(b"", b"")[12..].to_vec()),
        2 => content().prop_map(|content| wav(&content)),
        3 => ("[0-9]{1,7}", ".{0,200}").prop_map(|(code, text)| Envelope::new(code.as_str().into(), text, None).to_body().to_vec()),
        1 => Just(br#"{"timestamp":1532142010247,"status":403,"error":"Forbidden","message":"No message available","path":"/x"}"#.to_vec()),
        1 => Just(b"<html><body>502 Bad Gateway</body></html>".to_vec()),
        1 => Just(b"\x1F\x8B\x08\0\0\0\0\0\0\x03some gzip".to_vec()),
        1 => "[ -~]{0,80}".prop_map(String::into_bytes),
    ];
    let before = prop_oneof![
        6 => Just(Vec::new()),
        2 => "[ \t\r\n]{0,80}".prop_map(String::into_bytes),
        1 => "\u{FEFF}[ \n]{0,70}".prop_map(String::into_bytes),
        1 => Just(b"\xEF\xBB".to_vec()),
    ];
    let after = prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(any::<u8>(), 1..30)];
    let end = prop::option::weighted(0.2, any::<Index>());
    let flip = prop::option::weighted(0.2, (any::<Index>(), 1_u8..));
    (before, whole, after, end, flip).prop_map(|(before, whole, after, end, flip)| {
        let mut bytes = [before, whole, after].concat();
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len() + 1));
        }
        if let (Some((at, flip)), false) = (flip, bytes.is_empty()) {
            *at.get_mut(&mut bytes) ^= flip;
        }
        bytes
    })
}

fn answer() -> impl Strategy<Value = Answer> {
    let status = prop_oneof![6 => Just(200_u16), 1 => Just(206), 1 => prop::sample::select(vec![204, 302, 401, 403, 404, 429, 500, 503])];
    let declared =
        prop_oneof![3 => Just(None), 3 => Just(Some(0_i64)), 1 => (-5_i64..50).prop_map(Some)];
    (status, declared, prop::sample::select(&EXPECTED[..]), body()).prop_map(
        |(status, off, expected, body)| Answer {
            status: StatusCode::from_u16(status).unwrap(),
            declared: off
                .map(|off| u64::try_from(i64::try_from(body.len()).unwrap() + off).unwrap_or(0)),
            expected,
            body: body.into(),
        },
    )
}

/// Whether the last 65,557 bytes of a body have a ZIP's end record and the comment that it announces.
fn has_zip_end(body: &[u8]) -> bool {
    (body.len().saturating_sub(65_557)..body.len().saturating_sub(21)).any(|at| {
        body[at..].starts_with(b"PK\x05\x06")
            && at + 22 + usize::from(u16::from_le_bytes([body[at + 20], body[at + 21]]))
                <= body.len()
    })
}

proptest! {
    #![proptest_config(cases(768))]

    #[test]
    fn the_verdict_does_not_depend_on_the_cuts(answer in answer(), cuts in prop::collection::vec(any::<Index>(), 0..12)) {
        let judge = |chunks: Vec<Bytes>| Answer::judge(answer.classifier().envelope_limit(ENVELOPE_LIMIT).file_limit(FILE_LIMIT), chunks);
        let (whole, in_one) = judge(vec![answer.body.clone()]);
        for chunks in [answer.cut(&cuts), answer.bytewise().collect()] {
            let (verdict, file) = judge(chunks);
            prop_assert_eq!(&verdict, &whole);
            if let Ok(Classified::File(_)) = verdict {
                prop_assert_eq!(file, in_one.clone());
            }
        }
    }

    #[test]
    fn a_files_bytes_are_the_bodys_and_nothing_else_gives_any(answer in answer(), cuts in prop::collection::vec(any::<Index>(), 0..12)) {
        let (verdict, file) = Answer::judge(answer.classifier().envelope_limit(ENVELOPE_LIMIT).file_limit(FILE_LIMIT), answer.cut(&cuts));
        match verdict {
            Ok(Classified::File(receipt)) => {
                prop_assert_eq!(receipt.bytes, answer.body.len() as u64);
                prop_assert_eq!(file, answer.body);
            }
            Ok(_) => prop_assert!(file.is_empty(), "bytes of an envelope or a refusal went into the file"),
            Err(AnswerError::Truncated { .. } | AnswerError::FileTooLarge { .. }) => prop_assert!(answer.body.starts_with(&file)),
            Err(_) => prop_assert!(file.is_empty(), "bytes of an answer of no use went into the file"),
        }
    }

    /// A second implementation of the rules, over the complete body at once.
    #[test]
    fn the_verdict_follows_the_rules(answer in answer()) {
        let (verdict, _) = Answer::judge(answer.classifier().envelope_limit(ENVELOPE_LIMIT).file_limit(FILE_LIMIT), [answer.body.clone()]);
        let (body, len) = (&answer.body[..], answer.body.len() as u64);
        let complete = answer.declared.is_none_or(|declared| declared == len);
        let kinds = match answer.expected {
            Expected::File(kinds) => kinds,
            _ => &[],
        };
        let is_zip = body.len() >= 12 && (body.starts_with(b"PK\x03\x04") || body.starts_with(b"PK\x05\x06"));
        let unmarked = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let text = unmarked.trim_ascii_start();
        let is_json = text.starts_with(b"{") && body.len() - text.len() <= 64;
        if !answer.status.is_success() {
            let told = matches!(&verdict, Ok(Classified::Refusal(refusal)) if refusal.status == answer.status);
            prop_assert!(told, "{:?}", verdict);
        } else if is_zip {
            let good = kinds.contains(&FileKind::Zip) && len <= FILE_LIMIT && complete && has_zip_end(body);
            prop_assert_eq!(matches!(verdict, Ok(Classified::File(receipt)) if receipt.kind == FileKind::Zip), good, "{:?}", verdict);
            let refused = verdict == Err(AnswerError::OtherFile { kind: FileKind::Zip });
            prop_assert_eq!(refused, !kinds.contains(&FileKind::Zip));
        } else if is_json {
            let good = body.len() <= ENVELOPE_LIMIT && complete && Envelope::parse(body).is_ok();
            prop_assert_eq!(matches!(verdict, Ok(Classified::Envelope(_))), good, "{:?}", verdict);
        } else {
            let other = !matches!(verdict, Ok(Classified::Envelope(_) | Classified::Refusal(_)));
            prop_assert!(other, "{:?}", verdict);
            if body.is_empty() {
                let told = matches!(verdict, Err(AnswerError::Empty | AnswerError::Truncated { received: 0, .. }));
                prop_assert!(told, "{:?}", verdict);
            }
        }
    }
}

const LONGEST_COMMENT: usize = sized(65_535, 100);

proptest! {
    #![proptest_config(cases(6))]

    /// Long enough that the end of the file is looked for in what was kept of it.
    #[test]
    fn a_long_file_with_any_comment_is_whole_however_it_is_cut(
        blocks in 0..sized(700, 2), comment in prop_oneof![Just(0_usize), Just(LONGEST_COMMENT), 0..=LONGEST_COMMENT], fill in any::<u8>(), cuts in prop::collection::vec(any::<Index>(), 0..40), lost in 1_usize..70_000,
    ) {
        let bytes = zip(&vec![fill; blocks * 1021], &vec![b'c'; comment]);
        let answer = Answer { status: StatusCode::OK, declared: None, expected: EXPECTED[1], body: bytes.into() };
        for chunks in [vec![answer.body.clone()], answer.cut(&cuts), answer.bytewise().collect()] {
            let (verdict, file) = Answer::judge(answer.classifier(), chunks);
            let whole = matches!(verdict, Ok(Classified::File(receipt)) if receipt.bytes == answer.body.len() as u64);
            prop_assert!(whole, "{:?}", verdict);
            prop_assert!(file == answer.body);
        }
        let kept = answer.body.len() - lost.min(answer.body.len() - 12);
        let short = Answer { body: answer.body.slice(..kept), ..answer };
        let (verdict, _) = Answer::judge(short.classifier(), short.cut(&cuts));
        prop_assert_eq!(verdict, Err(AnswerError::Truncated { declared: None, received: kept as u64 }));
    }
}

#[test]
fn bodies_that_are_not_answers_are_classified_by_content() {
    let judge = |body: &[u8]| {
        let answer = Answer {
            status: StatusCode::OK,
            declared: None,
            expected: EXPECTED[1],
            body: Bytes::copy_from_slice(body),
        };
        Answer::judge(answer.classifier(), answer.bytewise().collect::<Vec<_>>()).0.unwrap_err()
    };
    let garbage = |looks_like| AnswerError::Garbage { looks_like };
    assert_eq!(judge(b""), AnswerError::Empty);
    assert_eq!(judge(b" \r\n"), AnswerError::Empty);
    assert_eq!(judge(&[b' '; 65]), garbage("white space"));
    assert_eq!(
        judge(b"<!DOCTYPE html><title>502</title>"),
        garbage("a web page, usually of a gateway or proxy")
    );
    assert_eq!(
        judge(b"\x1F\x8B\x08\0\0\0\0\0\0\x03packed"),
        garbage("gzip, which was not requested")
    );
    assert_eq!(judge(b"upstream connect error"), garbage("plain text"));
    assert_eq!(judge(b"oops"), garbage("plain text"));
    assert_eq!(
        judge(b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0"),
        garbage("binary data of an unknown format")
    );
    assert_eq!(judge(b"PK"), AnswerError::Truncated { declared: None, received: 2 });
    assert_eq!(judge(&wav(b"data")), AnswerError::OtherFile { kind: FileKind::Wav });
    assert_eq!(
        judge(&zip(b"a", b"")[..30]),
        AnswerError::Truncated { declared: None, received: 30 }
    );
}
