//! Which of the four index files a member is.

use std::fmt;

/// The four index files that CC-FS writes, told by a member's name (`docs/protocol.md`, "Index file formats").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum FileKind {
    /// `agentSkillInfo`: changes of agents' skills, 16 columns.
    #[cfg_attr(feature = "serde", serde(rename = "agentSkillInfo"))]
    AgentSkillInfo,
    /// `agentOprInfo`: what agents did, 21 columns.
    #[cfg_attr(feature = "serde", serde(rename = "agentOprInfo"))]
    AgentOprInfo,
    /// `record`: voice recordings, 18 columns.
    #[cfg_attr(feature = "serde", serde(rename = "record"))]
    Record,
    /// `call`: call legs, 29 columns.
    #[cfg_attr(feature = "serde", serde(rename = "call"))]
    Call,
}

impl FileKind {
    /// All four, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::AgentSkillInfo, Self::AgentOprInfo, Self::Record, Self::Call];

    /// The word in the member's name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AgentSkillInfo => "agentSkillInfo",
            Self::AgentOprInfo => "agentOprInfo",
            Self::Record => "record",
            Self::Call => "call",
        }
    }

    /// What a name says: `yyyymmddhhmmssSSS` and three digits, `_`, the word, perhaps `_` and a sequence number, `.csv`.
    ///
    /// The digits in front are not looked at and a folder in front is dropped, so that a file which somebody has renamed
    /// is still known; the word is.
    ///
    /// ```
    /// use ccfs_archive::FileKind;
    ///
    /// let name = "20150208202330123456_agentSkillInfo_2.csv";
    /// assert_eq!(FileKind::of_name(name), Some(FileKind::AgentSkillInfo));
    /// assert_eq!(FileKind::of_name("readme.txt"), None);
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
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
