//! Agent skill change details: `queryAgentSkillInfoData` and `downloadAgentSkillInfoFile`.

use super::{Call, Interface, Kind, Outcome, Refusal, generation};
use crate::data::Records;

pub(super) struct QueryAgentSkillInfoData;

impl Interface for QueryAgentSkillInfoData {
    fn name(&self) -> &'static str {
        "queryAgentSkillInfoData"
    }

    fn kind(&self) -> Kind {
        Kind::Job
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        generation::start(call, &call.msg_body()?, Records::AgentSkillInfo)
    }
}

pub(super) struct DownloadAgentSkillInfoFile;

impl Interface for DownloadAgentSkillInfoFile {
    fn name(&self) -> &'static str {
        "downloadAgentSkillInfoFile"
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        generation::download(call, "agentSkillInfoFileName", |records| {
            records == Records::AgentSkillInfo
        })
    }
}
