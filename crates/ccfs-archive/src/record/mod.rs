//! Rows as typed records: one kind of record for each index file.

mod agent_operation;
mod agent_skill;
mod any;
mod call;
mod column;
#[cfg(feature = "json")]
mod json;
mod parser;
mod recording;
mod schema;
mod skills;
#[cfg(feature = "serde")]
mod value;

pub use agent_operation::{AgentOperation, AgentOperationRef};
pub use agent_skill::{AgentSkillChange, AgentSkillChangeRef};
pub use any::{AnyRecord, AnyRecordRef};
pub use call::{Call, CallRef};
pub use parser::{FedRecords, RecordParser};
pub use recording::{Recording, RecordingRef};
pub use schema::{FileRecord, Record, RecordRef};
pub use skills::{SkillIds, SkillList};

#[cfg(feature = "json")]
pub(crate) use json::{Export, JsonLine, OffsetText};
pub(crate) use parser::Typed;
pub(crate) use schema::CellFault;
#[cfg(feature = "json")]
pub(crate) use value::Value;
