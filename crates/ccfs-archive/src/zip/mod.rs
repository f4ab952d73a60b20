//! A strict ZIP reader: it rejects archives that two readers could understand differently.
//!
//! The `zip` crate is used in tests only: it needs to seek, and it merges entries of one name and skips leading bytes,
//! so neither could be rejected.

mod decoder;
mod fault;
mod layout;
mod machine;
mod member;
mod name;
mod reader;

pub use fault::{ZipError, ZipFault};
pub use member::{Member, Method};

pub(crate) use machine::{Machine, Next};
pub(crate) use name::has_no_data;
pub(crate) use reader::{Bytes, Forward, Reader, Seeking, read_some};
