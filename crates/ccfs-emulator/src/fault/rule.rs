//! A script: which fault applies to which requests.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use super::kind::{Fault, FaultError};
use crate::interface::{self, Interface};
use crate::lock;

/// A fault, limited to an interface and to a number of requests.
///
/// Written `FAULT[@INTERFACE][*TIMES]`:
///
/// ```
/// use ccfs_emulator::{Fault, FaultRule};
///
/// let rule: FaultRule = "busy:1@downloadAgentSkillInfoFile*2".parse()?;
/// assert_eq!(rule, Fault::Busy(1).at("downloadAgentSkillInfoFile").times(2));
/// assert_eq!(rule.to_string(), "busy:1@downloadAgentSkillInfoFile*2");
/// # Ok::<(), ccfs_emulator::FaultError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FaultRule {
    fault: Fault,
    interface: Option<String>,
    times: Option<u32>,
}

impl FaultRule {
    /// Limits the fault to one interface, such as `downloadAgentSkillInfoFile`. Default: all interfaces.
    #[must_use]
    pub fn at(mut self, interface: impl Into<String>) -> Self {
        self.interface = Some(interface.into());
        self
    }

    /// Limits the fault to the first `n` requests that it applies to. Zero counts as one. Default: all requests.
    #[must_use]
    pub fn times(mut self, n: u32) -> Self {
        self.times = Some(n);
        self
    }

    fn applies(&self, interface: &Interface) -> bool {
        let here = self.interface.as_deref().is_none_or(|name| name == interface.name);
        let fits = self.fault.kind().is_none_or(|kind| kind == interface.kind);
        here && fits && self.times != Some(0)
    }
}

impl Fault {
    /// Limits the fault to the first `n` requests that it applies to. Zero counts as one. Default: all requests.
    #[must_use]
    pub fn times(self, n: u32) -> FaultRule {
        FaultRule::from(self).times(n)
    }

    /// Limits the fault to one interface, such as `downloadAgentSkillInfoFile`. With an unknown name the fault never
    /// applies; [`Emulator::interfaces`](crate::Emulator::interfaces) lists the names.
    #[must_use]
    pub fn at(self, interface: impl Into<String>) -> FaultRule {
        FaultRule::from(self).at(interface)
    }
}

impl From<Fault> for FaultRule {
    fn from(fault: Fault) -> Self {
        Self { fault, interface: None, times: None }
    }
}

impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)?;
        if let Some(interface) = &self.interface {
            write!(f, "@{interface}")?;
        }
        match self.times {
            Some(times) => write!(f, "*{times}"),
            None => Ok(()),
        }
    }
}

impl FromStr for FaultRule {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (rest, times) = match text.rsplit_once('*') {
            Some((rest, digits)) => match digits.parse() {
                Ok(times) if times > 0 && !digits.starts_with('+') => (rest, Some(times)),
                _ => return Err(FaultError::Times),
            },
            None => (text, None),
        };
        let (fault, interface) = match rest.split_once('@') {
            Some((fault, name)) if interface::find(name).is_some() => {
                (fault, Some(name.to_owned()))
            }
            Some(_) => return Err(FaultError::Interface),
            None => (rest, None),
        };
        Ok(Self { fault: fault.parse()?, interface, times })
    }
}

/// The script of a running emulator. Clones share it.
///
/// Each request uses the first rule that applies to it, and counts as one of its times; a rule that is used up is removed. So rules for the
/// same interface are a script, read from the first to the last:
///
/// ```
/// use ccfs_emulator::{Emulator, Fault};
///
/// let emulator = Emulator::builder().plain().start()?;
/// // Two 503, a broken download, and then all is well.
/// emulator.faults().add(Fault::Busy(1).at("downloadAgentSkillInfoFile").times(2));
/// emulator.faults().add(Fault::CutAfter(100).at("downloadAgentSkillInfoFile").times(1));
/// assert_eq!(emulator.faults().rules().len(), 2);
/// # Ok::<(), ccfs_emulator::StartError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<FaultRule>>>);

impl Faults {
    /// Adds a rule at the end.
    pub fn add(&self, rule: impl Into<FaultRule>) {
        lock(&self.0).push(rule.into());
    }

    /// Removes all rules.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }

    /// Removes the rules of the fault with that name, if any.
    pub fn remove(&self, name: &str) {
        lock(&self.0).retain(|rule| rule.fault.name() != name);
    }

    /// The remaining rules, in their order.
    pub fn rules(&self) -> Vec<FaultRule> {
        lock(&self.0).clone()
    }

    /// Returns the fault for the current request.
    pub(crate) fn take(&self, interface: &Interface) -> Option<Fault> {
        let mut rules = lock(&self.0);
        let at = rules.iter().position(|rule| rule.applies(interface))?;
        let rule = rules.get_mut(at)?;
        let fault = rule.fault.clone();
        if let Some(times) = &mut rule.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                rules.remove(at);
            }
        }
        Some(fault)
    }
}
