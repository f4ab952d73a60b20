//! The results of scenarios.

use std::fmt;

/// The result of one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The client did what it must do.
    Passed,
    /// The client did something else.
    Failed {
        /// The required behaviour.
        expected: String,
        /// The observed behaviour.
        seen: String,
    },
    /// The scenario needs something that the transport does not support.
    NotPlayed {
        /// The missing support.
        reason: &'static str,
    },
}

/// One scenario and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The scenario's name: one of [`scenarios`](crate::scenarios), or the caller's own.
    pub scenario: &'static str,
    /// The result.
    pub outcome: Outcome,
}

/// The results of all scenarios that ran. `Display` prints a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "verdicts say nothing unless looked at: `assert_all_passed`"]
pub struct Verdicts(
    /// Each result, in the order of the suite.
    pub Vec<Verdict>,
);

impl Verdicts {
    /// The failed scenarios.
    pub fn failed(&self) -> impl Iterator<Item = &Verdict> {
        self.0.iter().filter(|verdict| matches!(verdict.outcome, Outcome::Failed { .. }))
    }

    /// Returns whether at least one scenario ran, and none failed.
    pub fn all_passed(&self) -> bool {
        self.failed().next().is_none()
            && self.0.iter().any(|verdict| verdict.outcome == Outcome::Passed)
    }

    /// Panics with the table if a scenario failed, for use in tests.
    ///
    /// # Panics
    ///
    /// If a scenario failed, or none ran.
    pub fn assert_all_passed(&self) {
        assert!(self.all_passed(), "the transport does not conform:\n{self}");
    }
}

impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|verdict| verdict.scenario.len()).max().unwrap_or(0);
        for Verdict { scenario, outcome } in &self.0 {
            match outcome {
                Outcome::Passed => writeln!(f, "{scenario:width$}  passed")?,
                Outcome::NotPlayed { reason } => {
                    writeln!(f, "{scenario:width$}  not played: {reason}")?;
                }
                Outcome::Failed { expected, seen } => {
                    writeln!(f, "{scenario:width$}  FAILED")?;
                    writeln!(f, "    expected: {expected}")?;
                    writeln!(f, "    seen:     {seen}")?;
                }
            }
        }
        let count = |wanted: fn(&Outcome) -> bool| {
            self.0.iter().filter(|verdict| wanted(&verdict.outcome)).count()
        };
        let passed = count(|outcome| matches!(outcome, Outcome::Passed));
        let failed = count(|outcome| matches!(outcome, Outcome::Failed { .. }));
        write!(
            f,
            "{} scenarios: {passed} passed, {failed} failed, {} not played",
            self.0.len(),
            self.0.len() - passed - failed
        )
    }
}
