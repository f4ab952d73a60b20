//! Reports.

use std::fmt;

use serde::Serialize;

use crate::certificate::Certificate;
use crate::evidence::Head;
use crate::finding::{Finding, Weight};

/// Result of the checks, with likely causes and advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The endpoint.
    pub endpoint: String,
    /// The proxy, without its login.
    pub proxy: Option<String>,
    /// Overall result.
    pub verdict: Verdict,
    /// The checks, in order.
    pub steps: Vec<Step>,
    /// The version of TLS, such as `1.3`.
    pub tls_version: Option<&'static str>,
    /// The certificates of the server, its own first, trusted or not. The pin of the server is `sha256` of the first.
    pub certificates: Vec<Certificate>,
    /// Milliseconds that the server's clock is ahead of this machine's.
    pub clock_skew_millis: Option<i64>,
    /// What the head of the answer shows about the server.
    pub head: Head,
    /// The causes, the likeliest first.
    pub findings: Vec<Finding>,
}

/// Overall result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// The server accepts signed calls.
    Well,
    /// No connection to the server, or no trusted one.
    Network,
    /// The signed call was answered with HTTP 401 or 403.
    Authentication,
    /// Any other answer to the signed call.
    Refused,
    /// All checks succeeded, but without keys no signed call was made.
    Unsigned,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// Name of the check.
    pub name: &'static str,
    /// Its result.
    pub mark: Mark,
    /// Description of the result, without a full stop.
    pub text: String,
    /// Further lines.
    pub details: Vec<String>,
}

/// Result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mark {
    /// Success.
    Ok,
    /// A possible problem.
    Warn,
    /// Failure.
    Fail,
    /// Not checked.
    Skipped,
}

impl Report {
    /// Whether a check found a problem.
    fn has_warning(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.mark, Mark::Warn | Mark::Fail))
    }
}

impl Step {
    /// Creates a step without details, for example for a check that a program adds to a report.
    pub fn new(name: &'static str, mark: Mark, text: impl Into<String>) -> Self {
        Self { name, mark, text: text.into(), details: Vec::new() }
    }
}

impl fmt::Display for Mark {
    /// `ok`, `warn`, `fail` or `-`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skipped => "-",
        })
    }
}

impl fmt::Display for Report {
    /// The report as text, without a line break at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.endpoint)?;
        if let Some(proxy) = &self.proxy {
            write!(f, " through {proxy}")?;
        }
        writeln!(f)?;
        for step in &self.steps {
            write!(f, "\n{:<5} {:<12} {}", step.mark, step.name, step.text)?;
            step.details.iter().try_for_each(|line| write!(f, "\n{:<5} {:<12} {line}", "", ""))?;
        }
        if !self.findings.is_empty() {
            writeln!(f)?;
        }
        for finding in &self.findings {
            let weight = match finding.weight {
                Weight::Certain => "",
                Weight::Likely => "likely: ",
                Weight::Possible => "possible: ",
            };
            write!(f, "\n{weight}{}", finding.cause)?;
            finding.because.iter().try_for_each(|line| write!(f, "\n  because  {line}"))?;
            write!(f, "\n  do       {}", finding.advice)?;
        }
        match self.verdict {
            Verdict::Well if self.findings.is_empty() && !self.has_warning() => {
                f.write_str("\n\nAll is well.")
            }
            Verdict::Well => f.write_str("\n\nCalls work."),
            Verdict::Unsigned => f.write_str(
                "\n\nThe keys were not tested, because none are set. Set them to test them with a signed call.",
            ),
            _ => Ok(()),
        }
    }
}
