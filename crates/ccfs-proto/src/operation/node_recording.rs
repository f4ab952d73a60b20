//! Recordings that lie on a node of their own: messages that callers left in the IVR, and recordings of the intelligent IVR (OIAP).

use super::field::{self, FieldError};
use super::interface::{FieldForm, Interface, InterfaceField};
use super::recording::FileName;
use super::{Operation, OperationRequest, Received, Repeat};
use crate::classify::{AnswerError, Expected, FileKind, FileReceipt};

/// A download by the recording's full path, of so many characters at most, and the node that has it.
macro_rules! node_recording {
    ($(#[$doc:meta])* $name:ident = $interface:literal, $about:literal, $limit:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            file_name: String,
            location_id: Option<u64>,
        }

        impl $name {
            pub(super) const INTERFACE: Interface = Interface {
                name: $interface,
                about: $about,
                fields: &[
                    InterfaceField::required("fileName", FieldForm::Text { limit: $limit }, "the recording's full path"),
                    InterfaceField::optional("locationId", FieldForm::Number, "the node that has the recording").in_query(),
                ],
                answer: "the recording",
                expected: Expected::File(&[FileKind::Wav]),
                repeat: Repeat::Harmless,
                build: |values| {
                    Interface::built(Self { file_name: values.text("fileName")?, location_id: values.optional_number("locationId")? })
                },
                ..Interface::SIGNED_POST
            };

            #[doc = concat!("Downloads the recording with that full path: 1 to ", $limit, " characters.")]
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

        impl Operation for $name {
            type Answer = FileReceipt;

            as_in_table!();

            fn request(&self) -> Result<OperationRequest, FieldError> {
                field::text("fileName", &self.file_name, $limit)?;
                let request = OperationRequest::enveloped(self.interface(), &FileName { file_name: &self.file_name });
                Ok(request.query_if("locationId", self.location_id))
            }

            fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
                received.into_file()
            }
        }
    };
}

node_recording! {
    /// `downloadIVRRecordFile`: a message that a caller left.
    ///
    /// See `docs/protocol.md`, "Other interfaces".
    DownloadIvrRecordFile = "downloadIVRRecordFile", "downloads a message that a caller left in the IVR", 225
}

node_recording! {
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
    DownloadOiapRecord = "downloadOiapRecord", "downloads a recording of the intelligent IVR", 127
}
