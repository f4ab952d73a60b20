//! One call as a state machine: [`Exchange`], its steps, settings and errors.

mod call;
mod endpoint;
mod error;
mod failure;
mod outcome;
mod policy;
mod request;
mod retry;
mod skew;
mod state;
mod step;
mod tls;

pub use self::call::Exchange;
pub use self::endpoint::{Endpoint, EndpointError};
pub use self::error::{ErrorKind, ExchangeError, OutOfTurn, RequestError};
pub(crate) use self::failure::advice_on_proxy;
pub use self::failure::{FailureKind, HEAD_LIMIT, HEADERS_LIMIT, TransportFailure};
pub use self::policy::Policy;
pub use self::request::PreparedRequest;
pub use self::skew::ClockSkew;
pub use self::step::{Now, SinkKind, Step, Target};
pub use self::tls::TlsFailure;
