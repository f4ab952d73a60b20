//! Checks the text of a setting for characters that were copied with it by mistake.

use std::fmt;

/// Checks that `text`, the value of a setting, neither begins nor ends with white space, a
/// quotation mark or an invisible character.
///
/// Such characters come from files, shells and documents that a value is copied from. Around a key
/// each of them makes every signature wrong, and bad signatures lock the address.
///
/// # Errors
///
/// [`StrayCharacter`] with the first one, at the start before the end.
///
/// ```
/// use ccfs_driver::check_setting;
///
/// assert!(check_setting("my-app-id").is_ok());
/// let error = check_setting("my-app-id\r\n").unwrap_err();
/// assert_eq!(error.to_string(), "ends with a line break; remove it");
/// ```
pub fn check_setting(text: &str) -> Result<(), StrayCharacter> {
    let kind = |character: Option<char>| character.and_then(StrayKind::of);
    let mut characters = text.chars();
    if let Some(kind) = kind(characters.next()) {
        return Err(StrayCharacter { is_first: true, kind });
    }
    kind(characters.next_back())
        .map_or(Ok(()), |kind| Err(StrayCharacter { is_first: false, kind }))
}

/// A setting begins or ends with a character that does not belong to it. Contains nothing of the
/// setting's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} with {kind}; remove it", if *is_first { "begins" } else { "ends" })]
#[non_exhaustive]
pub struct StrayCharacter {
    /// Whether it is the first character of the text; otherwise it is the last.
    pub is_first: bool,
    /// Kind of the character.
    pub kind: StrayKind,
}

/// Kind of a character that [`check_setting`] refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StrayKind {
    /// CR, LF and the other characters that end a line.
    LineBreak,
    /// A tab.
    Tab,
    /// A space, also one of another width.
    Blank,
    /// `'`, `"`, or a typographic quotation mark.
    Quote,
    /// A byte order mark, a no-break space, a zero-width character, or a control character.
    Invisible,
}

impl StrayKind {
    fn of(character: char) -> Option<Self> {
        Some(match character {
            '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                Self::LineBreak
            }
            '\t' => Self::Tab,
            '\''
            | '"'
            | '\u{AB}'
            | '\u{BB}'
            | '\u{2018}'..='\u{201F}'
            | '\u{2039}'
            | '\u{203A}'
            | '\u{2032}'..='\u{2037}'
            | '\u{300C}'..='\u{300F}'
            | '\u{301D}'..='\u{301F}'
            | '\u{FF02}'
            | '\u{FF07}' => Self::Quote,
            // No-break spaces, soft hyphen, zero-width and directional characters, fillers,
            // variation selectors, and the byte order mark.
            '\u{A0}'
            | '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'
            | '\u{1160}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202F}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}' => Self::Invisible,
            other if other.is_whitespace() => Self::Blank,
            other if other.is_control() => Self::Invisible,
            _ => return None,
        })
    }
}

impl fmt::Display for StrayKind {
    /// Writes the kind with its article, such as `a line break`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LineBreak => "a line break",
            Self::Tab => "a tab",
            Self::Blank => "a blank",
            Self::Quote => "a quotation mark",
            Self::Invisible => {
                "an invisible character, such as a byte order mark or a no-break space"
            }
        })
    }
}
