//! Checks the licences that `cargo metadata` reports against the list in `deny.toml`. `cargo deny` is more thorough, where it is installed.

use serde_json::Value;

use crate::workspace::{list, read, root, text};

/// Packages whose licence is not one that `deny.toml` allows.
pub(crate) fn check(metadata: &Value) -> Result<Vec<String>, String> {
    let config = read(&root().join("deny.toml"))?;
    let allowed = allowed(&config);
    if allowed.is_empty() {
        return Err("deny.toml allows no licence".into());
    }
    let foreign = list(&metadata["packages"]).filter(|package| !package["source"].is_null());
    let wrong = foreign.filter_map(|package| {
        let licence = text(&package["license"]);
        let name = text(&package["name"]);
        let allowed = [allowed.as_slice(), &allowed_for(&config, name)].concat();
        (!is_allowed(licence, &allowed))
            .then(|| format!("{name}: its licence, {licence:?}, is not in deny.toml"))
    });
    Ok(wrong.collect())
}

/// The list `allow` below `[licenses]`.
fn allowed(config: &str) -> Vec<&str> {
    texts_of(section(config), "\nallow = [")
}

/// The licences that a line of `exceptions` below `[licenses]` allows for one crate.
fn allowed_for<'c>(config: &'c str, name: &str) -> Vec<&'c str> {
    let names_it = format!("crate = \"{name}\"");
    let lines = section(config).lines().filter(|line| line.contains(&names_it));
    lines.flat_map(|line| texts_of(line, "{ allow = [")).collect()
}

fn section(config: &str) -> &str {
    let rest = config.split("\n[licenses]").nth(1);
    rest.and_then(|rest| rest.split("\n[").next()).unwrap_or_default()
}

/// The texts in the list that begins with `start`.
fn texts_of<'c>(config: &'c str, start: &str) -> Vec<&'c str> {
    let rest = config.split(start).nth(1);
    let list = rest.and_then(|rest| rest.split(']').next()).unwrap_or_default();
    list.split('"').skip(1).step_by(2).collect()
}

/// Whether an SPDX expression can be met with allowed licences. `/` is an old way to write OR.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let words = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = words.split_whitespace().peekable();
    let met = any(&mut words, allowed);
    met && words.next().is_none()
}

type Words<'w> = std::iter::Peekable<std::str::SplitWhitespace<'w>>;

fn any(words: &mut Words<'_>, allowed: &[&str]) -> bool {
    let mut met = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= all(words, allowed);
    }
    met
}

fn all(words: &mut Words<'_>, allowed: &[&str]) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words<'_>, allowed: &[&str]) -> bool {
    let Some(word) = words.next() else { return false };
    if word == "(" {
        return any(words, allowed) && words.next() == Some(")");
    }
    if words.next_if_eq(&"WITH").is_some() {
        let exception = words.next().unwrap_or_default();
        return allowed.contains(&format!("{word} WITH {exception}").as_str());
    }
    allowed.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_that_of_the_section() {
        let config = "[bans]\nallow = [\"a\"]\n\n[licenses]\n# x\nallow = [\n    \"MIT\",\n    \"ISC\",\n]\n\n[sources]\nallow = [\"b\"]\n";
        assert_eq!(allowed(config), ["MIT", "ISC"]);
        let config = "\n[licenses]\nallow = [\"MIT\"]\nexceptions = [\n    { allow = [\"X\", \"Y\"], crate = \"a\" },\n]\n";
        assert_eq!(allowed(config), ["MIT"]);
        assert_eq!(allowed_for(config, "a"), ["X", "Y"]);
        assert!(allowed_for(config, "b").is_empty());
    }

    #[test]
    fn expressions_are_met_or_not() {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"];
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0/MIT",
            "(MIT OR X) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR X",
            "X OR (MIT AND Apache-2.0)",
        ] {
            assert!(is_allowed(good, &allowed), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT OR X) AND X",
            "MIT WITH Classpath-exception-2.0",
            "(MIT",
            "MIT MIT",
            "X OR (MIT AND X)",
        ] {
            assert!(!is_allowed(bad, &allowed), "{bad}");
        }
    }
}
