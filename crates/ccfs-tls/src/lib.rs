//! Which servers a CC-FS client believes, and as whom it comes.
//!
//! CC-FS servers mostly stand behind a private CA, or are addressed by IP with a certificate that names something else. A [`Trust`] holds the
//! system's roots, the CAs that the caller adds, the [`Pin`]s of certificates that are accepted whatever they name, and the [`Identity`] for
//! servers that ask for a client certificate; it gives all that to a backend as rustls takes it, with the ring provider. It opens no
//! connection, and there is no switch that turns verification off.
//!
//! rustls is below 1.0, and its types stand in signatures here, because handing them over is the point. A new minor version of rustls is a breaking
//! change of this crate, and of no other: the backends' own signatures have none of them.
//!
//! ```
//! use ccfs_tls::{Pin, Trust, TrustError};
//!
//! let refused = Trust::system().add_pem(b"not a certificate").unwrap_err();
//! assert!(matches!(refused, TrustError::NoCertificate));
//!
//! // As `openssl x509 -in server.pem -noout -fingerprint -sha256` prints it.
//! let pin: Pin = "F6:81:2D:3A:9C:8E:5B:47:10:22:6D:BE:00:71:5C:3F:8A:94:E2:D7:51:06:BB:A9:3C:48:7F:60:1D:E5:92:0B".parse()?;
//! let config = Trust::none().pin(pin).client_config()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod environment;
mod failure;
mod identity;
mod pin;
mod trust;
mod verifier;

pub use environment::TrustEnvError;
pub use failure::{failure, io_failure};
pub use identity::{Identity, IdentityError};
pub use pin::{Pin, PinError};
pub use trust::{TlsVersion, Trust, TrustError, provider, trusting_nobody};
pub use verifier::Shown;
