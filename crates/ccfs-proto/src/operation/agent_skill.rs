//! Agent skill change details: starting the generation, and downloading the file.

use super::field::FieldError;
use super::generation::{Generation, GenerationJob, download_field, download_request};
use super::interface::Interface;
use super::{Operation, OperationRequest, Received, Repeat};
use crate::calendar::LocalTime;
use crate::classify::{AnswerError, Expected, FileKind, FileReceipt};
use crate::file_name::IndexFileName;

const FILE_NAME: &str = "agentSkillInfoFileName";

/// `queryAgentSkillInfoData`: starts generating an index file in the background.
///
/// See `docs/protocol.md`, "Agent skill interfaces".
///
/// ```
/// use ccfs_proto::{FieldProblem, Operation, QueryAgentSkillInfoData};
///
/// let (begin, end) = ("2023-04-01 00:00:00".parse()?, "2023-04-05 00:00:00".parse()?);
/// let query = QueryAgentSkillInfoData::new(begin, end, "https://10.9.8.7:9443/callback");
/// let refused = query.request().unwrap_err();
/// assert_eq!(refused.problem, FieldProblem::SpanTooLong { limit: 259_200, seconds: 345_600 });
/// # Ok::<(), ccfs_proto::CalendarError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryAgentSkillInfoData {
    generation: Generation,
}

impl QueryAgentSkillInfoData {
    pub(super) const INTERFACE: Interface = Interface {
        name: "queryAgentSkillInfoData",
        about: "starts generating the index file of agent skill changes",
        fields: &[Generation::BEGIN, Generation::END, Generation::ACCOUNT, Generation::AGENT, Generation::CALLBACK],
        answer: "responseId: the job's id, 32 hex digits",
        expected: Expected::Envelope,
        repeat: Repeat::OnlyUnlessArrived,
        build: |values| Interface::built(Self { generation: Generation::from_values(values)? }),
        ..Interface::SIGNED_POST
    };

    /// Changes from `begin` to `end` on the tenant's clock; the server calls `callback_url` when the file is there.
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

impl Operation for QueryAgentSkillInfoData {
    type Answer = GenerationJob;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        self.generation.agent_request(self.interface())
    }

    fn answer(&self, received: Received) -> Result<GenerationJob, AnswerError> {
        GenerationJob::from_answer(received)
    }
}

/// `downloadAgentSkillInfoFile`: the ZIP of one job.
///
/// The interface that this project exists for. Only the account's own files are handed out. See `docs/protocol.md`,
/// "Agent skill interfaces".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadAgentSkillInfoFile {
    file_name: IndexFileName,
}

impl DownloadAgentSkillInfoFile {
    pub(super) const INTERFACE: Interface = Interface {
        name: "downloadAgentSkillInfoFile",
        about: "downloads the index file of agent skill changes",
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

impl Operation for DownloadAgentSkillInfoFile {
    type Answer = FileReceipt;

    as_in_table!();

    fn request(&self) -> Result<OperationRequest, FieldError> {
        Ok(download_request(self.interface(), FILE_NAME, &self.file_name))
    }

    fn answer(&self, received: Received) -> Result<FileReceipt, AnswerError> {
        received.into_file()
    }
}
