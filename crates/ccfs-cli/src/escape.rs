//! Text from outside, where a person reads it.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Escapes characters that would change what a terminal shows: control characters except line breaks
/// and tabs, line separators, and marks of the direction of text. `ESC` becomes `\\u001b`, which is
/// also its form in JSON.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown.into()
}

fn is_hidden(c: char) -> bool {
    let is_direction = matches!(c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_line_end = matches!(c, '\u{2028}' | '\u{2029}');
    is_direction || is_line_end || (c.is_control() && c != '\n' && c != '\t')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Nothing hidden is left, JSON has the same value, and other texts are unchanged.
        #[test]
        fn texts_are_escaped(text in any::<String>()) {
            let shown = escaped(&text);
            prop_assert!(!shown.contains(is_hidden));
            prop_assert_eq!(shown == text, !text.contains(is_hidden));
            let json = serde_json::to_string(&text).unwrap();
            let read: String = serde_json::from_str(&escaped(&json)).unwrap();
            prop_assert_eq!(read, text);
        }
    }

    #[test]
    fn terminals_do_not_see_commands() {
        assert_eq!(
            escaped("a\u{1b}[2J\u{9b}b\u{202e}c\r\n"),
            "a\\u001b[2J\\u009bb\\u202ec\\u000d\n"
        );
    }
}
