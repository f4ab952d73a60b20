//! Bills of calls and recordings: `queryBillData` and `downloadBillFile`.

use ccfs_proto::ResultCode;

use super::fields::named;
use super::{Call, Fields, Interface, Kind, Outcome, Refusal, generation};
use crate::data::Records;

/// Characters of a call's id and of numbers.
const NUMBER_LIMIT: usize = 25;
const TYPE_LIMIT: usize = 25;

pub(super) struct QueryBillData;

impl Interface for QueryBillData {
    fn name(&self) -> &'static str {
        "queryBillData"
    }

    fn kind(&self) -> Kind {
        Kind::Job
    }

    /// The call and the numbers are validated, but do not filter the records.
    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        const TYPE: &str = "dataType";
        let fields = call.msg_body()?;
        for name in ["callId", "callerNo", "calleeNo", "calleeNo2"] {
            fields.optional(name, NUMBER_LIMIT)?;
        }
        let (calls, records) = match fields.required(TYPE, TYPE_LIMIT)? {
            "call" => (true, false),
            "record" => (false, true),
            "call_record" => (true, true),
            _ => {
                return Err(named(
                    ResultCode::ParameterWrong,
                    TYPE,
                    "must be call, record or call_record",
                ));
            }
        };
        generation::start(call, &fields, Records::Bill { calls, records })
    }
}

pub(super) struct DownloadBillFile;

impl Interface for DownloadBillFile {
    fn name(&self) -> &'static str {
        "downloadBillFile"
    }

    fn kind(&self) -> Kind {
        Kind::File
    }

    fn call(&self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        generation::download(call, "billFileName", |records| {
            matches!(records, Records::Bill { .. })
        })
    }
}
