//! The calls of a pull, for each kind of file.

use ccfs_archive::FileKind;
use ccfs_proto::{
    BillData, DownloadAgentOprInfoFile, DownloadAgentSkillInfoFile, DownloadBillFile, FileReceipt, GenerationJob, IndexFileName, Operation,
    QueryAgentOprInfoData, QueryAgentSkillInfoData, QueryBillData,
};

use crate::plan::Plan;
use crate::window::Window;

/// Asks for the file of a window.
pub(crate) type Ask = Box<dyn Operation<Answer = GenerationJob> + Send + Sync>;
/// Downloads a file.
pub(crate) type Fetch = Box<dyn Operation<Answer = FileReceipt> + Send + Sync>;

pub(crate) fn ask(plan: &Plan, window: Window) -> Ask {
    let (begin, end, url) = (window.begin(), window.end(), plan.callback_url.as_str());
    let limit = u64::from(plan.window_days) * 24 * 3600;
    let account = plan.account_id.as_deref();
    match plan.kind {
        FileKind::AgentOprInfo => {
            let query = QueryAgentOprInfoData::new(begin, end, url).span_limit(limit);
            Box::new(account.map_or(query.clone(), |id| query.account_id(id)))
        }
        FileKind::Call | FileKind::Record => {
            let data = if plan.kind == FileKind::Call { BillData::Call } else { BillData::Record };
            let query = QueryBillData::new(begin, end, data, url).span_limit(limit);
            Box::new(account.map_or(query.clone(), |id| query.account_id(id)))
        }
        _ => {
            let query = QueryAgentSkillInfoData::new(begin, end, url).span_limit(limit);
            Box::new(account.map_or(query.clone(), |id| query.account_id(id)))
        }
    }
}

pub(crate) fn fetch(plan: &Plan, name: IndexFileName) -> Fetch {
    match plan.kind {
        FileKind::AgentOprInfo => Box::new(DownloadAgentOprInfoFile::new(name)),
        FileKind::Call | FileKind::Record => Box::new(DownloadBillFile::new(name)),
        _ => Box::new(DownloadAgentSkillInfoFile::new(name)),
    }
}
