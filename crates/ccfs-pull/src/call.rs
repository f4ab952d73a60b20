//! The calls of a pull, for each kind of file.

use ccfs_archive::FileKind;
use ccfs_proto::{
    AnswerError, BillData, DownloadAgentOprInfoFile, DownloadAgentSkillInfoFile, DownloadBillFile, Expected, FieldError, FileReceipt,
    GenerationJob, IndexFileName, Operation, OperationRequest, QueryAgentOprInfoData, QueryAgentSkillInfoData, QueryBillData, Received,
    Repeat,
};

use crate::plan::Plan;
use crate::window::Window;

/// Asks for the file of a window.
pub(crate) enum Ask {
    Skills(QueryAgentSkillInfoData),
    Operations(QueryAgentOprInfoData),
    Bills(QueryBillData),
}

impl Ask {
    pub(crate) fn new(plan: &Plan, window: Window) -> Self {
        let (begin, end, url) = (window.begin(), window.end(), plan.callback_url.as_str());
        let limit = u64::from(plan.window_days) * 24 * 3600;
        let account = plan.account_id.as_deref();
        match plan.kind {
            FileKind::AgentOprInfo => {
                let query = QueryAgentOprInfoData::new(begin, end, url).span_limit(limit);
                Self::Operations(account.map_or(query.clone(), |id| query.account_id(id)))
            }
            FileKind::Call | FileKind::Record => {
                let data = if plan.kind == FileKind::Call { BillData::Call } else { BillData::Record };
                let query = QueryBillData::new(begin, end, data, url).span_limit(limit);
                Self::Bills(account.map_or(query.clone(), |id| query.account_id(id)))
            }
            _ => {
                let query = QueryAgentSkillInfoData::new(begin, end, url).span_limit(limit);
                Self::Skills(account.map_or(query.clone(), |id| query.account_id(id)))
            }
        }
    }
}

/// Downloads a file.
pub(crate) enum Fetch {
    Skills(DownloadAgentSkillInfoFile),
    Operations(DownloadAgentOprInfoFile),
    Bills(DownloadBillFile),
}

impl Fetch {
    pub(crate) fn new(plan: &Plan, name: IndexFileName) -> Self {
        match plan.kind {
            FileKind::AgentOprInfo => Self::Operations(DownloadAgentOprInfoFile::new(name)),
            FileKind::Call | FileKind::Record => Self::Bills(DownloadBillFile::new(name)),
            _ => Self::Skills(DownloadAgentSkillInfoFile::new(name)),
        }
    }
}

macro_rules! one_of_three {
    ($one:ident, $answer:ty) => {
        impl Operation for $one {
            type Answer = $answer;

            fn interface(&self) -> &'static str {
                match self {
                    Self::Skills(operation) => operation.interface(),
                    Self::Operations(operation) => operation.interface(),
                    Self::Bills(operation) => operation.interface(),
                }
            }

            fn request(&self) -> Result<OperationRequest, FieldError> {
                match self {
                    Self::Skills(operation) => operation.request(),
                    Self::Operations(operation) => operation.request(),
                    Self::Bills(operation) => operation.request(),
                }
            }

            fn repeat(&self) -> Repeat {
                match self {
                    Self::Skills(operation) => operation.repeat(),
                    Self::Operations(operation) => operation.repeat(),
                    Self::Bills(operation) => operation.repeat(),
                }
            }

            fn expected(&self) -> Expected {
                match self {
                    Self::Skills(operation) => operation.expected(),
                    Self::Operations(operation) => operation.expected(),
                    Self::Bills(operation) => operation.expected(),
                }
            }

            fn answer(&self, received: Received) -> Result<$answer, AnswerError> {
                match self {
                    Self::Skills(operation) => operation.answer(received),
                    Self::Operations(operation) => operation.answer(received),
                    Self::Bills(operation) => operation.answer(received),
                }
            }
        }
    };
}

one_of_three!(Ask, GenerationJob);
one_of_three!(Fetch, FileReceipt);
