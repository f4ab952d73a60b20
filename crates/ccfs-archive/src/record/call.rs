//! call: call legs.

use super::schema::{column, record};

record! {
    /// One leg of a call: a row of a call file, owning its texts ([Index file formats](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#index-file-formats)).
    owned Call;
    /// One leg of a call, borrowed from the reader; see [`Call`].
    borrowed CallRef;
    kind Call;
    event_time 7, operation None;
    names { "device_type_name" 13 DeviceType, }
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
        /// Number of the caller.
        5 "caller_no" caller_no: text,
        /// Number called.
        6 "callee_no" callee_no: text,
        /// When waiting began, in local time of the call center.
        7 "wait_begin" wait_begin: tenant,
        /// When waiting ended, in local time of the call center.
        8 "wait_end" wait_end: tenant,
        /// When answering began, in local time of the call center.
        9 "ack_begin" ack_begin: tenant,
        /// When answering ended, in local time of the call center.
        10 "ack_end" ack_end: tenant,
        /// When the call began, in local time of the call center.
        11 "call_begin" call_begin: tenant,
        /// When the call ended, in local time of the call center.
        12 "call_end" call_end: tenant,
        /// Type of the device: a code of `DeviceType`.
        13 "device_type" device_type: device,
        /// Number of the device.
        14 "device_no" device_no: int,
        /// Call type.
        15 "call_type" call_type: int,
        /// Cause of the release; valid only if `call_id_num` is −1.
        16 "release_cause" release_cause: int,
        /// Number of the leg; −1 for the only or the last one.
        17 "call_id_num" call_id_num: int,
        /// Virtual call center.
        18 "vdn_id" vdn_id: text,
        /// Type of the previous device.
        19 "pre_device_type" pre_device_type: text,
        /// Number of the previous device.
        20 "pre_device_no" pre_device_no: text,
        /// Skill.
        21 "skill_id" skill_id: text,
        /// Skill that served the call.
        22 "current_skill_id" current_skill_id: text,
        /// Device that the call came in on.
        23 "device_in" device_in: text,
        /// Device before that one.
        24 "pre_device_in" pre_device_in: text,
        /// Not used.
        25 "service_no" service_no: text,
        /// Reason for leaving the device.
        26 "leave_reason" leave_reason: text,
        /// Media type.
        27 "media_type" media_type: text,
        /// Media type, in detail.
        28 "sub_media_type" sub_media_type: text,
    }
}
