//! Server verification and client certificates for CC-FS clients.
//!
//! Many CC-FS servers have a certificate of a private CA, or are addressed by IP while their
//! certificate names a host. [`Trust`] combines the system's root certificates, CAs that the caller
//! adds, [`Pin`]s of certificates that are accepted regardless of name, dates and issuer, and the
//! [`Identity`] for servers that require a client certificate. It creates a rustls configuration
//! from them, with the ring provider. This crate opens no connection, and verification cannot be
//! disabled.
//!
//! Functions here have types of rustls in their signatures, which is below 1.0. A new minor version
//! of rustls is therefore a breaking change of this crate, but not of `ccfs-ureq` and
//! `ccfs-reqwest`.
//!
//! ```
//! use ccfs_tls::{Pin, Trust, TrustError};
//!
//! let refused = Trust::system().add_pem(b"not a certificate").unwrap_err();
//! assert!(matches!(refused, TrustError::NoCertificate));
//!
//! // The output of `openssl x509 -in server.pem -noout -fingerprint -sha256`.
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
pub use failure::{classify_error, classify_io_error};
pub use identity::{Identity, IdentityError};
pub use pin::{Pin, PinError};
pub use trust::{TlsVersion, Trust, TrustError};
pub use verifier::{Recorded, provider};
