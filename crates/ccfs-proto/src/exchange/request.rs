//! An operation's request, made once and signed at every attempt.

use std::fmt;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};

use super::error::RequestError;
use crate::auth::{RequestView, Signer, percent_encode};
use crate::exchange::Endpoint;
use crate::operation::OperationRequest;
use crate::time::Timestamp;
use crate::words::shown;

/// Headers that an operation cannot set: they belong to the exchange and to the connection.
const RESERVED: [HeaderName; 6] = [
    header::HOST,
    header::AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
];

/// A request that is ready to be signed: everything but the `Authorization` header.
///
/// The bytes are made once; each attempt is signed over the same bytes that are sent. Use it alone where only the signing is wanted,
/// and an [`Exchange`](crate::Exchange) for the rest.
///
/// ```
/// use ccfs_proto::exchange::PreparedRequest;
/// use ccfs_proto::{Credentials, DownloadAgentSkillInfoFile, Operation, Signer, Timestamp};
///
/// let operation = DownloadAgentSkillInfoFile::new("20230406_9239cb50a8384bb0ab503441bf089446.zip".parse()?);
/// let prepared = PreparedRequest::new(operation.request()?, &"https://10.1.2.3:8443/gateway".parse()?)?;
///
/// let signer = Signer::new(&Credentials::from_text("ak", String::from("sk"))?);
/// let request = prepared.sign(&signer, Timestamp::from_unix_millis(1_680_768_000_000))?;
/// assert_eq!(request.uri(), "https://10.1.2.3:8443/gateway/CCFS/resource/ccfs/downloadAgentSkillInfoFile");
/// assert_eq!(request.headers()["host"], "10.1.2.3:8443");
/// let authorization = request.headers()["authorization"].to_str()?;
/// assert!(authorization.starts_with("auth-v2/ak/2023-04-06T08:00:00.000Z/content-length;content-type;host/"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PreparedRequest {
    method: Method,
    uri: Uri,
    path: String,
    query: Vec<(String, String)>,
    host: String,
    content_length: String,
    content_type: HeaderValue,
    /// The operation's own headers, and whether each is signed.
    headers: Vec<(HeaderName, HeaderValue, bool)>,
    body: Bytes,
    signed: bool,
}

impl PreparedRequest {
    /// Puts an operation's request on an endpoint.
    ///
    /// # Errors
    ///
    /// Fails when the path is not valid for a URL ([`Path`](RequestError::Path)), or a header or
    /// the content type is malformed ([`Header`](RequestError::Header)) or not the operation's to
    /// set ([`ReservedHeader`](RequestError::ReservedHeader)).
    pub fn new(request: OperationRequest, endpoint: &Endpoint) -> Result<Self, RequestError> {
        let path = format!("{}{}", endpoint.prefix(), request.path);
        let host = endpoint.host_header();
        let mut target = path.clone();
        for (nth, (key, value)) in request.query.iter().enumerate() {
            target.push(if nth == 0 { '?' } else { '&' });
            target.push_str(&percent_encode(key));
            target.push('=');
            target.push_str(&percent_encode(value));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
        // URL libraries take dot segments out, and then another path would be sent than the one that was signed.
        let dots = request.path.split('/').any(|segment| matches!(segment, "." | ".."));
        if !request.path.starts_with('/') || !request.path.bytes().all(plain) || dots {
            return Err(RequestError::Path);
        }
        let uri = Uri::builder()
            .scheme(endpoint.scheme().as_str())
            .authority(host.as_str())
            .path_and_query(target)
            .build()
            .map_err(|_| RequestError::Path)?;
        let headers = extra_headers(&request)?;
        Ok(Self {
            method: request.method,
            uri,
            path,
            query: request.query,
            content_length: request.body.len().to_string(),
            content_type: header_value("content-type", &request.content_type)?,
            headers,
            host,
            body: request.body,
            signed: request.signed,
        })
    }

    /// The request with a fresh signature of the time `at`. Its `Authorization` value is marked sensitive. It fails with
    /// [`Sign`](RequestError::Sign), when the query has more parameters than can be signed.
    ///
    /// `host` stands among the headers, so that the client sends the text that was signed. With a body, content-length and
    /// content-type are signed, too. See [Signed headers](crate::protocol#signed-headers).
    pub fn sign(&self, signer: &Signer, at: Timestamp) -> Result<Request<Bytes>, RequestError> {
        let headers = [
            ("content-length", self.content_length.as_str()),
            ("content-type", self.content_type.to_str().unwrap_or_default()),
            ("host", self.host.as_str()),
        ];
        let headers = if self.body.is_empty() { &headers[2..] } else { &headers };
        let mut request = Request::builder().method(self.method.clone()).uri(self.uri.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.headers.iter().any(|(name, ..)| name == header::ACCEPT) {
            request = request.header(header::ACCEPT, HeaderValue::from_static("*/*"));
        }
        for (name, value, _) in &self.headers {
            request = request.header(name, value);
        }
        if self.signed {
            let query: Vec<(&str, &str)> =
                self.query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let extra = self.headers.iter().filter(|(.., signed)| *signed);
            let extra = extra.map(|(name, value, _)| (name.as_str(), value.to_str().unwrap_or("")));
            let headers: Vec<_> = headers.iter().copied().chain(extra).collect();
            let view = RequestView {
                method: self.method.as_str(),
                path: &self.path,
                query: &query,
                headers: &headers,
                body: &self.body,
            };
            request = request.header(header::AUTHORIZATION, signer.sign(view, at)?);
        }
        request.body(self.body.clone()).map_err(|_| RequestError::Path)
    }
}

/// Reads the headers that an operation adds.
fn extra_headers(
    request: &OperationRequest,
) -> Result<Vec<(HeaderName, HeaderValue, bool)>, RequestError> {
    let mut headers: Vec<(HeaderName, HeaderValue, bool)> = Vec::new();
    for extra in &request.headers {
        let malformed = |_| RequestError::Header { name: shown(&extra.name) };
        let name = HeaderName::try_from(&extra.name).map_err(malformed)?;
        if RESERVED.contains(&name) || headers.iter().any(|(other, ..)| *other == name) {
            return Err(RequestError::ReservedHeader { name: name.to_string() });
        }
        let mut value = header_value(&extra.name, &extra.value)?;
        value.set_sensitive(true);
        headers.push((name, value, extra.signed));
    }
    Ok(headers)
}

/// Accepts visible ASCII characters, spaces and tabs, as they can be signed.
fn header_value(name: &str, value: &str) -> Result<HeaderValue, RequestError> {
    let value = HeaderValue::from_str(value).ok().filter(|value| value.to_str().is_ok());
    value.ok_or_else(|| RequestError::Header { name: shown(name) })
}

impl fmt::Debug for PreparedRequest {
    /// Without the query's values, one of which may be a token, and without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.query.iter().map(|(key, _)| key).collect();
        let mut shown = f.debug_struct("PreparedRequest");
        shown
            .field("method", &self.method)
            .field("host", &self.host)
            .field("path", &self.path)
            .field("query_keys", &keys);
        shown
            .field("body_bytes", &self.body.len())
            .field("signed", &self.signed)
            .finish_non_exhaustive()
    }
}
