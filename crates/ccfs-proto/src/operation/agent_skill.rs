//! Agent skill change details: starting the generation, and downloading the file.

use super::field::FieldError;
use super::generation::{
    Generation, GenerationJob, agent_generation, generation_setters, index_download,
};
use super::interface::{FieldForm, Interface, InterfaceField};
use super::{Operation, OperationRequest, Received, Repeat};
use crate::calendar::LocalTime;
use crate::classify::{AnswerError, Expected, FileKind, FileReceipt};
use crate::file_name::IndexFileName;

agent_generation! {
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
    QueryAgentSkillInfoData = "queryAgentSkillInfoData", "starts generating the index file of agent skill changes", "Changes"
}

index_download! {
    /// `downloadAgentSkillInfoFile`: the ZIP of one job.
    ///
    /// The interface that this project exists for. Only the account's own files are handed out. See `docs/protocol.md`,
    /// "Agent skill interfaces".
    DownloadAgentSkillInfoFile = "downloadAgentSkillInfoFile", "downloads the index file of agent skill changes", "agentSkillInfoFileName"
}
