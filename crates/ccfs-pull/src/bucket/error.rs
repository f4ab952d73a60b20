//! Errors of the settings of a bucket.

use std::io;
use std::path::PathBuf;

/// Why a bucket cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BucketError {
    /// The address of the bucket is malformed.
    #[error("{url} is not the address of a bucket; write s3://BUCKET/PREFIX")]
    Url {
        /// The address.
        url: String,
    },
    /// The endpoint is not an address.
    #[error("the endpoint of the store is not a URL; write it as https://HOST[:PORT]")]
    Endpoint,
    /// A variable is not valid UTF-8.
    #[error("the variable {name} is not valid UTF-8")]
    Variable {
        /// The variable.
        name: &'static str,
    },
    /// One of the two keys is missing.
    #[error("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not; set both, or neither")]
    Keys,
    /// A variable is neither true nor false.
    #[error("AWS_VIRTUAL_HOSTED_STYLE_REQUEST is neither true nor false; use one of them")]
    VirtualHost,
    /// A file of profiles or certificates cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// No file has the profile.
    #[error(
        "there is no profile {name} in ~/.aws/config and ~/.aws/credentials; check AWS_PROFILE"
    )]
    NoProfile {
        /// The profile.
        name: String,
    },
    /// The profile has no keys, but another way to log in.
    #[error(
        "the profile {name} uses {key}, which is not supported; pass the credentials that `aws configure export-credentials --format env` prints as variables"
    )]
    Profile {
        /// The profile.
        name: String,
        /// The setting.
        key: &'static str,
    },
    /// The certificates of the CA cannot be used.
    #[error("the certificates for the store cannot be used: {0}")]
    Ca(String),
    /// No client can be created from the settings.
    #[error("the settings of the store cannot be used: {0}")]
    Client(String),
    /// The operating system refused resources.
    #[error("cannot start a client for the store: {0}")]
    Io(#[from] io::Error),
}
