//! The configuration file.

use std::env;
use std::path::{Path, PathBuf};

use super::values::Values;
use crate::failure::Failure;
use crate::reading::read_secret;

/// Reads the given file, or the one in the default place, if it exists, and chooses the profile. Returns the settings of the profile,
/// and those outside of all profiles where it has none; and the path of the file.
pub(super) fn load(
    given: Option<PathBuf>,
    profile: Option<String>,
) -> Result<(Values, PathBuf), Failure> {
    let file = given.or_else(|| default_config().filter(|path| path.exists()));
    let (path, name) = match (file, profile) {
        (Some(path), name) => (path, name),
        (None, None) => return Ok(<(Values, PathBuf)>::default()),
        (None, Some(name)) => {
            return Err(Failure::usage(format_args!(
                "profile {name} is set, but there is no configuration file; create {}, or give --config",
                default_config().unwrap_or_default().display()
            )));
        }
    };
    let mut file = read(&path)?;
    let Some(name) = name else { return Ok((file, path)) };
    let Some(profile) = file.profile.remove(&name) else {
        let names: Vec<&str> = file.profile.keys().map(String::as_str).collect();
        let names = if names.is_empty() { String::from("none") } else { names.join(", ") };
        return Err(Failure::usage(format_args!(
            "{} has no [profile.{name}]; its profiles are: {names}",
            path.display()
        )));
    };
    Ok((profile.or(file), path))
}

fn read(path: &Path) -> Result<Values, Failure> {
    let bytes = read_secret(path, "configuration file")?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::usage(format_args!("{} is not UTF-8", path.display())))?;
    // The parser's own message quotes the line, which may hold a key.
    let mut file: Values = toml::from_str(text).map_err(|error| {
        let line = 1 + error.span().map_or(0, |span| text[..span.start].matches('\n').count());
        Failure::usage(format_args!(
            "{}, line {line}: {}. The settings are endpoint, access_key, secret_key_file, secret_key, ca, pin_sha256, client_cert, client_key, tz, \
             query_line, backend, and tables [profile.NAME] of these",
            path.display(),
            without_values(error.message()),
        ))
    })?;
    if file.profile.values().any(|profile| !profile.profile.is_empty()) {
        return Err(Failure::usage(format_args!(
            "{}: a profile contains another profile; the tables are named [profile.NAME]",
            path.display()
        )));
    }
    // Relative paths are relative to the folder of the configuration file, because nightly jobs run in another folder.
    let folder = path.parent().unwrap_or(Path::new(""));
    let make_absolute = |settings: &mut Values| {
        let Values { secret_key_file, ca, client_cert, client_key, .. } = settings;
        let named = [secret_key_file, ca, client_cert, client_key].into_iter().flatten();
        for path in named.filter(|path| path.as_path() != Path::new("-")) {
            *path = folder.join(&*path);
        }
    };
    file.profile.values_mut().for_each(make_absolute);
    make_absolute(&mut file);
    Ok(file)
}

/// Returns the message of a TOML error without text of the file, which may be a key in the wrong place.
fn without_values(message: &str) -> String {
    if let Some((name, _)) =
        message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'))
    {
        let may_be_shown =
            name.len() <= 20 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        return if may_be_shown {
            format!("unknown setting {name}")
        } else {
            String::from("unknown setting")
        };
    }
    // The expected values are not from the file.
    if let Some((_, expected)) =
        message.strip_prefix("unknown variant `").and_then(|rest| rest.split_once("`, expected "))
    {
        return format!("the value must be {}", expected.replace('`', ""));
    }
    let words = message.split(['`', '"', '\n']).next().unwrap_or_default();
    words.split(", expected").next().unwrap_or_default().trim_end_matches([' ', ':']).to_owned()
}

fn default_config() -> Option<PathBuf> {
    let folder = match env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env::var_os("HOME")?).join(".config"),
    };
    Some(folder.join("ccfs").join("config.toml"))
}
