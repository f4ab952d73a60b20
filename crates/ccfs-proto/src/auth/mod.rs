//! auth-v2: signing requests and verifying signatures. See [Signing](crate::protocol#signing).

mod canonical;
mod credentials;
mod diagnose;
mod header;
mod percent;
mod query;
mod request;
mod sign;
mod verify;

pub use self::credentials::{AccessKey, Credentials, KeyError};
pub use self::diagnose::Difference;
pub use self::header::{AuthorizationHeader, AuthorizationHeaderError};
pub use self::query::decode_query;
pub use self::request::{QueryLine, RequestView, ViewError};
pub use self::sign::{Signer, SigningSteps};
pub use self::verify::{Freshness, Verified, Verifier, VerifyError};

pub(crate) use self::percent::percent_encode;
