//! Bills: the index files of calls and of recordings.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::field::{self, FieldError, FieldProblem};
use super::generation::{Generation, GenerationJob, generation_setters, index_download};
use super::interface::{FieldForm, Interface, InterfaceField};
use super::{Operation, OperationRequest, Received, Repeat};
use crate::calendar::LocalTime;
use crate::classify::{AnswerError, Expected, FileKind, FileReceipt};
use crate::file_name::IndexFileName;

/// Characters of `callId` and of the numbers.
const NUMBER_LIMIT: usize = 25;

/// Which bills are wanted: `dataType`. See `docs/protocol.md`, "Other interfaces".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BillData {
    /// `call`: a CSV of calls.
    Call,
    /// `record`: a CSV of recordings.
    Record,
    /// `call_record`: both.
    CallRecord,
}

impl BillData {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Call, Self::Record, Self::CallRecord];

    /// The text that is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Record => "record",
            Self::CallRecord => "call_record",
        }
    }
}

impl fmt::Display for BillData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BillData {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let found = Self::ALL.into_iter().find(|data| data.as_str() == text);
        found.ok_or_else(|| {
            FieldError::new("dataType", FieldProblem::form(text, "call, record or call_record"))
        })
    }
}

/// `queryBillData`: starts generating the index files of calls, of recordings or of both in the background.
///
/// The callback names the file as `billFileName`. See `docs/protocol.md`, "Other interfaces".
///
/// ```
/// use ccfs_proto::{BillData, FieldProblem, Operation, QueryBillData};
///
/// let (begin, end) = ("2023-04-01 00:00:00".parse()?, "2023-04-02 00:00:00".parse()?);
/// let query = QueryBillData::new(begin, end, BillData::Record, "https://10.9.8.7:9443/callback");
/// let refused = query.call_id("1".repeat(26)).request().unwrap_err();
/// assert_eq!((refused.field, refused.problem), ("callId", FieldProblem::TooLong { limit: 25, len: 26 }));
/// # Ok::<(), ccfs_proto::CalendarError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryBillData {
    generation: Generation,
    call_id: Option<String>,
    caller_no: Option<String>,
    callee_no: Option<String>,
    callee_no2: Option<String>,
    data_type: BillData,
}

impl QueryBillData {
    pub(super) const INTERFACE: Interface = Interface {
        name: "queryBillData",
        about: "starts generating the index files of calls and recordings",
        fields: &[
            Generation::BEGIN,
            Generation::END,
            Generation::ACCOUNT,
            Generation::AGENT,
            InterfaceField::optional(
                "callId",
                FieldForm::Text { limit: NUMBER_LIMIT },
                "only this call",
            ),
            InterfaceField::optional(
                "callerNo",
                FieldForm::Text { limit: NUMBER_LIMIT },
                "only calls from this number",
            ),
            InterfaceField::optional(
                "calleeNo",
                FieldForm::Text { limit: NUMBER_LIMIT },
                "only calls to this number",
            ),
            InterfaceField::optional(
                "calleeNo2",
                FieldForm::Text { limit: NUMBER_LIMIT },
                "only calls to this second number",
            ),
            InterfaceField::required(
                "dataType",
                FieldForm::OneOf(&["call", "record", "call_record"]),
                "which index files are wanted",
            ),
            Generation::CALLBACK,
        ],
        answer: "responseId: the job's id, 32 hex digits",
        expected: Expected::Envelope,
        repeat: Repeat::OnlyUnlessArrived,
        build: |values| {
            Interface::built(Self {
                generation: Generation::from_values(values)?,
                call_id: values.optional("callId"),
                caller_no: values.optional("callerNo"),
                callee_no: values.optional("calleeNo"),
                callee_no2: values.optional("calleeNo2"),
                data_type: values.text("dataType")?.parse()?,
            })
        },
        ..Interface::SIGNED_POST
    };

    /// Bills from `begin` to `end` on the tenant's clock; the server calls `callback_url` when the file is there.
    #[must_use]
    pub fn new(
        begin: LocalTime,
        end: LocalTime,
        data_type: BillData,
        callback_url: impl Into<String>,
    ) -> Self {
        let generation = Generation::new(begin, end, callback_url.into());
        Self {
            generation,
            call_id: None,
            caller_no: None,
            callee_no: None,
            callee_no2: None,
            data_type,
        }
    }

    generation_setters!();

    /// Only this call: 1 to 25 characters.
    #[must_use]
    pub fn call_id(mut self, call_id: impl Into<String>) -> Self {
        self.call_id = Some(call_id.into());
        self
    }

    /// Only calls from this number: 1 to 25 characters.
    #[must_use]
    pub fn caller_no(mut self, number: impl Into<String>) -> Self {
        self.caller_no = Some(number.into());
        self
    }

    /// Only calls to this number: 1 to 25 characters.
    #[must_use]
    pub fn callee_no(mut self, number: impl Into<String>) -> Self {
        self.callee_no = Some(number.into());
        self
    }

    /// Only calls to this second number: 1 to 25 characters.
    #[must_use]
    pub fn callee_no2(mut self, number: impl Into<String>) -> Self {
        self.callee_no2 = Some(number.into());
        self
    }
}

impl Operation for QueryBillData {
    type Answer = GenerationJob;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct MsgBody<'a> {
            begin_time: String,
            end_time: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            account_id: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            agent_id: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            call_id: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            caller_no: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            callee_no: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            callee_no2: Option<&'a str>,
            data_type: &'a str,
            #[serde(rename = "callBackURL")]
            callback_url: &'a str,
        }
        self.generation.check()?;
        for (name, value) in [
            ("callId", &self.call_id),
            ("callerNo", &self.caller_no),
            ("calleeNo", &self.callee_no),
            ("calleeNo2", &self.callee_no2),
        ] {
            field::optional_text(name, value.as_deref(), NUMBER_LIMIT)?;
        }
        Ok(OperationRequest::enveloped(
            self.interface(),
            &MsgBody {
                begin_time: self.generation.begin.to_string(),
                end_time: self.generation.end.to_string(),
                account_id: self.generation.account_id.as_deref(),
                agent_id: self.generation.agent_id.as_deref(),
                call_id: self.call_id.as_deref(),
                caller_no: self.caller_no.as_deref(),
                callee_no: self.callee_no.as_deref(),
                callee_no2: self.callee_no2.as_deref(),
                data_type: self.data_type.as_str(),
                callback_url: &self.generation.callback_url,
            },
        ))
    }

    fn answer(&self, received: Received) -> Result<GenerationJob, AnswerError> {
        GenerationJob::from_answer(received)
    }
}

index_download! {
    /// `downloadBillFile`: the ZIP of one job, with members `…_call[_n].csv` and `…_record[_n].csv`.
    ///
    /// Only the account's own files are handed out. See `docs/protocol.md`, "Other interfaces".
    DownloadBillFile = "downloadBillFile", "downloads the index files of calls and recordings", "billFileName"
}
