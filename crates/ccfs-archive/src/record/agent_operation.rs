//! agentOprInfo: what agents did.

use super::schema::{column, record};

record! {
    /// One operation of an agent: a row of an agentOprInfo file, owning its texts
    /// ([Index file formats](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#index-file-formats)).
    ///
    /// CC-FS documents all columns except the two dates as strings, so they are text here, even if they are numbers.
    owned AgentOperation;
    /// One operation of an agent, borrowed from the reader; see [`AgentOperation`].
    borrowed AgentOperationRef;
    kind AgentOprInfo;
    event_time 7, operation Some(9);
    names { "op_type_name" 9 OperateType, }
    columns {
        /// Unique ID.
        0 "id" id: text,
        /// Developer: the `appId`.
        1 "developer_id" developer_id: text,
        /// Enterprise account.
        2 "account_id" account_id: text,
        /// Agent.
        3 "agent_id" agent_id: text,
        /// Not used.
        4 "service_no" service_no: text,
        /// Skill.
        5 "skill_id" skill_id: text,
        /// Call.
        6 "call_id" call_id: text,
        /// When the operation began, in local time of the call center.
        7 "begin_time" begin_time: tenant,
        /// When the operation ended, in local time of the call center.
        8 "end_time" end_time: tenant,
        /// Type of the operation: a code of `OperateType`.
        9 "op_type" op_type: text,
        /// Object of the operation.
        10 "op_object" op_object: text,
        /// Reason of the operation.
        11 "op_cause" op_cause: text,
        /// Media type.
        12 "media_type" media_type: text,
        /// Virtual call center.
        13 "vdn_id" vdn_id: text,
        /// Call center.
        14 "cc_id" cc_id: text,
        /// Agent type.
        15 "agent_type" agent_type: text,
        /// Phone number.
        16 "phone_no" phone_no: text,
        /// Direction of the call: in or out.
        17 "callIn_out" call_in_out: text,
        /// Location.
        18 "location_id" location_id: text,
        /// Sequence number of the sign-in.
        19 "logon_sn" logon_sn: text,
        /// Index of the skill list that the agent had.
        20 "skillInfo_sn" skill_info_sn: text,
    }
}
