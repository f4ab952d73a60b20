//! Voice files that a third party uploads for the IVR's robot.

use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::fields::Fields;
use super::interface::{FieldForm, Interface, InterfaceField as Field};
use super::{Received, Repeat};
use crate::answer::AnswerError;
use crate::json;
use crate::words::hex;

/// The reference has no limit for paths; this is the one of the other names.
const PATH: FieldForm = FieldForm::Text(225);
/// Nodes that are read from an answer.
const LOCATIONS: usize = 1000;

/// The fields that name an uploaded file. The reference has no limit for the node; this is the
/// width of the index files' column of that name.
const UPLOADED: &[Field] = &[
    Field::required("fileName", PATH, "full path of the file, from the upload"),
    Field::optional("locationId", FieldForm::Text(20), "the node that has the file"),
];

const MODE: Field = Field {
    to_json: |mode| mode.parse::<u64>().map_or(Value::Null, Value::from),
    ..Field::optional("mode", FieldForm::OneOf(&["1"]), "1: filePath is a directory with one file")
};

/// `ivr/downloadFile`: downloads a voice file of a third party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IvrDownloadFile(pub(super) Fields);

impl IvrDownloadFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "ivr/downloadFile",
        about: "downloads a voice file of a third party",
        fields: &[Field::required("filePath", PATH, "full path of file or directory"), MODE],
        answer: "the file",
        ..Interface::DOWNLOAD
    };

    /// Downloads the file with that full path: 1 to 225 characters.
    pub fn file(path: impl Into<String>) -> Self {
        Self(Fields::new(&Self::INTERFACE).with("filePath", path))
    }

    /// Downloads the only file of that directory. The server refuses when it has several.
    pub fn only_file_in(directory: impl Into<String>) -> Self {
        Self(Fields::new(&Self::INTERFACE).with("filePath", directory).with("mode", "1"))
    }
}

/// `ivr/uploadFile`: uploads a WAV file for a third party's robot.
///
/// The file is checked before it is sent: a complete WAV file of at most 5 MB (5 · 1024 · 1024
/// bytes), mono, 8000 Hz, 8 bits a sample, in PCM, A-law or µ-law. Not idempotent: each upload
/// creates a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct IvrUploadFile(pub(super) Fields);

impl IvrUploadFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "ivr/uploadFile",
        about: "uploads a WAV file for a third party's robot",
        fields: &[
            Field::required("vdnId", FieldForm::Number, "the virtual call center").in_query(),
            Field::required("data", FieldForm::Wav(5 << 20), "the file, sent as base64"),
        ],
        answer: "fileName: full path of the file; locationId: the nodes that have it",
        ..Interface::CALL
    };

    /// Uploads the WAV file `data` to the virtual call center `vdn_id`.
    pub fn new(vdn_id: u64, data: impl Into<Bytes>) -> Self {
        let fields = Fields::new(&Self::INTERFACE).with("vdnId", vdn_id.to_string());
        Self(Fields { data: Some(data.into()), ..fields })
    }

    /// Sets the largest file that the server accepts, in bytes. Default: 5 MB.
    pub fn size_limit(self, bytes: usize) -> Self {
        Self(Fields { size_limit: Some(bytes), ..self.0 })
    }
}

/// An uploaded file, as the interfaces for its hash and its deletion name it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadedFile {
    /// Full path of the file on the server.
    pub file_name: String,
    /// The nodes that have the file, up to 1,000; empty unless the server is a pool of them.
    pub location_ids: Vec<String>,
}

impl UploadedFile {
    pub(super) fn from_answer(received: Received) -> Result<Self, AnswerError> {
        let envelope = received.into_envelope()?;
        let file_name = envelope.required_text("fileName")?;
        let location_ids = location_ids(envelope.data().and_then(|data| data.field("locationId")));
        Ok(Self { file_name, location_ids: location_ids.ok_or(AnswerError::field("locationId"))? })
    }
}

/// Reads a list of texts or numbers, a single one, or nothing.
fn location_ids(json: Option<&RawValue>) -> Option<Vec<String>> {
    let Some(json) = json else { return Some(Vec::new()) };
    let id = |json| json::text_or_number(json).filter(|id| !id.is_empty());
    match json.get() {
        "null" | "\"\"" => Some(Vec::new()),
        // Counted first, because a list of references takes many times the memory of its text.
        list if list.starts_with('[') && list.matches(',').count() < LOCATIONS => {
            let list: Vec<&RawValue> = serde_json::from_str(list).ok()?;
            list.into_iter().map(id).collect()
        }
        _ => id(json).map(|id| vec![id]),
    }
}

/// `ivr/getFileHash`: returns the SHA-256 of an uploaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct IvrGetFileHash(pub(super) Fields);

impl IvrGetFileHash {
    pub(super) const INTERFACE: Interface = Interface {
        name: "ivr/getFileHash",
        about: "returns the SHA-256 of an uploaded file",
        fields: UPLOADED,
        answer: "hashValue: SHA-256 of the file",
        repeat: Repeat::Idempotent,
        ..Interface::CALL
    };

    /// Asks for the hash of the file with that full path: 1 to 225 characters.
    pub fn new(file_name: impl Into<String>) -> Self {
        Self(Fields::new(&Self::INTERFACE).with("fileName", file_name))
    }

    /// Sets the node that has the file: 1 to 20 characters.
    pub fn location_id(self, location_id: impl Into<String>) -> Self {
        Self(self.0.with("locationId", location_id))
    }
}

/// The hash of an uploaded file, as the server wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHash(String);

impl FileHash {
    /// Returns the text of the hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether it is the SHA-256 of these bytes, in hex digits of either case.
    pub fn is_of(&self, file: &[u8]) -> bool {
        hex(&Sha256::digest(file)).eq_ignore_ascii_case(&self.0)
    }

    pub(super) fn from_answer(received: Received) -> Result<Self, AnswerError> {
        received.into_envelope()?.required_text("hashValue").map(Self)
    }
}

/// `ivr/deleteFile`: deletes an uploaded file.
///
/// Not idempotent: a second request is answered with "no such file".
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct IvrDeleteFile(pub(super) Fields);

impl IvrDeleteFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "ivr/deleteFile",
        about: "deletes an uploaded file",
        fields: UPLOADED,
        answer: "only the result code",
        ..Interface::CALL
    };

    /// Deletes the file with that full path: 1 to 225 characters.
    pub fn new(file_name: impl Into<String>) -> Self {
        Self(Fields::new(&Self::INTERFACE).with("fileName", file_name))
    }

    /// Sets the node that has the file: 1 to 20 characters.
    pub fn location_id(self, location_id: impl Into<String>) -> Self {
        Self(self.0.with("locationId", location_id))
    }
}
