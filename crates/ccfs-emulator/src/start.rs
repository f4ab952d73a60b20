//! Checks the options of an emulator and starts it.

use std::net::SocketAddr;

use ccfs_proto::auth::KeyError;
use ccfs_proto::exchange::EndpointError;

use crate::builder::Builder;
use crate::data::MEMBERS_LIMIT;
use crate::emulator::Emulator;

/// Maximum number of records in a file.
const ROWS_LIMIT: u64 = 50_000_000;
/// Maximum offset of a local time from UTC, in seconds.
const OFFSET_LIMIT: u32 = 18 * 3600;

impl Builder {
    /// Starts the emulator on a separate thread, and returns when it listens. May be called from blocking and async tests.
    ///
    /// # Errors
    ///
    /// An option is invalid ([`Limit`](StartError::Limit), [`Key`](StartError::Key), [`SameAccessKey`](StartError::SameAccessKey),
    /// [`PathPrefix`](StartError::PathPrefix); [`Tls`](StartError::Tls) for a malformed CA), or the system refuses the address or the thread
    /// ([`Bind`](StartError::Bind), [`Thread`](StartError::Thread)).
    pub fn start(self) -> Result<Emulator, StartError> {
        let rows = self.rows.unwrap_or_default();
        let limits = [
            (rows <= ROWS_LIMIT, "rows", "at most 50,000,000"),
            (self.rows_per_member > 0, "rows_per_member", "at least 1"),
            (
                rows.div_ceil(self.rows_per_member.max(1)) <= MEMBERS_LIMIT,
                "rows_per_member",
                "so large that a file has at most 10,000 members",
            ),
            (
                self.utc_offset.unsigned_abs() <= OFFSET_LIMIT,
                "utc_offset",
                "at most 18 hours (64,800 seconds) either way",
            ),
        ];
        match limits.into_iter().find(|(kept, ..)| !kept) {
            Some((_, option, limit)) => Err(StartError::Limit { option, limit }),
            None => Emulator::start(self),
        }
    }
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The emulator cannot listen on the address.
    #[error("cannot listen at {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The value of an option exceeds a limit.
    #[error("{option} must be {limit}")]
    Limit {
        /// The option.
        option: &'static str,
        /// The limit, in words.
        limit: &'static str,
    },
    /// A key of a developer account is malformed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Two developer accounts have the same access key.
    #[error("two developer accounts have the same access key")]
    SameAccessKey,
    /// The path prefix is not valid in an endpoint.
    #[error("the path prefix does not fit into an endpoint: {0}")]
    PathPrefix(#[from] EndpointError),
    /// A certificate could not be generated, or a CA certificate for callbacks could not be read.
    #[error("cannot set up TLS: {0}")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The thread or its event loop could not be created.
    #[error("cannot start the emulator's thread: {0}")]
    Thread(#[source] std::io::Error),
}
