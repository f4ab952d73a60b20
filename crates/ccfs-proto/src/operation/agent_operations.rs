//! Agent operations (sign-ins, breaks, calls): starting the generation, and downloading the file.

use super::field::FieldError;
use super::generation::{Generation, GenerationJob, download_field, download_request};
use super::interface::Interface;
use super::{Operation, OperationRequest, Received, Repeat};
use crate::calendar::LocalTime;
use crate::classify::{AnswerError, Expected, FileKind, FileReceipt};
use crate::file_name::IndexFileName;

const FILE_NAME: &str = "agentOprInfoFileName";

/// `queryAgentOprInfoData`: starts generating the index file of agent operations in the background.
///
/// The callback names the file as `agentOprInfoFileName`. See `docs/protocol.md`, "Other interfaces".
///
/// ```
/// use ccfs_proto::{Operation, QueryAgentOprInfoData};
///
/// let (begin, end) = ("2023-04-01 00:00:00".parse()?, "2023-04-02 00:00:00".parse()?);
/// let query = QueryAgentOprInfoData::new(begin, end, "https://10.9.8.7:9443/callback").agent_id("1001");
/// assert!(query.request().is_ok());
/// # Ok::<(), ccfs_proto::CalendarError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryAgentOprInfoData {
    generation: Generation,
}

impl QueryAgentOprInfoData {
    pub(super) const INTERFACE: Interface = Interface {
        name: "queryAgentOprInfoData",
        about: "starts generating the index file of agent operations",
        fields: &[Generation::BEGIN, Generation::END, Generation::ACCOUNT, Generation::AGENT, Generation::CALLBACK],
        answer: "responseId: the job's id, 32 hex digits",
        expected: Expected::Envelope,
        repeat: Repeat::OnlyUnlessArrived,
        build: |values| Interface::built(Self { generation: Generation::from_values(values)? }),
        ..Interface::SIGNED_POST
    };

    /// Operations from `begin` to `end` on the tenant's clock; the server calls `callback_url` when the file is there.
    #[must_use]
    pub fn new(begin: LocalTime, end: LocalTime, callback_url: impl Into<String>) -> Self {
        Self { generation: Generation::new(begin, end, callback_url.into()) }
    }

    /// Only this tenant space: 1 to 20 characters.
    #[must_use]
    pub fn account_id(mut self, account_id: impl Into<String>) -> Self {
        self.generation.account_id = Some(account_id.into());
        self
    }

    /// Only this agent: 1 to 20 characters.
    #[must_use]
    pub fn agent_id(mut self, agent_id: impl Into<String>) -> Self {
        self.generation.agent_id = Some(agent_id.into());
        self
    }

    /// The longest window that the server at hand takes, in seconds, where its operators changed the default of three days.
    #[must_use]
    pub fn span_limit(mut self, seconds: u64) -> Self {
        self.generation.span_limit = seconds;
        self
    }
}

impl Operation for QueryAgentOprInfoData {
    type Answer = GenerationJob;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        self.generation.agent_request(self.interface())
    }

    fn answer(&self, received: Received) -> Result<GenerationJob, AnswerError> {
        GenerationJob::from_answer(received)
    }
}

/// `downloadAgentOprInfoFile`: the ZIP of one job, with members `…_agentOprInfo[_n].csv`.
///
/// Only the account's own files are handed out. See `docs/protocol.md`, "Other interfaces".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadAgentOprInfoFile {
    file_name: IndexFileName,
}

impl DownloadAgentOprInfoFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "downloadAgentOprInfoFile",
        about: "downloads the index file of agent operations",
        fields: &[download_field(FILE_NAME)],
        answer: "the ZIP of one job",
        expected: Expected::File(&[FileKind::Zip]),
        repeat: Repeat::Harmless,
        build: |values| Interface::built(Self::new(values.index_file(FILE_NAME)?)),
        ..Interface::SIGNED_POST
    };

    /// Downloads the file of that name.
    #[must_use]
    pub fn new(file_name: IndexFileName) -> Self {
        Self { file_name }
    }

    /// The file's name.
    pub fn file_name(&self) -> &IndexFileName {
        &self.file_name
    }
}

impl Operation for DownloadAgentOprInfoFile {
    type Answer = FileReceipt;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        Ok(download_request(self.interface(), FILE_NAME, &self.file_name))
    }

    fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
        received.into_file()
    }
}
