use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::Method;

/// What an operation sends: the parts of an HTTP request that do not depend on the endpoint.
///
/// [`PreparedRequest::new`](crate::exchange::PreparedRequest::new) checks path and headers, and
/// combines the request with an endpoint.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct OperationRequest {
    /// Method.
    pub method: Method,
    /// Path below the endpoint's prefix, with its leading slash: unreserved characters and slashes.
    pub path: String,
    /// Keys and values of the query, not encoded.
    pub query: Vec<(String, String)>,
    /// Content type of the body, sent and signed when there is a body.
    pub content_type: Cow<'static, str>,
    /// Body; empty for a request without one.
    pub body: Bytes,
    /// Whether the request is signed.
    pub signed: bool,
    /// Names and values of added headers, and whether they are signed.
    pub(crate) headers: Vec<(String, String, bool)>,
}

impl OperationRequest {
    /// Path of the interfaces of CC-FS below an endpoint.
    pub const BASE_PATH: &'static str = "/CCFS/resource/ccfs/";
    /// Content type of every body of CC-FS; the same bytes are sent and signed.
    pub const JSON: &'static str = "application/json; charset=UTF-8";

    /// Creates a signed request without query and body. `path` begins with a slash.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            content_type: Cow::Borrowed(Self::JSON),
            body: Bytes::new(),
            signed: true,
            headers: Vec::new(),
        }
    }

    /// Creates a signed `POST` to the CC-FS interface of that name, with a JSON body.
    pub fn post(interface: &str, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, format!("{}{interface}", Self::BASE_PATH)).body(body)
    }

    /// Creates a signed `GET` of a path below the endpoint, such as `/rest/cmsapp/v1/agents`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Adds a query parameter. Key and value are percent-encoded when they are sent.
    pub fn query(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((key.into(), value.into()));
        self
    }

    /// Adds a header that is sent but not signed, as servers expect by default.
    ///
    /// The exchange sets `host`, `content-length`, `content-type` and `authorization` itself; they
    /// cannot be replaced. An `accept` header replaces the default `*/*`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into(), false));
        self
    }

    /// Adds a header that is sent and signed, with the rules of [`header`](Self::header).
    pub fn signed_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into(), true));
        self
    }

    /// Sets the body's content type. Default: [`JSON`](Self::JSON).
    pub fn content_type(mut self, content_type: impl Into<Cow<'static, str>>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends the request without a signature.
    pub fn unsigned(mut self) -> Self {
        self.signed = false;
        self
    }
}

impl fmt::Debug for OperationRequest {
    /// Omits query, headers and body, one of which may have a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("body_bytes", &self.body.len())
            .field("signed", &self.signed)
            .finish_non_exhaustive()
    }
}
