//! What the emulator hands out: made from a seed, the same bytes for the same seed.

mod agent_skill;
mod archive;
mod curve;
mod random;
mod shape;

pub(crate) use self::agent_skill::Subject;
pub(crate) use self::archive::{ArchivePlan, write_archive};
pub(crate) use self::random::Random;
pub use self::shape::{Shape, SkillSeparator};
