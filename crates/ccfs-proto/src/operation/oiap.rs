//! Recordings of the intelligent IVR (OIAP).

use super::field::{self, FieldError};
use super::interface::{FieldForm, Interface, InterfaceField};
use super::recording::FileName;
use super::{Operation, OperationRequest, Received, Repeat};
use crate::classify::{AnswerError, Expected, FileKind, FileReceipt};

/// Characters of the name.
const FILE_NAME_LIMIT: usize = 127;

/// `downloadOiapRecord`: a recording of the intelligent IVR.
///
/// See `docs/protocol.md`, "Other interfaces".
///
/// ```
/// use ccfs_proto::{DownloadOiapRecord, Operation};
///
/// let request = DownloadOiapRecord::new("Y:/39/odfsrecord/20201015/1.wav").location_id(7).request()?;
/// assert_eq!(request.path, "/CCFS/resource/ccfs/downloadOiapRecord");
/// assert_eq!(request.query, [("locationId".to_owned(), "7".to_owned())]);
/// # Ok::<(), ccfs_proto::FieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadOiapRecord {
    file_name: String,
    location_id: Option<u64>,
}

impl DownloadOiapRecord {
    pub(super) const INTERFACE: Interface = Interface {
        name: "downloadOiapRecord",
        about: "downloads a recording of the intelligent IVR",
        fields: &[
            InterfaceField::required("fileName", FieldForm::Text { limit: FILE_NAME_LIMIT }, "the recording's full path"),
            InterfaceField::optional("locationId", FieldForm::Number, "the node that has the recording").in_query(),
        ],
        answer: "the recording",
        expected: Expected::File(&[FileKind::Wav]),
        repeat: Repeat::Harmless,
        build: |values| Interface::built(Self { file_name: values.text("fileName")?, location_id: values.optional_number("locationId")? }),
        ..Interface::SIGNED_POST
    };

    /// Downloads the recording with that full path: 1 to 127 characters.
    #[must_use]
    pub fn new(file_name: impl Into<String>) -> Self {
        Self { file_name: file_name.into(), location_id: None }
    }

    /// The node that has the recording.
    #[must_use]
    pub fn location_id(mut self, location_id: u64) -> Self {
        self.location_id = Some(location_id);
        self
    }
}

impl Operation for DownloadOiapRecord {
    type Answer = FileReceipt;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        field::text("fileName", &self.file_name, FILE_NAME_LIMIT)?;
        let request = OperationRequest::enveloped(self.interface(), &FileName { file_name: &self.file_name });
        Ok(request.query_if("locationId", self.location_id))
    }

    fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
        received.into_file()
    }
}
