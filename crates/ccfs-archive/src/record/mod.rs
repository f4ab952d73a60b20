//! Rows as typed records: one kind of record for each index file.

mod agent_operation;
mod agent_skill;
mod any;
mod call;
mod column;
#[cfg(feature = "serde")]
mod json;
#[cfg(feature = "json")]
mod line;
mod parser;
mod recording;
mod schema;
mod skills;

pub use agent_operation::{AgentOperation, AgentOperationRef};
pub use agent_skill::{AgentSkillChange, AgentSkillChangeRef};
pub use any::{AnyRecord, AnyRecordRef};
pub use call::{Call, CallRef};
#[cfg(feature = "serde")]
pub use json::WithOffset;
pub use parser::{FedRecords, RecordParser};
pub use recording::{Recording, RecordingRef};
pub use schema::{FileRecord, Record, RecordRef};
pub use skills::{SkillIds, SkillList};

#[cfg(feature = "json")]
pub(crate) use json::OffsetText;
#[cfg(feature = "json")]
pub(crate) use line::{Export, JsonLine};
pub(crate) use parser::Typed;
pub(crate) use schema::CellFault;
