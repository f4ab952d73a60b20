//! Uploading a voice file for a third party's robot.

use std::fmt;

use bytes::Bytes;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::field::{FieldError, FieldProblem};
use super::interface::{FieldForm, Interface, InterfaceField};
use super::{Operation, OperationRequest, Received, Repeat, base64, wav};
use crate::classify::{AnswerError, Expected};
use crate::json;

/// Bytes of a file that a server takes by default: 5 MB.
const SIZE_LIMIT: usize = 5 * 1024 * 1024;
/// Nodes of an answer that are taken.
const LOCATIONS: usize = 1000;

/// `ivr/uploadFile`: uploads a WAV file for a third party's robot.
///
/// The file is looked at before it is sent: a whole WAV file of up to 5 MB (5 · 1024 · 1024 bytes), mono, 8000 Hz, 8 bit a sample. PCM,
/// A-law and µ-law are taken: the rule names no coding. Not repeated when it may have arrived, because each upload makes a file. See
/// `docs/protocol.md`, "Other interfaces".
///
/// ```
/// use ccfs_proto::{FieldProblem, IvrUploadFile, Operation, WavProblem};
///
/// let refused = IvrUploadFile::new(39, &b"ID3, not a WAV file"[..]).request().unwrap_err();
/// assert_eq!((refused.field, refused.problem), ("data", FieldProblem::Wav(WavProblem::NotWav)));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct IvrUploadFile {
    vdn_id: u64,
    data: Bytes,
    size_limit: usize,
}

impl IvrUploadFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "ivr/uploadFile",
        about: "uploads a WAV file for a third party's robot",
        fields: &[
            InterfaceField::required("vdnId", FieldForm::Number, "the virtual call center")
                .in_query(),
            InterfaceField::required(
                "data",
                FieldForm::Wav { limit: SIZE_LIMIT },
                "the file; it is sent in base64",
            ),
        ],
        answer: "fileName: the file's path there; locationId: its nodes",
        expected: Expected::Envelope,
        repeat: Repeat::OnlyUnlessArrived,
        build: |values| {
            let data =
                values.data.take().ok_or_else(|| FieldError::new("data", FieldProblem::Missing))?;
            Interface::built(Self::new(values.number("vdnId")?, data))
        },
        ..Interface::SIGNED_POST
    };

    /// Uploads the WAV file `data` to the virtual call center `vdn_id`.
    #[must_use]
    pub fn new(vdn_id: u64, data: impl Into<Bytes>) -> Self {
        Self { vdn_id, data: data.into(), size_limit: SIZE_LIMIT }
    }

    /// The largest file that the server at hand takes, in bytes, where its operators changed the default of 5 MB.
    #[must_use]
    pub fn size_limit(mut self, bytes: usize) -> Self {
        self.size_limit = bytes;
        self
    }
}

impl fmt::Debug for IvrUploadFile {
    /// Without the file, which is large and somebody's voice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IvrUploadFile")
            .field("vdn_id", &self.vdn_id)
            .field("bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}

impl Operation for IvrUploadFile {
    type Answer = UploadedFile;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        #[derive(Serialize)]
        struct MsgBody {
            data: String,
        }
        wav::check("data", &self.data, self.size_limit)?;
        let request = OperationRequest::enveloped(
            self.interface(),
            &MsgBody { data: base64::encode(&self.data) },
        );
        Ok(request.query("vdnId", self.vdn_id.to_string()))
    }

    fn answer(&self, received: Received) -> Result<UploadedFile, AnswerError> {
        let envelope = received.into_envelope()?;
        let file_name = envelope.data_text("fileName").filter(|name| !name.is_empty());
        let file_name = file_name.ok_or(AnswerError::Field { field: "fileName" })?;
        let location_ids = location_ids(envelope.data().and_then(|data| data.field("locationId")));
        Ok(UploadedFile {
            file_name,
            location_ids: location_ids.ok_or(AnswerError::Field { field: "locationId" })?,
        })
    }
}

/// What `ivr/uploadFile` answers: what the interfaces for the hash and for deleting take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadedFile {
    /// The file's full path on the server.
    pub file_name: String,
    /// The nodes that have the file, up to 1,000; none where the server is no pool of them.
    pub location_ids: Vec<String>,
}

/// A list of texts or numbers, or a single one, or none.
fn location_ids(json: Option<&RawValue>) -> Option<Vec<String>> {
    let Some(json) = json else { return Some(Vec::new()) };
    match json.get() {
        "null" | "\"\"" => Some(Vec::new()),
        list if list.starts_with('[') => {
            let Few(list) = serde_json::from_str(list).ok()?;
            list.into_iter().map(json::text_or_number).collect()
        }
        _ => json::text_or_number(json).map(|id| vec![id]),
    }
}

/// A list of up to [`LOCATIONS`].
struct Few<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Few<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Few<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of up to {LOCATIONS}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Few<'de>, A::Error> {
                let mut list = Vec::new();
                while let Some(json) = seq.next_element()? {
                    if list.len() == LOCATIONS {
                        return Err(A::Error::invalid_length(LOCATIONS + 1, &self));
                    }
                    list.push(json);
                }
                Ok(Few(list))
            }
        }

        from.deserialize_seq(List)
    }
}
