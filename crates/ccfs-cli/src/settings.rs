//! Settings: flag, then environment, then file.

mod config_file;
mod values;

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
use clap::Args;
use zeroize::Zeroizing;

pub(crate) use self::values::Backend;
use self::values::{QueryLineArg, Values};
use crate::failure::Failure;
use crate::interrupt;
use crate::message;
use crate::reading::{open_to_others, read_secret};

/// Settings that most commands need. A flag takes precedence over the environment, and the environment over the configuration file.
#[derive(Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingsArgs {
    /// Configuration file [default: ~/.config/ccfs/config.toml, or ccfs/config.toml in `$XDG_CONFIG_HOME`]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Profile: use the settings of the table [profile.NAME] of the configuration file
    #[arg(long, global = true, value_name = "NAME", env = "CCFS_PROFILE")]
    profile: Option<String>,
    #[command(flatten)]
    values: Values,
    /// Print answers and errors as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// An empty variable counts as not set, so that shells and service files can unset it.
pub(crate) fn without_empty_variables(command: clap::Command) -> clap::Command {
    command.mut_args(|argument| {
        let value = argument.get_env().and_then(env::var_os);
        if value.is_some_and(|value| value.is_empty()) {
            argument.env(None::<&str>)
        } else {
            argument
        }
    })
}

/// The settings of this run. Those that the command does not need may be missing.
pub(crate) struct Settings {
    values: Values,
    /// Source of a secret key without a separate file: the configuration file, or `None` for the environment variable.
    secret_key_in: Option<PathBuf>,
    /// Read once, because stdin can be read only once and a pull with callbacks needs the keys twice.
    credentials: OnceLock<Credentials>,
    pub(crate) query_line: QueryLine,
    pub(crate) backend: Backend,
    pub(crate) json: bool,
}

impl Settings {
    /// Merges the three sources.
    pub(crate) fn load(args: SettingsArgs) -> Result<Self, Failure> {
        let (file, path) = config_file::load(args.config, args.profile)?;
        let mut values = args.values;
        values.secret_key = secret_variable("CCFS_SECRET_KEY")?;
        let secret_key_in = values.secret_key.is_none().then_some(path);
        let values = values.or(file);
        Ok(Self {
            secret_key_in,
            credentials: OnceLock::new(),
            query_line: match values.query_line {
                Some(QueryLineArg::Empty) => QueryLine::Empty,
                Some(QueryLineArg::Omit) | None => QueryLine::Omit,
            },
            backend: values.backend.unwrap_or_default(),
            json: args.json,
            values,
        })
    }

    pub(crate) fn endpoint(&self) -> Result<Endpoint, Failure> {
        let text = self.values.endpoint.as_deref();
        let text = text.ok_or_else(|| missing("endpoint", "--endpoint", "CCFS_ENDPOINT"))?;
        check("endpoint (--endpoint, CCFS_ENDPOINT or configuration file)", text)?;
        text.parse().map_err(Failure::usage)
    }

    /// Returns whether a key is set.
    pub(crate) fn has_keys(&self) -> bool {
        let Values { access_key, secret_key_file, secret_key, .. } = &self.values;
        access_key.is_some() || secret_key_file.is_some() || secret_key.is_some()
    }

    /// Returns the file that contains the secret key: a separate file, except stdin, or the configuration file.
    pub(crate) fn secret_key_file(&self) -> Option<&Path> {
        let is_in_config = self.values.secret_key.is_some();
        let config = self.secret_key_in.as_deref().filter(|_| is_in_config);
        self.values.secret_key_file.as_deref().or(config).filter(|path| *path != Path::new("-"))
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
        let access_key = self.values.access_key.as_deref();
        let access_key =
            access_key.ok_or_else(|| missing("access key", "--access-key", "CCFS_ACCESS_KEY"))?;
        check("access key (--access-key, CCFS_ACCESS_KEY or configuration file)", access_key)?;
        let secret_key = match (&self.values.secret_key_file, &self.values.secret_key) {
            (None, None) => {
                return Err(missing("secret key", "--secret-key-file", "CCFS_SECRET_KEY"));
            }
            (None, Some(text)) => {
                match &self.secret_key_in {
                    None => check("secret key (CCFS_SECRET_KEY)", text)?,
                    Some(path) => check(format_args!("secret key in {}", path.display()), text)?,
                }
                text.clone()
            }
            (Some(path), _) => {
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
        if let Some(path) = &self.values.ca {
            let pem = read_secret(path, "CA file")?;
            trust = trust
                .add_pem(&pem)
                .map_err(|error| Failure::usage(format_args!("{}: {error}", path.display())))?;
        }
        for pin in self.values.pin_sha256.iter().flat_map(|pins| pins.split(',')) {
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
        let (certificate, key) = match (&self.values.client_cert, &self.values.client_key) {
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
        let Some(name) = self.values.tz.as_deref() else { return Ok(None) };
        check("time zone (--tz, CCFS_TZ or configuration file)", name)?;
        Zone::named(name).map(Some).map_err(Failure::usage)
    }

    pub(crate) fn client(&self, policy: Policy) -> Result<Client, Failure> {
        let config = self.config(policy)?.clock(interrupt::InterruptibleClock::new());
        Client::with_trust(config, &self.trust()?).map_err(Failure::usage)
    }

    pub(crate) fn async_client(&self, policy: Policy) -> Result<AsyncClient, Failure> {
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

    pub(crate) fn policy(&self) -> Policy {
        Policy::default().query_line(self.query_line)
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
