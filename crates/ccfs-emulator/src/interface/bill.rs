//! Bills of calls and recordings: `queryBillData`.

use ccfs_proto::ResultCode;

use super::call::{Call, Outcome, Refusal};
use super::fields::named;
use super::generation;
use crate::data::Records;

/// Characters of a call's id and of numbers.
const NUMBER_LIMIT: usize = 25;
const TYPE_LIMIT: usize = 25;

/// `queryBillData`. The call and the numbers are validated, but do not filter the records.
pub(super) fn query(call: &Call<'_>) -> Result<Outcome, Refusal> {
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
            let problem = "must be call, record or call_record";
            return Err(named(ResultCode::ParameterWrong, TYPE, problem));
        }
    };
    generation::start(call, &fields, Records::Bill { calls, records })
}
