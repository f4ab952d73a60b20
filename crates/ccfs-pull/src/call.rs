//! The operations of a pull for each kind of file.

use std::time::Duration;

use ccfs_archive::IndexKind;
use ccfs_proto::answer::FileReceipt;
use ccfs_proto::operation::{
    BillData, DownloadAgentOprInfoFile, DownloadBillFile, GenerationJob, QueryAgentOprInfoData,
    QueryBillData,
};
use ccfs_proto::{
    AnyOperation, DownloadAgentSkillInfoFile, IndexFileName, QueryAgentSkillInfoData,
};

use crate::plan::Plan;
use crate::window::Window;

/// Requests the file of a window.
pub(crate) type Ask = AnyOperation<GenerationJob>;
/// Downloads a file.
pub(crate) type Fetch = AnyOperation<FileReceipt>;

pub(crate) fn ask(plan: &Plan, window: Window) -> Ask {
    let (begin, end, url) = (window.begin(), window.end(), plan.callback_url.as_str());
    // The plan limits windows; one of an earlier pull may have more days.
    let limit = Duration::from_secs(end.seconds_since(begin).unsigned_abs());
    let account = plan.account_id.as_deref();
    match plan.kind {
        IndexKind::AgentOprInfo => {
            let query = QueryAgentOprInfoData::new(begin, end, url).span_limit(limit);
            AnyOperation::new(account.map_or(query.clone(), |id| query.account_id(id)))
        }
        IndexKind::Call | IndexKind::Record => {
            let data = if plan.kind == IndexKind::Call { BillData::Call } else { BillData::Record };
            let query = QueryBillData::new(begin, end, data, url).span_limit(limit);
            AnyOperation::new(account.map_or(query.clone(), |id| query.account_id(id)))
        }
        _ => {
            let query = QueryAgentSkillInfoData::new(begin, end, url).span_limit(limit);
            AnyOperation::new(account.map_or(query.clone(), |id| query.account_id(id)))
        }
    }
}

pub(crate) fn fetch(plan: &Plan, name: IndexFileName) -> Fetch {
    match plan.kind {
        IndexKind::AgentOprInfo => AnyOperation::new(DownloadAgentOprInfoFile::new(name)),
        IndexKind::Call | IndexKind::Record => AnyOperation::new(DownloadBillFile::new(name)),
        _ => AnyOperation::new(DownloadAgentSkillInfoFile::new(name)),
    }
}
