//! call: call legs.

use super::column::column;
use super::schema::record;
use crate::code::OperateType;

record! {
    /// One leg of a call: a row of a call file, owning its texts ([Index file formats](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#index-file-formats)).
    owned Call;
    /// One leg of a call, borrowed from the reader; see [`Call`].
    borrowed CallRef;
    values CallValues;
    kind Call;
    happened wait_begin;
    names { "device_type_name" device_type, }
    columns {
        /// Developer: the `appId`.
        0 "developer" developer: text,
        /// Enterprise account.
        1 "account_id" account_id: text,
        /// Call center.
        2 "cc_id" cc_id: text,
        /// Agent.
        3 "agent_id" agent_id: text,
        /// Call.
        4 "call_id" call_id: text,
        /// Who called.
        5 "caller_no" caller_no: text,
        /// Who was called.
        6 "callee_no" callee_no: text,
        /// When waiting began, on the tenant's clock.
        7 "wait_begin" wait_begin: tenant,
        /// When waiting ended, on the tenant's clock.
        8 "wait_end" wait_end: tenant,
        /// When answering began, on the tenant's clock.
        9 "ack_begin" ack_begin: tenant,
        /// When answering ended, on the tenant's clock.
        10 "ack_end" ack_end: tenant,
        /// When the call began, on the tenant's clock.
        11 "call_begin" call_begin: tenant,
        /// When the call ended, on the tenant's clock.
        12 "call_end" call_end: tenant,
        /// What the leg ran on.
        13 "device_type" device_type: device,
        /// Number of the device.
        14 "device_no" device_no: int,
        /// Call type.
        15 "call_type" call_type: int,
        /// Why the call was released; has a meaning where `call_id_num` is −1.
        16 "release_cause" release_cause: int,
        /// Number of the leg; −1 is the only or the last one.
        17 "call_id_num" call_id_num: int,
        /// Virtual call center.
        18 "vdn_id" vdn_id: text,
        /// Type of the device before.
        19 "pre_device_type" pre_device_type: text,
        /// Number of the device before.
        20 "pre_device_no" pre_device_no: text,
        /// Skill.
        21 "skill_id" skill_id: text,
        /// Skill that the call was served under.
        22 "current_skill_id" current_skill_id: text,
        /// Device that the call came in on.
        23 "device_in" device_in: text,
        /// Device before that.
        24 "pre_device_in" pre_device_in: text,
        /// Without a meaning.
        25 "service_no" service_no: text,
        /// Why the call left the device.
        26 "leave_reason" leave_reason: text,
        /// Media type.
        27 "media_type" media_type: text,
        /// Media type, in detail.
        28 "sub_media_type" sub_media_type: text,
    }
}

fn operation(_: &CallRef<'_>) -> Option<OperateType> {
    None
}
