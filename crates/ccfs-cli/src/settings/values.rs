//! The settings that flags, variables and the configuration file have.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// The settings that the configuration file has, too; in the file, each of its profiles.
#[derive(Args, Default, Deserialize)]
#[command(next_help_heading = "Settings")]
#[serde(deny_unknown_fields)]
pub(super) struct Values {
    /// Base URL of the CC-FS server, https://ip:port; a path prefix is allowed
    #[arg(long, global = true, value_name = "URL", env = "CCFS_ENDPOINT")]
    pub(super) endpoint: Option<String>,
    /// Access key (appId) of the developer account
    #[arg(long, global = true, value_name = "KEY", env = "CCFS_ACCESS_KEY")]
    pub(super) access_key: Option<String>,
    /// File that contains the secret key, - for stdin; or set `CCFS_SECRET_KEY`
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) secret_key_file: Option<PathBuf>,
    #[arg(skip)]
    #[serde(default, deserialize_with = "wiped")]
    pub(super) secret_key: Option<Zeroizing<String>>,
    /// PEM file of root certificates that are trusted in addition to the system's
    #[arg(long, global = true, value_name = "FILE", env = "CCFS_CA")]
    pub(super) ca: Option<PathBuf>,
    /// Accept only the certificate with this SHA-256, with any names; several separated by commas, for a renewal
    #[arg(long, global = true, value_name = "HEX", env = "CCFS_PIN_SHA256")]
    pub(super) pin_sha256: Option<String>,
    /// PEM file of the client certificate, for servers that request one
    #[arg(long, global = true, value_name = "FILE", env = "CCFS_CLIENT_CERT")]
    pub(super) client_cert: Option<PathBuf>,
    /// PEM file of the client certificate's key, without a password
    #[arg(long, global = true, value_name = "FILE", env = "CCFS_CLIENT_KEY")]
    pub(super) client_key: Option<PathBuf>,
    /// The tenant's time zone, such as Asia/Shanghai
    #[arg(long, global = true, value_name = "ZONE", env = "CCFS_TZ")]
    pub(super) tz: Option<String>,
    /// Query line in the signature of a request without a query: omitted or empty [default: omit]
    #[arg(long, global = true, value_name = "DIALECT", env = "CCFS_QUERY_LINE")]
    pub(super) query_line: Option<QueryLineArg>,
    /// HTTP client [default: blocking]
    #[arg(long, global = true, value_name = "KIND", env = "CCFS_BACKEND")]
    pub(super) backend: Option<Backend>,
    #[arg(skip)]
    #[serde(default)]
    pub(super) profile: BTreeMap<String, Values>,
}

impl Values {
    /// Returns these settings, and the others where there are none.
    pub(super) fn or(self, other: Self) -> Self {
        // A secret key replaces the other one, whether it is text or a file.
        let (secret_key_file, secret_key) = match (self.secret_key_file, self.secret_key) {
            (None, None) => (other.secret_key_file, other.secret_key),
            keys => keys,
        };
        Self {
            endpoint: self.endpoint.or(other.endpoint),
            access_key: self.access_key.or(other.access_key),
            secret_key_file,
            secret_key,
            ca: self.ca.or(other.ca),
            pin_sha256: self.pin_sha256.or(other.pin_sha256),
            client_cert: self.client_cert.or(other.client_cert),
            client_key: self.client_key.or(other.client_key),
            tz: self.tz.or(other.tz),
            query_line: self.query_line.or(other.query_line),
            backend: self.backend.or(other.backend),
            profile: BTreeMap::new(),
        }
    }
}

/// Deserializes a text into a buffer that is wiped, even if another source takes precedence.
fn wiped<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Zeroizing<String>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Zeroizing::new))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum QueryLineArg {
    Omit,
    Empty,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Backend {
    #[default]
    Blocking,
    Async,
}
