//! Settings: flag, then environment, then file.

mod config_file;

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
use zeroize::Zeroizing;

use self::config_file::ConfigFile;
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

impl Settings {
    /// Merges the three sources.
    pub(crate) fn load(args: SettingsArgs) -> Result<Self, Failure> {
        let file = ConfigFile::load(args.config, args.profile)?;
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
