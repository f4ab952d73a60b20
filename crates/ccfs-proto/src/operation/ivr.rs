//! Voice files that a third party uploads for the IVR's robot.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::field::{self, FieldError};
use super::interface::{FieldForm, Interface, InterfaceField, Values};
use super::recording::FILE_NAME_LIMIT;
use super::{Operation, OperationRequest, Received, Repeat};
use crate::classify::{AnswerError, Expected, FileKind, FileReceipt};
use crate::envelope::shown;

/// Characters of a `locationId` in a body: the width of the index files' column of that name. Not published for these interfaces.
const LOCATION_ID_LIMIT: usize = 20;

/// `ivr/downloadFile`: a voice file of a third party, by its path or as the only file of a directory.
///
/// The reference gives no bound for the path; 225 characters, those of the sibling's name, are taken. See `docs/protocol.md`,
/// "Other interfaces".
///
/// ```
/// use ccfs_proto::{IvrDownloadFile, Operation};
///
/// let request = IvrDownloadFile::only_file_in("Y:/voice/1/IVRrecordFile").request()?;
/// assert_eq!(&request.body[..], br#"{"request":{"version":"2.0"},"msgBody":{"filePath":"Y:/voice/1/IVRrecordFile","mode":1}}"#);
/// # Ok::<(), ccfs_proto::FieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IvrDownloadFile {
    file_path: String,
    is_directory: bool,
}

impl IvrDownloadFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "ivr/downloadFile",
        about: "downloads a voice file of a third party",
        fields: &[
            InterfaceField::required(
                "filePath",
                FieldForm::Text { limit: FILE_NAME_LIMIT },
                "full path of the file, or of its directory",
            ),
            InterfaceField::optional(
                "mode",
                FieldForm::OneOf(&["1"]),
                "1: filePath is a directory with one file",
            ),
        ],
        answer: "the file",
        expected: Expected::File(&[FileKind::Wav]),
        repeat: Repeat::Harmless,
        build: |values| {
            Interface::built(Self {
                file_path: values.text("filePath")?,
                is_directory: is_directory(values)?,
            })
        },
        ..Interface::SIGNED_POST
    };

    /// The file with that full path.
    #[must_use]
    pub fn file(path: impl Into<String>) -> Self {
        Self { file_path: path.into(), is_directory: false }
    }

    /// The one file that is in that directory; the server refuses when there are none or several.
    #[must_use]
    pub fn only_file_in(directory: impl Into<String>) -> Self {
        Self { file_path: directory.into(), is_directory: true }
    }
}

fn is_directory(values: &mut Values) -> Result<bool, FieldError> {
    match values.optional("mode").as_deref() {
        None => Ok(false),
        Some("1") => Ok(true),
        Some(other) => Err(FieldError::new(
            "mode",
            field::FieldProblem::form(other, "1 for a directory, or left out for a file"),
        )),
    }
}

impl Operation for IvrDownloadFile {
    type Answer = FileReceipt;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct MsgBody<'a> {
            file_path: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            mode: Option<u8>,
        }
        field::text("filePath", &self.file_path, FILE_NAME_LIMIT)?;
        let mode = self.is_directory.then_some(1);
        Ok(OperationRequest::enveloped(
            self.interface(),
            &MsgBody { file_path: &self.file_path, mode },
        ))
    }

    fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
        received.into_file()
    }
}

/// The name and the node of an uploaded file: what `ivr/getFileHash` and `ivr/deleteFile` take.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Uploaded {
    file_name: String,
    location_id: Option<String>,
}

impl Uploaded {
    const FIELDS: &'static [InterfaceField] = &[
        InterfaceField::required(
            "fileName",
            FieldForm::Text { limit: FILE_NAME_LIMIT },
            "the file's full path, as the upload told it",
        ),
        InterfaceField::optional(
            "locationId",
            FieldForm::Text { limit: LOCATION_ID_LIMIT },
            "the node, where the upload told one",
        ),
    ];

    fn new(file_name: impl Into<String>) -> Self {
        Self { file_name: file_name.into(), location_id: None }
    }

    fn from_values(values: &mut Values) -> Result<Self, FieldError> {
        Ok(Self { file_name: values.text("fileName")?, location_id: values.optional("locationId") })
    }

    fn request(&self, interface: &str) -> Result<OperationRequest, FieldError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct MsgBody<'a> {
            file_name: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            location_id: Option<&'a str>,
        }
        let location_id = self.location_id.as_deref();
        field::text("fileName", &self.file_name, FILE_NAME_LIMIT)?;
        field::optional_text("locationId", location_id, LOCATION_ID_LIMIT)?;
        Ok(OperationRequest::enveloped(
            interface,
            &MsgBody { file_name: &self.file_name, location_id },
        ))
    }
}

/// `ivr/getFileHash`: the SHA-256 of an uploaded file, to compare it with one's own.
///
/// The reference gives no bounds; 225 characters for the name and 20 for the node are taken. See `docs/protocol.md`,
/// "Other interfaces".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IvrGetFileHash {
    uploaded: Uploaded,
}

impl IvrGetFileHash {
    pub(super) const INTERFACE: Interface = Interface {
        name: "ivr/getFileHash",
        about: "tells the SHA-256 of an uploaded file",
        fields: Uploaded::FIELDS,
        answer: "hashValue: the file's SHA-256",
        expected: Expected::Envelope,
        repeat: Repeat::Harmless,
        build: |values| Interface::built(Self { uploaded: Uploaded::from_values(values)? }),
        ..Interface::SIGNED_POST
    };

    /// The hash of the file with that full path.
    #[must_use]
    pub fn new(file_name: impl Into<String>) -> Self {
        Self { uploaded: Uploaded::new(file_name) }
    }

    /// The node that has the file.
    #[must_use]
    pub fn location_id(mut self, location_id: impl Into<String>) -> Self {
        self.uploaded.location_id = Some(location_id.into());
        self
    }
}

impl Operation for IvrGetFileHash {
    type Answer = FileHash;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        self.uploaded.request(self.interface())
    }

    fn answer(&self, received: Received) -> Result<FileHash, AnswerError> {
        let envelope = received.into_envelope()?;
        let hash = envelope.data_text("hashValue").filter(|hash| !hash.is_empty());
        hash.map(FileHash).ok_or(AnswerError::Field { field: "hashValue" })
    }
}

/// The hash of an uploaded file, as the server wrote it. Shown shortened, should it be none.
///
/// ```
/// use ccfs_proto::{Envelope, IvrGetFileHash, Operation, Received};
///
/// let answer = br#"{"resultCode":"0","resultData":{"hashValue":"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"}}"#;
/// let hash = IvrGetFileHash::new("Y:/3rdfile/39/a.wav").answer(Received::Envelope(Envelope::parse(answer)?))?;
/// assert!(hash.is_of(b"abc"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHash(String);

impl FileHash {
    /// The text of the hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the SHA-256 of these bytes, in hex digits of either case.
    pub fn is_of(&self, file: &[u8]) -> bool {
        // `from_str_radix` would take a sign, too.
        let byte = |pair: &[u8]| match pair {
            [b'+', _] => None,
            pair => {
                std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
            }
        };
        let digest = Sha256::digest(file);
        self.0.len() == 2 * digest.len()
            && self.0.as_bytes().chunks(2).zip(&digest).all(|(pair, own)| byte(pair) == Some(*own))
    }
}

impl std::fmt::Display for FileHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

/// `ivr/deleteFile`: deletes an uploaded file.
///
/// Not repeated when it may have arrived: the second answer would say that there is no such file. The reference gives no bounds; 225
/// characters for the name and 20 for the node are taken. See `docs/protocol.md`, "Other interfaces".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IvrDeleteFile {
    uploaded: Uploaded,
}

impl IvrDeleteFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "ivr/deleteFile",
        about: "deletes an uploaded file",
        fields: Uploaded::FIELDS,
        answer: "nothing but the result code",
        expected: Expected::Envelope,
        repeat: Repeat::OnlyUnlessArrived,
        build: |values| Interface::built(Self { uploaded: Uploaded::from_values(values)? }),
        ..Interface::SIGNED_POST
    };

    /// Deletes the file with that full path.
    #[must_use]
    pub fn new(file_name: impl Into<String>) -> Self {
        Self { uploaded: Uploaded::new(file_name) }
    }

    /// The node that has the file.
    #[must_use]
    pub fn location_id(mut self, location_id: impl Into<String>) -> Self {
        self.uploaded.location_id = Some(location_id.into());
        self
    }
}

impl Operation for IvrDeleteFile {
    type Answer = ();

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        self.uploaded.request(self.interface())
    }

    fn answer(&self, received: Received) -> Result<(), AnswerError> {
        received.into_envelope().map(|_| ())
    }
}
