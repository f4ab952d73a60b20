use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use super::envelope::{DEFAULT_ENVELOPE_LIMIT, Envelope};
use super::error::{AnswerError, EnvelopeError};
use super::file_kind::FileKind;
use super::raw_json::RawJson;
use super::refusal::{HttpRefusal, is_from_proxy};
use super::tail::Tail;
use crate::json::without_mark;

/// Blanks that are ignored before a JSON answer.
const BLANKS: usize = 64;
/// First bytes that distinguish everything but JSON: `RIFF`, a length, `WAVE`.
const MAGIC: usize = 12;
/// Bytes of a refusal's body that are read.
const REFUSAL_LIMIT: usize = 64 * 1024;
const BINARY: &str = "binary data of an unknown format";

/// The form of a successful answer to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// An envelope with a result code, see [`Envelope`].
    Envelope,
    /// A JSON object or array without an envelope. An object with a `resultCode` that is not a
    /// success is a failure, too.
    Json,
    /// A file of one of these kinds. An envelope is accepted, too, because servers refuse with one.
    File(&'static [FileKind]),
}

/// Classifies an answer as a file, JSON or an HTTP refusal, from chunks of any size.
///
/// It uses the status and the first bytes, and ignores the content type, because refusals of file
/// interfaces may have an octet-stream type. The result does not depend on how the body is split
/// into chunks. It keeps the first twelve bytes of a file, the last 64 KiB of a ZIP (in up to
/// 512 KiB of memory), and all of a JSON answer up to a limit. See
/// [Answers](crate::protocol#answers).
///
/// ```
/// use bytes::Bytes;
/// use ccfs_proto::answer::{Classified, Expected, FileKind};
/// use ccfs_proto::{Classifier, ResultCode};
/// use http::{HeaderMap, StatusCode};
///
/// let expected = Expected::File(&[FileKind::Zip]);
/// let mut classifier = Classifier::new(StatusCode::OK, &HeaderMap::new(), expected);
/// for chunk in ["{\"resultCode\":", "\"0300011\"}"] {
///     assert_eq!(classifier.push(Bytes::from(chunk))?, None, "nothing goes to the file");
/// }
/// let Classified::Envelope(envelope) = classifier.finish()? else { panic!("an envelope") };
/// assert_eq!(envelope.code(), &ResultCode::FileNotFound);
/// # Ok::<(), ccfs_proto::answer::AnswerError>(())
/// ```
#[must_use]
pub struct Classifier {
    expected: Expected,
    envelope_limit: usize,
    file_limit: u64,
    status: StatusCode,
    is_from_proxy: bool,
    declared: Option<u64>,
    received: u64,
    form: Form,
}

/// The form of the bytes so far.
enum Form {
    Undecided(Vec<u8>),
    File { kind: FileKind, tail: Option<Tail> },
    Json(Vec<u8>),
    Refusal(Vec<u8>),
}

impl fmt::Debug for Classifier {
    /// Omits the bytes, which are a body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classifier")
            .field("status", &self.status)
            .field("expected", &self.expected)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// A classified answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Classified {
    /// A complete file, whose bytes [`Classifier::push`] returned.
    File(FileReceipt),
    /// An envelope.
    Envelope(Envelope),
    /// JSON without an envelope, when [`Expected::Json`] was expected.
    Json(RawJson),
    /// Another status than success, with the server's JSON, if any.
    Refusal(HttpRefusal),
}

/// The receipt of a completely received file.
///
/// The classifier creates it; create one to test an operation's
/// [`answer`](crate::Operation::answer).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileReceipt {
    /// Kind, by the first bytes.
    pub kind: FileKind,
    /// Length in bytes.
    pub bytes: u64,
}

impl Classifier {
    /// Creates a classifier for an answer with this status and these headers.
    pub fn new(status: StatusCode, headers: &HeaderMap, expected: Expected) -> Self {
        let declared = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.trim().parse().ok());
        let form = if status.is_success() { Form::Undecided } else { Form::Refusal };
        Self {
            expected,
            envelope_limit: DEFAULT_ENVELOPE_LIMIT,
            file_limit: 16 << 30,
            status,
            is_from_proxy: is_from_proxy(status, headers),
            declared,
            received: 0,
            form: form(Vec::new()),
        }
    }

    /// Sets the largest JSON answer, in bytes. Default: 1 MiB. The body of a refusal is read up to
    /// this limit, but at most up to 64 KiB.
    pub fn envelope_limit(mut self, bytes: usize) -> Self {
        self.envelope_limit = bytes;
        self
    }

    /// Sets the largest file, in bytes. Default: 16 GiB.
    pub fn file_limit(mut self, bytes: u64) -> Self {
        self.file_limit = bytes;
        self
    }

    /// Declares that the connection uses TLS: no proxy that the client uses can answer in the
    /// server's place, and headers of one belong to a gateway of the server.
    pub(crate) fn over_tls(mut self, tls: bool) -> Self {
        self.is_from_proxy &= !tls;
        self
    }

    /// Returns the length of the body that the server declared.
    pub fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// Accepts the next bytes of the body and returns those that belong to the file; `None` while
    /// it is not known whether the answer is a file, and if it is not one.
    ///
    /// # Errors
    ///
    /// Fails as soon as the answer cannot be usable: [`Garbage`](AnswerError::Garbage),
    /// [`OtherFile`](AnswerError::OtherFile), [`FileTooLarge`](AnswerError::FileTooLarge), or JSON
    /// that is [`TooLarge`](EnvelopeError::TooLarge). Drop the classifier then.
    pub fn push(&mut self, mut chunk: Bytes) -> Result<Option<Bytes>, AnswerError> {
        self.received += chunk.len() as u64;
        if let Form::Undecided(held) = &mut self.form {
            if !held.is_empty() {
                held.extend_from_slice(&chunk);
                chunk = std::mem::take(held).into();
            }
            let Some(form) = decide(&chunk, self.expected) else {
                *held = chunk.to_vec();
                return Ok(None);
            };
            self.form = form?;
        }
        match &mut self.form {
            Form::File { tail, .. } => {
                if self.received > self.file_limit {
                    return Err(AnswerError::FileTooLarge { limit: self.file_limit });
                }
                if let Some(tail) = tail {
                    tail.push(&chunk);
                }
                return Ok(Some(chunk).filter(|chunk| !chunk.is_empty()));
            }
            Form::Json(held) => {
                if held.len() + chunk.len() > self.envelope_limit {
                    return Err(EnvelopeError::TooLarge { limit: self.envelope_limit }.into());
                }
                held.extend_from_slice(&chunk);
            }
            Form::Undecided(held) | Form::Refusal(held) => {
                let room = REFUSAL_LIMIT.min(self.envelope_limit).saturating_sub(held.len());
                held.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
        }
        Ok(None)
    }

    /// Returns the refusal, with what was received of its body, if the status is not success;
    /// otherwise `None`.
    ///
    /// Use it when the connection breaks before the body is complete: the status alone makes the
    /// answer a refusal.
    pub fn refusal(&self) -> Option<HttpRefusal> {
        match &self.form {
            Form::Refusal(held) => Some(HttpRefusal::new(self.status, self.is_from_proxy, held)),
            _ => None,
        }
    }

    /// Returns the classified answer, at the clean end of the body.
    ///
    /// # Errors
    ///
    /// Fails when the body ended too early ([`Empty`](AnswerError::Empty),
    /// [`Truncated`](AnswerError::Truncated)), is too short to be an answer
    /// ([`Garbage`](AnswerError::Garbage)), or is not the expected JSON
    /// ([`Envelope`](AnswerError::Envelope)).
    pub fn finish(self) -> Result<Classified, AnswerError> {
        if let Some(refusal) = self.refusal() {
            return Ok(Classified::Refusal(refusal));
        }
        let (declared, received) = (self.declared, self.received);
        if declared.is_some_and(|declared| declared != received) {
            return Err(AnswerError::Truncated { declared, received });
        }
        match self.form {
            Form::Json(held) if self.expected == Expected::Json => {
                Ok(Classified::Json(RawJson::from_slice(&held)?))
            }
            Form::Json(held) => {
                Ok(Classified::Envelope(Envelope::parse_within(&held, self.envelope_limit)?))
            }
            Form::File { tail: Some(tail), .. } if !tail.has_zip_end() => {
                Err(AnswerError::Truncated { declared: None, received })
            }
            Form::File { kind, .. } => Ok(Classified::File(FileReceipt { kind, bytes: received })),
            Form::Undecided(held) | Form::Refusal(held) => Err(cut_short(&held, received)),
        }
    }
}

/// Decides on the form by the first bytes; `None` while they are too few. It is the same however
/// the bytes were cut.
fn decide(held: &[u8], expected: Expected) -> Option<Result<Form, AnswerError>> {
    let blanks = blanks(held)?;
    if blanks > BLANKS {
        return Some(Err(AnswerError::Garbage { looks_like: "white space" }));
    }
    match held.get(blanks)? {
        b'{' => Some(Ok(Form::Json(Vec::new()))),
        b'[' if expected == Expected::Json => Some(Ok(Form::Json(Vec::new()))),
        _ => {
            let kind = file_kind(held, held[blanks..].first_chunk()?, expected);
            let form =
                |kind| Form::File { kind, tail: (kind == FileKind::Zip).then(Tail::default) };
            Some(kind.map(form))
        }
    }
}

/// Returns the kind of the file that begins with `held`; `magic` is what follows its blanks.
fn file_kind(
    held: &[u8],
    magic: &[u8; MAGIC],
    expected: Expected,
) -> Result<FileKind, AnswerError> {
    let kinds = if let Expected::File(kinds) = expected { kinds } else { &[] };
    let is_audio_expected = kinds.contains(&FileKind::Audio);
    let kind = match held {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => FileKind::Zip,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => FileKind::Wav,
        _ => match looks_like(magic) {
            BINARY if is_audio_expected => FileKind::Audio,
            looks_like => return Err(AnswerError::Garbage { looks_like }),
        },
    };
    // A WAV file is audio, too.
    if kinds.contains(&kind) || (kind == FileKind::Wav && is_audio_expected) {
        Ok(kind)
    } else {
        Err(AnswerError::OtherFile { kind })
    }
}

/// Describes the first bytes of an unusable answer.
fn looks_like(start: &[u8]) -> &'static str {
    match start {
        [b'<', ..] => "a web page, usually of a gateway or proxy",
        [0x1F, 0x8B, ..] => "gzip, which was not requested",
        [b'[', ..] => "a JSON array, for which an operation must expect `Expected::Json`",
        text if text.iter().all(|b| matches!(b, b' '..=0x7F) || b.is_ascii_whitespace()) => {
            "plain text"
        }
        _ => BINARY,
    }
}

/// Counts blanks and a byte order mark at the start; `None` while the mark is incomplete.
fn blanks(held: &[u8]) -> Option<usize> {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    if held.len() < MARK.len() && !held.is_empty() && MARK.starts_with(held) {
        return None;
    }
    let rest = without_mark(held);
    let blank = rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
    Some(held.len() - rest.len() + blank)
}

/// What is wrong with a body that ended before its form was known.
fn cut_short(held: &[u8], received: u64) -> AnswerError {
    let rest = &held[blanks(held).unwrap_or(0)..];
    if rest.is_empty() {
        AnswerError::Empty
    } else if rest.starts_with(b"PK") || rest.starts_with(b"RIFF") {
        AnswerError::Truncated { declared: None, received }
    } else {
        AnswerError::Garbage { looks_like: looks_like(rest) }
    }
}
