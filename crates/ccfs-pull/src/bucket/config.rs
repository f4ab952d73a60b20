//! Where a bucket is, and how to log in.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fmt, fs, io};

use ccfs_tls::Trust;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{ClientOptions, HttpClient, HttpConnector};
use object_store::{BackoffConfig, RetryConfig};

use super::error::BucketError;
use super::profile::{self, Profile};

/// Maximum size of a file of profiles or certificates, in bytes.
const FILE_LIMIT: u64 = 1 << 20;
/// The time for a connection to the store.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time without a byte from the store. It begins with the request, so a slow connection
/// must send a part in it, beside those of other windows.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a failed request is repeated.
const RETRY_TIMEOUT: Duration = Duration::from_secs(600);

/// Address of an S3 store, and the credentials for it.
///
/// ```
/// use ccfs_pull::BucketConfig;
///
/// // A store of your own, such as MinIO.
/// let config = BucketConfig::new()
///     .endpoint("http://127.0.0.1:9000")
///     .credentials("access-key", std::env::var("STORE_SECRET").unwrap_or_default(), None);
/// ```
#[derive(Clone)]
pub struct BucketConfig {
    builder: AmazonS3Builder,
    endpoint: Option<String>,
    region: Option<String>,
    virtual_host: bool,
    trust: Trust,
    pub(super) part_bytes: usize,
}

impl Default for BucketConfig {
    fn default() -> Self {
        Self {
            builder: AmazonS3Builder::new(),
            endpoint: None,
            region: None,
            virtual_host: false,
            trust: Trust::system(),
            part_bytes: Self::PART_BYTES,
        }
    }
}

/// Shows no credentials.
impl fmt::Debug for BucketConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketConfig")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("virtual_host", &self.virtual_host)
            .field("part_bytes", &self.part_bytes)
            .finish_non_exhaustive()
    }
}

impl BucketConfig {
    /// Default size of the parts of large objects, in bytes: 8 MiB.
    pub const PART_BYTES: usize = 8 << 20;

    /// Creates a configuration for AWS in the region `us-east-1`, without credentials.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a configuration from the environment variables and files that AWS tools read.
    ///
    /// | setting | from |
    /// |---|---|
    /// | credentials | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`; else the profile; else a web identity (`AWS_WEB_IDENTITY_TOKEN_FILE`), the container, or the instance |
    /// | endpoint | `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`, else the profile's `endpoint_url` |
    /// | region | `AWS_REGION`, else `AWS_DEFAULT_REGION`, else the profile's `region`, else `us-east-1` |
    /// | form of addresses | `AWS_VIRTUAL_HOSTED_STYLE_REQUEST=true`, else the profile's `addressing_style = virtual`; else the bucket is in the path |
    /// | certificates | the PEM file `AWS_CA_BUNDLE`, in addition to those of the system |
    /// | profile | `AWS_PROFILE`, else `default`, in `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE`, else `~/.aws/credentials` and `~/.aws/config` |
    ///
    /// # Errors
    ///
    /// [`BucketError`] if a variable or a file cannot be read, or if the profile needs a method
    /// that is not supported: SSO, roles, `credential_process`.
    pub fn from_env() -> Result<Self, BucketError> {
        let variable = |name: &'static str| match env::var(name) {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => Err(BucketError::Variable { name }),
        };
        let has_keys = variable("AWS_ACCESS_KEY_ID")?.is_some();
        let mut config = Self { builder: builder_from_env(has_keys), ..Self::default() };
        let profile = read_profile(variable)?;
        if has_keys {
            if variable("AWS_SECRET_ACCESS_KEY")?.is_none() {
                return Err(BucketError::Keys);
            }
        } else if let Some((id, secret)) = profile.keys()? {
            let token = profile.get("aws_session_token").map(str::to_owned);
            config = config.credentials(id, secret, token);
        }
        let endpoint = variable("AWS_ENDPOINT_URL_S3")?.or(variable("AWS_ENDPOINT_URL")?);
        config.endpoint = endpoint.or_else(|| profile.get("endpoint_url").map(str::to_owned));
        let region = variable("AWS_REGION")?.or(variable("AWS_DEFAULT_REGION")?);
        config.region = region.or_else(|| profile.get("region").map(str::to_owned));
        config.virtual_host = match variable("AWS_VIRTUAL_HOSTED_STYLE_REQUEST")? {
            Some(value) => match value.to_ascii_lowercase().as_str() {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => return Err(BucketError::VirtualHost),
            },
            None => profile.get("s3.addressing_style") == Some("virtual"),
        };
        match variable("AWS_CA_BUNDLE")? {
            Some(path) => {
                let path = PathBuf::from(path);
                let pem =
                    read_file(&path).and_then(|pem| pem.ok_or(io::ErrorKind::NotFound.into()));
                config.ca(pem.map_err(|source| BucketError::File { path, source })?.as_bytes())
            }
            None => Ok(config),
        }
    }

    /// Sets the address of the store: `https://obs.example.com`. Default: AWS.
    #[must_use]
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Sets the region. Default: `us-east-1`.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets the access key, its secret, and the token of temporary credentials.
    ///
    /// The crate `object_store` keeps them in memory, and does not wipe them.
    #[must_use]
    pub fn credentials(
        mut self,
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Self {
        self.builder = self.builder.with_access_key_id(access_key_id);
        self.builder = self.builder.with_secret_access_key(secret_access_key);
        if let Some(token) = session_token {
            self.builder = self.builder.with_token(token);
        }
        self
    }

    /// Sets whether the bucket is in the host of addresses (`bucket.obs.example.com`) and not in
    /// their path. Default: `false`.
    #[must_use]
    pub fn virtual_host(mut self, virtual_host: bool) -> Self {
        self.virtual_host = virtual_host;
        self
    }

    /// Accepts certificates of these CAs, in PEM, in addition to those of the system.
    ///
    /// # Errors
    ///
    /// [`BucketError::Ca`] if the text has no certificate.
    pub fn ca(mut self, pem: &[u8]) -> Result<Self, BucketError> {
        let trust = self.trust.add_pem(pem);
        self.trust = trust.map_err(|error| BucketError::Ca(error.to_string()))?;
        Ok(self)
    }

    /// Sets the size in bytes of the parts in which larger objects are uploaded, at least 5 MiB for
    /// AWS. Default: [`PART_BYTES`](Self::PART_BYTES). Each window needs this much memory while it
    /// is stored.
    #[must_use]
    pub fn part_bytes(mut self, bytes: usize) -> Self {
        self.part_bytes = bytes.max(1);
        self
    }

    /// Address of the store, unless it is AWS.
    pub(super) fn store(&self) -> Option<&str> {
        self.endpoint.as_deref().map(|endpoint| endpoint.trim_end_matches('/'))
    }

    /// Creates the HTTP client: rustls with ring, as for the server.
    pub(super) fn http(&self) -> Result<reqwest::Client, BucketError> {
        let tls = self.trust.client_config();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.map_err(|error| BucketError::Client(error.to_string()))?)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(IDLE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build();
        client.map_err(|error| BucketError::Client(error.to_string()))
    }

    /// Creates a client for a bucket. `retries` is how often it repeats a failed request.
    pub(super) fn client(
        &self,
        bucket: &str,
        http: &reqwest::Client,
        retries: usize,
    ) -> Result<AmazonS3, BucketError> {
        let retry = RetryConfig {
            backoff: BackoffConfig { max_backoff: Duration::from_secs(10), ..Default::default() },
            max_retries: retries,
            retry_timeout: RETRY_TIMEOUT,
        };
        let mut builder = self.builder.clone().with_bucket_name(bucket).with_retry(retry);
        // Stores that resemble S3 may not know requests that delete several objects.
        builder = builder.with_disable_bulk_delete(true);
        builder = builder.with_http_connector(Connector(http.clone()));
        if let Some(endpoint) = self.store() {
            let (scheme, host) = endpoint
                .split_once("://")
                .filter(|(scheme, host)| {
                    ["http", "https"].contains(scheme) && !host.is_empty() && !host.contains('@')
                })
                .ok_or(BucketError::Endpoint)?;
            builder =
                builder.with_allow_http(scheme == "http").with_endpoint(if self.virtual_host {
                    format!("{scheme}://{bucket}.{host}")
                } else {
                    endpoint.to_owned()
                });
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        builder = builder.with_virtual_hosted_style_request(self.virtual_host);
        builder.build().map_err(|error| BucketError::Client(error.to_string()))
    }
}

/// Reads the variables of AWS tools, except empty ones and those of the endpoint.
fn builder_from_env(has_keys: bool) -> AmazonS3Builder {
    env::vars_os().fold(AmazonS3Builder::new(), |builder, (name, value)| {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { return builder };
        match name.to_ascii_lowercase().parse() {
            Ok(AmazonS3ConfigKey::Endpoint) => builder,
            // A token belongs to the key beside it, not to that of the profile.
            Ok(AmazonS3ConfigKey::SecretAccessKey | AmazonS3ConfigKey::Token) if !has_keys => {
                builder
            }
            Ok(key) if name.starts_with("AWS_") && !value.is_empty() => {
                builder.with_config(key, value)
            }
            _ => builder,
        }
    })
}

/// Uses this HTTP client.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

/// Reads the profile from the files of AWS tools.
fn read_profile(
    variable: impl Fn(&'static str) -> Result<Option<String>, BucketError>,
) -> Result<Profile, BucketError> {
    let named = variable("AWS_PROFILE")?;
    let home = variable("HOME")?.or(variable("USERPROFILE")?);
    let mut found = Profile::new(named.as_deref().unwrap_or("default"));
    for (name, file, prefix) in [
        ("AWS_CONFIG_FILE", "config", "profile "),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials", ""),
    ] {
        let default = || home.as_ref().map(|home| PathBuf::from(home).join(".aws").join(file));
        let Some(path) = variable(name)?.map(PathBuf::from).or_else(default) else { continue };
        match read_file(&path) {
            Ok(Some(text)) => profile::read(&text, prefix, &mut found),
            Ok(None) => {}
            Err(source) => return Err(BucketError::File { path, source }),
        }
    }
    if named.is_some() && !found.exists() {
        return Err(BucketError::NoProfile { name: found.name().to_owned() });
    }
    Ok(found)
}

/// Reads a text file; `None` if it does not exist.
fn read_file(path: &PathBuf) -> io::Result<Option<String>> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.len() > FILE_LIMIT {
        let len = metadata.len();
        return Err(io::Error::other(format!("it has {len} bytes, limit {FILE_LIMIT}")));
    }
    fs::read_to_string(path).map(Some)
}
