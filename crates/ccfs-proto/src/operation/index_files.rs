//! Index files: starting to generate them in the background, and downloading them. The server
//! returns only files of the same access key.

use std::time::Duration;

use super::fields::Fields;
use super::interface::{FieldForm, Interface, InterfaceField as Field};
use super::{IndexFileName, Received, ResponseId};
use crate::answer::{AnswerError, Expected, FileKind};
use crate::time::{Day, LocalTime};

const ID: FieldForm = FieldForm::Text(20);
const NUMBER: FieldForm = FieldForm::Text(25);

const BEGIN: Field =
    Field::required("beginTime", FieldForm::Time, "begin, in local time of the call center");
const END: Field =
    Field::required("endTime", FieldForm::Time, "end, at most 3 days later; not in the future");
const ACCOUNT: Field =
    Field::optional("accountId", ID, "only this tenant space, which must belong to the access key");
const AGENT: Field = Field::optional("agentId", ID, "only this agent");
const CALLBACK: Field = Field::required(
    "callBackURL",
    // The limit is not published; it bounds what a caller can pass on.
    FieldForm::Url(512),
    "http or https URL that the server calls when the file is ready",
);

/// The two agent interfaces send `""` for an absent id, as the published examples do.
const ACCOUNT_OR_EMPTY: Field = Field { when_absent: Some(""), ..ACCOUNT };
const AGENT_OR_EMPTY: Field = Field { when_absent: Some(""), ..AGENT };

/// The defaults of an interface that generates an index file.
const GENERATION: Interface = Interface {
    fields: &[BEGIN, END, ACCOUNT_OR_EMPTY, AGENT_OR_EMPTY, CALLBACK],
    answer: "responseId: the job's id, 32 hex digits",
    ..Interface::CALL
};

/// The defaults of an interface that downloads an index file.
const INDEX_DOWNLOAD: Interface = Interface {
    answer: "the ZIP of one job",
    expected: Expected::File(&[FileKind::Zip]),
    ..Interface::DOWNLOAD
};

/// Writes the setters that every query for an index file has.
macro_rules! generation_setters {
    () => {
        /// Limits the file to this tenant space: 1 to 20 characters.
        pub fn account_id(self, account_id: impl Into<String>) -> Self {
            Self(self.0.with("accountId", account_id))
        }

        /// Limits the file to this agent: 1 to 20 characters.
        pub fn agent_id(self, agent_id: impl Into<String>) -> Self {
            Self(self.0.with("agentId", agent_id))
        }

        /// Sets the longest period that the server accepts, in whole seconds. Default: three days.
        pub fn span_limit(self, limit: Duration) -> Self {
            Self(Fields { span_limit: limit.as_secs(), ..self.0 })
        }
    };
}

const fn file_name(name: &'static str) -> Field {
    Field::required(name, FieldForm::IndexFileName, "yyyyMMdd_{responseId}.zip, from the callback")
}

/// A job that generates an index file in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GenerationJob {
    /// ID of the job, a part of the file's name.
    pub response_id: ResponseId,
}

impl GenerationJob {
    /// Returns the expected name of the file, when the server received the request on `day`.
    pub fn file_name(&self, day: Day) -> IndexFileName {
        IndexFileName::new(day, self.response_id)
    }

    pub(super) fn from_answer(received: Received) -> Result<Self, AnswerError> {
        let id = received.into_envelope()?.required_text("responseId")?;
        let id = ResponseId::from_server(&id).map_err(|_| AnswerError::field("responseId"));
        id.map(|response_id| Self { response_id })
    }
}

/// `queryAgentSkillInfoData`: starts generating the index file of agent skill changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct QueryAgentSkillInfoData(pub(super) Fields);

impl QueryAgentSkillInfoData {
    pub(super) const INTERFACE: Interface = Interface {
        name: "queryAgentSkillInfoData",
        about: "starts generating the index file of agent skill changes",
        ..GENERATION
    };

    /// Asks for the changes from `begin` to `end`. `callback_url` receives the file's name.
    pub fn new(begin: LocalTime, end: LocalTime, callback_url: impl Into<String>) -> Self {
        let fields = Fields::new(&Self::INTERFACE).with_period(begin, end);
        Self(fields.with("callBackURL", callback_url))
    }

    generation_setters!();
}

/// `queryAgentOprInfoData`: starts generating the index file of agent operations: sign-ins, breaks
/// and calls.
///
/// The callback has the file's name in `agentOprInfoFileName`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct QueryAgentOprInfoData(pub(super) Fields);

impl QueryAgentOprInfoData {
    pub(super) const INTERFACE: Interface = Interface {
        name: "queryAgentOprInfoData",
        about: "starts generating the index file of agent operations",
        ..GENERATION
    };

    /// Asks for the operations from `begin` to `end`. `callback_url` receives the file's name.
    pub fn new(begin: LocalTime, end: LocalTime, callback_url: impl Into<String>) -> Self {
        let fields = Fields::new(&Self::INTERFACE).with_period(begin, end);
        Self(fields.with("callBackURL", callback_url))
    }

    generation_setters!();
}

/// Which bills to generate: `dataType`.
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
    /// All values.
    pub const ALL: [Self; 3] = [Self::Call, Self::Record, Self::CallRecord];

    /// Their texts, in the same order.
    const TEXTS: [&'static str; 3] = ["call", "record", "call_record"];

    /// Returns the text that is sent.
    pub const fn as_str(self) -> &'static str {
        Self::TEXTS[self as usize]
    }
}

/// `queryBillData`: starts generating the index files of calls, of recordings, or of both.
///
/// The callback has the file's name in `billFileName`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct QueryBillData(pub(super) Fields);

impl QueryBillData {
    pub(super) const INTERFACE: Interface = Interface {
        name: "queryBillData",
        about: "starts generating the index files of calls and recordings",
        fields: &[
            BEGIN,
            END,
            ACCOUNT,
            AGENT,
            Field::optional("callId", NUMBER, "only this call"),
            Field::optional("callerNo", NUMBER, "only calls from this number"),
            Field::optional("calleeNo", NUMBER, "only calls to this number"),
            Field::optional("calleeNo2", NUMBER, "only calls to this second number"),
            Field::required("dataType", FieldForm::OneOf(&BillData::TEXTS), "which index files"),
            CALLBACK,
        ],
        ..GENERATION
    };

    /// Asks for the bills from `begin` to `end`. `callback_url` receives the file's name.
    pub fn new(
        begin: LocalTime,
        end: LocalTime,
        data_type: BillData,
        callback_url: impl Into<String>,
    ) -> Self {
        let fields = Fields::new(&Self::INTERFACE).with_period(begin, end);
        Self(fields.with("dataType", data_type.as_str()).with("callBackURL", callback_url))
    }

    generation_setters!();

    /// Limits the file to this call: 1 to 25 characters.
    pub fn call_id(self, call_id: impl Into<String>) -> Self {
        Self(self.0.with("callId", call_id))
    }

    /// Limits the file to calls from this number: 1 to 25 characters.
    pub fn caller_no(self, number: impl Into<String>) -> Self {
        Self(self.0.with("callerNo", number))
    }

    /// Limits the file to calls to this number: 1 to 25 characters.
    pub fn callee_no(self, number: impl Into<String>) -> Self {
        Self(self.0.with("calleeNo", number))
    }

    /// Limits the file to calls to this second number: 1 to 25 characters.
    pub fn callee_no2(self, number: impl Into<String>) -> Self {
        Self(self.0.with("calleeNo2", number))
    }
}

/// `downloadAgentSkillInfoFile`: downloads the ZIP of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadAgentSkillInfoFile(pub(super) Fields);

impl DownloadAgentSkillInfoFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "downloadAgentSkillInfoFile",
        about: "downloads the index file of agent skill changes",
        fields: &[file_name("agentSkillInfoFileName")],
        ..INDEX_DOWNLOAD
    };

    /// Downloads the file with that name, as the callback has it.
    pub fn new(file_name: IndexFileName) -> Self {
        let fields = Fields::new(&Self::INTERFACE);
        Self(fields.with("agentSkillInfoFileName", file_name.text))
    }
}

/// `downloadAgentOprInfoFile`: downloads the ZIP of one job, with members `…_agentOprInfo[_n].csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadAgentOprInfoFile(pub(super) Fields);

impl DownloadAgentOprInfoFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "downloadAgentOprInfoFile",
        about: "downloads the index file of agent operations",
        fields: &[file_name("agentOprInfoFileName")],
        ..INDEX_DOWNLOAD
    };

    /// Downloads the file with that name, as the callback has it.
    pub fn new(file_name: IndexFileName) -> Self {
        let fields = Fields::new(&Self::INTERFACE);
        Self(fields.with("agentOprInfoFileName", file_name.text))
    }
}

/// `downloadBillFile`: downloads the ZIP of one job, with members `…_call[_n].csv` and
/// `…_record[_n].csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadBillFile(pub(super) Fields);

impl DownloadBillFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "downloadBillFile",
        about: "downloads the index files of calls and recordings",
        fields: &[file_name("billFileName")],
        ..INDEX_DOWNLOAD
    };

    /// Downloads the file with that name, as the callback has it.
    pub fn new(file_name: IndexFileName) -> Self {
        Self(Fields::new(&Self::INTERFACE).with("billFileName", file_name.text))
    }
}
