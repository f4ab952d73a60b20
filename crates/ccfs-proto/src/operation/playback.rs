//! Playing a recording in a browser: a token, and an unsigned `GET` with it.

use std::fmt;

use zeroize::Zeroizing;

use super::field::FieldError;
use super::fields::Fields;
use super::interface::{FieldForm, Interface, InterfaceField as Field, Sent};
use super::{Received, Repeat};
use crate::answer::{AnswerError, Expected, FileKind, FileReceipt};
use crate::time::Timestamp;

/// The reference has no limit for the name, nor for the token; these bound what is passed on.
const FILE_NAME: Field = Field::required(
    "fileName",
    FieldForm::Text { limit: 225 },
    "original_file_name of a record CSV; backslashes are sent as slashes",
);
const TOKEN: Field =
    Field::required("st", FieldForm::Text { limit: 1024 }, "the token of requestPlayVoice")
        .in_query();

pub(super) const REQUEST_PLAY_VOICE: Interface = Interface {
    name: "requestPlayVoice",
    about: "requests a token to play a recording",
    fields: &[Field { sent: Sent::WithSlashes, ..FILE_NAME }],
    answer: "token: for playVoice, valid for 30 minutes",
    repeat: Repeat::Idempotent,
    check_answer: |received| PlaybackToken::from_answer(received).map(drop),
    ..Interface::CALL
};

/// `requestPlayVoice`: requests a token to play a recording.
///
/// Backslashes in the name, which Windows servers leave in `original_file_name`, are sent as
/// slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPlayVoice(Fields);

impl RequestPlayVoice {
    /// Requests a token for the recording with that `original_file_name`: 1 to 225 characters.
    pub fn new(file_name: impl Into<String>) -> Self {
        Self(Fields::new(&REQUEST_PLAY_VOICE).with("fileName", file_name))
    }
}

impl_operation!(RequestPlayVoice => PlaybackToken, PlaybackToken::from_answer);

/// A token that lets its bearer play one recording for 30 minutes.
///
/// `Debug` does not show it, it cannot be compared, and it is wiped when dropped.
#[derive(Clone)]
pub struct PlaybackToken(Zeroizing<String>);

impl PlaybackToken {
    /// Creates a token from the server's text: 1 to 1024 characters.
    ///
    /// # Errors
    ///
    /// Fails when the text is empty, too long, or has a control character.
    pub fn new(token: String) -> Result<Self, FieldError> {
        let token = Zeroizing::new(token);
        TOKEN.read(&token).map(Zeroizing::new).map(Self)
    }

    /// Returns the token's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_answer(received: Received) -> Result<Self, AnswerError> {
        let token = received.into_envelope()?.required_text("token")?;
        Self::new(token).map_err(|_| AnswerError::field("token"))
    }
}

impl fmt::Debug for PlaybackToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlaybackToken(redacted)")
    }
}

pub(super) const PLAY_VOICE: Interface = Interface {
    name: "playVoice",
    about: "plays a recording with a token",
    method: "GET",
    signed: false,
    fields: &[
        Field::required("t", FieldForm::UnixMillis, "the time now, against answers from a cache")
            .in_query()
            .followed_by("version", "2.0"),
        Field { secret: true, ..TOKEN },
    ],
    expected: Expected::File(&[FileKind::Audio]),
    ..Interface::DOWNLOAD
};

/// `playVoice`: downloads the recording of a token, over an unsigned `GET`.
///
/// The token is in the URL, so that players can use it: logs of URLs are logs of tokens. See
/// [Other interfaces](crate::protocol#other-interfaces).
#[derive(Clone, Debug)]
pub struct PlayVoice(Fields);

impl PlayVoice {
    /// Plays with that token. `at` is the time now, which prevents an answer from a cache.
    pub fn new(mut token: PlaybackToken, at: Timestamp) -> Self {
        let fields = Fields::new(&PLAY_VOICE).with("t", at.unix_millis().to_string());
        Self(fields.with("st", std::mem::take(&mut *token.0)))
    }
}

impl_operation!(PlayVoice => FileReceipt, Received::into_file);
