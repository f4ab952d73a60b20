//! Settings: flag, then environment, then file.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ccfs::doctor::Doctor;
use ccfs::pull::Zone;
use ccfs::{
    AsyncClient, Client, Config, Credentials, Endpoint, Identity, Policy, QueryLine, Trust,
    check_setting,
};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::interrupt;
use crate::message;
use crate::reading::{open_to_others, read_bounded, read_secret};

/// Settings that most commands need. A flag takes precedence over the environment, and the environment over the configuration file.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingsArgs {
    /// Configuration file [default: ~/.config/ccfs/config.toml, or ccfs/config.toml in `$XDG_CONFIG_HOME`]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Profile: use the settings of the table [profile.NAME] of the configuration file
    #[arg(long, global = true, value_name = "NAME", env = "CCFS_PROFILE")]
    pub(crate) profile: Option<String>,
    /// Base URL of the CC-FS server, https://ip:port; a path prefix is allowed
    #[arg(long, global = true, value_name = "URL", env = "CCFS_ENDPOINT")]
    pub(crate) endpoint: Option<String>,
    /// Access key (appId) of the developer account
    #[arg(long, global = true, value_name = "KEY", env = "CCFS_ACCESS_KEY")]
    pub(crate) access_key: Option<String>,
    /// File that contains the secret key, - for stdin; or set `CCFS_SECRET_KEY`
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) secret_key_file: Option<PathBuf>,
    /// PEM file of root certificates that are trusted in addition to the system's
    #[arg(long, global = true, value_name = "FILE", env = "CCFS_CA")]
    pub(crate) ca: Option<PathBuf>,
    /// Accept only the certificate with this SHA-256, with any names; several separated by commas, for a renewal
    #[arg(long, global = true, value_name = "HEX", env = "CCFS_PIN_SHA256")]
    pub(crate) pin_sha256: Option<String>,
    /// PEM file of the client certificate, for servers that request one
    #[arg(long, global = true, value_name = "FILE", env = "CCFS_CLIENT_CERT")]
    pub(crate) client_cert: Option<PathBuf>,
    /// PEM file of the client certificate's key, without a password
    #[arg(long, global = true, value_name = "FILE", env = "CCFS_CLIENT_KEY")]
    pub(crate) client_key: Option<PathBuf>,
    /// The tenant's time zone, such as Asia/Shanghai
    #[arg(long, global = true, value_name = "ZONE", env = "CCFS_TZ")]
    pub(crate) tz: Option<String>,
    /// Query line in the signature of a request without a query: omitted or empty [default: omit]
    #[arg(long, global = true, value_name = "DIALECT", env = "CCFS_QUERY_LINE")]
    pub(crate) query_line: Option<QueryLineArg>,
    /// HTTP client [default: blocking]
    #[arg(long, global = true, value_name = "KIND", env = "CCFS_BACKEND")]
    pub(crate) backend: Option<Backend>,
    /// Print answers and errors as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// An empty variable counts as not set, so that shells and service files can unset it.
pub(crate) fn without_empty_variables(mut command: clap::Command) -> clap::Command {
    let is_empty = |argument: &&clap::Arg| {
        argument.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty())
    };
    let empty: Vec<clap::Id> = command
        .get_arguments()
        .filter(is_empty)
        .map(|argument| argument.get_id().clone())
        .collect();
    for id in empty {
        command = command.mut_arg(id, |argument| argument.env(None::<&str>));
    }
    command
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum QueryLineArg {
    Omit,
    Empty,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Backend {
    #[default]
    Blocking,
    Async,
}

/// The settings of this run. Those that the command does not need may be missing.
#[derive(Debug)]
pub(crate) struct Settings {
    endpoint: Option<String>,
    access_key: Option<String>,
    secret_key: Option<SecretSource>,
    /// Read once, because stdin can be read only once and a pull with callbacks needs the keys twice.
    credentials: OnceLock<Credentials>,
    ca: Option<PathBuf>,
    pin_sha256: Option<String>,
    client_cert: Option<PathBuf>,
    client_key: Option<PathBuf>,
    tz: Option<String>,
    query_line: QueryLine,
    pub(crate) backend: Backend,
    pub(crate) json: bool,
}

enum SecretSource {
    File(PathBuf),
    /// The configuration file at this path.
    Config(PathBuf, Zeroizing<String>),
    Variable(Zeroizing<String>),
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Config(path, _) => f.debug_tuple("Config").field(path).finish_non_exhaustive(),
            Self::Variable(_) => f.write_str("Variable(redacted)"),
        }
    }
}

/// The configuration file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    #[serde(skip)]
    path: PathBuf,
    endpoint: Option<String>,
    access_key: Option<String>,
    secret_key_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "wiped")]
    secret_key: Option<Zeroizing<String>>,
    ca: Option<PathBuf>,
    pin_sha256: Option<String>,
    client_cert: Option<PathBuf>,
    client_key: Option<PathBuf>,
    tz: Option<String>,
    query_line: Option<QueryLineArg>,
    backend: Option<Backend>,
    #[serde(default)]
    profile: BTreeMap<String, ConfigFile>,
}

impl ConfigFile {
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

impl Settings {
    /// Merges the three sources.
    pub(crate) fn load(args: SettingsArgs) -> Result<Self, Failure> {
        let file = match (config_file(args.config)?, args.profile) {
            (Some(file), Some(name)) => file.with_profile(&name)?,
            (Some(file), None) => file,
            (None, None) => ConfigFile::default(),
            (None, Some(name)) => {
                return Err(Failure::usage(format_args!(
                    "profile {name} is set, but there is no configuration file; create {}, or give --config",
                    default_config().unwrap_or_default().display()
                )));
            }
        };
        let secret_key = match (
            args.secret_key_file,
            secret_variable("CCFS_SECRET_KEY")?,
            file.secret_key_file,
            file.secret_key,
        ) {
            (Some(path), ..) | (None, None, Some(path), _) => Some(SecretSource::File(path)),
            (None, Some(text), ..) => Some(SecretSource::Variable(text)),
            (None, None, None, text) => {
                text.map(|text| SecretSource::Config(file.path.clone(), text))
            }
        };
        Ok(Self {
            endpoint: args.endpoint.or(file.endpoint),
            access_key: args.access_key.or(file.access_key),
            secret_key,
            credentials: OnceLock::new(),
            ca: args.ca.or(file.ca),
            pin_sha256: args.pin_sha256.or(file.pin_sha256),
            client_cert: args.client_cert.or(file.client_cert),
            client_key: args.client_key.or(file.client_key),
            tz: args.tz.or(file.tz),
            query_line: match args.query_line.or(file.query_line) {
                Some(QueryLineArg::Empty) => QueryLine::Empty,
                Some(QueryLineArg::Omit) | None => QueryLine::Omit,
            },
            backend: args.backend.or(file.backend).unwrap_or_default(),
            json: args.json,
        })
    }

    pub(crate) fn query_line(&self) -> QueryLine {
        self.query_line
    }

    pub(crate) fn endpoint(&self) -> Result<Endpoint, Failure> {
        let text = self
            .endpoint
            .as_deref()
            .ok_or_else(|| missing("endpoint", "--endpoint", "CCFS_ENDPOINT"))?;
        check("endpoint (--endpoint, CCFS_ENDPOINT or configuration file)", text)?;
        text.parse().map_err(Failure::usage)
    }

    /// Returns whether a key is set.
    pub(crate) fn has_keys(&self) -> bool {
        self.access_key.is_some() || self.secret_key.is_some()
    }

    /// Returns the file that contains the secret key: a separate file, except stdin, or the configuration file.
    pub(crate) fn secret_key_file(&self) -> Option<&Path> {
        match &self.secret_key {
            Some(SecretSource::File(path) | SecretSource::Config(path, _)) => {
                Some(path.as_path()).filter(|path| *path != Path::new("-"))
            }
            Some(SecretSource::Variable(_)) | None => None,
        }
    }

    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        if let Some(credentials) = self.credentials.get() {
            return Ok(credentials.clone());
        }
        let (access_key, mut secret_key) = self.keys()?;
        if let Some(warning) = self.secret_key_file().and_then(open_to_others) {
            message::note(format_args!("warning: {warning}"));
        }
        let credentials = Credentials::from_text(access_key, mem::take(&mut *secret_key))
            .map_err(Failure::usage)?;
        Ok(self.credentials.get_or_init(|| credentials).clone())
    }

    /// Returns the keys as text, for the emulator, which needs the secret key.
    pub(crate) fn keys(&self) -> Result<(&str, Zeroizing<String>), Failure> {
        let access_key = self
            .access_key
            .as_deref()
            .ok_or_else(|| missing("access key", "--access-key", "CCFS_ACCESS_KEY"))?;
        check("access key (--access-key, CCFS_ACCESS_KEY or configuration file)", access_key)?;
        let secret_key = match &self.secret_key {
            None => return Err(missing("secret key", "--secret-key-file", "CCFS_SECRET_KEY")),
            Some(SecretSource::Variable(text)) => {
                check("secret key (CCFS_SECRET_KEY)", text)?;
                text.clone()
            }
            Some(SecretSource::Config(path, text)) => {
                check(format_args!("secret key in {}", path.display()), text)?;
                text.clone()
            }
            Some(SecretSource::File(path)) => {
                let bytes = read_secret(path, "secret key file")?;
                let text = std::str::from_utf8(&bytes)
                    .map_err(|_| Failure::usage("the secret key file is not UTF-8"))?;
                // Editors add a line end after the key.
                let text = text.trim_end_matches(['\r', '\n']);
                check(format_args!("secret key file {}", path.display()), text)?;
                if text.contains(['\r', '\n']) {
                    return Err(Failure::usage(
                        "the secret key file has more than one line; it must contain the key only",
                    ));
                }
                Zeroizing::new(text.to_owned())
            }
        };
        Ok((access_key, secret_key))
    }

    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        let mut trust = Trust::system();
        if let Some(path) = &self.ca {
            let pem = read_bounded(path, "CA file")?;
            trust = trust
                .add_pem(&pem)
                .map_err(|error| Failure::usage(format_args!("{}: {error}", path.display())))?;
        }
        for pin in self.pin_sha256.iter().flat_map(|pins| pins.split(',')) {
            trust = trust.pin(
                pin.parse()
                    .map_err(|error| Failure::usage(format_args!("--pin-sha256: {error}")))?,
            );
        }
        Ok(match self.identity()? {
            Some(identity) => trust.identity(identity),
            None => trust,
        })
    }

    /// Returns the client certificate, if one is set.
    fn identity(&self) -> Result<Option<Identity>, Failure> {
        let (certificate, key) = match (&self.client_cert, &self.client_key) {
            (Some(certificate), Some(key)) => (certificate, key),
            (None, None) => return Ok(None),
            _ => {
                return Err(Failure::usage(
                    "a client certificate needs its key: give both --client-cert and --client-key",
                ));
            }
        };
        // The certificate's file may contain the key, too.
        let pem = read_secret(certificate, "client certificate")?;
        let key_pem = read_secret(key, "client key")?;
        let identity = Identity::from_pem(&pem, &key_pem);
        identity.map(Some).map_err(|error| {
            Failure::usage(format_args!("{}, {}: {error}", certificate.display(), key.display()))
        })
    }

    /// Returns the tenant's time zone, if one is set.
    pub(crate) fn time_zone(&self) -> Result<Option<Zone>, Failure> {
        let Some(name) = self.tz.as_deref() else { return Ok(None) };
        check("time zone (--tz, CCFS_TZ or configuration file)", name)?;
        Zone::named(name).map(Some).map_err(Failure::usage)
    }

    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.client_with(self.policy())
    }

    pub(crate) fn async_client(&self) -> Result<AsyncClient, Failure> {
        self.async_client_with(self.policy())
    }

    /// Creates a client for pulls, which have their own retries.
    pub(crate) fn pulling_client(&self) -> Result<Client, Failure> {
        self.client_with(self.pulling_policy())
    }

    /// Creates an async client for pulls.
    pub(crate) fn pulling_async_client(&self) -> Result<AsyncClient, Failure> {
        self.async_client_with(self.pulling_policy())
    }

    fn client_with(&self, policy: Policy) -> Result<Client, Failure> {
        let config = self.config(policy)?.clock(interrupt::InterruptibleClock::new());
        Client::with_trust(config, &self.trust()?).map_err(Failure::usage)
    }

    fn async_client_with(&self, policy: Policy) -> Result<AsyncClient, Failure> {
        AsyncClient::with_trust(self.config(policy)?, &self.trust()?).map_err(Failure::usage)
    }

    fn config(&self, policy: Policy) -> Result<Config, Failure> {
        Ok(Config::new(self.endpoint()?, self.credentials()?).policy(policy))
    }

    /// Returns the proxy of calls without its password, for messages.
    pub(crate) fn proxy(&self) -> Option<String> {
        let config = self.config(self.policy()).ok()?;
        let proxy = ccfs::Session::new(config).proxy().ok()??;
        Some(proxy.to_string())
    }

    pub(crate) fn doctor(&self) -> Result<Doctor, Failure> {
        let credentials = if self.has_keys() { Some(self.credentials()?) } else { None };
        Ok(Doctor::new(self.endpoint()?, credentials)
            .trust(self.trust()?)
            .query_line(self.query_line))
    }

    fn policy(&self) -> Policy {
        Policy::default().query_line(self.query_line)
    }

    /// A pull retries by itself, over all its calls.
    fn pulling_policy(&self) -> Policy {
        self.policy().max_retries(0)
    }
}

/// Refuses a setting that begins or ends with a stray character, which would cause bad signatures.
fn check(name: impl fmt::Display, text: &str) -> Result<(), Failure> {
    check_setting(text).map_err(|stray| Failure::usage(format_args!("{name} {stray}")))
}

fn missing(what: &str, flag: &str, variable: &str) -> Failure {
    Failure::usage(format_args!(
        "no {what} is set: give {flag}, or set {variable}, or write it into the configuration file"
    ))
}

fn config_file(given: Option<PathBuf>) -> Result<Option<ConfigFile>, Failure> {
    let Some(path) = given.or_else(|| default_config().filter(|path| path.exists())) else {
        return Ok(None);
    };
    let bytes = read_secret(&path, "configuration file")?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::usage(format_args!("{} is not UTF-8", path.display())))?;
    // The parser's own message quotes the line, which may hold a key.
    let mut file: ConfigFile = toml::from_str(text).map_err(|error| {
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
    let make_absolute = |settings: &mut ConfigFile| {
        for named in settings.paths().filter(|named| named.as_path() != Path::new("-")) {
            *named = folder.join(&*named);
        }
    };
    file.profile.values_mut().for_each(make_absolute);
    make_absolute(&mut file);
    file.path.clone_from(&path);
    Ok(Some(file))
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

/// Returns an environment variable in the buffer that the standard library allocated.
fn secret_variable(name: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    match String::from_utf8(value.into_encoded_bytes()) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(Failure::usage(format_args!("{name} is not UTF-8")))
        }
    }
}

/// Deserializes a text into a buffer that is wiped, even if another source takes precedence.
fn wiped<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Zeroizing<String>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Zeroizing::new))
}
