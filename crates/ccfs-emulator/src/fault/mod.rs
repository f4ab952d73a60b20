//! Faults by name, and the script that determines when they apply.

mod kind;
mod rule;

pub use self::kind::{Fault, FaultError, FaultHelp};
pub use self::rule::{FaultRule, Faults};
