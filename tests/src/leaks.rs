//! Finds secrets in output that must not contain them.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::{Debug, Display, Write};

use memchr::memmem;

/// Realistic secret keys: plain, with multi-byte characters, with characters that are escaped, longer than HMAC's block.
pub const SECRET_KEYS: [&str; 4] = [
    "MARKER-secret-key",
    "ключ-密钥-🔑-marker",
    "zz\"q\\uote\tn-marker",
    "MARKER-long-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789",
];

/// Secrets that must not be shown, each in every form in which it could appear.
#[derive(Clone, Default)]
pub struct Secrets {
    forms: BTreeSet<(String, String)>,
    hex: BTreeSet<(String, String)>,
}

impl Secrets {
    /// Adds a text; `what` names it in the verdict.
    pub fn add(&mut self, what: &str, secret: &str) {
        // Half of a secret in a log is a leak, too. Searching for the first half also finds complete secrets.
        let half: String = secret.chars().take(secret.chars().count() / 2 + 1).collect();
        let json = serde_json::to_string(&half).unwrap();
        for form in [
            half.clone(),
            half.escape_debug().to_string(),
            half.escape_default().to_string(),
            half.escape_unicode().to_string(),
            json.trim_matches('"').to_owned(),
        ] {
            self.forms.insert((what.to_owned(), form));
        }
        self.add_bytes(what, half.as_bytes());
    }

    /// Adds bytes that are not text.
    pub fn add_bytes(&mut self, what: &str, secret: &[u8]) {
        assert!(secret.len() >= 8, "{what} is too short to be found for sure");
        let hex = secret.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let percent = |keep: fn(u8) -> bool| {
            secret.iter().fold(String::new(), |text, &byte| match byte {
                byte if keep(byte) => text + &char::from(byte).to_string(),
                byte => text + &format!("%{byte:02X}"),
            })
        };
        let decimals = format!("{secret:?}");
        for form in [
            percent(|_| false),
            percent(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
            secret.escape_ascii().to_string(),
            hex.to_uppercase(),
            // The beginning of a list of numbers is enough: long lists are cut.
            decimals[1..].split(", ").take(8).collect::<Vec<_>>().join(", "),
        ] {
            self.forms.insert((what.to_owned(), form));
        }
        self.hex.insert((what.to_owned(), hex));
    }

    /// Returns the name and the form of a secret that `text` contains; `text` may be a log with a hex dump over several lines.
    pub fn first_in(&self, text: &str) -> Option<String> {
        // Without optimization, `contains` takes half of the processor time of these tests.
        let is_in =
            |form: &str, text: &str| memmem::find(text.as_bytes(), form.as_bytes()).is_some();
        let plain = self.forms.iter().chain(&self.hex).find(|(_, form)| is_in(form, text));
        let dump = dumped(text);
        let found = plain.or_else(|| self.hex.iter().find(|(_, form)| is_in(form, &dump)));
        found.map(|(what, form)| format!("{what}, as {form}"))
    }

    /// Panics if `text` contains a secret; `name` is in the message.
    pub fn must_not_be_in(&self, name: &str, text: &str) {
        let found = self.first_in(text);
        assert!(found.is_none(), "{name} shows {}", found.unwrap_or_default());
    }
}

impl Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").field("forms", &self.forms.len()).finish_non_exhaustive()
    }
}

/// Finds everything in the form of a signature: 64 hex digits after a list of signed headers, the last of which is `host`.
pub fn signatures(text: &str) -> Vec<&str> {
    let behind = text
        .split("host/")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_ascii_hexdigit()).next().unwrap_or_default());
    behind.filter(|digits| digits.len() == 64).collect()
}

/// The groups of hex digits with which lines begin, put together as a dump's columns are.
fn dumped(text: &str) -> String {
    let is_group =
        |word: &&str| word.len() <= 8 && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    text.lines()
        .flat_map(|line| line.split_whitespace().take_while(is_group))
        .collect::<String>()
        .replace('-', "")
}

/// All rendered values, in every format that a value has, and their types.
#[derive(Debug, Default)]
pub struct Rendered {
    text: String,
    types: BTreeSet<String>,
}

impl Rendered {
    /// `{:?}` and `{:#?}`.
    pub fn debug<T: Debug + ?Sized>(&mut self, value: &T) {
        self.note::<T>("Debug");
        writeln!(self.text, "{value:?}\n{value:#?}").unwrap();
    }

    /// `{}` and `{:#}`.
    pub fn display<T: Display + ?Sized>(&mut self, value: &T) {
        self.note::<T>("Display");
        writeln!(self.text, "{value}\n{value:#}").unwrap();
    }

    /// Renders a value in both ways.
    pub fn both<T: Debug + Display + ?Sized>(&mut self, value: &T) {
        self.debug(value);
        self.display(value);
    }

    /// Renders an error and all of its sources.
    pub fn error<E: Error + 'static>(&mut self, error: &E) {
        self.both(error);
        let mut next = error.source();
        while let Some(error) = next {
            writeln!(self.text, "{error:?}\n{error:#?}\n{error}\n{error:#}").unwrap();
            next = error.source();
        }
    }

    /// Renders the outcome of a call.
    pub fn outcome<T: Debug, E: Error + 'static>(&mut self, outcome: &Result<T, E>) {
        self.debug(outcome);
        if let Err(error) = outcome {
            self.error(error);
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The traits and public names of what was rendered, as `Debug ccfs_proto::Credentials`: of each value's type and those that it is made of.
    pub fn types(&self) -> &BTreeSet<String> {
        &self.types
    }

    fn note<T: ?Sized>(&mut self, as_trait: &str) {
        // `core::result::Result<ccfs_proto::operation::job::Job, ccfs_driver::error::Error>` names two of ours.
        for path in
            std::any::type_name::<T>().split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
        {
            let (first, last) = (path.split("::").next(), path.rsplit("::").next());
            if let (Some(first), Some(last)) = (first, last)
                && first.starts_with("ccfs")
            {
                self.types.insert(format!("{as_trait} {first}::{last}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use ccfs_proto::Credentials;

    use super::*;

    /// The search finds every planted secret: in types that leak in one way each, and in a log.
    #[test]
    fn a_leak_is_found() {
        #[derive(Debug)]
        #[allow(dead_code)] // It is there to be rendered.
        struct Careless<T>(T);

        #[derive(Debug, thiserror::Error)]
        #[error("the request could not be sent")]
        struct Outer(#[source] Inner);

        #[derive(thiserror::Error)]
        #[error("{0} was refused")]
        struct Inner(String);

        impl fmt::Debug for Inner {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("Inner")
            }
        }

        for key in SECRET_KEYS {
            let mut secrets = Secrets::default();
            secrets.add("a secret key", key);
            let hex = key.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
            let first_part: String = key.chars().take(key.chars().count() * 2 / 3).collect();
            let found = |render: &dyn Fn(&mut Rendered)| {
                let mut shown = Rendered::default();
                render(&mut shown);
                secrets.first_in(shown.text())
            };
            let leaks: [&dyn Fn(&mut Rendered); 9] = [
                &|shown| shown.debug(&Careless(key)),
                &|shown| shown.debug(&Careless(key.as_bytes())),
                &|shown| shown.debug(&Careless(bytes(key))),
                &|shown| shown.debug(&http::HeaderValue::from_bytes(hex.as_bytes()).unwrap()),
                &|shown| shown.display(&key),
                &|shown| shown.display(&format_args!("{first_part}***")),
                &|shown| shown.display(&serde_json::json!({ "key": key })),
                &|shown| shown.display(&hex.to_uppercase()),
                &|shown| shown.error(&Outer(Inner(key.to_owned()))),
            ];
            for (number, leak) in leaks.into_iter().enumerate() {
                assert!(found(leak).is_some(), "leak {number} of {key:?} was not found");
            }
            assert_eq!(
                found(&|shown| shown.debug(&Credentials::from_text("ak", key.to_owned()).unwrap())),
                None
            );
            assert_eq!(
                found(&|shown| shown.display(&"another text of about that length, with a MARKER")),
                None
            );

            // As ureq's trace does: sixteen bytes a line.
            let dump: String = key.as_bytes().chunks(16).fold(String::new(), |dump, row| {
                let columns: Vec<String> = row
                    .chunks(2)
                    .map(|pair| {
                        pair.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
                    })
                    .collect();
                dump + &columns.join(" ") + "  ................\n"
            });
            assert!(secrets.first_in(&dump).is_some(), "{dump}");
        }
    }

    /// Finds a signature in a header that the core created, but not in the redacted header of the emulator's log.
    #[test]
    fn a_signature_is_found() {
        let credentials = Credentials::from_text("ak", SECRET_KEYS[0].to_owned()).unwrap();
        let view = ccfs_proto::RequestView {
            method: "POST",
            path: "/",
            query: &[],
            headers: &[("host", "h")],
            body: b"",
        };
        let at = ccfs_proto::Timestamp::from_unix_millis(0);
        let header =
            ccfs_proto::Signer::new(&credentials).explain(view, at).unwrap().authorization();
        let (prefix, signature) = header.rsplit_once('/').unwrap();
        assert_eq!(signatures(&format!("a log: {header:?}\nand {prefix}/…")), [signature]);
    }

    /// As `bytes::Bytes` formats itself: escaped.
    fn bytes(text: &str) -> impl fmt::Debug {
        OwnBytes(text.as_bytes().to_vec())
    }

    struct OwnBytes(Vec<u8>);

    impl fmt::Debug for OwnBytes {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "b\"{}\"", self.0.escape_ascii())
        }
    }
}
