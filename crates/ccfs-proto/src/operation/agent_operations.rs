//! Agent operations (sign-ins, breaks, calls): starting the generation, and downloading the file.

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
    QueryAgentOprInfoData = "queryAgentOprInfoData", "starts generating the index file of agent operations", "Operations"
}

index_download! {
    /// `downloadAgentOprInfoFile`: the ZIP of one job, with members `…_agentOprInfo[_n].csv`.
    ///
    /// Only the account's own files are handed out. See `docs/protocol.md`, "Other interfaces".
    DownloadAgentOprInfoFile = "downloadAgentOprInfoFile", "downloads the index file of agent operations", "agentOprInfoFileName"
}
