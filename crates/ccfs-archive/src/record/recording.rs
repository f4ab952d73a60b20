//! record: voice recordings.

use super::schema::{column, record};

record! {
    /// One recording: a row of a record file, owning its texts ([Index file formats](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#index-file-formats)).
    owned Recording;
    /// One recording, borrowed from the reader; see [`Recording`].
    borrowed RecordingRef;
    kind Record;
    event_time 7, operation None;
    names { "task_status_name" 10 TaskStatus, "call_type_name" 14 CallDirection, }
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
        /// When the call began, in local time of the call center.
        7 "call_begin" call_begin: tenant,
        /// When the call ended, in local time of the call center.
        8 "call_end" call_end: tenant,
        /// File name of the recording.
        9 "file_name" file_name: text,
        /// Whether the recording is to be converted to text: a code of `TaskStatus`.
        10 "task_status" task_status: text,
        /// Result of the conversion: `success` or `failed`.
        11 "task_result" task_result: text,
        /// File name before the conversion.
        12 "original_file_name" original_file_name: text,
        /// Virtual call center.
        13 "vdn_id" vdn_id: text,
        /// Direction of the call: a code of `CallDirection`.
        14 "call_type" call_type: text,
        /// Media type.
        15 "media_type" media_type: text,
        /// Skill that the caller requested.
        16 "user_wanted_skill_id" user_wanted_skill_id: text,
        /// Skill that served the call.
        17 "current_skill_id" current_skill_id: text,
    }
}
