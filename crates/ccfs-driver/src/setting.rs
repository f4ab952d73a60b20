//! Checks the text of a setting for characters that were copied with it by mistake.

const INVISIBLE: &str = "an invisible character, such as a byte order mark or a no-break space";

/// Checks that `text`, the value of a setting, neither begins nor ends with white space, a
/// quotation mark or an invisible character.
///
/// Such characters are easily copied together with a value from a file, a shell or a document. Each
/// of them around a key makes every signature wrong, and bad signatures lock the address.
///
/// # Errors
///
/// [`StrayCharacter`] for the one at the start or, if there is none, for the one at the end.
///
/// ```
/// use ccfs_driver::check_setting;
///
/// assert!(check_setting("my-app-id").is_ok());
/// let error = check_setting("my-app-id\r\n").unwrap_err();
/// assert_eq!(error.to_string(), "ends with a line break; remove it");
/// ```
pub fn check_setting(text: &str) -> Result<(), StrayCharacter> {
    let mut characters = text.chars();
    for (edge, character) in [("begins", characters.next()), ("ends", characters.next_back())] {
        if let Some(kind) = character.and_then(stray_kind) {
            return Err(StrayCharacter { edge, kind });
        }
    }
    Ok(())
}

/// A setting begins or ends with a character that does not belong to it. Contains nothing of the
/// setting's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{edge} with {kind}; remove it")]
pub struct StrayCharacter {
    edge: &'static str,
    kind: &'static str,
}

/// Names the kind of a character that [`check_setting`] refuses; `None` for all others.
fn stray_kind(character: char) -> Option<&'static str> {
    Some(match character {
        '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => "a line break",
        '\t' => "a tab",
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
        | '\u{FF07}' => "a quotation mark",
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
        | '\u{E0000}'..='\u{E0FFF}' => INVISIBLE,
        other if other.is_whitespace() => "a blank",
        other if other.is_control() => INVISIBLE,
        _ => return None,
    })
}
