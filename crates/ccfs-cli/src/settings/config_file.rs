//! The configuration file.

use std::env;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::{Backend, QueryLineArg};
use crate::failure::Failure;
use crate::reading::read_secret;

/// The configuration file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    #[serde(skip)]
    pub(super) path: PathBuf,
    pub(super) endpoint: Option<String>,
    pub(super) access_key: Option<String>,
    pub(super) secret_key_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "wiped")]
    pub(super) secret_key: Option<Zeroizing<String>>,
    pub(super) ca: Option<PathBuf>,
    pub(super) pin_sha256: Option<String>,
    pub(super) client_cert: Option<PathBuf>,
    pub(super) client_key: Option<PathBuf>,
    pub(super) tz: Option<String>,
    pub(super) query_line: Option<QueryLineArg>,
    pub(super) backend: Option<Backend>,
}

impl ConfigFile {
    /// Reads the given file, or the one in the default place, if it exists.
    pub(super) fn load(given: Option<PathBuf>) -> Result<Self, Failure> {
        let path = match given {
            Some(path) => path,
            None => match default_config().filter(|path| path.exists()) {
                Some(path) => path,
                None => return Ok(Self::default()),
            },
        };
        let bytes = read_secret(&path, "configuration file")?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Failure::usage(format_args!("{} is not UTF-8", path.display())))?;
        // The parser's own message quotes the line, which may hold a key.
        let mut file: Self = toml::from_str(text).map_err(|error| {
            let line = 1 + error.span().map_or(0, |span| text[..span.start].matches('\n').count());
            Failure::usage(format_args!(
                "{}, line {line}: {}. The settings are endpoint, access_key, secret_key_file, secret_key, ca, pin_sha256, client_cert, client_key, tz, \
                 query_line, backend",
                path.display(),
                without_values(error.message()),
            ))
        })?;
        // Relative paths are relative to the folder of the configuration file, because nightly jobs run in another folder.
        file.path.clone_from(&path);
        let folder = path.parent().unwrap_or(Path::new(""));
        for named in
            [&mut file.secret_key_file, &mut file.ca, &mut file.client_cert, &mut file.client_key]
                .into_iter()
                .flatten()
        {
            if named.as_path() != Path::new("-") {
                *named = folder.join(&*named);
            }
        }
        Ok(file)
    }
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

/// Deserializes a text into a buffer that is wiped, even if another source takes precedence.
fn wiped<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Zeroizing<String>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Zeroizing::new))
}
