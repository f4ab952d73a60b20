//! The four kinds of index files.

use std::fmt;

/// Kind of an index file, read from the name of a member ([Index file formats](https://docs.rs/ccfs-proto/latest/ccfs_proto/protocol/#index-file-formats)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum IndexKind {
    /// `agentSkillInfo`: changes of agents' skills, 16 columns.
    #[cfg_attr(feature = "serde", serde(rename = "agentSkillInfo"))]
    AgentSkillInfo,
    /// `agentOprInfo`: operations of agents, 21 columns.
    #[cfg_attr(feature = "serde", serde(rename = "agentOprInfo"))]
    AgentOprInfo,
    /// `record`: voice recordings, 18 columns.
    #[cfg_attr(feature = "serde", serde(rename = "record"))]
    Record,
    /// `call`: call legs, 29 columns.
    #[cfg_attr(feature = "serde", serde(rename = "call"))]
    Call,
}

impl IndexKind {
    /// All kinds, in the order of CC-FS's documentation.
    pub const ALL: [Self; 4] = [Self::AgentSkillInfo, Self::AgentOprInfo, Self::Record, Self::Call];

    /// The word in a member's name, such as `agentSkillInfo`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgentSkillInfo => "agentSkillInfo",
            Self::AgentOprInfo => "agentOprInfo",
            Self::Record => "record",
            Self::Call => "call",
        }
    }

    /// Returns the kind in a member's name: `yyyymmddhhmmssSSS` and three digits, `_`, the kind, optionally `_` and a
    /// sequence number, `.csv`. Ignores case, folders and the text before the kind.
    ///
    /// ```
    /// use ccfs_archive::IndexKind;
    ///
    /// let name = "20150208202330123456_agentSkillInfo_2.csv";
    /// assert_eq!(IndexKind::of_name(name), Some(IndexKind::AgentSkillInfo));
    /// assert_eq!(IndexKind::of_name("readme.txt"), None);
    /// ```
    pub fn of_name(name: &str) -> Option<Self> {
        let file = name.rsplit(['/', '\\']).next()?;
        let (stem, extension) = file.rsplit_once('.')?;
        if !extension.eq_ignore_ascii_case("csv") {
            return None;
        }
        let is_sequence = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let named = match stem.rsplit_once('_') {
            Some((before, sequence)) if is_sequence(sequence) => before,
            _ => stem,
        };
        let word = named.rsplit('_').next()?;
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for IndexKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
