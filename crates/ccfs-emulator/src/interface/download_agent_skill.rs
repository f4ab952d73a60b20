//! `downloadAgentSkillInfoFile`: hands the file out.

use ccfs_proto::{FileNameError, IndexFileName, ResultCode};

use super::fields::only;
use super::{Call, Fields, Interface, Kind, Outcome, Refusal};

const NAME_LIMIT: usize = 49;

pub(super) struct DownloadAgentSkillInfoFile;

impl Interface for DownloadAgentSkillInfoFile {
    fn name(&self) -> &'static str {
        "downloadAgentSkillInfoFile"
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        const FIELD: &str = "agentSkillInfoFileName";
        let fields = call.msg_body()?;
        let name = fields.required(FIELD, NAME_LIMIT)?;
        only(FIELD, name, |c| c.is_ascii_alphanumeric() || "._-".contains(c))?;
        // Of all that can be wrong with a name, only the date has a code of its own; a name that no job has is a file that is not there.
        let date_is_bad = !has_date(name) || name.parse::<IndexFileName>() == Err(FileNameError::Date);
        if date_is_bad {
            return Err(ResultCode::FileNameDate.into());
        }
        let job = call.state.jobs.find(name).ok_or(ResultCode::FileNotFound)?;
        if job.owner != call.access_key {
            return Err(ResultCode::OtherDevelopersRecord.into());
        }
        if job.poll(call.now) { Ok(Outcome::File(job)) } else { Err(ResultCode::FileNotFound.into()) }
    }
}

/// Eight digits and a separator stand first.
fn has_date(name: &str) -> bool {
    name.split_once('_').is_some_and(|(date, _)| date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()))
}
