//! Findings: possible causes, and how certain they are.

use serde::Serialize;

use crate::cause::Cause;

/// A possible cause, with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The cause.
    pub cause: Cause,
    /// How certain it is.
    pub weight: Weight,
    /// The reasons, as sentences without a full stop.
    pub because: Vec<String>,
    /// What to do about it.
    pub advice: &'static str,
    /// Whether to send another signed request after something was changed. `false` if the address may be locked.
    pub may_sign_again: bool,
}

/// How certain a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Weight {
    /// The evidence does not exclude it.
    Possible,
    /// The evidence supports it.
    Likely,
    /// The evidence excludes other causes.
    Certain,
}
