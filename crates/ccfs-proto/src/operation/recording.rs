//! Recordings: as files, and as a URL of the object storage.

use std::fmt;
use std::time::Duration;

use super::fields::Fields;
use super::interface::{FieldForm, Interface, InterfaceField as Field};
use super::{Received, Repeat};
use crate::answer::{AnswerError, Expected, FileKind, FileReceipt};
use crate::time::LocalTime;

const NAME: FieldForm = FieldForm::Text { limit: 225 };
const CALL_ID: FieldForm = FieldForm::Text { limit: 25 };
const NODE: Field =
    Field::optional("locationId", FieldForm::Number, "the node that has the recording").in_query();

pub(super) const DOWNLOAD_RECORD_FILE: Interface = Interface {
    name: "downloadRecordFile",
    about: "downloads one recording by the file_name of a record CSV",
    fields: &[Field::required("fileName", FieldForm::Path { limit: 225 }, "from a record CSV")],
    ..Interface::DOWNLOAD
};

/// `downloadRecordFile`: downloads one recording by the `file_name` of a record CSV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadRecordFile(Fields);

impl DownloadRecordFile {
    /// Downloads the recording with that name: 1 to 225 letters, digits, `/` and `.`.
    pub fn new(file_name: impl Into<String>) -> Self {
        Self(Fields::new(&DOWNLOAD_RECORD_FILE).with("fileName", file_name))
    }
}

impl_operation!(DownloadRecordFile => FileReceipt, Received::into_file);

pub(super) const DOWNLOAD_RECORD: Interface = Interface {
    name: "downloadRecord",
    about: "downloads the recordings of a call, or one by its original_file_name; \
            fileName or callId is required",
    fields: &[
        Field::optional("fileName", NAME, "original_file_name of a record CSV"),
        Field::optional("callId", CALL_ID, "the call"),
        Field::optional("ccId", FieldForm::Text { limit: 64 }, "the call center; 1 by default"),
    ],
    answer: "the recording, or a ZIP when the call has several",
    expected: Expected::File(&[FileKind::Wav, FileKind::Zip]),
    either: Some(("fileName", "callId")),
    ..Interface::DOWNLOAD
};

/// `downloadRecord`: downloads the recordings of a call, or one by the `original_file_name` of a
/// record CSV.
///
/// The answer is a WAV file, or a ZIP when the call has several recordings; see
/// [`FileReceipt::kind`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DownloadRecord(Fields);

impl DownloadRecord {
    /// Downloads the recording with that `original_file_name`: 1 to 225 characters.
    pub fn by_file_name(file_name: impl Into<String>) -> Self {
        Self(Fields::new(&DOWNLOAD_RECORD).with("fileName", file_name))
    }

    /// Downloads the recordings of that call: 1 to 25 characters.
    pub fn by_call_id(call_id: impl Into<String>) -> Self {
        Self(Fields::new(&DOWNLOAD_RECORD)).call_id(call_id)
    }

    /// Sets the call, in addition to the file: 1 to 25 characters.
    pub fn call_id(self, call_id: impl Into<String>) -> Self {
        Self(self.0.with("callId", call_id))
    }

    /// Sets the call center: 1 to 64 characters. Default: the server's, `1`.
    pub fn cc_id(self, cc_id: impl Into<String>) -> Self {
        Self(self.0.with("ccId", cc_id))
    }
}

impl_operation!(DownloadRecord => FileReceipt, Received::into_file);

pub(super) const DOWNLOAD_OIAP_RECORD: Interface = Interface {
    name: "downloadOiapRecord",
    about: "downloads a recording of the intelligent IVR",
    fields: &[Field::required("fileName", FieldForm::Text { limit: 127 }, "full path"), NODE],
    ..Interface::DOWNLOAD
};

/// `downloadOiapRecord`: downloads a recording of the intelligent IVR.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DownloadOiapRecord(Fields);

impl DownloadOiapRecord {
    /// Downloads the recording with that full path: 1 to 127 characters.
    pub fn new(file_name: impl Into<String>) -> Self {
        Self(Fields::new(&DOWNLOAD_OIAP_RECORD).with("fileName", file_name))
    }

    /// Sets the node that has the recording.
    pub fn location_id(self, location_id: u64) -> Self {
        Self(self.0.with("locationId", location_id.to_string()))
    }
}

impl_operation!(DownloadOiapRecord => FileReceipt, Received::into_file);

pub(super) const DOWNLOAD_IVR_RECORD_FILE: Interface = Interface {
    name: "downloadIVRRecordFile",
    about: "downloads a message that a caller left in the IVR",
    fields: &[Field::required("fileName", NAME, "full path of the recording"), NODE],
    ..Interface::DOWNLOAD
};

/// `downloadIVRRecordFile`: downloads a message that a caller left in the IVR.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DownloadIvrRecordFile(Fields);

impl DownloadIvrRecordFile {
    /// Downloads the recording with that full path: 1 to 225 characters.
    pub fn new(file_name: impl Into<String>) -> Self {
        Self(Fields::new(&DOWNLOAD_IVR_RECORD_FILE).with("fileName", file_name))
    }

    /// Sets the node that has the recording.
    pub fn location_id(self, location_id: u64) -> Self {
        Self(self.0.with("locationId", location_id.to_string()))
    }
}

impl_operation!(DownloadIvrRecordFile => FileReceipt, Received::into_file);

pub(super) const GET_RECORD_FILE_URL_FROM_OBS: Interface = Interface {
    name: "getRecordFileUrlFromObs",
    about: "copies a recording to the object storage and returns its URL",
    fields: &[
        Field::required("callId", CALL_ID, "the call"),
        Field::required("beginTime", FieldForm::Time, "begin of the recording"),
        Field::required("endTime", FieldForm::Time, "end of the recording, at most 3 days later")
            .followed_by("version", "2.0"),
    ],
    answer: "url: where the recording is for 8 hours, without a signature",
    repeat: Repeat::Idempotent,
    enveloped: false,
    check_answer: |received| RecordingUrl::from_answer(received).map(drop),
    ..Interface::CALL
};

/// `getRecordFileUrlFromObs`: copies a recording to the object storage and returns its URL.
///
/// The one interface without the `request` and `msgBody` wrapper.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct GetRecordFileUrlFromObs(Fields);

impl GetRecordFileUrlFromObs {
    /// Asks for the recording of `call_id` (1 to 25 characters) between `begin` and `end`.
    pub fn new(call_id: impl Into<String>, begin: LocalTime, end: LocalTime) -> Self {
        let fields = Fields::new(&GET_RECORD_FILE_URL_FROM_OBS).with("callId", call_id);
        Self(fields.with_period(begin, end))
    }

    /// Sets the longest period that the server accepts, in whole seconds. Default: three days.
    pub fn span_limit(self, limit: Duration) -> Self {
        Self(self.0.with_span_limit(limit))
    }
}

impl_operation!(GetRecordFileUrlFromObs => RecordingUrl, RecordingUrl::from_answer);

/// URL of a recording in the object storage, valid for 8 hours.
///
/// It needs no signature, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordingUrl(String);

impl RecordingUrl {
    /// Returns the URL as the server wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_answer(received: Received) -> Result<Self, AnswerError> {
        received.into_envelope()?.required_text("url").map(Self)
    }
}

impl fmt::Debug for RecordingUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordingUrl(redacted)")
    }
}
