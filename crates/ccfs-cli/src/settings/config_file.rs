//! The configuration file.

use std::collections::BTreeMap;
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
    #[serde(default)]
    profile: BTreeMap<String, ConfigFile>,
}

impl ConfigFile {
    /// Reads the given file, or the one in the default place, if it exists, and chooses the profile.
    pub(super) fn load(given: Option<PathBuf>, profile: Option<String>) -> Result<Self, Failure> {
        match (Self::read(given)?, profile) {
            (Some(file), Some(name)) => file.with_profile(&name),
            (Some(file), None) => Ok(file),
            (None, None) => Ok(Self::default()),
            (None, Some(name)) => Err(Failure::usage(format_args!(
                "profile {name} is set, but there is no configuration file; create {}, or give --config",
                default_config().unwrap_or_default().display()
            ))),
        }
    }

    fn read(given: Option<PathBuf>) -> Result<Option<Self>, Failure> {
        let Some(path) = given.or_else(|| default_config().filter(|path| path.exists())) else {
            return Ok(None);
        };
        let bytes = read_secret(&path, "configuration file")?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Failure::usage(format_args!("{} is not UTF-8", path.display())))?;
        // The parser's own message quotes the line, which may hold a key.
        let mut file: Self = toml::from_str(text).map_err(|error| {
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
        let make_absolute = |settings: &mut Self| {
            for named in settings.paths().filter(|named| named.as_path() != Path::new("-")) {
                *named = folder.join(&*named);
            }
        };
        file.profile.values_mut().for_each(make_absolute);
        make_absolute(&mut file);
        file.path.clone_from(&path);
        Ok(Some(file))
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.secret_key_file, &mut self.ca, &mut self.client_cert, &mut self.client_key]
            .into_iter()
            .flatten()
    }

    /// Returns the settings of a profile, and those outside of all profiles where it has none.
    fn with_profile(mut self, name: &str) -> Result<Self, Failure> {
        let Some(profile) = self.profile.remove(name) else {
            let names: Vec<&str> = self.profile.keys().map(String::as_str).collect();
            let names = if names.is_empty() { String::from("none") } else { names.join(", ") };
            return Err(Failure::usage(format_args!(
                "{} has no [profile.{name}]; its profiles are: {names}",
                self.path.display()
            )));
        };
        // A secret key replaces the other one, whether it is text or a file.
        let (secret_key_file, secret_key) = match (profile.secret_key_file, profile.secret_key) {
            (None, None) => (self.secret_key_file, self.secret_key),
            keys => keys,
        };
        Ok(Self {
            path: self.path,
            endpoint: profile.endpoint.or(self.endpoint),
            access_key: profile.access_key.or(self.access_key),
            secret_key_file,
            secret_key,
            ca: profile.ca.or(self.ca),
            pin_sha256: profile.pin_sha256.or(self.pin_sha256),
            client_cert: profile.client_cert.or(self.client_cert),
            client_key: profile.client_key.or(self.client_key),
            tz: profile.tz.or(self.tz),
            query_line: profile.query_line.or(self.query_line),
            backend: profile.backend.or(self.backend),
            profile: BTreeMap::new(),
        })
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
