//! One file a subcommand.

pub(crate) mod call;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod download;
pub(crate) mod inspect;
pub(crate) mod listen;
pub(crate) mod man;
pub(crate) mod pull;
pub(crate) mod query;
pub(crate) mod serve;
pub(crate) mod signature;
