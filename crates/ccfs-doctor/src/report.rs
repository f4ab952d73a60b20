//! What the doctor says.

use std::fmt;

use serde::Serialize;

use crate::certificate::Certificate;
use crate::evidence::Head;
use crate::judge::{Finding, Weight};

/// What was looked at, what was found, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The endpoint.
    pub endpoint: String,
    /// The proxy, without its login.
    pub proxy: Option<String>,
    /// What it comes to.
    pub verdict: Verdict,
    /// What was looked at, in its order.
    pub steps: Vec<Step>,
    /// The version of TLS, such as `1.3`.
    pub tls_version: Option<&'static str>,
    /// The certificates that the server showed, its own first, trusted or not. The pin of the server is `sha256` of the first.
    pub certificates: Vec<Certificate>,
    /// Milliseconds that the server's clock is ahead of this machine's.
    pub clock_skew_millis: Option<i64>,
    /// What the answer's head shows about who answered.
    pub head: Head,
    /// The causes, the likeliest first.
    pub findings: Vec<Finding>,
}

/// What a report comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// The server takes signed calls.
    Well,
    /// No way to the server, or none that can be trusted.
    Network,
    /// 401 or 403.
    Authentication,
    /// Anything else.
    Refused,
    /// Well as far as it was looked at: without keys nothing was signed.
    Unsigned,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// What it is about.
    pub name: &'static str,
    /// How it is.
    pub mark: Mark,
    /// A sentence without a full stop.
    pub text: String,
    /// More of it, line by line.
    pub details: Vec<String>,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mark {
    /// Well.
    Ok,
    /// Worth a look.
    Warn,
    /// Not well.
    Fail,
    /// Not looked at.
    Skipped,
}

impl Report {
    /// Whether a step has a mark that is worth a look.
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
    /// A list for a person, without an end of line behind the last line.
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
