//! Text for messages.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// Displays a duration in words, to the millisecond: `3 days, 1 second`.
pub(crate) struct InWords(pub(crate) Duration);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u128, &str); 5] = [
            (86_400_000, "day"),
            (3_600_000, "hour"),
            (60_000, "minute"),
            (1000, "second"),
            (1, "millisecond"),
        ];
        let (mut left, mut words) = (self.0.as_millis(), Vec::new());
        for (millis, unit) in UNITS {
            let count = left / millis;
            left %= millis;
            if count > 0 {
                words.push(format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
            }
        }
        if words.is_empty() { f.write_str("0 seconds") } else { f.write_str(&words.join(", ")) }
    }
}

/// Characters of a server's text that are shown.
const SHOWN: usize = 200;

/// Shortens text from outside for messages: 200 characters; control characters, and characters that
/// break lines or change the direction of text, are replaced.
pub(crate) fn shown(text: &str) -> String {
    let is_invisible = |c| matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let clean = |c: char| if c.is_control() || is_invisible(c) { ' ' } else { c };
    let mut short: String = text.chars().take(SHOWN).map(clean).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}

/// Returns the text of `bytes`, with a replacement character for what is not UTF-8.
///
/// An invalid byte is replaced together with a letter or symbol after it: in GBK, GB 18030, Big5 and
/// Shift JIS the second byte of a character may be a backslash or a brace, which are JSON syntax.
pub(crate) fn lossy_text(bytes: &[u8]) -> Cow<'_, str> {
    let mut text = String::new();
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) if text.is_empty() => return Cow::Borrowed(valid),
            Ok(valid) => return Cow::Owned(text + valid),
            Err(error) => {
                let (valid, invalid) = rest.split_at(error.valid_up_to());
                text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                text.push(char::REPLACEMENT_CHARACTER);
                let has_second = matches!(invalid.get(1), Some(0x40..=0x7E | 0x80..));
                rest = &invalid[if has_second { 2 } else { 1 }..];
            }
        }
    }
}

/// Returns lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_written_in_words() {
        for (millis, words) in [
            (0, "0 seconds"),
            (1, "1 millisecond"),
            (1000, "1 second"),
            (1_800_000, "30 minutes"),
            (259_200_000, "3 days"),
            (259_201_000, "3 days, 1 second"),
            (90_061_002, "1 day, 1 hour, 1 minute, 1 second, 2 milliseconds"),
        ] {
            assert_eq!(InWords(Duration::from_millis(millis)).to_string(), words);
        }
    }

    #[test]
    fn text_from_outside_stays_in_its_line_and_direction() {
        assert_eq!(shown("a\nb\u{202E}c\u{2028}d\u{200F}é变"), "a b c d é变");
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            cases: if cfg!(miri) { 4 } else { 256 },
            ..ProptestConfig::default()
        })]

        /// The parts of the text add up to the duration.
        #[test]
        fn words_add_up(millis in any::<u64>()) {
            let words = InWords(Duration::from_millis(millis)).to_string();
            let sum: u128 = words.split(", ").map(|part| {
                let (count, unit) = part.split_once(' ').unwrap_or_default();
                let unit = match unit.trim_end_matches('s') {
                    "day" => 86_400_000,
                    "hour" => 3_600_000,
                    "minute" => 60_000,
                    "second" => 1000,
                    _ => 1,
                };
                count.parse::<u128>().unwrap_or_default() * unit
            }).sum();
            prop_assert_eq!(sum, u128::from(millis));
        }
    }
}
