//! Recordings: as files, as a URL of the object storage, and played with a token.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use super::field::FieldError;
use super::fields::Fields;
use super::interface::{FieldForm, Interface, InterfaceField as Field};
use super::{Received, Repeat};
use crate::answer::{AnswerError, Expected, FileKind};
use crate::time::{LocalTime, Timestamp};

const NAME: FieldForm = FieldForm::Text(225);
const CALL_ID: FieldForm = FieldForm::Text(25);
const NODE: Field =
    Field::optional("locationId", FieldForm::Number, "the node that has the recording").in_query();

/// `downloadRecordFile`: downloads one recording by the `file_name` of a record CSV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadRecordFile(pub(super) Fields);

impl DownloadRecordFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "downloadRecordFile",
        about: "downloads one recording by the file_name of a record CSV",
        fields: &[Field::required("fileName", FieldForm::Path(225), "from a record CSV")],
        ..Interface::DOWNLOAD
    };

    /// Downloads the recording with that name: 1 to 225 letters, digits, `/` and `.`.
    pub fn new(file_name: impl Into<String>) -> Self {
        Self(Fields::new(&Self::INTERFACE).with("fileName", file_name))
    }
}

/// `downloadRecord`: downloads the recordings of a call, or one by the `original_file_name` of a
/// record CSV.
///
/// The answer is a WAV file, or a ZIP when the call has several recordings; see
/// [`FileReceipt::kind`](crate::answer::FileReceipt::kind).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DownloadRecord(pub(super) Fields);

impl DownloadRecord {
    pub(super) const INTERFACE: Interface = Interface {
        name: "downloadRecord",
        about: "downloads the recordings of a call, or one by its original_file_name; \
                fileName or callId is required",
        fields: &[
            Field::optional("fileName", NAME, "original_file_name of a record CSV"),
            Field::optional("callId", CALL_ID, "the call"),
            Field::optional("ccId", FieldForm::Text(64), "the call center; 1 by default"),
        ],
        answer: "the recording, or a ZIP when the call has several",
        expected: Expected::File(&[FileKind::Wav, FileKind::Zip]),
        either: Some(("fileName", "callId")),
        ..Interface::DOWNLOAD
    };

    /// Downloads the recording with that `original_file_name`: 1 to 225 characters.
    pub fn by_file_name(file_name: impl Into<String>) -> Self {
        Self(Fields::new(&Self::INTERFACE).with("fileName", file_name))
    }

    /// Downloads the recordings of that call: 1 to 25 characters.
    pub fn by_call_id(call_id: impl Into<String>) -> Self {
        Self(Fields::new(&Self::INTERFACE)).call_id(call_id)
    }

    /// Sets the call, in addition to the file: 1 to 25 characters.
    pub fn call_id(self, call_id: impl Into<String>) -> Self {
        Self(self.0.with("callId", call_id))
    }

    /// Sets the call center: 1 to 64 characters. Default: not sent; the server assumes `1`.
    pub fn cc_id(self, cc_id: impl Into<String>) -> Self {
        Self(self.0.with("ccId", cc_id))
    }
}

/// `downloadOiapRecord`: downloads a recording of the intelligent IVR.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DownloadOiapRecord(pub(super) Fields);

impl DownloadOiapRecord {
    pub(super) const INTERFACE: Interface = Interface {
        name: "downloadOiapRecord",
        about: "downloads a recording of the intelligent IVR",
        fields: &[Field::required("fileName", FieldForm::Text(127), "full path"), NODE],
        ..Interface::DOWNLOAD
    };

    /// Downloads the recording with that full path: 1 to 127 characters.
    pub fn new(file_name: impl Into<String>) -> Self {
        Self(Fields::new(&Self::INTERFACE).with("fileName", file_name))
    }

    /// Sets the node that has the recording.
    pub fn location_id(self, location_id: u64) -> Self {
        Self(self.0.with("locationId", location_id.to_string()))
    }
}

/// `downloadIVRRecordFile`: downloads a message that a caller left in the IVR.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DownloadIvrRecordFile(pub(super) Fields);

impl DownloadIvrRecordFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "downloadIVRRecordFile",
        about: "downloads a message that a caller left in the IVR",
        fields: &[Field::required("fileName", NAME, "full path of the recording"), NODE],
        ..Interface::DOWNLOAD
    };

    /// Downloads the recording with that full path: 1 to 225 characters.
    pub fn new(file_name: impl Into<String>) -> Self {
        Self(Fields::new(&Self::INTERFACE).with("fileName", file_name))
    }

    /// Sets the node that has the recording.
    pub fn location_id(self, location_id: u64) -> Self {
        Self(self.0.with("locationId", location_id.to_string()))
    }
}

/// `getRecordFileUrlFromObs`: copies a recording to the object storage and returns its URL.
///
/// The one interface without the `request` and `msgBody` wrapper.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct GetRecordFileUrlFromObs(pub(super) Fields);

impl GetRecordFileUrlFromObs {
    pub(super) const INTERFACE: Interface = Interface {
        name: "getRecordFileUrlFromObs",
        about: "copies a recording to the object storage and returns its URL",
        fields: &[
            Field::required("callId", CALL_ID, "the call"),
            Field::required("beginTime", FieldForm::Time, "begin of the recording"),
            Field::required("endTime", FieldForm::Time, "its end, at most 3 days later")
                .followed_by("version", "2.0"),
        ],
        answer: "url: where the recording is for 8 hours, without a signature",
        repeat: Repeat::Idempotent,
        enveloped: false,
        ..Interface::CALL
    };

    /// Asks for the recording of `call_id` (1 to 25 characters) between `begin` and `end`.
    pub fn new(call_id: impl Into<String>, begin: LocalTime, end: LocalTime) -> Self {
        let fields = Fields::new(&Self::INTERFACE).with("callId", call_id);
        Self(fields.with_period(begin, end))
    }

    /// Sets the longest period that the server accepts, in whole seconds. Default: three days.
    pub fn span_limit(self, limit: Duration) -> Self {
        Self(Fields { span_limit: limit.as_secs(), ..self.0 })
    }
}

/// URL of a recording in the object storage, valid for 8 hours.
///
/// Downloading from it needs no signature, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordingUrl(String);

impl RecordingUrl {
    /// Returns the URL as the server wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn from_answer(received: Received) -> Result<Self, AnswerError> {
        received.into_envelope()?.required_text("url").map(Self)
    }
}

impl fmt::Debug for RecordingUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordingUrl(redacted)")
    }
}

/// The reference has no limit for the token; this bounds what is passed on.
const TOKEN: Field = Field {
    secret: true,
    ..Field::required("st", FieldForm::Text(1024), "the token of requestPlayVoice").in_query()
};

/// `requestPlayVoice`: requests a token to play a recording.
///
/// Backslashes in the name, which Windows servers leave in `original_file_name`, are sent as
/// slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPlayVoice(pub(super) Fields);

impl RequestPlayVoice {
    pub(super) const INTERFACE: Interface = Interface {
        name: "requestPlayVoice",
        about: "requests a token to play a recording",
        fields: &[Field {
            to_json: |name| name.replace('\\', "/").into(),
            ..Field::required(
                "fileName",
                NAME,
                "original_file_name of a record CSV; \\ is sent as /",
            )
        }],
        answer: "token: for playVoice, valid for 30 minutes",
        repeat: Repeat::Idempotent,
        ..Interface::CALL
    };

    /// Requests a token for the recording with that `original_file_name`: 1 to 225 characters.
    pub fn new(file_name: impl Into<String>) -> Self {
        Self(Fields::new(&Self::INTERFACE).with("fileName", file_name))
    }
}

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

    pub(super) fn from_answer(received: Received) -> Result<Self, AnswerError> {
        let token = received.into_envelope()?.required_text("token")?;
        Self::new(token).map_err(|_| AnswerError::field("token"))
    }
}

impl fmt::Debug for PlaybackToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlaybackToken(redacted)")
    }
}

/// `playVoice`: downloads the recording of a token, over an unsigned `GET`.
///
/// The token is in the URL, so that media players can use it. Keep these URLs out of logs. See
/// [Other interfaces](crate::protocol#other-interfaces).
#[derive(Clone, Debug)]
pub struct PlayVoice(pub(super) Fields);

impl PlayVoice {
    pub(super) const INTERFACE: Interface = Interface {
        name: "playVoice",
        about: "plays a recording with a token",
        method: "GET",
        signed: false,
        fields: &[
            Field::required("t", FieldForm::UnixMillis, "the time now, against cached answers")
                .in_query()
                .followed_by("version", "2.0"),
            TOKEN,
        ],
        expected: Expected::File(&[FileKind::Audio]),
        ..Interface::DOWNLOAD
    };

    /// Downloads the recording of this token. `at` is the current time; it makes each URL
    /// different, so that no cache answers.
    pub fn new(mut token: PlaybackToken, at: Timestamp) -> Self {
        let fields = Fields::new(&Self::INTERFACE).with("t", at.unix_millis().to_string());
        Self(fields.with("st", std::mem::take(&mut *token.0)))
    }
}
