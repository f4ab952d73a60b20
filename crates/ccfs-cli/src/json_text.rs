//! Formats the server's JSON without parsing it into a tree: numbers keep their digits, and objects their order.

use std::fmt::{self, Display, Formatter, Write};

/// Valid JSON, shown with an indentation of two spaces for every depth.
pub(crate) struct Indented<'a>(pub(crate) &'a str);

/// Valid JSON, shown on one line.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl Display for Indented<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut depth = 0_usize;
        let mut tokens = Tokens(self.0).peekable();
        let line = |f: &mut Formatter<'_>, depth: usize| write!(f, "\n{:1$}", "", 2 * depth);
        while let Some(token) = tokens.next() {
            match token {
                "{" | "[" => {
                    f.write_str(token)?;
                    if let Some(end) = tokens.next_if(|next| matches!(*next, "}" | "]")) {
                        f.write_str(end)?;
                    } else {
                        depth += 1;
                        line(f, depth)?;
                    }
                }
                "}" | "]" => {
                    depth -= 1;
                    line(f, depth)?;
                    f.write_str(token)?;
                }
                "," => {
                    f.write_char(',')?;
                    line(f, depth)?;
                }
                ":" => f.write_str(": ")?,
                _ => f.write_str(token)?,
            }
        }
        Ok(())
    }
}

impl Display for OneLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Tokens(self.0).try_for_each(|token| f.write_str(token))
    }
}

/// What JSON is made of: strings with their quotes, numbers and words, and each sign by itself.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start_matches([' ', '\t', '\r', '\n']);
        let len = match text.as_bytes().first()? {
            b'"' => string_len(text.as_bytes()),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            _ => text
                .find([' ', '\t', '\r', '\n', '{', '}', '[', ']', ',', ':', '"'])
                .unwrap_or(text.len()),
        };
        let (token, rest) = text.split_at(len);
        self.0 = rest;
        Some(token)
    }
}

/// Bytes of the string at the start, with both quotes.
fn string_len(text: &[u8]) -> usize {
    let mut escaped = false;
    let ends = |&byte: &u8| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    };
    text[1..].iter().position(ends).map_or(text.len(), |at| at + 2)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    fn json() -> impl Strategy<Value = Value> {
        let text = || prop_oneof!["[ -~]{0,8}", any::<String>()];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, move |inner| {
            let object = prop::collection::vec((text(), inner.clone()), 0..6)
                .prop_map(|fields| Value::Object(Map::from_iter(fields)));
            prop_oneof![prop::collection::vec(inner, 0..6).prop_map(Value::from), object]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Has the output of `serde_json`, for any white space in the text.
        #[test]
        fn it_is_set_out_as_serde_json_does(value in json()) {
            let (plain, pretty) = (value.to_string(), format!("{value:#}"));
            for text in [&plain, &pretty] {
                prop_assert_eq!(Indented(text).to_string(), pretty.clone());
                prop_assert_eq!(OneLine(text).to_string(), plain.clone());
            }
        }
    }

    #[test]
    fn digits_order_and_escapes_stay() {
        let text =
            "{ \"z\" : 12345678901234567890123 ,\r\n\t\"a\":[1.10,1e400,\"\\\"\\\\\"],\"z\":{ } }";
        assert_eq!(
            OneLine(text).to_string(),
            r#"{"z":12345678901234567890123,"a":[1.10,1e400,"\"\\"],"z":{}}"#
        );
        let shown = "{\n  \"z\": 12345678901234567890123,\n  \"a\": [\n    1.10,\n    1e400,\n    \"\\\"\\\\\"\n  ],\n  \"z\": {}\n}";
        assert_eq!(Indented(text).to_string(), shown);
    }
}
