//! Recordings of calls: as files, and as a URL of the object storage.

use std::fmt;

use serde::Serialize;

use super::field::{self, FieldError, FieldProblem};
use super::generation::{SPAN_LIMIT, check_window};
use super::interface::{FieldForm, Interface, InterfaceField};
use super::{Operation, OperationRequest, Received, Repeat};
use crate::calendar::LocalTime;
use crate::classify::{AnswerError, Expected, FileKind, FileReceipt};

/// Characters of a recording's name.
pub(super) const FILE_NAME_LIMIT: usize = 225;
/// Characters of `callId`.
const CALL_ID_LIMIT: usize = 25;
/// Characters of `ccId`.
const CC_ID_LIMIT: usize = 64;

/// `downloadRecordFile`: one recording, by the `file_name` of a record CSV.
///
/// The name has 1 to 225 letters, digits, `/` and `.`. See `docs/protocol.md`, "Other interfaces".
///
/// ```
/// use ccfs_proto::{DownloadRecordFile, FieldProblem, Operation};
///
/// let download = DownloadRecordFile::new("/1/1/record/39/20201015/1001/10233946.wav");
/// assert!(download.request().is_ok());
/// let refused = DownloadRecordFile::new("/1/1 copy.wav").request().unwrap_err();
/// assert!(matches!(refused.problem, FieldProblem::Character { at: 4, .. }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadRecordFile {
    file_name: String,
}

impl DownloadRecordFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "downloadRecordFile",
        about: "downloads one recording by the file_name of a record CSV",
        fields: &[InterfaceField::required(
            "fileName",
            FieldForm::Text { limit: FILE_NAME_LIMIT },
            "file_name of a record CSV: letters, digits, '/' and '.'",
        )],
        answer: "the recording",
        expected: Expected::File(&[FileKind::Wav]),
        repeat: Repeat::Harmless,
        build: |values| Interface::built(Self::new(values.text("fileName")?)),
        ..Interface::SIGNED_POST
    };

    /// Downloads the recording of that name.
    #[must_use]
    pub fn new(file_name: impl Into<String>) -> Self {
        Self { file_name: file_name.into() }
    }
}

impl Operation for DownloadRecordFile {
    type Answer = FileReceipt;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        field::text("fileName", &self.file_name, FILE_NAME_LIMIT)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.');
        field::only("fileName", &self.file_name, plain, "letters, digits, '/' and '.'")?;
        Ok(OperationRequest::enveloped(self.interface(), &FileName { file_name: &self.file_name }))
    }

    fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
        received.into_file()
    }
}

/// A body whose only field is `fileName`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileName<'a> {
    pub(super) file_name: &'a str,
}

/// `downloadRecord`: the recordings of a call, or one by the `original_file_name` of a record CSV.
///
/// The answer is a WAV file, or a ZIP when the call has several recordings: [`FileReceipt::kind`] says which. See
/// `docs/protocol.md`, "Other interfaces".
///
/// ```
/// use ccfs_proto::{DownloadRecord, Operation};
///
/// let request = DownloadRecord::by_call_id("1529991614-67").cc_id("2").request()?;
/// assert_eq!(&request.body[..], br#"{"request":{"version":"2.0"},"msgBody":{"callId":"1529991614-67","ccId":"2"}}"#);
/// # Ok::<(), ccfs_proto::FieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadRecord {
    file_name: Option<String>,
    call_id: Option<String>,
    cc_id: Option<String>,
}

impl DownloadRecord {
    pub(super) const INTERFACE: Interface = Interface {
        name: "downloadRecord",
        about: "downloads the recordings of a call, or one by its original_file_name: fileName or callId is needed",
        fields: &[
            InterfaceField::optional(
                "fileName",
                FieldForm::Text { limit: FILE_NAME_LIMIT },
                "original_file_name of a record CSV",
            ),
            InterfaceField::optional(
                "callId",
                FieldForm::Text { limit: CALL_ID_LIMIT },
                "the call",
            ),
            InterfaceField::optional(
                "ccId",
                FieldForm::Text { limit: CC_ID_LIMIT },
                "the call center; the server's default is 1",
            ),
        ],
        answer: "the recording, or a ZIP when the call has several",
        expected: Expected::File(&[FileKind::Wav, FileKind::Zip]),
        repeat: Repeat::Harmless,
        build: |values| {
            let (file_name, call_id) = (values.optional("fileName"), values.optional("callId"));
            Interface::built(Self { file_name, call_id, cc_id: values.optional("ccId") })
        },
        ..Interface::SIGNED_POST
    };

    /// The recording whose `original_file_name` that is: 1 to 225 characters.
    #[must_use]
    pub fn by_file_name(file_name: impl Into<String>) -> Self {
        Self { file_name: Some(file_name.into()), call_id: None, cc_id: None }
    }

    /// The recordings of that call: 1 to 25 characters.
    #[must_use]
    pub fn by_call_id(call_id: impl Into<String>) -> Self {
        Self { file_name: None, call_id: Some(call_id.into()), cc_id: None }
    }

    /// Also names the call, beside the file: 1 to 25 characters.
    #[must_use]
    pub fn call_id(mut self, call_id: impl Into<String>) -> Self {
        self.call_id = Some(call_id.into());
        self
    }

    /// The call center, where it is not the server's default of 1: 1 to 64 characters.
    #[must_use]
    pub fn cc_id(mut self, cc_id: impl Into<String>) -> Self {
        self.cc_id = Some(cc_id.into());
        self
    }
}

impl Operation for DownloadRecord {
    type Answer = FileReceipt;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct MsgBody<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            file_name: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            call_id: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            cc_id: Option<&'a str>,
        }
        let (file_name, call_id, cc_id) =
            (self.file_name.as_deref(), self.call_id.as_deref(), self.cc_id.as_deref());
        if file_name.is_none() && call_id.is_none() {
            return Err(FieldError::new(
                "fileName",
                FieldProblem::NeitherGiven { other: "callId" },
            ));
        }
        field::optional_text("fileName", file_name, FILE_NAME_LIMIT)?;
        field::optional_text("callId", call_id, CALL_ID_LIMIT)?;
        field::optional_text("ccId", cc_id, CC_ID_LIMIT)?;
        Ok(OperationRequest::enveloped(self.interface(), &MsgBody { file_name, call_id, cc_id }))
    }

    fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
        received.into_file()
    }
}

/// `getRecordFileUrlFromObs`: copies a recording to the object storage and answers with a URL for it.
///
/// The one interface whose body is flat, without the `request` and `msgBody` around it. See `docs/protocol.md`, "Other interfaces".
///
/// ```
/// use ccfs_proto::{GetRecordFileUrlFromObs, Operation};
///
/// let (begin, end) = ("2023-04-01 08:00:00".parse()?, "2023-04-01 09:00:00".parse()?);
/// let body = GetRecordFileUrlFromObs::new("1529991614-67", begin, end).request().unwrap().body;
/// assert!(body.starts_with(br#"{"callId":"1529991614-67","#));
/// # Ok::<(), ccfs_proto::CalendarError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetRecordFileUrlFromObs {
    call_id: String,
    begin: LocalTime,
    end: LocalTime,
    span_limit: u64,
}

impl GetRecordFileUrlFromObs {
    pub(super) const INTERFACE: Interface = Interface {
        name: "getRecordFileUrlFromObs",
        about: "copies a recording to the object storage and answers with a URL for it",
        fields: &[
            InterfaceField::required(
                "callId",
                FieldForm::Text { limit: CALL_ID_LIMIT },
                "the call",
            ),
            InterfaceField::required(
                "beginTime",
                FieldForm::Time,
                "the recording's begin; not later than the end",
            ),
            InterfaceField::required(
                "endTime",
                FieldForm::Time,
                "the recording's end, at most three days behind its begin",
            ),
        ],
        answer: "url: where the recording is for 8 hours, without a signature",
        expected: Expected::Envelope,
        repeat: Repeat::Harmless,
        build: |values| {
            Interface::built(Self::new(
                values.text("callId")?,
                values.time("beginTime")?,
                values.time("endTime")?,
            ))
        },
        ..Interface::SIGNED_POST
    };

    /// The recording of `call_id` (1 to 25 characters) that lies between `begin` and `end`.
    #[must_use]
    pub fn new(call_id: impl Into<String>, begin: LocalTime, end: LocalTime) -> Self {
        Self { call_id: call_id.into(), begin, end, span_limit: SPAN_LIMIT }
    }

    /// The longest window that the server at hand takes, in whole seconds. Default: three days, which its operators may have changed.
    #[must_use]
    pub fn span_limit(mut self, limit: std::time::Duration) -> Self {
        self.span_limit = limit.as_secs();
        self
    }
}

impl Operation for GetRecordFileUrlFromObs {
    type Answer = RecordingUrl;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            call_id: &'a str,
            begin_time: String,
            end_time: String,
            version: &'a str,
        }
        field::text("callId", &self.call_id, CALL_ID_LIMIT)?;
        check_window(self.begin, self.end, self.span_limit)?;
        let (begin_time, end_time) = (self.begin.to_string(), self.end.to_string());
        Ok(OperationRequest::flat(
            self.interface(),
            &Body { call_id: &self.call_id, begin_time, end_time, version: "2.0" },
        ))
    }

    fn answer(&self, received: Received) -> Result<RecordingUrl, AnswerError> {
        let envelope = received.into_envelope()?;
        let url = envelope.data_text("url").filter(|url| !url.is_empty());
        url.map(RecordingUrl).ok_or(AnswerError::Field { field: "url" })
    }
}

/// Where a recording is in the object storage, for 8 hours.
///
/// Whoever has the URL can fetch the recording, so `Debug` does not show it. See `docs/protocol.md`, "Other interfaces".
#[derive(Clone, PartialEq, Eq)]
pub struct RecordingUrl(String);

impl RecordingUrl {
    /// The URL as the server wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RecordingUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordingUrl(redacted)")
    }
}
