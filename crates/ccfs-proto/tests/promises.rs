//! What the types promise: to cross threads, and to give no access to secrets. `tests/tests/leaks` looks for those that are shown.
#![allow(missing_docs)]

use std::error::Error;
use std::fmt::Display;
use std::hash::Hash;

use bytes::Bytes;
use ccfs_proto::answer::{AnswerError, Classified, EnvelopeError, HttpRefusal};
use ccfs_proto::auth::{
    AccessKey, AuthorizationHeader, AuthorizationHeaderError, KeyError, SigningSteps, VerifyError,
    ViewError,
};
use ccfs_proto::callback::{
    Callback, CallbackError, Delivery, JobKey, MemoryGuard, Outcome, ReceiveError, Receiver,
};
use ccfs_proto::exchange::{
    EndpointError, OutOfTurn, PreparedRequest, RequestError, TransportFailure,
};
use ccfs_proto::operation::{FieldError, FileNameError, OperationRequest};
use ccfs_proto::time::CalendarError;
use ccfs_proto::{
    Classifier, Credentials, DownloadAgentSkillInfoFile, Endpoint, Envelope, Exchange,
    ExchangeError, IndexFileName, Policy, QueryAgentSkillInfoData, ResponseId, ResultCode, Signer,
    Step, Timestamp, Verifier,
};
use serde::{Serialize, de::DeserializeOwned};
use static_assertions::{assert_impl_all, assert_not_impl_any};

// Everything can be moved to and shared with other threads.
assert_impl_all!(AccessKey: Send, Sync);
assert_impl_all!(AuthorizationHeader<'static>: Send, Sync);
assert_impl_all!(Callback: Send, Sync);
assert_impl_all!(Classified: Send, Sync);
assert_impl_all!(Classifier: Send, Sync);
assert_impl_all!(Credentials: Send, Sync, Clone);
assert_impl_all!(DownloadAgentSkillInfoFile: Send, Sync);
assert_impl_all!(Endpoint: Send, Sync, Hash);
assert_impl_all!(Envelope: Send, Sync);
assert_impl_all!(HttpRefusal: Send, Sync);
assert_impl_all!(IndexFileName: Send, Sync, Hash, Ord);
assert_impl_all!(OperationRequest: Send, Sync);
assert_impl_all!(Policy: Send, Sync);
assert_impl_all!(PreparedRequest: Send, Sync);
assert_impl_all!(QueryAgentSkillInfoData: Send, Sync);
assert_impl_all!(Delivery: Send, Sync);
assert_impl_all!(JobKey: Send, Sync);
assert_impl_all!(MemoryGuard: Send, Sync);
assert_impl_all!(Outcome<ReceiveError>: Send, Sync);
assert_impl_all!(Receiver: Send, Sync, Clone);
assert_impl_all!(ResponseId: Send, Sync, Hash, Ord, Copy);
assert_impl_all!(ResultCode: Send, Sync, Hash);
assert_impl_all!(Signer: Send, Sync, Clone);
assert_impl_all!(SigningSteps: Send, Sync);
assert_impl_all!(Step<Bytes>: Send, Sync);
assert_impl_all!(Timestamp: Send, Sync, Hash, Ord, Copy);
assert_impl_all!(Verifier: Send, Sync, Clone);
assert_impl_all!(Exchange<DownloadAgentSkillInfoFile>: Send, Sync);

// Errors can be boxed, sent, and kept.
assert_impl_all!(AnswerError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(AuthorizationHeaderError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(CallbackError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(EndpointError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(EnvelopeError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(ExchangeError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(FieldError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(FileNameError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(KeyError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(OutOfTurn: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(RequestError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(CalendarError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(TransportFailure: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(VerifyError: Error, Send, Sync, Clone, PartialEq);
assert_impl_all!(ViewError: Error, Send, Sync, Clone, PartialEq);

// A secret cannot be compared, printed, hashed, copied, serialised or read back.
assert_not_impl_any!(Credentials: PartialEq, Display, Hash, PartialOrd, AsRef<str>, AsRef<[u8]>, Serialize, DeserializeOwned);
assert_not_impl_any!(Signer: PartialEq, Display, Serialize, DeserializeOwned);
assert_not_impl_any!(Verifier: PartialEq, Display, Serialize, DeserializeOwned);
