//! ZIP, read strictly: what two readers could understand differently is refused.
//!
//! The `zip` crate is not used here, but in tests only: it merges entries of one name and looks past leading junk, so
//! that neither could be refused, and it can't read what does not seek.

mod decoder;
mod directory;
mod fault;
mod layout;
mod meter;
mod name;
mod source;
mod stream;

pub use directory::{Member, Method};
pub use fault::{NameFault, ZipError, ZipFault};

pub(crate) use directory::Directory;
pub(crate) use meter::Meter;
pub(crate) use source::{MemberData, ReadAt, Shared};
pub(crate) use stream::{Next, Unzip};
