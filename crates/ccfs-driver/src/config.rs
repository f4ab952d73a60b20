//! The settings of a client.

use std::collections::hash_map::RandomState;
use std::env;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use ccfs_proto::auth::{AccessKey, KeyError, QueryLine};
use ccfs_proto::exchange::EndpointError;
use ccfs_proto::{Credentials, Endpoint, Policy};
use http::{HeaderMap, StatusCode};
use zeroize::Zeroizing;

use crate::clock::{Clock, SystemClock};
use crate::proxy::{Proxy, ProxyError};
use crate::setting::{StrayCharacter, check_setting};

/// The settings of a client: server, account, timeouts, retries, proxy and clock. `ccfs-ureq`,
/// `ccfs-reqwest` and `ccfs` re-export it.
///
/// ```
/// use std::time::Duration;
/// use ccfs_driver::Config;
/// use ccfs_proto::{Credentials, Policy};
///
/// let credentials = Credentials::from_text("my-app-id", String::from("my secret key"))?;
/// let config = Config::new("https://10.1.2.3:8443".parse()?, credentials)
///     .policy(Policy::default().max_retries(1))
///     .proxy(None)
///     .connect_timeout(Duration::from_secs(5));
/// # let _ = config;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Config {
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Credentials,
    pub(crate) policy: Policy,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) jitter: Arc<dyn Fn() -> u64 + Send + Sync>,
    proxy: ProxySetting,
    pub(crate) connect_timeout: Duration,
    pub(crate) on_head: Option<Arc<HeadFn>>,
}

type HeadFn = dyn Fn(StatusCode, &HeaderMap) + Send + Sync;

#[derive(Clone, Debug, Default)]
enum ProxySetting {
    /// The proxy that the environment names when a client is created.
    #[default]
    Environment,
    Direct,
    Through(Proxy),
}

impl Config {
    /// Creates settings for the server at `endpoint` and the account of `credentials`, with
    /// defaults for everything else.
    #[must_use]
    pub fn new(endpoint: Endpoint, credentials: Credentials) -> Self {
        Self {
            endpoint,
            credentials,
            policy: Policy::default(),
            clock: Arc::new(SystemClock::new()),
            jitter: Arc::new(random),
            proxy: ProxySetting::default(),
            connect_timeout: Duration::from_secs(15),
            on_head: None,
        }
    }

    /// Creates the settings from the environment variables of the `ccfs` command. A variable that
    /// is empty counts as absent.
    ///
    /// | variable | setting |
    /// |---|---|
    /// | `CCFS_ENDPOINT` | base URL of the server, required |
    /// | `CCFS_ACCESS_KEY` | access key, required |
    /// | `CCFS_SECRET_KEY` | secret key, required |
    /// | `CCFS_QUERY_LINE` | `omit` (default) or `empty` |
    ///
    /// `Trust::from_env` of `ccfs-tls` reads the variables for certificates. [`Proxy::from_env`]
    /// reads those for a proxy when a client is created.
    /// `Client::with_trust(Config::from_env()?, &Trust::from_env()?)` therefore creates a client
    /// with the same settings as the command.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a required variable is absent, or one has an invalid value. Endpoint and
    /// keys with [stray characters](check_setting) around them are invalid.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| match env::var(name) {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => Err(ConfigError::NotUnicode { variable: name }),
        })
    }

    fn from_variables(
        read: impl Fn(&'static str) -> Result<Option<String>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let required = |variable| {
            let mut value =
                Zeroizing::new(read(variable)?.ok_or(ConfigError::Missing { variable })?);
            check_setting(&value).map_err(|source| ConfigError::Stray { variable, source })?;
            Ok::<_, ConfigError>(mem::take(&mut *value))
        };
        let endpoint = required("CCFS_ENDPOINT")?.parse()?;
        let malformed = |variable| move |source| ConfigError::Key { variable, source };
        let access_key = required("CCFS_ACCESS_KEY")?;
        AccessKey::new(&access_key).map_err(malformed("CCFS_ACCESS_KEY"))?;
        let credentials = Credentials::from_text(&access_key, required("CCFS_SECRET_KEY")?)
            .map_err(malformed("CCFS_SECRET_KEY"))?;
        let query_line = match read("CCFS_QUERY_LINE")?.as_deref() {
            None => QueryLine::default(),
            Some(text) => *QueryLine::ALL
                .iter()
                .find(|dialect| dialect.as_str() == text)
                .ok_or(ConfigError::QueryLine)?,
        };
        Ok(Self::new(endpoint, credentials).policy(Policy::default().query_line(query_line)))
    }

    /// Sets timeouts, retries and limits. Default: [`Policy::default`].
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the clock. Default: [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the source of random numbers for the waits between attempts. Default: the random hasher
    /// of the standard library.
    #[must_use]
    pub fn jitter(mut self, source: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.jitter = Arc::new(source);
        self
    }

    /// Sets the proxy; `None` connects directly, regardless of the environment. Default: the proxy
    /// that the environment names when a client is created ([`Proxy::from_env`]).
    #[must_use]
    pub fn proxy(mut self, proxy: impl Into<Option<Proxy>>) -> Self {
        self.proxy = proxy.into().map_or(ProxySetting::Direct, ProxySetting::Through);
        self
    }

    /// Sets how long establishing a connection may take, proxy and TLS included. Default: 15
    /// seconds.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets a function that is called with the status and the headers of every response, before its
    /// body, for example to record headers that a gateway adds. Default: none.
    #[must_use]
    pub fn on_head(
        mut self,
        observe: impl Fn(StatusCode, &HeaderMap) + Send + Sync + 'static,
    ) -> Self {
        self.on_head = Some(Arc::new(observe));
        self
    }

    pub(crate) fn resolve_proxy(&self) -> Result<Option<Proxy>, ProxyError> {
        match &self.proxy {
            ProxySetting::Environment => Proxy::from_env(&self.endpoint),
            ProxySetting::Direct => Ok(None),
            ProxySetting::Through(proxy) => Ok(Some(proxy.clone())),
        }
    }
}

// The standard library seeds each hasher randomly.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("endpoint", &self.endpoint)
            .field("credentials", &self.credentials)
            .field("policy", &self.policy)
            .field("proxy", &self.proxy)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

/// Why [`Config::from_env`] failed. Contains no variable's value, because one of them is the secret
/// key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A required variable is absent.
    #[error("{variable} is not set; set it to a non-empty value")]
    Missing {
        /// The variable.
        variable: &'static str,
    },
    /// A variable is not UTF-8.
    #[error("{variable} is not valid UTF-8")]
    NotUnicode {
        /// The variable.
        variable: &'static str,
    },
    /// A variable begins or ends with a character that does not belong to it.
    #[error("{variable} {source}")]
    Stray {
        /// The variable.
        variable: &'static str,
        /// The character's kind and place.
        source: StrayCharacter,
    },
    /// `CCFS_ENDPOINT` is malformed.
    #[error("CCFS_ENDPOINT: {0}")]
    Endpoint(#[from] EndpointError),
    /// `CCFS_ACCESS_KEY` or `CCFS_SECRET_KEY` is malformed.
    #[error("{variable}: {source}")]
    Key {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        source: KeyError,
    },
    /// `CCFS_QUERY_LINE` is neither `omit` nor `empty`.
    #[error("CCFS_QUERY_LINE is not valid; set it to omit or empty")]
    QueryLine,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VARIABLES: [&str; 4] =
        ["CCFS_ENDPOINT", "CCFS_ACCESS_KEY", "CCFS_SECRET_KEY", "CCFS_QUERY_LINE"];

    const STRAY: &[char] =
        &['\r', '\n', '\t', ' ', '\'', '"', '\u{201C}', '\u{FEFF}', '\u{200B}', '\u{A0}'];

    fn read(values: &[Option<&str>; 4]) -> Result<Config, ConfigError> {
        Config::from_variables(|name| {
            let at = VARIABLES.iter().position(|variable| *variable == name).unwrap();
            Ok(values[at].map(str::to_owned))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_variables_make_a_config_or_an_error_that_names_one(
            endpoint in prop::option::weighted(0.9, prop::sample::select(vec!["https://10.1.2.3:8443", "http://[::1]", "ftp://a", ""])),
            access_key in prop::option::weighted(0.9, prop::sample::select(vec!["app", "a/b", ""])),
            secret_key in prop::option::weighted(0.9, prop::sample::select(vec!["marker-secret", "marker-secret\n", ""])),
            query_line in prop::option::of(prop::sample::select(vec!["omit", "empty", "none"])),
        ) {
            let values = [endpoint, access_key, secret_key, query_line];
            match read(&values) {
                Ok(config) => {
                    prop_assert_eq!(config.endpoint.to_string(), endpoint.unwrap());
                    prop_assert_eq!(config.credentials.access_key().as_str(), "app");
                    prop_assert_eq!(config.policy.query_line.as_str(), query_line.unwrap_or("omit"));
                    let shown = format!("{config:?}");
                    prop_assert!(!shown.contains("marker-secret"));
                }
                Err(error) => {
                    let said = error.to_string();
                    prop_assert!(VARIABLES.iter().any(|variable| said.contains(variable)), "{}", said);
                    prop_assert!(!said.contains("marker-secret"));
                    let valid = matches!(endpoint, Some("https://10.1.2.3:8443" | "http://[::1]"))
                        && access_key == Some("app")
                        && secret_key == Some("marker-secret")
                        && query_line != Some("none");
                    prop_assert!(!valid, "{}", said);
                }
            }
        }

        #[test]
        fn a_stray_character_around_a_variable_is_refused(
            at in 0..3_usize,
            at_start in any::<bool>(),
            stray in prop::sample::select(STRAY),
        ) {
            let mut values = ["https://10.1.2.3:8443", "app", "marker-secret"].map(str::to_owned);
            prop_assert!(read(&[Some(&values[0]), Some(&values[1]), Some(&values[2]), None]).is_ok());
            values[at].insert(if at_start { 0 } else { values[at].len() }, stray);
            let error = read(&[Some(&values[0]), Some(&values[1]), Some(&values[2]), None]).unwrap_err();
            let is_stray = matches!(error, ConfigError::Stray { variable, .. } if variable == VARIABLES[at]);
            prop_assert!(is_stray);
            let said = error.to_string();
            let edge = if at_start { "begins" } else { "ends" };
            prop_assert!(said.starts_with(&format!("{} {edge} with a", VARIABLES[at])), "{}", said);
            prop_assert!(!said.contains("marker-secret"));
        }
    }
}
