//! Faults by name, and the script that determines when they apply.

mod help;
mod kind;
mod rule;

pub use self::help::FaultHelp;
pub use self::kind::{Fault, FaultError};
pub use self::rule::{FaultRule, Faults};
