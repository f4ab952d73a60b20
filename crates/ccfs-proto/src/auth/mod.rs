//! auth-v2: signing requests and verifying signatures. See `docs/protocol.md`, "Signing".

mod canonical;
mod credentials;
mod diagnose;
mod encode;
mod header;
mod mac;
mod order;
mod query;
mod sign;
mod verify;

pub use self::canonical::{QueryLine, RequestView, ViewError};
pub use self::credentials::{AccessKey, Credentials, KeyError, SecretKey};
pub use self::diagnose::Difference;
pub use self::header::{AuthorizationHeader, AuthorizationHeaderError};
pub use self::query::decode_query;
pub use self::sign::{Signer, SigningSteps};
pub use self::verify::{Freshness, Verified, Verifier, VerifyError};

pub(crate) use self::canonical::percent_encode;
