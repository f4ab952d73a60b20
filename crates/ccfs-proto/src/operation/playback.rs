//! Playing a recording in a browser: a token first, then an unsigned GET with it.

use std::fmt;

use zeroize::Zeroizing;

use super::field::{self, FieldError, FieldProblem};
use super::interface::{FieldForm, Interface, InterfaceField};
use super::recording::{FILE_NAME_LIMIT, FileName};
use super::{Operation, OperationRequest, Received, Repeat};
use crate::classify::{AnswerError, Expected, FileKind, FileReceipt};
use crate::timestamp::Timestamp;

/// Characters of a token that are sent. Not published; it bounds what a caller can pass on.
const TOKEN_LIMIT: usize = 1024;

/// `requestPlayVoice`: asks for a token to play a recording with.
///
/// Backslashes in the name, which Windows servers leave in `original_file_name`, are sent as slashes. The reference gives no bound for
/// the name; its siblings' 225 characters are taken. See `docs/protocol.md`, "Other interfaces".
///
/// ```
/// use ccfs_proto::{Operation, RequestPlayVoice};
///
/// let request = RequestPlayVoice::new(r"Y:\128\0\20230401\1034.V3").request()?;
/// assert_eq!(&request.body[..], br#"{"request":{"version":"2.0"},"msgBody":{"fileName":"Y:/128/0/20230401/1034.V3"}}"#);
/// # Ok::<(), ccfs_proto::FieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPlayVoice {
    file_name: String,
}

impl RequestPlayVoice {
    pub(super) const INTERFACE: Interface = Interface {
        name: "requestPlayVoice",
        about: "asks for a token to play a recording with",
        fields: &[InterfaceField::required(
            "fileName",
            FieldForm::Text { limit: FILE_NAME_LIMIT },
            "original_file_name of a record CSV; backslashes are sent as slashes",
        )],
        answer: "token: for playVoice, for 30 minutes",
        expected: Expected::Envelope,
        repeat: Repeat::Harmless,
        build: |values| Interface::built(Self::new(values.text("fileName")?)),
        ..Interface::SIGNED_POST
    };

    /// A token for the recording whose `original_file_name` that is.
    #[must_use]
    pub fn new(file_name: impl Into<String>) -> Self {
        Self { file_name: file_name.into() }
    }
}

impl Operation for RequestPlayVoice {
    type Answer = PlaybackToken;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        field::text("fileName", &self.file_name, FILE_NAME_LIMIT)?;
        Ok(OperationRequest::enveloped(
            self.interface(),
            &FileName { file_name: &self.file_name.replace('\\', "/") },
        ))
    }

    fn answer(&self, received: Received) -> Result<PlaybackToken, AnswerError> {
        let envelope = received.into_envelope()?;
        let token = envelope.data_text("token").and_then(|token| PlaybackToken::new(token).ok());
        token.ok_or(AnswerError::Field { field: "token" })
    }
}

/// What lets its bearer play one recording for 30 minutes.
///
/// `Debug` does not show it, it cannot be compared, and this copy of it is wiped when it is dropped. See `docs/protocol.md`,
/// "Other interfaces".
#[derive(Clone)]
pub struct PlaybackToken(Zeroizing<String>);

impl PlaybackToken {
    /// Takes a token that the server gave: 1 to 1024 characters, none of them a control character.
    pub fn new(token: String) -> Result<Self, FieldError> {
        let token = Zeroizing::new(token);
        field::text("st", &token, TOKEN_LIMIT)?;
        Ok(Self(token))
    }

    /// The token's text: for the one who plays.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlaybackToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlaybackToken(redacted)")
    }
}

/// `playVoice`: the recording that a token was given for, over an unsigned `GET`.
///
/// The token stands in the URL; that is how the interface is made, so that players can be given one. Whoever logs URLs logs tokens. See
/// `docs/protocol.md`, "Other interfaces".
///
/// ```
/// use ccfs_proto::{Operation, PlayVoice, PlaybackToken, Timestamp};
///
/// let token = PlaybackToken::new("9f0c".to_owned())?;
/// let play = PlayVoice::new(token, Timestamp::from_unix_millis(1_680_336_000_000));
/// let request = play.request()?;
/// assert!(!request.signed);
/// assert_eq!(request.query[0], ("t".to_owned(), "1680336000000".to_owned()));
/// assert!(!format!("{play:?} {request:?}").contains("9f0c"));
/// # Ok::<(), ccfs_proto::FieldError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PlayVoice {
    token: PlaybackToken,
    at: Timestamp,
}

impl PlayVoice {
    pub(super) const INTERFACE: Interface = Interface {
        name: "playVoice",
        about: "plays the recording that a token was given for",
        method: "GET",
        signed: false,
        fields: &[
            InterfaceField::required(
                "t",
                FieldForm::UnixMillis,
                "the time now, which keeps caches from answering",
            )
            .in_query(),
            InterfaceField::required(
                "st",
                FieldForm::Text { limit: TOKEN_LIMIT },
                "the token of requestPlayVoice",
            )
            .in_query()
            .secret(),
        ],
        answer: "the recording",
        expected: Expected::File(&[FileKind::Audio]),
        repeat: Repeat::Harmless,
        build: |values| {
            let millis = values.number("t")?;
            // A time that cannot be written is refused, not replaced by the nearest that can.
            let at = i64::try_from(millis)
                .map(Timestamp::from_unix_millis)
                .ok()
                .filter(|at| at.unix_millis().unsigned_abs() == millis);
            let wrong = || {
                FieldError::new(
                    "t",
                    FieldProblem::form(
                        &millis.to_string(),
                        "milliseconds since 1970, before the year 10000",
                    ),
                )
            };
            Interface::built(Self {
                at: at.ok_or_else(wrong)?,
                token: PlaybackToken::new(values.text("st")?)?,
            })
        },
        ..Interface::SIGNED_POST
    };

    /// Plays with that token. `at` is the time now; it only keeps caches from answering.
    #[must_use]
    pub fn new(token: PlaybackToken, at: Timestamp) -> Self {
        Self { token, at }
    }
}

impl Operation for PlayVoice {
    type Answer = FileReceipt;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        Ok(OperationRequest::unsigned_get(self.interface())
            .query("t", self.at.unix_millis().to_string())
            .query("version", "2.0")
            .query("st", self.token.as_str()))
    }

    fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
        received.into_file()
    }
}
