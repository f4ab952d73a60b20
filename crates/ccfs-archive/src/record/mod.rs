//! Rows as typed records: one type of record for each index file.

mod agent_operation;
mod agent_skill;
mod any;
mod call;
mod column;
#[cfg(feature = "json")]
mod json;
mod layout;
mod recording;
mod schema;
mod skills;
mod typed;

pub use agent_operation::{AgentOperation, AgentOperationRef};
pub use agent_skill::{AgentSkillChange, AgentSkillChangeRef};
pub use any::{AnyRecord, AnyRecordRef, FileRecord, Record};
pub use call::{Call, CallRef};
pub use column::{Column, ColumnType, Value};
pub use recording::{Recording, RecordingRef};
pub use schema::CodeName;
pub use skills::SkillList;

pub(crate) use any::sealed;
pub(crate) use schema::Schema;
pub(crate) use typed::Typed;
