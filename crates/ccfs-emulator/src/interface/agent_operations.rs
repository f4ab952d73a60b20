//! Agent operations: `queryAgentOprInfoData` and `downloadAgentOprInfoFile`.

use super::{Call, Interface, Kind, Outcome, Refusal, generation};
use crate::data::Records;

pub(super) struct QueryAgentOprInfoData;

impl Interface for QueryAgentOprInfoData {
    fn name(&self) -> &'static str {
        "queryAgentOprInfoData"
    }

    fn kind(&self) -> Kind {
        Kind::Job
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        generation::start(call, &call.msg_body()?, Records::AgentOprInfo)
    }
}

pub(super) struct DownloadAgentOprInfoFile;

impl Interface for DownloadAgentOprInfoFile {
    fn name(&self) -> &'static str {
        "downloadAgentOprInfoFile"
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        generation::download(call, "agentOprInfoFileName", |records| {
            records == Records::AgentOprInfo
        })
    }
}
