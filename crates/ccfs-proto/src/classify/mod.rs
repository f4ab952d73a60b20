//! What an answer is, by its bytes.

mod error;
mod refusal;
mod tail;

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

pub use self::error::{AnswerError, LooksLike};
pub use self::refusal::HttpRefusal;

use self::tail::Tail;
use crate::envelope::{DEFAULT_ENVELOPE_LIMIT, Envelope, EnvelopeError, without_mark};

/// Blanks before a JSON answer that are passed over.
const BLANKS: usize = 64;
/// First bytes by which everything but JSON is told apart: `RIFF`, a length, `WAVE`.
const MAGIC: usize = 12;
/// Bytes of a refusal's body that are read.
const REFUSAL_LIMIT: usize = 64 * 1024;

/// A kind of file that CC-FS hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A ZIP archive; it begins with `PK`.
    Zip,
    /// A WAV recording; it begins with `RIFF`.
    Wav,
    /// Audio of any other form.
    Audio,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "a ZIP archive",
            Self::Wav => "a WAV file",
            Self::Audio => "audio",
        })
    }
}

/// What a good answer to an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// An envelope.
    Envelope,
    /// A file of one of these kinds.
    File(&'static [FileKind]),
}

/// Decides what an answer is: a file, an envelope, or an HTTP refusal. Fed with chunks of any size.
///
/// It looks at the status and at the first bytes, never at the content type, because refusals come under an octet-stream type too.
/// The verdict does not depend on how the bytes were cut. It holds back no more than it must: twelve bytes of a file, the whole of an
/// envelope (up to a bound). See `docs/protocol.md`, "Answers".
///
/// ```
/// use bytes::Bytes;
/// use ccfs_proto::{Classified, Classifier, Expected, FileKind, ResultCode};
/// use http::{HeaderMap, StatusCode};
///
/// let expected = Expected::File(&[FileKind::Zip]);
/// let mut classifier = Classifier::new(StatusCode::OK, &HeaderMap::new(), expected);
/// for chunk in ["{\"resultCode\":", "\"0300011\"}"] {
///     assert!(classifier.push(Bytes::from(chunk))?.is_empty(), "no byte of it goes to the file");
/// }
/// let Classified::Envelope(envelope) = classifier.finish()? else { panic!("an envelope") };
/// assert_eq!(envelope.code(), &ResultCode::FileNotFound);
/// # Ok::<(), ccfs_proto::AnswerError>(())
/// ```
#[derive(Debug)]
pub struct Classifier {
    expected: Expected,
    envelope_limit: usize,
    file_limit: u64,
    status: StatusCode,
    declared: Option<u64>,
    received: u64,
    form: Form,
}

/// What the bytes so far are.
enum Form {
    Undecided(Vec<u8>),
    File { kind: FileKind, tail: Tail },
    Json(Vec<u8>),
    Refusal(Vec<u8>),
}

impl fmt::Debug for Form {
    /// Without the bytes, which are a body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undecided(held) => write!(f, "Undecided({} bytes)", held.len()),
            Self::File { kind, .. } => write!(f, "File({kind})"),
            Self::Json(held) => write!(f, "Json({} bytes)", held.len()),
            Self::Refusal(held) => write!(f, "Refusal({} bytes)", held.len()),
        }
    }
}

/// What an answer turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Classified {
    /// A whole file; its bytes went out of [`Classifier::push`].
    File(FileReceipt),
    /// An envelope.
    Envelope(Envelope),
    /// Another status than success, with or without the JSON that a server adds.
    Refusal(HttpRefusal),
}

/// A file that came whole.
///
/// The classifier makes it; make one to try an operation's [`answer`](crate::Operation::answer) on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileReceipt {
    /// Its kind, by its first bytes.
    pub kind: FileKind,
    /// Its length in bytes.
    pub bytes: u64,
}

impl FileReceipt {
    /// A file of that kind and length in bytes.
    #[must_use]
    pub fn new(kind: FileKind, bytes: u64) -> Self {
        Self { kind, bytes }
    }
}

impl Classifier {
    /// A classifier for an answer that began with this status and these headers.
    #[must_use]
    pub fn new(status: StatusCode, headers: &HeaderMap, expected: Expected) -> Self {
        let declared = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.trim().parse().ok());
        let form = if status.is_success() {
            Form::Undecided(Vec::new())
        } else {
            Form::Refusal(Vec::new())
        };
        Self {
            expected,
            envelope_limit: DEFAULT_ENVELOPE_LIMIT,
            file_limit: 16 << 30,
            status,
            declared,
            received: 0,
            form,
        }
    }

    /// The largest JSON answer, in bytes. Default: 1 MiB. Of a refusal as much is read as fits, and no more than 64 KiB.
    #[must_use]
    pub fn envelope_limit(mut self, bytes: usize) -> Self {
        self.envelope_limit = bytes;
        self
    }

    /// The largest file, in bytes. Default: 16 GiB.
    #[must_use]
    pub fn file_limit(mut self, bytes: u64) -> Self {
        self.file_limit = bytes;
        self
    }

    /// Whether bytes of a file have come.
    pub fn is_file(&self) -> bool {
        matches!(self.form, Form::File { .. })
    }

    /// Bytes of the body so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The body's length as the server declared it.
    pub fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// Takes the next bytes of the body and gives those that belong into the file: none while undecided or when it is none.
    ///
    /// It fails as soon as no good answer can come of the bytes: [`Garbage`](AnswerError::Garbage), [`OtherFile`](AnswerError::OtherFile),
    /// [`FileTooLarge`](AnswerError::FileTooLarge), or an envelope that is [`TooLarge`](EnvelopeError::TooLarge). Drop it then.
    pub fn push(&mut self, chunk: Bytes) -> Result<FileBytes, AnswerError> {
        self.received += chunk.len() as u64;
        match &mut self.form {
            Form::File { tail, .. } => {
                if self.received > self.file_limit {
                    return Err(AnswerError::FileTooLarge { limit: self.file_limit });
                }
                tail.push(&chunk);
                Ok(FileBytes([Bytes::new(), chunk]))
            }
            Form::Json(held) => {
                if held.len() + chunk.len() > self.envelope_limit {
                    return Err(EnvelopeError::TooLarge { limit: self.envelope_limit }.into());
                }
                held.extend_from_slice(&chunk);
                Ok(FileBytes::default())
            }
            Form::Refusal(held) => {
                let room = REFUSAL_LIMIT.min(self.envelope_limit).saturating_sub(held.len());
                held.extend_from_slice(&chunk[..chunk.len().min(room)]);
                Ok(FileBytes::default())
            }
            Form::Undecided(held) => {
                let before = held.len();
                held.extend_from_slice(&chunk[..chunk.len().min(BLANKS + MAGIC)]);
                let Some(start) = Start::of(held) else { return Ok(FileBytes::default()) };
                let form = start.form(self.expected)?;
                held.truncate(before);
                let held = std::mem::take(held);
                // The bytes that were held go first, then this chunk, through the form that is known now.
                self.received -= (before + chunk.len()) as u64;
                self.form = form;
                let FileBytes([_, first]) = self.push(Bytes::from(held))?;
                let FileBytes([_, second]) = self.push(chunk)?;
                Ok(FileBytes([first, second]))
            }
        }
    }

    /// The refusal that this answer is, as far as it came; `None` when its status says success.
    ///
    /// For an answer that breaks off: whatever its body would have said, its status stands.
    pub fn refusal(&self) -> Option<HttpRefusal> {
        match &self.form {
            Form::Refusal(held) => Some(HttpRefusal::new(self.status, held)),
            _ => None,
        }
    }

    /// The body ended cleanly: what was it?
    ///
    /// It fails when that was too early ([`Empty`](AnswerError::Empty), [`Truncated`](AnswerError::Truncated)), with
    /// [`Garbage`](AnswerError::Garbage) for a few bytes that are nothing, and with [`Envelope`](AnswerError::Envelope) for JSON that is
    /// no envelope.
    pub fn finish(self) -> Result<Classified, AnswerError> {
        if let Some(refusal) = self.refusal() {
            return Ok(Classified::Refusal(refusal));
        }
        if let Some(declared) = self.declared.filter(|&declared| declared != self.received) {
            return Err(AnswerError::Truncated {
                declared: Some(declared),
                received: self.received,
            });
        }
        match self.form {
            Form::Json(held) => {
                Ok(Classified::Envelope(Envelope::parse_within(&held, self.envelope_limit)?))
            }
            Form::File { kind: FileKind::Zip, tail } if !tail.ends_a_zip() => {
                Err(AnswerError::Truncated { declared: None, received: self.received })
            }
            Form::File { kind, .. } => {
                Ok(Classified::File(FileReceipt { kind, bytes: self.received }))
            }
            Form::Undecided(held) | Form::Refusal(held) => Err(cut_short(&held, self.received)),
        }
    }
}

/// The next bytes for the file: the ones that were held back, then the chunk's own. Either may be empty.
#[derive(Clone, Default)]
pub struct FileBytes([Bytes; 2]);

impl fmt::Debug for FileBytes {
    /// Without the bytes, which are a body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileBytes({} bytes)", self.0.iter().map(Bytes::len).sum::<usize>())
    }
}

impl FileBytes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Bytes::is_empty)
    }
}

impl IntoIterator for FileBytes {
    type Item = Bytes;
    type IntoIter = std::array::IntoIter<Bytes, 2>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The first bytes of a body, once there are enough of them to decide.
enum Start {
    Json,
    /// More blanks than are passed over.
    Blanks,
    /// The first twelve bytes, behind so many blanks.
    Magic([u8; MAGIC], usize),
}

impl Start {
    /// Depends on nothing but the bytes: however they were cut, the decision falls at the same one.
    fn of(held: &[u8]) -> Option<Self> {
        let blanks = blanks(held)?;
        let rest = held[blanks..].first_chunk();
        match held.get(blanks) {
            _ if blanks > BLANKS => Some(Self::Blanks),
            Some(b'{') => Some(Self::Json),
            _ => rest.map(|magic| Self::Magic(*magic, blanks)),
        }
    }

    fn form(self, expected: Expected) -> Result<Form, AnswerError> {
        let kinds = match expected {
            Expected::File(kinds) => kinds,
            Expected::Envelope => &[],
        };
        let (magic, blanks) = match self {
            Self::Json => return Ok(Form::Json(Vec::new())),
            Self::Blanks => return Err(AnswerError::Garbage { looks_like: LooksLike::Blanks }),
            Self::Magic(magic, blanks) => (magic, blanks),
        };
        let kind = match &magic {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] if blanks == 0 => FileKind::Zip,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'] if blanks == 0 => {
                FileKind::Wav
            }
            other => match LooksLike::of(other) {
                LooksLike::Binary if kinds.contains(&FileKind::Audio) => FileKind::Audio,
                looks_like => return Err(AnswerError::Garbage { looks_like }),
            },
        };
        match kind {
            kind if kinds.contains(&kind) => Ok(Form::File { kind, tail: Tail::default() }),
            // A WAV is audio, too.
            FileKind::Wav if kinds.contains(&FileKind::Audio) => {
                Ok(Form::File { kind, tail: Tail::default() })
            }
            kind => Err(AnswerError::OtherFile { kind }),
        }
    }
}

/// Blanks (and a byte order mark) at the start; `None` while the mark is half there.
fn blanks(held: &[u8]) -> Option<usize> {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    if held.len() < MARK.len() && !held.is_empty() && MARK.starts_with(held) {
        return None;
    }
    let behind = without_mark(held);
    let blank = behind.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
    Some(held.len() - behind.len() + blank)
}

/// What is wrong with a body that ended before it could be told what it is.
fn cut_short(held: &[u8], received: u64) -> AnswerError {
    let rest = &held[blanks(held).unwrap_or(0)..];
    if rest.is_empty() {
        AnswerError::Empty
    } else if rest.starts_with(b"PK") || rest.starts_with(b"RIFF") {
        AnswerError::Truncated { declared: None, received }
    } else {
        AnswerError::Garbage { looks_like: LooksLike::of(rest) }
    }
}
