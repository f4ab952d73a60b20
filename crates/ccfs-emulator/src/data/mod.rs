//! Generated data of the emulator: the same bytes for the same seed.

mod agent_opr;
mod agent_skill;
mod archive;
mod bill;
mod plan;
mod random;
mod roster;
mod rows;
mod shape;
mod shift;
mod state;
mod table;
mod wav;

pub(crate) use self::archive::{MEMBERS_LIMIT, write_archive};
pub(crate) use self::plan::{ArchivePlan, Records};
pub(crate) use self::random::Random;
pub use self::shape::{Shape, SkillSeparator};
pub(crate) use self::wav::{check as check_wav, tone};
